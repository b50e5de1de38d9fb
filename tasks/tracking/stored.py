"""What the ledger knows already of the jobs that are watched."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ..model.job import Job
from ..model.ledger import Ledger

# Of the time while it waits, one part in so many may go into writing down what was learnt.
_STORING = 20


class Stored:
    """Records what has changed, and nothing else; without a ledger, nothing."""

    def __init__(self, ledger: Ledger | None, jobs: Mapping[str, Job]) -> None:
        self._ledger = ledger
        self._jobs = dict(jobs)
        self._again = 0.0

    def update(self, jobs: Mapping[str, Job], *, now_and_then: bool = False) -> None:
        """Record what has changed; `now_and_then`: not yet, if it took long lately (an array job of many tasks)."""
        began = time.monotonic()
        if not self._ledger or (now_and_then and began < self._again):
            return
        changed = [job for key, job in jobs.items() if self._jobs[key] is not job and self._jobs[key] != job]
        if changed:
            with self._ledger.leniently():
                self._ledger.update(*changed)
                self._jobs = dict(jobs)
            now = time.monotonic()
            self._again = now + _STORING * (now - began)
