"""What to do about a job that does not run: the command that does it, on this cluster."""

from __future__ import annotations

from dataclasses import replace

from ..model.job import Job
from ..model.reason import Reason
from ..model.wording import typed
from .cluster_session import ClusterSession


def advised(session: ClusterSession, job: Job, reason: Reason) -> Reason:
    """The reason with what to do, where the scheduler's own words do not say it."""
    name, job_id = session.name, job.job_id or ""
    cancel = typed(name, "cancel", job=job_id)
    if reason.kind == "never":
        return replace(reason, advice=f"{cancel} takes it away{reason.advice and f', then {reason.advice}'}")
    if reason.advice:
        return reason
    if reason.kind == "held":
        return replace(reason, advice=typed(name, "release", job=job_id))
    if reason.kind == "error":
        return replace(reason, advice=f"it waits until somebody acts: mend that, then {cancel} and resubmit it")
    if reason.kind == "busy":
        return replace(reason, advice=f"it starts by itself ({typed(name, 'queues')} shows how busy it is)")
    return reason
