"""Why jobs failed or were cancelled: what scheduler, notes and the last words on stderr say of it together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..model.failure import Facts, advised, reason_of
from ..model.job import Job
from ..model.reason import Reason
from ..tracking.cluster_session import ClusterSession
from ..tracking.stderr_ends import LastWords
from .told import Told, ask

# Of so many tasks the last words are read; what the others said nobody asks.
_MOST_READ = 20
Failed = tuple[Job, int]
"""A job, and one of its tasks; 0 where it is no array job."""


@dataclass(frozen=True)
class Failure:
    """Why a job or task failed, and the last lines of its stderr, which is in `file` on the cluster."""

    reason: Reason
    stderr: tuple[str, ...] = ()
    file: str = ""


def failures(
    session: ClusterSession, failed: Sequence[Failed], most_read: int = _MOST_READ
) -> Mapping[tuple[str, int], Failure]:
    """Why each of these failed, or was cancelled, by key and task; of `most_read` of them their last words count, too.

    Tasks of a job that failed alike have the same reason: that of the one which used most. Raises SchedulerError,
    Unreachable.
    """
    if not failed:
        return {}
    jobs = {job.key: job for job, _ in failed}
    return judged(ask(session, list(jobs.values()), failed[:most_read]), failed)


def judged(told: Told, failed: Sequence[Failed]) -> Mapping[tuple[str, int], Failure]:
    """The same, by what was told already."""
    jobs = {job.key: job for job, _ in failed}
    facts = {(job.key, task): _facts(told, job, task) for job, task in failed}
    reasons = {place: reason_of(each) for place, each in facts.items()}
    found = {}
    for alike in _alike(facts, reasons):
        most = max(alike, key=lambda place: (facts[place].usage.memory or 0, facts[place].usage.wall or 0))
        job = jobs[most[0]]
        reason = advised(reasons[most], job, facts[most].cause, alike[0][1])
        for place in alike:
            words = told.last_words.get(place, LastWords())
            found[place] = Failure(reason, tuple(words.text.splitlines()), words.path)
    return found


def _facts(told: Told, job: Job, task: int) -> Facts:
    run, words = told.run(job, task), told.last_words.get((job.key, task))
    return Facts(
        job.of(task),
        run.cause if run else Facts(job.of(task)).cause,
        told.usage(job, task),
        words.text if words else "",
        from_here=bool({None, task} & set(job.cancelled)),
    )


def _alike(
    facts: Mapping[tuple[str, int], Facts], reasons: Mapping[tuple[str, int], Reason]
) -> Iterable[list[tuple[str, int]]]:
    """The tasks of each job that failed for one kind of reason, with one exit status."""
    found: dict[tuple[object, ...], list[tuple[str, int]]] = {}
    for place, reason in reasons.items():
        status = facts[place].outcome.exit_status if reason.kind in ("exit", "signal") else None
        found.setdefault((place[0], reason.kind, status), []).append(place)
    return found.values()
