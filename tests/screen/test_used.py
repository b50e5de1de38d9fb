"""The table of `usage`: however narrow, neither an ID nor a flag to type is broken."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from tasks.model.job import Job
from tasks.model.resources import TaskRange
from tasks.model.usage import Asked, JobUsage, Usage
from tasks.screen.tables import table
from tasks.screen.used import COLUMNS, rows_of

GB = 1 << 30
ASKED = Asked(7200, 2 * GB, 4)
USED = [Usage(task, ASKED, 1000 * task, 2000.0, task * GB, 4, 1, 2) for task in (1, 2, 4)]
ARRAY = JobUsage(Job("key", "hpc", job_id="816720", array=TaskRange(1, 4)), {used.task or 0: used for used in USED})


def test_an_array_is_its_least_its_median_and_its_most_or_each_task() -> None:
    summary = [row[1:-1] for row in rows_of(ARRAY, each=False)]
    assert summary == [
        ["least", "16:40/2:00:00", "12 %", "1.0 GB/8.0 GB"],
        ["median", "33:20/2:00:00", "25 %", "2.0 GB/8.0 GB"],
        ["most", "1:06:40/2:00:00", "50 %", "4.0 GB/8.0 GB"],
    ]
    each = [row[1:] for row in rows_of(ARRAY, each=True)]
    assert [row[0] for row in each] == ["1", "2", "4"]
    assert {row[-1] for row in each} == {"--time=1:30:00 --memory=1536M"}


def test_what_is_not_known_is_a_dash() -> None:
    assert list(rows_of(JobUsage(Job("key", "hpc", job_id="7")), each=False)) == [["7", "-", "-/-", "-", "-/-", "-"]]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_neither_ids_nor_flags_are_broken(width: int) -> None:
    console = Console(width=width, record=True, file=io.StringIO())
    console.print(table(COLUMNS, list(rows_of(ARRAY, each=False)), {}, width))
    words = console.export_text().split()
    assert words.count("816720") == words.count("--time=1:30:00") == words.count("--memory=1536M") == 3
