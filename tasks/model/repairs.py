"""Which later jobs repair what did not succeed in an earlier one. Pure.

A repeat is a job that `resubmit` made: its `origin` is the key of the submission that it repeats, and its tasks are
those that it repeats. Both are in the ledger and in the job directory, so they outlive a lost ledger. For a task that
did not succeed, the first repeat that succeeded counts, or else the last one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from .job import Job, State


def by_origin(jobs: Iterable[Job]) -> dict[str, list[Job]]:
    """All repeats, by the key of what they repeat; oldest first."""
    found: dict[str, list[Job]] = {}
    for job in sorted(jobs, key=lambda job: job.submitted_at or 0):
        if job.origin:
            found.setdefault(job.origin, []).append(job)
    return found


def later(job: Job, repeats: Mapping[str, Sequence[Job]]) -> list[Job]:
    """Those that repeat what `job` is, and came after it. Those that are not known to be jobs are among them."""
    family = list(repeats.get(job.origin or job.key, ()))
    at = next((at for at, each in enumerate(family) if each.key == job.key), -1)
    return family[at + 1 :]


def with_repairs(job: Job, repeats: Iterable[Job]) -> Job:
    """The job with the repeat that counts for each of its tasks that did not succeed and was repeated."""
    known = [each for each in repeats if each.job_id]
    if not known:
        return job
    repairs = {}
    for task in job.tasks if job.array and job.tasks else job.numbers():
        if job.of(task).state is not State.SUCCEEDED:
            of_task = [each for each in known if task in each.numbers()]
            good = (each for each in of_task if each.of(task).state is State.SUCCEEDED)
            if of_task:
                repairs[task] = next(good, of_task[-1])
    return replace(job, repairs=repairs) if repairs else job


def counted(job: Job, tasks: Collection[int] = ()) -> list[tuple[Job, tuple[int, ...]]]:
    """The jobs whose tasks count in place of these tasks of `job` (none: all), itself first if any of it counts."""
    parts: dict[str, list[int]] = {}
    jobs = {job.key: job}
    for task in tasks or job.numbers():
        chosen = job.repairs.get(task, job)
        jobs[chosen.key] = chosen
        parts.setdefault(chosen.key, []).append(task)
    if list(parts) == [job.key]:
        return [(job, tuple(tasks))]
    return [
        (jobs[key], tuple(part) if jobs[key].array else ())
        for key, part in sorted(parts.items(), key=lambda p: p[0] != job.key)
    ]
