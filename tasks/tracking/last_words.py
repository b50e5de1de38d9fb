"""What to say when the watching ends: that the jobs go on, and what to type, or that they did not succeed."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.errors import JobFailed
from ..model.job import Job, State
from ..model.wording import one_line, typed
from .cluster_session import ClusterSession
from .reasons import Reasons
from .watched import Watched

# The most jobs that a command to type names one by one; for more there is another word.
_NAMED = 5


def go_on(watch: Watched, verb: str) -> list[str]:
    """The last word when these jobs are no longer watched: that they go on, and the command that watches them again."""
    jobs = watch.live()
    if not jobs:
        return []
    each = {"job": [job.job_id or "" for job in jobs]}
    again = typed(watch.session.name, verb, **({"all": True} if verb != "wait" and len(jobs) > _NAMED else each))
    if len(jobs) == 1:
        return [f"{jobs[0].title()} goes on; watch it again: {again}"]
    return [f"{len(jobs)} jobs on {watch.session.name} go on; watch them again: {again}"]


def complain(session: ClusterSession, jobs: Sequence[Job], *, fetched: bool) -> None:
    """Raise JobFailed unless all succeeded; the message says how to fetch their results."""
    for job in jobs:
        if job.repairs and job.in_the_end.state is State.SUCCEEDED:
            session.listener.say(f"{job.title()} has succeeded in the end: {job.tally()}")
    bad = [job for job in jobs if job.in_the_end.state is not State.SUCCEEDED]
    if not bad:
        return
    first, more = bad[0], f" and {len(bad) - 1} more did not succeed" if len(bad) > 1 else ""
    how = "" if fetched else f"; its results: {typed(session.name, 'fetch', job=first.job_id or '')}"
    why = f" ({one_line(first.outcome.reason, 200)})" if first.outcome.reason else ""
    raise JobFailed(f"{first.title()} {first.state}{why}{more}{how}")


def still(jobs: Sequence[Job]) -> str:
    """The beginning of a sentence: the state of the first of these."""
    first = jobs[0]
    more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    state = "in error state" if first.state is State.ERROR else first.state
    return f"{first.title()} is still {state}{more}; "


def hopeless(session: ClusterSession, jobs: Sequence[Job], reasons: Reasons) -> str:
    """That the first of these never starts, and why; that it was left alone, and what takes it away."""
    first, more = jobs[0], f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    found = next((reason for state in (State.PENDING, State.ERROR) if (reason := reasons.of(first, state))), None)
    why = found.text if found else first.outcome.reason
    cancel = typed(session.name, "cancel", job=[job.job_id or "" for job in jobs[:_NAMED]])
    state = "is in error state" if first.state is State.ERROR else "never starts"
    return f"{first.title()}{more} {state}{why and f': {why}'}; given up, not cancelled: {cancel}"
