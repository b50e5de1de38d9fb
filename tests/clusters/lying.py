"""A login node that lies: a real sshd whose every command is this program, which answers what a test has laid down.

Run as `lying.py ANSWERS`: a JSON list of `[words of a program of ours, [[section, text], ...]]`; the first whose words
are in the program that was sent is the answer. A section `=N` is an exit status; a text `...` never ends, and after
`[section, text, N]` comes the text N times, each with its number in place of `{}`. A section `...`: no end of its name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main() -> None:
    """Read a program as the login node would, and answer."""
    head = b""
    while not head.startswith(b"submithost "):
        head = sys.stdin.buffer.readline()
    _, length, nonce = head.split()
    program = sys.stdin.buffer.read(int(length)).decode("utf-8", "surrogateescape")

    def section(name: str, text: str = "", times: int = 1) -> None:
        for stream in (sys.stdout.buffer, sys.stderr.buffer):
            stream.write(f"\n@{nonce.decode()} {name}".encode() + (b"" if name == "..." else b"\n"))
            stream.flush()
        for number in range(times):
            piece = text if times == 1 else text.replace("{}", str(number))
            sys.stdout.buffer.write(piece.encode("utf-8", "surrogateescape"))
        while "..." in (name, text):
            sys.stdout.buffer.write(b"x" * (1 << 16) if name == "..." else bytes(1 << 16))

    section("begin")
    section("environment", "export A='b'\n")
    for words, sections in json.loads(Path(sys.argv[1]).read_text()):
        if words in program:
            for one in sections:
                section(*one)
            break
    section("end")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
