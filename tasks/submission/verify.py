"""Ask whether the scheduler would take a submission and could run it: nothing is submitted, and nothing stays."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from ..model.errors import NotSubmitted, OnlyAsked, SchedulerError
from ..model.job import Job
from ..model.key import new_key
from ..session import GIVE_UP
from ..tracking.cluster_session import ClusterSession
from .request import Request, submit_wanted, wanted
from .submit import ignore
from .verdict import step


def verify(session: ClusterSession, request: Request) -> str:
    """What the scheduler says of it: it takes this very submission, and could run it.

    Key and job file are left alone. Raises NotSubmitted when it refuses, SchedulerError when it made a job although it
    was only to verify, which is cancelled then, and what `submit` raises.
    """
    options = session.scheduler.verifying
    if not options:
        raise session.scheduler.cannot("verify a submission")
    session.endurance = GIVE_UP
    asked = wanted(session, replace(request, key=new_key("verify"), job_file=None))
    try:
        made = submit_wanted(session, replace(asked, options=(*asked.options, *options)), None, None, 0, ignore)
    except OnlyAsked as only:
        _remove(session, asked.key)
        return f"{only.out}{only.err}"
    except NotSubmitted:
        _remove(session, asked.key)
        raise
    finally:
        session.endurance = 0.0
    session.query(session.scheduler.cancel([(made.job_id or "", None)]))
    raise SchedulerError(f"{session.name}: it was to verify only and made a job; {made.title()} is cancelled")


def _remove(session: ClusterSession, key: str | None) -> None:
    """Remove what was laid for it: under this key nobody else has ever begun anything."""
    with contextlib.suppress(SchedulerError):
        session.ask(step(session, Job(key or "", session.name), "forget"))
