"""Listeners are told about progress. Rooms below the verbs never print: they return, raise, or tell a listener."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

_log = logging.getLogger("submithost")


class Listener(Protocol):
    """Is told what is being done, and what was found on the way. Calls may come from several threads."""

    def say(self, line: str) -> None:
        """Take one line for a person. It may quote text from outside; whoever shows it has to make it printable."""

    def slow(self, line: str) -> AbstractContextManager[None]:
        """Say `line` once if the block takes more than two seconds."""

    def transfer(self, what: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
        """Begin a transfer of `total` bytes (None: unknown); yields `add(bytes)`, to be called as bytes are done."""


class Quiet:
    """The default listener of the API: lines go to the logger `submithost`, at level INFO; nothing is printed."""

    def say(self, line: str) -> None:
        """Log it."""
        _log.info("%s", line)

    @contextmanager
    def slow(self, line: str) -> Iterator[None]:
        """Does nothing: a waiting program needs no comfort."""
        del line
        yield

    @contextmanager
    def transfer(self, what: str, total: int | None) -> Iterator[Callable[[int], None]]:
        """Nothing is shown."""
        del what, total
        yield lambda _: None
