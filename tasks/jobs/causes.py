"""For what causes tasks failed, and which of these `--failed=CAUSES` names."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.errors import InvalidInput, nearest
from ..model.job import Job, State
from ..tracking.cluster_session import ClusterSession
from .failed import failures

CAUSES = (
    "memory", "time", "signal", "exit", "shell", "script", "place", "quota", "after", "node", "cancelled", "start",
    "unknown",
)  # fmt: skip
# Of so many tasks the last words on stderr are read, which tell why one failed where its scheduler does not.
_MOST_READ = 1000


def causes_of(text: str) -> tuple[str, ...]:
    """The causes in `memory,time`. Raises InvalidInput for what is none."""
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    for word in words:
        if word not in CAUSES:
            near = nearest(word, CAUSES) or f"; causes are {', '.join(CAUSES)}"
            raise InvalidInput(f"--failed={text}: no such cause as '{word}'{near}")
    return words


def causes(session: ClusterSession, ended: Sequence[tuple[Job, int]]) -> dict[tuple[str, int], str]:
    """For which of CAUSES each of these tasks did not succeed, by key and task. Raises SchedulerError, Unreachable."""
    failed = [(job, task) for job, task in ended if job.of(task).state in (State.FAILED, State.CANCELLED)]
    found = failures(session, failed, _MOST_READ)
    kinds = {place: failure.reason.kind for place, failure in found.items()}
    return {(job.key, task): kinds.get((job.key, task), "unknown") for job, task in ended}
