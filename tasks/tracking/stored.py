"""What the ledger already has of the jobs that are watched."""

from __future__ import annotations

import time
from collections.abc import Mapping

from ..model.job import Job
from ..model.ledger import Ledger

# The part of the waiting time that may be spent on recording: one in so many.
_STORING = 20


class Stored:
    """Records only what has changed; without a ledger, nothing."""

    def __init__(self, ledger: Ledger | None, jobs: Mapping[str, Job]) -> None:
        self._ledger = ledger
        self._jobs = dict(jobs)
        self._again = 0.0

    def update(self, jobs: Mapping[str, Job], *, now_and_then: bool = False) -> None:
        """Record what has changed; `now_and_then`: put it off if it took long lately (an array job of many tasks)."""
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
