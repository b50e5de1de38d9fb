"""Cancel jobs, and keep which ones the scheduler took, so that what follows is known for what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .selection import Selected, named
from .session import Session


def cancel_jobs(session: Session, selected: Sequence[Selected]) -> str:
    """Cancel these jobs, or the tasks named with them; return the scheduler's words.

    Raises SchedulerError when it refused, Unreachable when it is not known whether it heard.
    """
    scheduler = session.scheduler
    said, taken = session.query(scheduler.cancel_command(named(selected)), scheduler.parse_cancel)
    for job, tasks in selected:
        cancelled = {task for task in tasks or (None,) if job.job_id in taken}
        session.ledger.update(replace(job, cancelled=tuple({*job.cancelled, *cancelled})))
    return said
