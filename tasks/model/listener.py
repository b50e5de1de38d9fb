"""Who is told how work goes on. Rooms below the verbs never print: they return, raise, or tell a listener."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

_log = logging.getLogger("submithost")


class Listener(Protocol):
    """Is told what is being done and what was found out on the way. Calls may come from several threads."""

    def say(self, line: str) -> None:
        """Take one line for a person. It may quote what comes from outside; whoever shows it makes it printable."""

    def slow(self, line: str) -> AbstractContextManager[None]:
        """Say `line`, once, if what is done inside takes more than two seconds."""

    def transfer(self, what: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
        """Enter a transfer of `total` bytes (None: not known); yields `add(bytes)`, to be called as they are done."""


class Quiet:
    """The listener of programs: lines go to the log `submithost`, at level INFO, and nothing is printed."""

    def say(self, line: str) -> None:
        """Log it."""
        _log.info("%s", line)

    @contextmanager
    def slow(self, line: str) -> Iterator[None]:
        """Nothing: a program that waits needs no comfort."""
        del line
        yield

    @contextmanager
    def transfer(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Nothing is shown."""
        del what, total
        yield lambda _: None
