"""Recording that may fail: what was found out or done is shown anyhow, and the trouble is told once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from .database import Database
from .errors import NotRecorded

# Seconds for which others that have the file locked are waited for by who can do without.
_SHORT = 5


def _shown_alone(error: NotRecorded) -> str:
    return f"{error}; what is shown here is not recorded"


class Lenient:
    """A database file whose changes need not succeed; `told` is given the line about the first that did not."""

    def __init__(self, file: Database) -> None:
        self.file = file
        self.failure: NotRecorded | None = None
        self.told: Callable[[str], None] = lambda line: print(line, file=sys.stderr)

    @contextmanager
    def leniently(self) -> Iterator[None]:
        """In here a change that cannot be recorded is no error: it is kept in `failure`, and told, once.

        For what was found out, or done, and is shown anyhow. Who has the file locked is not waited for as long as
        elsewhere, and after the first failure not at all.
        """
        patience, self.file.patience = self.file.patience, 0 if self.failure else _SHORT
        try:
            yield
        except NotRecorded as error:
            if not self.failure:
                self.told(_shown_alone(error))
            self.failure = error
        finally:
            self.file.patience = patience

    @contextmanager
    def at_last(self) -> Iterator[None]:
        """What cannot be recorded leniently in here is raised when all else is done: for who was called to record it.

        Raises NotRecorded; where another error is raised, it is told.
        """
        told, failure, raised = self.told, self.failure, True
        self.told, self.failure = (lambda _: None), None
        try:
            yield
            raised = False
        finally:
            now = cast("NotRecorded | None", self.failure)  # which leniently() may have set
            self.told, self.failure = told, now or failure
            if now and raised:
                told(_shown_alone(now))
        if now:
            raise NotRecorded(_shown_alone(now))
