"""Cancel jobs: noted in the job directory and in the ledger first, so that what follows is known for what it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .login_node import Program
from .selection import Selected
from .session import Session


def cancel_jobs(session: Session, selected: Sequence[Selected]) -> str:
    """Cancel these jobs, or the tasks named with them; return the scheduler's words.

    Raises SchedulerError when it refused, Unreachable when it is not known whether it heard.
    """
    named = [(job, task) for job, tasks in selected for task in tasks or (0,)]
    noted = "".join(f"{task} {job.directory}\n" for job, task in named)
    command = session.scheduler.cancel_command([(job.job_id or "", task) for job, task in named])
    answer = session.ask(Program(("cancel",), {"command": command}, data=[noted.encode("utf-8", "surrogateescape")]))
    reply = answer["answer"]
    said = session.scheduler.parse_cancel(1 if reply.status is None else reply.status, reply.text, reply.errors)
    for job, tasks in selected:
        session.ledger.update(replace(job, cancelled=tuple({*job.cancelled, *(tasks or (0,))})))
    return said
