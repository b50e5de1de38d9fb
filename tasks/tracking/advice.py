"""What to do about a job that does not run: the command that does it, on this cluster."""

from __future__ import annotations

import re
from dataclasses import replace

from ..model.job import Job
from ..model.reason import Reason
from ..model.wording import one_line, typed
from .cluster_session import ClusterSession

# So many of the jobs that one waits for are told of.
_NAMED = 5


def advised(session: ClusterSession, job: Job, reason: Reason) -> Reason:
    """The reason with what to do, where the scheduler's own words do not say it."""
    name, job_id = session.name, job.job_id or ""
    cancel = typed(name, "cancel", job=job_id)
    if reason.kind == "never":
        return replace(reason, advice=f"cancel it ({cancel}){reason.advice and f' and {reason.advice}'}")
    if reason.advice:
        return reason
    if reason.kind == "held":
        return replace(reason, advice=typed(name, "release", job=job_id))
    if reason.kind == "after":
        return replace(reason, advice=_before(session, reason.text))
    if reason.kind == "error":
        return replace(reason, advice=f"it waits until somebody acts: mend that, then {cancel} and resubmit it")
    if reason.kind == "busy":
        return replace(reason, advice=f"it starts by itself ({typed(name, 'queues')} shows how busy it is)")
    return reason


def others(session: ClusterSession, text: str) -> list[Job]:
    """The jobs that are named by their IDs in why another one waits for them, as far as they are known here."""
    found = [session.ledger.by_id(session.name, job_id) for job_id in re.findall(r"\b\d{1,20}\b", text, re.ASCII)]
    return [job for job in found if job][:_NAMED]


def _before(session: ClusterSession, text: str) -> str:
    """How the jobs are that it waits for."""
    each = [f'job {job.job_id} ("{job.name}") is {job.state}' for job in others(session, text)]
    return one_line(", ".join(each), 500)
