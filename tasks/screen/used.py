"""What jobs used, as a table: used and asked for, side by side."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from statistics import median_low

from ..model.amounts import memory_flag, percent, span
from ..model.resources import clock
from ..model.usage import Asked, JobUsage, Usage
from ..model.wording import size_of
from .output import show_rows

COLUMNS = ("job", "task", "time/asked", "CPU", "memory/asked", "next time")
# Of an array job, unless each task is to be shown.
_SUMMARY: dict[str, Callable[[Sequence[float]], float]] = {"least": min, "median": median_low, "most": max}


def show_usage(jobs: Sequence[JobUsage], *, as_json: bool, each: Collection[str] = ()) -> None:
    """On stdout: one JSON object a line, or a table. `each`: the keys of jobs of which every task has a row."""
    if as_json:
        for job in jobs:
            print(json.dumps(job.as_json()))
    else:
        show_rows(COLUMNS, [row for job in jobs for row in rows_of(job, each=job.job.key in each)])


def rows_of(used: JobUsage, *, each: bool) -> Iterator[list[str]]:
    """Those of one job; of an array job three that sum it up, or with `each` one for each task."""
    usages, wanted = [used.tasks[task] for task in sorted(used.tasks)], used.next_time
    job = used.job.job_id or "-"
    if not used.job.array or each:
        for usage in usages:
            yield [job, "-" if usage.task is None else str(usage.task), *_cells(usage), _flags(wanted)]
    elif usages:
        for name, choose in _SUMMARY.items():
            yield [job, name, *_cells(_chosen(usages, choose)), _flags(wanted)]
    if not usages:
        yield [job, "-", *_cells(Usage()), _flags(wanted)]


def _chosen(usages: Sequence[Usage], choose: Callable[[Sequence[float]], float]) -> Usage:
    """A task that uses what is chosen among all: each amount by itself."""

    def of(name: str) -> float | None:
        known = [value for value in (getattr(usage, name) for usage in usages) if value is not None]
        return choose(known) if known else None

    wall, memory, part = of("wall"), of("memory"), of("cpu_efficiency")
    cores = usages[0].cores or 1
    return Usage(
        asked=usages[0].asked,
        wall=None if wall is None else int(wall),
        memory=None if memory is None else int(memory),
        cores=cores,
        cpu=None if part is None or wall is None else part * wall * cores,
    )


def _cells(usage: Usage) -> list[str]:
    peak, most, limit = usage.memory, usage.asked.memory_in_all, usage.asked.time
    return [
        f"{'-' if usage.wall is None else span(usage.wall)}/{'-' if limit is None else span(limit)}",
        percent(usage.cpu_efficiency),
        f"{'-' if peak is None else size_of(peak // 1024)}/{'-' if most is None else size_of(most // 1024)}",
    ]


def _flags(wanted: Asked) -> str:
    """What to type next time."""
    time = [] if wanted.time is None else [f"--time={clock(wanted.time)}"]
    memory = [] if wanted.memory is None else [f"--memory={memory_flag(wanted.memory)}"]
    return " ".join([*time, *memory]) or "-"
