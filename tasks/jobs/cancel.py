"""Change jobs over there, never those that have got their numbers since, and keep which ones were cancelled."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

from ..model.errors import SchedulerError
from ..model.job import Selected, State
from ..screen import output
from ..submission.marks import marks
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .selection import named


def cancel_jobs(session: ClusterSession, selected: Sequence[Selected]) -> None:
    """Cancel these jobs, or the tasks named with them; show the scheduler's words, and record which it took.

    Raises SchedulerError when it refused, Unreachable when it is not known whether it heard.
    """
    said, taken = session.query(session.scheduler.cancel(named(selected)))
    try:
        output.show_answer(said)
    finally:
        with session.ledger.leniently():
            session.ledger.update(
                *(
                    replace(job, cancelled=tuple({*job.cancelled, *(tasks or (None,))}))
                    for job, tasks in selected
                    if job.job_id in taken
                )
            )


def held_ones(session: ClusterSession, selected: Sequence[Selected]) -> list[Selected]:
    """These without those that wait for other jobs, which no release changes: of each of them a line is said.

    What cannot be asked is taken for held. Raises Unreachable.
    """
    watch = Watch(session, selected)
    watch.look()
    states = {job.key: job for job in watch.shown()}
    held = []
    for job, tasks in selected:
        now = states[job.key]
        if now.state is State.PENDING and now.outcome.reason.startswith("waits for ") and not watch.trouble:
            output.say(f"{job.title()} is not held: it {now.outcome.reason}")
        else:
            held.append((job, tasks))
    return held


def still_theirs(session: ClusterSession, selected: Sequence[Selected]) -> list[Selected]:
    """Those whose numbers are not another job's by now; of the others a line is said.

    A scheduler that is killed may forget jobs and give their numbers again. Raises Unreachable.
    """
    owners: dict[str, str] = {}
    with contextlib.suppress(SchedulerError):  # what cannot be asked is held against nobody
        found = marks(session, sorted({job.job_id or "" for job, _ in selected}))
        owners = {submitted.job_id: key for key, jobs in found.items() for submitted in jobs}
    theirs = []
    for job, tasks in selected:
        owner = owners.get(job.job_id or "", job.key)
        if owner == job.key:
            theirs.append((job, tasks))
        else:
            output.say(
                f"{job.title()}: its scheduler has given the number to the job of key {owner}, which is left alone"
            )
    return theirs
