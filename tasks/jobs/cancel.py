"""Cancel, hold and release jobs, but never others that were given their IDs since; record which were cancelled."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from ..model.errors import SchedulerError
from ..model.job import Selected, State
from ..submission.marks import marks
from ..submission.reconcile import known_there
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .selection import named


def cancel(session: ClusterSession, selected: Sequence[Selected], *, dry_run: bool = False) -> str:
    """Cancel these jobs, or the tasks named with them, and record which the scheduler took; return its words.

    Of those that had ended a line is told. `dry_run`: return what the scheduler would be asked, and ask nothing.
    Raises SchedulerError when it refused, Unreachable when it is not known whether it heard.
    """
    live = _without_ended(session, known_there(session, selected))
    if dry_run:
        return f"{session.scheduler_unasked().cancel(named(live)).command}\n" if live else ""
    if not (live and (theirs := still_theirs(session, live))):
        return ""
    said, taken = session.query(session.scheduler.cancel(named(theirs)))
    with session.ledger.leniently():
        session.ledger.update(
            *(
                replace(job, cancelled=tuple({*job.cancelled, *(tasks or (None,))}))
                for job, tasks in theirs
                if job.job_id in taken
            )
        )
    return said


def _without_ended(session: ClusterSession, selected: Sequence[Selected]) -> list[Selected]:
    live = []
    for job, tasks in selected:
        if not job.state.final:
            live.append((job, tasks))
            continue
        session.listener.say(f"{job.title()} had already ended ({job.state})")
        for repeat in Watch(session, [(job, ())]).live():
            goes_on = f"goes on: cancel --job {repeat.job_id} is for that one"
            session.listener.say(f"{repeat.title()}, which repeats it, {goes_on}")
    return live


def hold(session: ClusterSession, selected: Sequence[Selected], *, dry_run: bool = False) -> str:
    """Hold jobs that have not started. Returns and raises as `cancel`."""
    return _change(session, selected, "hold", dry_run=dry_run)


def release(session: ClusterSession, selected: Sequence[Selected], *, dry_run: bool = False) -> str:
    """Release jobs that are held. Returns and raises as `cancel`."""
    return _change(session, selected, "release", dry_run=dry_run)


def _change(
    session: ClusterSession, selected: Sequence[Selected], how: Literal["hold", "release"], *, dry_run: bool
) -> str:
    if not selected:
        return ""
    selected = known_there(session, selected)
    scheduler = session.scheduler_unasked() if dry_run else session.scheduler
    change = scheduler.hold if how == "hold" else scheduler.release
    question = change(named(selected))  # a scheduler that cannot says so first
    if dry_run:
        return f"{question.command}\n"
    theirs = still_theirs(session, selected)
    if theirs and how == "release":
        theirs = held_ones(session, theirs)
    return session.query(change(named(theirs))) if theirs else ""


def held_ones(session: ClusterSession, selected: Sequence[Selected]) -> list[Selected]:
    """These without those that wait for other jobs, which no release changes: of each of them a line is told.

    What cannot be asked is taken for held. Raises Unreachable.
    """
    watch = Watch(session, selected)
    watch.look()
    states = {job.key: job for job in watch.shown()}
    held = []
    for job, tasks in selected:
        now = states[job.key]
        if now.state is State.PENDING and now.outcome.reason.startswith("waits for ") and not watch.trouble:
            session.listener.say(f"{job.title()} is not held: it {now.outcome.reason}")
        else:
            held.append((job, tasks))
    return held


def still_theirs(session: ClusterSession, selected: Sequence[Selected]) -> list[Selected]:
    """Those whose numbers are not another job's by now; of the others a line is told.

    A scheduler that is killed may forget jobs and give their numbers again. Raises Unreachable.
    """
    owners: dict[str, str] = {}
    with contextlib.suppress(SchedulerError):  # if the scheduler cannot be asked, they count as ours
        found = marks(session, sorted({job.job_id or "" for job, _ in selected}))
        owners = {submitted.job_id: key for key, jobs in found.items() for submitted in jobs}
    theirs = []
    for job, tasks in selected:
        owner = owners.get(job.job_id or "", job.key)
        if owner == job.key:
            theirs.append((job, tasks))
        else:
            session.listener.say(
                f"{job.title()}: its scheduler has given the number to the job of key {owner}, which is left alone"
            )
    return theirs
