"""Find out what became of submissions that were begun but not confirmed: after a crash, a cut, a closed laptop.

Nothing is submitted in here. A submission that made no job is reported and then dropped from the ledger: the same
submit begins it anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..model.errors import SchedulerError
from ..model.job import Job, Selected, State
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .verdict import Finding, Verdict, look_up


def reconcile(session: ClusterSession, begun: Sequence[Job]) -> list[Finding]:
    """Look each submission up once, record those that are jobs, and report what each is. Raises Unreachable."""
    looked = look_up(session, begun)
    for found in looked:
        session.listener.say(f"{session.name}: {_said(found)}")
    with session.ledger.leniently():
        session.ledger.update(*(found.job for found in looked if found.verdict is Verdict.JOB))
    return looked


def reconcile_all(session: ClusterSession) -> list[Job]:
    """Find out what became of every submission that was begun but not confirmed; forget those that made no job.

    Returns the jobs, with those that had vanished and have turned up. Raises SchedulerError when some cannot be known
    yet (the rest is in its `known`), NotRecorded, Unreachable.
    """
    begun = session.ledger.begun(session.name)
    if not begun:
        session.listener.say(f"{session.name}: every submission from here has its answer")
    looked = reconcile(session, begun)
    known = [found.job for found in looked if found.verdict is not Verdict.NONE] + turned_up(session)
    for found in looked:
        if found.verdict is Verdict.NONE:
            with session.ledger.leniently():
                session.ledger.forget(found.job)
    if unknown := [found for found in looked if found.verdict is Verdict.UNKNOWN]:
        raise not_known_yet(session, unknown, known)
    return known


def turned_up(session: ClusterSession) -> list[Job]:
    """Look for jobs that had vanished; return those that have turned up. Raises Unreachable."""
    watch = Watch(session, [(job, ()) for job in session.ledger.jobs(session.name, [State.VANISHED])])
    watch.look()
    return [job for job in watch.shown() if job.state is not State.VANISHED]


def confirmed(session: ClusterSession, selected: Sequence[Selected]) -> tuple[list[Selected], list[Finding]]:
    """Look up those that are not confirmed. Return the jobs, and the submissions that are still unknown."""
    begun = [job for job, _ in selected if not job.job_id]
    looked = {found.job.key: found for found in reconcile(session, begun)}
    known = [(looked[job.key].job if job.key in looked else job, tasks) for job, tasks in selected]
    return known, [found for found in looked.values() if found.verdict is Verdict.UNKNOWN]


def known_there(session: ClusterSession, selected: Sequence[Selected]) -> list[Selected]:
    """The same jobs, all confirmed. Raises SchedulerError when one is no job, or not known yet; Unreachable."""
    known, unknown = confirmed(session, selected)
    if unknown:
        raise not_known_yet(session, unknown)
    for job, _ in known:
        if not job.job_id:
            raise SchedulerError(f"{session.name}: key {job.key} made no job; {job.again()} makes it one")
    return known


def not_known_yet(session: ClusterSession, unknown: Sequence[Finding], known: Sequence[Job] = ()) -> SchedulerError:
    """The error for submissions that are still unknown; `known` is carried along."""
    found = unknown[0]
    more = f", nor what became of {len(unknown) - 1} more keys" if len(unknown) > 1 else ""
    why = f" ({found.trouble})" if found.trouble else ""
    error = SchedulerError(
        f"{session.name}: not known yet whether key {found.job.key} became a job{why}{more}; ask again"
    )
    error.known = list(known)
    return error


def _said(found: Finding) -> str:
    """One line about one submission."""
    job = found.job
    if found.verdict is Verdict.JOB:
        return f"key {job.key} is job {job.job_id}"
    if found.verdict is Verdict.NONE:
        why = f": it was refused ({found.words()})" if found.refused else ""
        return f"key {job.key} made no job{why}; {job.again()} makes it one"
    return f"key {job.key}: not known yet whether it became a job{f' ({found.trouble})' if found.trouble else ''}"
