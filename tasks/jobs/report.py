"""What many jobs came to: asked about together, and told by what is known where nobody can be asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..model.errors import SchedulerError, SubmithostError
from ..model.job import Job, Outcome, Selected, State
from ..model.report import Report, Reported
from ..model.usage import JobUsage, Usage
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .failed import judged
from .told import Told, ask

# So many are asked about together, and so many failed ones' last words are read.
_AT_ONCE, _MOST_READ = 5000, 200


def report(session: ClusterSession, selected: Sequence[Selected]) -> Report:
    """What these jobs came to. Where the cluster, its scheduler or its accounting cannot be asked, that is among the
    troubles, and what is known here is reported.
    """
    jobs = list({job.key: job for job, _ in selected if job.job_id}.values())
    found: list[Reported] = []
    troubles: list[str] = []
    try:
        jobs = _as_they_are(session, jobs)
        for at in range(0, len(jobs), _AT_ONCE):
            found += _told(session, jobs[at : at + _AT_ONCE])
    except SubmithostError as error:
        found += [_from_here(job) for job in jobs[len(found) :]]
        troubles.append(f"{session.name}: reported as known here before: {error}")
    silent = sum(not each.accounted for each in found)
    if silent and not troubles:
        which = "these jobs" if silent == len(found) else f"{silent} of these {len(found)} jobs"
        troubles.append(
            f"{session.name}: the accounting tells nothing of {which}, yet or any more: what they noted counts"
        )
    return Report(found, troubles)


def _as_they_are(session: ClusterSession, jobs: Sequence[Job]) -> list[Job]:
    """Raises SchedulerError, Unreachable."""
    watch = Watch(session, [(job, ()) for job in jobs])
    watch.look()
    if watch.trouble:
        raise SchedulerError(f"could not ask: {watch.trouble}")
    return [watch.jobs[job.key] for job in jobs]


def _told(session: ClusterSession, jobs: Sequence[Job]) -> Iterator[Reported]:
    failed = [(job, task) for job in jobs for task, one in job.parts() if one.state is State.FAILED]
    told = ask(session, jobs, failed[:_MOST_READ])
    causes = judged(told, failed)
    for job in jobs:
        found = {task: causes[job.key, task].reason for task, _ in job.parts() if (job.key, task) in causes}
        because = next((reason.text for reason in found.values()), "")
        reasons = {task: reason.kind for task, reason in found.items()} | _without_a_cause(job)
        used = JobUsage(job, told.usages(job))
        yield Reported(used, told.projects.get(job.key, ""), reasons, because, _accounted(told, job))


def _accounted(told: Told, job: Job) -> bool:
    """Whether the scheduler told of it, or has nothing to tell yet."""
    return not job.state.ended or any(told.run(job, task) for task, _ in job.parts())


def _without_a_cause(job: Job) -> dict[int, str]:
    """What was cancelled or vanished is a kind of its own, by task."""
    return {task: str(one.state) for task, one in job.parts() if one.state in (State.CANCELLED, State.VANISHED)}


def _from_here(job: Job) -> Reported:
    """By the ledger alone."""
    usages = {task: _usage(task, one) for task, one in job.parts() if one.started_at}
    reasons = {task: "unknown" for task, one in job.parts() if one.state is State.FAILED}
    return Reported(JobUsage(job, usages), "", reasons | _without_a_cause(job), job.outcome.reason, accounted=False)


def _usage(task: int, one: Outcome) -> Usage:
    wall = one.ended_at - one.started_at if one.started_at and one.ended_at else None
    return Usage(task or None, wall=wall, started_at=one.started_at, ended_at=one.ended_at)
