"""Why jobs failed: what the scheduler, the notes and the end of stderr say of it together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ..model.ended import how_it_ended
from ..model.job import Job
from ..model.reason import Reason
from ..tracking.cluster_session import ClusterSession


@dataclass(frozen=True)
class Failure:
    """Why a job or task failed, and the last lines of its stderr, which is in `file` on the cluster."""

    reason: Reason
    stderr: tuple[str, ...] = ()
    file: str = ""


def failures(_: ClusterSession, failed: Sequence[tuple[Job, int]]) -> Mapping[tuple[str, int], Failure]:
    """Why each of these jobs and tasks (0: no array job) failed, by key and task."""
    return {(job.key, task): Failure(Reason("exit", how_it_ended(job.of(task)))) for job, task in failed}
