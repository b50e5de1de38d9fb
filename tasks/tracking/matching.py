"""Match the rows of a scheduler's list, and the records of jobs, with our jobs: IDs are used again. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from ..model.errors import SchedulerError
from ..model.job import Alike, Job, Outcome
from ..model.resources import MOST_FOLLOWED
from ..model.settling import ACCOUNTING_LAG
from ..schedulers.values import Ran, Record, Row, Traced

T = TypeVar("T", Row, Record, Ran)
R = TypeVar("R", Record, Ran)

# Seconds by which the clocks of a login node and its scheduler may differ.
_CLOCKS = 5

# The most tasks, in all, whose states may be told one by one; a state that all tasks of a job share costs nothing.
MOST_ONE_BY_ONE = MOST_FOLLOWED


def states_of(
    rows: Iterable[Row], jobs: Iterable[Job], outlived: Collection[str] = ()
) -> dict[str, Mapping[int, Outcome]]:
    """States by key and task; a row without tasks is about the whole job (task 0).

    `outlived` are the keys of jobs whose IDs were given to later ones: no row is about them. Raises SchedulerError for
    rows about more tasks than there can be.
    """
    found: dict[str, Mapping[int, Outcome]] = {}
    of_id = by_id(rows)
    left = MOST_ONE_BY_ONE
    for job in jobs:
        told = () if job.key in outlived else of_id.get(job.job_id, ())
        of_it = [row for row in told if _carries(job, row.key)]
        if len(of_it) == 1 and _about_all(of_it[0], job):
            found[job.key] = Alike(job.numbers(), Outcome(of_it[0].state, reason=of_it[0].reason))
            continue
        states: dict[int, Outcome] = {}
        for row in of_it:
            states.update(dict.fromkeys(_tasks(row, job), Outcome(row.state, reason=row.reason)))
        left -= len(states)
        check_enough(left)
        found[job.key] = states
    return found


def check_enough(left: int) -> None:
    """Raises SchedulerError when more tasks are told one by one than may be."""
    if left < 0:
        raise SchedulerError(f"the answer is not understood: it is about more than {MOST_ONE_BY_ONE} tasks")


def by_id(told: Iterable[T]) -> dict[str | None, list[T]]:
    """Rows or records by job ID."""
    found: dict[str | None, list[T]] = {}
    for each in told:
        found.setdefault(each.job_id, []).append(each)
    return found


def _carries(job: Job, key: str) -> bool:
    """Whether a row with this mark may be of this job: always, if it has none or the job was submitted by hand."""
    return job.by_hand or key in ("", job.key)


def _tasks(row: Row | Record | Ran, job: Job) -> Iterable[int]:
    """The tasks of the job that a row is about."""
    if not (job.array and row.tasks):
        return job.numbers()
    if _about_all(row, job):
        return job.numbers()
    # Only tasks that the job has: a number from outside must not make us count to a billion.
    both = (sorted((job.array, tasks), key=len) for tasks in row.tasks)
    return (task for fewer, more in both for task in fewer.numbers() if task in more)


def _about_all(row: Row | Record | Ran, job: Job) -> bool:
    return not (job.array and row.tasks) or row.tasks == job.array.parts()


def _since(least: int, records: Iterable[R]) -> list[R]:
    """Records of jobs submitted at that time or later, or at an unknown time."""
    return [each for each in records if each.submitted_at is None or each.submitted_at >= least]


def _newest(records: Sequence[Record]) -> list[Record]:
    """The records of the job that was submitted last."""
    return _since(max((each.submitted_at or 0 for each in records), default=0), records)


def records_of(
    job: Job, records: Sequence[Record], now: int = 0, ids_last: int = Traced.ids_last
) -> Mapping[int, Outcome]:
    """Those of `job` among the records of its ID.

    IDs are used again (G29), so none from before it was submitted, as far as its time is told; one with its own mark
    is of it, whatever any clock says.

    Clocks differ, but what seems too old may be of a job that had this ID before, and the right record be late: it
    counts when by `now` (the cluster's time) no other one has come, and it is not older than `ids_last` seconds. What
    is alive has not ended, whatever else is told of it: that is of a run before.
    """
    waited = job.absent_since is not None and now - job.absent_since > ACCOUNTING_LAG
    submitted = job.submitted_at or 0
    mine = [each for each in records if each.job_id == job.job_id and _carries(job, each.key)]
    of_it = [each for each in mine if each.key == job.key or _since(submitted - _CLOCKS, [each])]
    if not of_it and waited:
        of_it = _newest(_since(submitted - ids_last, mine))
    if len(of_it) == 1 and _about_all(of_it[0], job):
        return Alike(job.numbers(), of_it[0].outcome)
    rest: dict[int, Outcome] = {}
    told: dict[int, Outcome] = {}  # of one task: a line about several may name some that it is not about any more
    for record in of_it:
        found = told if [len(tasks) for tasks in record.tasks] == [1] else rest
        for task in _tasks(record, job):
            if task not in found or found[task].state.ended:
                found[task] = record.outcome
    return rest | told


@dataclass(frozen=True)
class Runs:
    """What a scheduler tells of the last runs of one job: of the `whole` of it, and of single tasks."""

    whole: Ran | None = None
    tasks: Mapping[int, Ran] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.whole or self.tasks)


def runs_of(job: Job, runs: Mapping[str | None, Sequence[Ran]]) -> Runs:
    """Those of `job` among `runs` by job ID; of what is told of twice, the later one."""
    of_it = _since(
        (job.submitted_at or 0) - _CLOCKS, (run for run in runs.get(job.job_id, ()) if _carries(job, run.key))
    )
    whole, tasks = None, {}
    for run in of_it:
        if _about_all(run, job):
            whole = run
        else:
            tasks.update(dict.fromkeys(_tasks(run, job), run))
    return Runs(whole, tasks)
