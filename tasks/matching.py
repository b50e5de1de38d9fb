"""Which rows of a scheduler's list, and which records of single jobs, are of which job: IDs are used again. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from .model.job import Job, Outcome
from .model.settling import ACCOUNTING_LAG
from .schedulers import Record, Row


def states_of(rows: Iterable[Row], jobs: Iterable[Job]) -> dict[str, dict[int, Outcome]]:
    """States by key and task; a row without tasks is about the whole job (task 0)."""
    found: dict[str, dict[int, Outcome]] = {}
    of_id: dict[str | None, list[Row]] = {}
    for row in rows:
        of_id.setdefault(row.job_id, []).append(row)
    for job in jobs:
        states = found[job.key] = {}
        for row in of_id.get(job.job_id, ()):
            if _carries(job, row.key):
                states.update(dict.fromkeys(_tasks(row, job), Outcome(row.state, reason=row.reason)))
    return found


def _carries(job: Job, key: str) -> bool:
    """Whether what has this mark may be this job: where it has none, or the job was submitted without us, it may."""
    return job.by_hand or key in ("", job.key)


def _tasks(row: Row | Record, job: Job) -> Iterable[int]:
    """Which of the job's tasks a row is about."""
    if not (job.array and row.tasks):
        return job.numbers()
    # Those that it has: a number from outside is no reason to count to a billion.
    both = (sorted((job.array, tasks), key=len) for tasks in row.tasks)
    return (task for fewer, more in both for task in fewer.numbers() if task in more)


def records_of(job: Job, records: Iterable[Record], now: int = 0) -> dict[int, Outcome]:
    """The records of `job`; IDs are used again (G29), so none from before it was submitted, as far as its time is told.

    Clocks differ, but what seems a little too old may be of a job that had this ID minutes ago, and the right record be
    late: it counts when by `now` (the cluster's time) no other one has come. What is alive has not ended, whatever else
    is told of it: that is of a run before.
    """
    waited = job.absent_since is not None and now - job.absent_since > ACCOUNTING_LAG
    slack = 300 if waited else 5
    rest: dict[int, Outcome] = {}
    told: dict[int, Outcome] = {}  # of one task: a line about several may name some that it is not about any more
    for record in records:
        recent = record.submitted_at is None or record.submitted_at >= (job.submitted_at or 0) - slack
        if record.job_id == job.job_id and _carries(job, record.key) and recent:
            found = told if [len(tasks) for tasks in record.tasks] == [1] else rest
            for task in _tasks(record, job):
                if task not in found or found[task].state.ended:
                    found[task] = record.outcome
    return rest | told
