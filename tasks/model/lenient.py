"""Recording that may fail: the results are shown all the same, and the failure is reported once."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import cast

from .database import Database
from .errors import NotRecorded

# Seconds to wait for others that have locked the file, if the change is not essential.
_SHORT = 5


def _shown_alone(error: NotRecorded) -> str:
    return f"{error}; what is shown here is not recorded"


class Lenient:
    """A database file whose changes may fail; `told` is called with a line about the first failure."""

    def __init__(self, file: Database) -> None:
        self.file = file
        self.failure: NotRecorded | None = None
        self.told: Callable[[str], None] = lambda line: print(line, file=sys.stderr)

    @contextmanager
    def leniently(self) -> Iterator[None]:
        """In here a change that cannot be recorded is no error: it is kept in `failure`, and reported once.

        For results that are shown all the same. A locked file is waited for less long than elsewhere, and after the
        first failure not at all.
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
        """Raise a failure to record, but only at the end: for callers whose purpose is to record.

        Raises NotRecorded; if another error is raised, the failure is reported instead.
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
