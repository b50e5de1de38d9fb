"""A login node that answers what a fuzzer wants: sshd's every command is this program, which runs what was sent and
spoils its answer.

Run as `mutating.py PLAN`: a JSON object of `how` (one of HOW) and `at` (after how many sections it begins).
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

_HUGE = 256 << 20


def cut(_: bytes, rest: bytes) -> Iterator[bytes]:
    yield rest[: len(rest) // 2]


def again(_: bytes, rest: bytes) -> Iterator[bytes]:
    yield from itertools.repeat(rest, 3)


def huge(_: bytes, rest: bytes) -> Iterator[bytes]:
    """The same lines again and again, each with other numbers (until there are enough of those)."""
    parts = re.split(rb"\d+", rest.split(b"\n@")[0] or b"1 ")
    at_once = 1 + (1 << 20) // (len(rest) + 8 * len(parts))
    numbers, size, piece = itertools.count(), 0, b""
    while size < _HUGE:
        if size < _HUGE // 6:
            piece = b"".join(str(number).encode().join(parts) + b"\n" for number in itertools.islice(numbers, at_once))
        size += len(piece)
        yield piece
    yield rest


def endless_line(_: bytes, rest: bytes) -> Iterator[bytes]:
    yield rest[: len(rest) // 2]
    yield from itertools.repeat(b"x" * 65536)


def endless_errors(_: bytes, rest: bytes) -> Iterator[bytes]:
    yield rest[: len(rest) // 2]
    while True:
        sys.stderr.buffer.write(b"x" * 65536)
        yield b""


def endless_sections(nonce: bytes, rest: bytes) -> Iterator[bytes]:
    del rest
    for number in itertools.count():
        yield b"".join(b"\n@%s s%d\n" % (nonce, number * 1000 + each) for each in range(1000))


def endless_name(nonce: bytes, rest: bytes) -> Iterator[bytes]:
    yield rest
    yield b"\n@%s " % nonce
    yield from itertools.repeat(b"n" * 65536)


def endless_fields(_: bytes, rest: bytes) -> Iterator[bytes]:
    del rest
    yield from itertools.repeat(b"\0" * 65536)


def wrong_nonce(nonce: bytes, rest: bytes) -> Iterator[bytes]:
    yield rest.replace(nonce, nonce[::-1])


def no_text(_: bytes, rest: bytes) -> Iterator[bytes]:
    yield re.sub(rb"[a-z]", b"\xff\0", rest, count=200)


def ranges(_: bytes, rest: bytes) -> Iterator[bytes]:
    yield re.sub(rb"(?<=[ .])\d+(?:-\d+)?(?::\d+)?(?=[ \n(])", b"1-4000000:1", rest)


def enormous(nonce: bytes, rest: bytes) -> Iterator[bytes]:
    parts = rest.split(nonce)
    yield nonce.join(re.sub(rb"\b\d+\b", b"9" * 30, part) for part in parts)


def negative(nonce: bytes, rest: bytes) -> Iterator[bytes]:
    parts = rest.split(nonce)
    yield nonce.join(re.sub(rb"\b\d+\b", rb"-\g<0>", part) for part in parts)


HOW: dict[str, Callable[[bytes, bytes], Iterator[bytes]]] = {
    mutation.__name__.replace("_", " "): mutation
    for mutation in (
        cut, again, huge, endless_line, endless_errors, endless_sections, endless_name, endless_fields, wrong_nonce,
        no_text, ranges, enormous, negative,
    )
}  # fmt: skip


def main() -> None:
    """Run the program that is sent; of its answer only so many sections come as they are."""
    plan = json.loads(Path(sys.argv[1]).read_text())
    running = subprocess.Popen(
        ["/bin/sh", "-c", os.environ["SSH_ORIGINAL_COMMAND"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert running.stdin
    assert running.stdout
    head = b""
    while not head.startswith(b"submithost ") and (head := sys.stdin.buffer.readline()):
        running.stdin.write(head)
    nonce = head.split()[2]

    def send() -> None:
        with contextlib.suppress(OSError):
            while piece := sys.stdin.buffer.read1(1 << 16):
                running.stdin.write(piece)
                running.stdin.flush()
            running.stdin.close()

    running.stdin.flush()
    threading.Thread(target=send, daemon=True).start()
    mark, said = b"\n@%s " % nonce, b""
    with contextlib.suppress(BrokenPipeError):
        while said.count(mark) <= plan["at"] and (piece := running.stdout.read1(1 << 16)):
            said += piece
        at = [found.start() for found in re.finditer(re.escape(mark), said)]
        passed = at[min(plan["at"], len(at) - 1)] if at else 0
        begins = said.find(b"\n", passed + 1) + 1
        sys.stdout.buffer.write(said[:begins])
        for piece in HOW[plan["how"]](nonce, said[begins:]):
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    running.kill()
    os._exit(0)  # whoever still reads stdin is left alone


if __name__ == "__main__":
    main()
