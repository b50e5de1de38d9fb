"""A terminal of a given size with a person at it: a program runs in it, keys are typed, and what it shows is read.

A real pseudo-terminal, whose output is drawn by pyte: what is on the screen, and what has scrolled off its top.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Sequence
from types import TracebackType

import pyte

from tests.conftest import Person


class Terminal:
    """Runs a program in a terminal; `screen()` is what it shows, `lines()` all that can be seen by scrolling up."""

    def __init__(self, person: Person, words: Sequence[str], columns: int = 80, rows: int = 24) -> None:
        self._screen = pyte.HistoryScreen(columns, rows, history=10_000, ratio=0.5)
        self._screen.set_mode(pyte.modes.LNM)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""
        self._ours, theirs = os.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.child = subprocess.Popen(
            ["setsid", "--ctty", "--wait", sys.executable, "-m", *words], cwd=person.work,
            env={**person.environment, "TERM": "xterm"}, stdin=theirs, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.child.poll() is None:
            os.killpg(self.child.pid, signal.SIGKILL)
        self.child.wait()
        os.close(self._ours)

    def _read(self, seconds: float) -> bool:
        """Draw what comes in so many seconds; False once the program has closed its end."""
        if select.select([self._ours], [], [], seconds)[0]:
            try:
                piece = os.read(self._ours, 1 << 16)
            except OSError:  # how a terminal says that nobody writes any more
                return False
            self.raw += piece
            self._stream.feed(piece)
        return True

    def until(self, shown: Callable[[str], object], limit: float = 120) -> str:
        """Draw until this is so of all that can be seen, or the program has ended; returns that."""
        end = time.monotonic() + limit
        while not shown(self.text()) and self._read(0.2):
            assert time.monotonic() < end, self.text()
        assert shown(self.text()), self.text()
        return self.text()

    def to_the_end(self, limit: float = 120) -> int:
        """Draw until the program has ended; returns its exit status."""
        end = time.monotonic() + limit
        while self._read(0.2):
            assert time.monotonic() < end, self.text()
        return self.child.wait(limit)

    def type(self, keys: str) -> None:
        """Type these keys; `\\x03` is Ctrl-C."""
        os.write(self._ours, keys.encode())

    def screen(self) -> list[str]:
        """What the terminal shows now, without blank lines at the end."""
        lines = [line.rstrip() for line in self._screen.display]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    def scrolled(self) -> bool:
        """Whether anything has scrolled off the top."""
        return bool(self._screen.history.top)

    def lines(self) -> list[str]:
        """The lines that have scrolled off the top, and then those that are shown."""
        columns = self._screen.columns
        above = ["".join(row[at].data for at in range(columns)).rstrip() for row in self._screen.history.top]
        return above + self.screen()

    def text(self) -> str:
        return "\n".join(self.lines())


def seen(person: Person, *words: str, columns: int = 80, rows: int = 24) -> list[str]:
    """All lines that a command line of `fab` leaves on a terminal of that size."""
    with Terminal(person, ["fabric", *words], columns, rows) as terminal:
        terminal.to_the_end()
        return terminal.lines()
