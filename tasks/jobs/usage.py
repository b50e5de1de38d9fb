"""What jobs used, by one question to their cluster."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.job import Selected
from ..model.usage import JobUsage
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .told import ask


def usage(session: ClusterSession, selected: Sequence[Selected]) -> list[JobUsage]:
    """What these jobs used, so far or until their end. Raises SchedulerError, Unreachable."""
    watch = Watch(session, selected)
    watch.look()
    jobs = [job for job in watch.shown() if job.job_id]
    told = ask(session, jobs)
    if silent := [job for job in jobs if job.state.ended and not told.runs[job.key]]:
        more = f" and {len(silent) - 1} more" if len(silent) > 1 else ""
        session.listener.say(
            f"the scheduler tells nothing of {silent[0].title()}{more}, yet or any more: shown is what the job noted"
        )
    return [JobUsage(job, told.usages(job)) for job in jobs]
