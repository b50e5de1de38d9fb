"""The state of jobs, by one question to their cluster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..model.job import Job, Selected, State
from ..submission.reconcile import confirmed, not_known_yet
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch


def status(session: ClusterSession, selected: Sequence[Selected], *, all: bool = False) -> list[Job]:
    """These jobs as they are now; with `all`, of those that had vanished only what has turned up.

    Raises SchedulerError when the scheduler could not be asked, or when it cannot be known yet whether one of these is
    a job: what is known is in its `known`; Unreachable.
    """
    known, unknown = confirmed(session, selected)
    watch = Watch(session, known)
    if selected and not known:
        say_nothing(session)
    watch.look()
    shown = not_asked(watch.shown()) if watch.trouble else watch.shown()
    if all:
        lost = {job.key for job, _ in known if job.state is State.VANISHED}
        shown = [job for job in shown if job.key not in lost or job.state is not State.VANISHED]
    if error := watch.error or (not_known_yet(session, unknown) if unknown else None):
        error.known = shown
        raise error
    return shown


def not_asked(jobs: Sequence[Job]) -> list[Job]:
    """The jobs of a cluster that could not be asked: unknown. The ledger keeps what was known before."""
    return [j if j.state.final else replace(j, outcome=replace(j.outcome, state=State.UNKNOWN)) for j in jobs]


def say_nothing(session: ClusterSession) -> None:
    """Say why there is no job to show."""
    what = "no job was submitted from here"
    if session.ledger.last(session.name):
        what = "every job that was submitted from here is known to have ended"
    session.listener.say(f"{session.name}: {what}")
