"""Why jobs are in error state: asked once, and kept until they have left it (G9)."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import replace

from ..model.errors import SchedulerError
from ..model.job import Job, Outcome, State
from .cluster_session import ClusterSession


class Errors:
    """The reasons, by job ID; empty where the scheduler did not say."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def unexplained(self, jobs: Iterable[Job]) -> list[str]:
        """The IDs of those in error state of which the list does not tell why, and nobody has asked yet."""
        return [job.job_id for job in jobs if job.job_id and _mute(job) and job.job_id not in self._reasons]

    def ask(self, session: ClusterSession, job_ids: list[str]) -> None:
        """Ask once, whatever comes of it: that the reason is not known changes nothing."""
        self._reasons.update(dict.fromkeys(job_ids, ""))
        with contextlib.suppress(SchedulerError):
            reasons = session.query(session.scheduler.errors(job_ids))
            self._reasons.update(reasons)

    def explain(self, job: Job) -> Job:
        """The job with the reason of its error state, as far as that is known."""
        if not _in_error(job):
            self._reasons.pop(job.job_id or "", None)
            return job
        reason = self._reasons.get(job.job_id or "", "")

        def explained(outcome: Outcome) -> Outcome:
            return replace(outcome, reason=outcome.reason or reason) if outcome.state is State.ERROR else outcome

        tasks = {number: explained(task) for number, task in job.tasks.items()}
        return replace(job, outcome=explained(job.outcome), tasks=tasks)


def _in_error(job: Job) -> bool:
    return job.state is State.ERROR or State.ERROR in job.counts


def _mute(job: Job) -> bool:
    """Whether it is in error state, or a task of it, without a word why."""
    return _in_error(job) and any(
        one.state is State.ERROR and not one.reason for one in (job.outcome, *job.tasks.values())
    )
