"""Captured answers of real schedulers: blocks `### COMMAND`, `O| stdout`, `E| stderr`, `rc=STATUS` in tests/data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"


@dataclass(frozen=True)
class Captured:
    """One command, and what it answered."""

    command: str
    status: int
    out: str
    err: str


def captured(file: str) -> list[Captured]:
    """All blocks of a file, in its order; what stands between blocks is commentary."""
    found: list[Captured] = []
    command: str | None = None
    out: list[str] = []
    err: list[str] = []
    for line in (DATA / file).read_text("utf-8").splitlines():
        if line.startswith("### "):
            command, out, err = line[4:], [], []
        elif line.startswith("O| ") or line == "O|":
            out.append(line[3:])
        elif line.startswith("E| ") or line == "E|":
            err.append(line[3:])
        elif line.startswith("rc=") and command is not None:
            text = ["".join(f"{each}\n" for each in lines) for lines in (out, err)]
            found.append(Captured(command, int(line[3:]), *text))
            command = None
    return found


def answer(file: str, command: str, nth: int = 0) -> Captured:
    """The nth answer to exactly that command."""
    return [block for block in captured(file) if block.command == command][nth]
