"""stdin, stdout and stderr, in whatever state they were left to us."""

from __future__ import annotations

import contextlib
import io
import os
import sys


class _Lossy(io.TextIOWrapper):
    """Text that cannot be written raises nothing: nobody can be told, and what was done must not be lost with it.

    Not a raw stream that does so: Ctrl-C in the middle of its `write` would have the same bytes written twice.
    """

    def write(self, text: str, /) -> int:
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            super().flush()


def make_safe() -> None:
    """From now on to write to stderr raises nothing, and no character is one that stdout cannot write.

    A stream that was closed (`>&-`) takes everything, and not the next file that is opened.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number, which is this one
            setattr(sys, name, open(number, "r" if number == 0 else "w", closefd=False))  # noqa: SIM115  # for good
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")
    if sys.stderr is sys.__stderr__ and isinstance(sys.stderr, io.TextIOWrapper):
        raw = open(2, "wb", closefd=False)  # noqa: SIM115  # for good
        sys.stderr = _Lossy(raw, sys.stderr.encoding, sys.stderr.errors, line_buffering=True)


def lose_stdout() -> None:
    """Whoever reads it has read enough, or its disk is full: what is still buffered has nowhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
