"""stdin, stdout and stderr, in whatever state we were given them."""

from __future__ import annotations

import contextlib
import io
import os
import sys


class _Lossy(io.TextIOWrapper):
    """Text that cannot be written is dropped without an error, which nobody would see and which must end nothing.

    It is not done in a raw stream: Ctrl-C in the middle of its `write` would write the same bytes twice.
    """

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def make_safe() -> None:
    """From now on, writing to stderr never raises, and stdout can write any character.

    A stream that was closed (`>&-`) goes to /dev/null, so that the next file that is opened does not take its place.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free descriptor, which is this one
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115  # for good
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        raw = open(2, "wb", closefd=False)  # noqa: SIM115  # for good
        sys.stderr = _Lossy(raw, sys.stderr.encoding, sys.stderr.errors, line_buffering=True)


def lose_stdout() -> None:
    """Drop what is still buffered: the reader has gone, or the disk is full."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
