"""Messages are one line, whatever name or value they quote."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path


def one_line(text: object, limit: int = 120) -> str:
    """`text` on one line: anything unprintable as its escape, and cut after `limit` characters."""
    line = str(text)
    if not line.isprintable():
        line = "".join(char if char.isprintable() else repr(char)[1:-1] for char in line)
    return line if len(line) <= limit else line[: limit - 1] + "…"


def number(text: str) -> int | None:
    """What a program on the login node wrote as a whole number of a sane length; None for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else None


def fab() -> str:
    """The program that was called, for messages that say what to type: `fab`, or `submithost`."""
    return "submithost" if "submithost" in Path(sys.argv[0]).parts[-2:] else "fab"


# Flags that need no value: one behind a blank would be the next task's name.
_PERHAPS_A_VALUE = ("failed",)


def typed(cluster: str, verb: str, **flags: str | bool | Sequence[str]) -> str:
    """What to type: `fab -H sharc fetch --job 12 --to 'my results'`. A flag that is empty or False is left out."""
    words = [fab(), "-H", cluster, *verb.split()]
    for name, given in flags.items():
        for value in [given] if isinstance(given, (str, bool)) else given:
            if name in _PERHAPS_A_VALUE and value:
                words.append(f"--{name}" if value is True else f"--{name}={value}")
            else:
                words += [f"--{name}"] if value is True else [f"--{name}", str(value)] if value else []
    return shlex.join(words)


def size_of(kib: int) -> str:
    """A size that is told in KiB, as a person says it: 12 KB, 3.4 GB."""
    size, units = float(kib), ["KB", "MB", "GB", "TB"]
    while abs(size) >= 1000 and len(units) > 1:
        size, units = size / 1024, units[1:]
    return f"{size:.1f} {units[0]}" if size < 10 and units[0] != "KB" else f"{size:.0f} {units[0]}"


def age_of(seconds: int) -> str:
    """How long ago something was, in its largest unit: 3 m, 2 h, 5 d."""
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= length:
            return f"{seconds // length} {unit}"
    return f"{max(0, seconds)} s"
