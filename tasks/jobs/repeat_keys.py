"""The keys of jobs that repeat an earlier submission: `KEY.rN`, and behind it the tasks that are repeated."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Sequence

from ..model.job import Job
from ..model.key import check_key
from ..model.resources import TaskRange
from ..tracking.cluster_session import ClusterSession

# A key has up to 128 characters, and in those of repeats there is a number and a range of tasks at the end.
_LONGEST_STEM = 80


def keys(session: ClusterSession, job: Job, parts: Sequence[TaskRange | None], done: Collection[str]) -> list[str]:
    """A key for each part: those of the first N of which not all are jobs already."""
    number = 0
    while True:
        number += 1
        base = f"{stem(job)}.r{number}"
        keys = [check_key(f"{base}.{_word(part)}" if part else base) for part in parts]
        known = [session.ledger.by_key(session.name, key) for key in keys]
        if not all((one and one.job_id) or key in done for key, one in zip(keys, known, strict=True)):
            return keys


def stem(job: Job) -> str:
    """What the keys of all repeats of this submission begin with: its key, shortened where no more would fit behind."""
    key = job.origin or job.key
    return key if len(key) <= _LONGEST_STEM else f"{key[:60]}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"


def _word(part: TaskRange) -> str:
    """A short word for these tasks, and no others."""
    digest = f".{hashlib.sha256(str(part).encode()).hexdigest()[:8]}" if part.also else ""
    return f"{part.first}-{part.last}.{part.step}{digest}"


def generation(job: Job) -> int:
    """Which resubmit made the job, counted from 1; 0: it is the first job of its submission."""
    found = re.search(r"\.r(\d{1,9})(\.\d+-\d+\.\d+(\.[0-9a-f]{8})?)?$", job.key, re.ASCII) if job.origin else None
    return int(found[1]) if found else 0
