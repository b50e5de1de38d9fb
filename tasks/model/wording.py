"""Messages are one line, whatever name or value they quote."""

from __future__ import annotations

import sys
from pathlib import Path


def one_line(text: object, limit: int = 120) -> str:
    """`text` on one line: anything unprintable as its escape, and cut after `limit` characters."""
    line = "".join(char if char.isprintable() else repr(char)[1:-1] for char in str(text))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def number(text: str) -> int | None:
    """What a program over there wrote as a whole number of a sane length; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def fab() -> str:
    """The program that was called, for messages that say what to type: `fab`, or `submithost`."""
    return "submithost" if "submithost" in Path(sys.argv[0]).parts[-2:] else "fab"
