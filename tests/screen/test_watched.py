"""What `status --watch` says below its table: no state is ever broken, however narrow."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.job import State
from tasks.screen.tables import JOB_COLUMNS
from tasks.screen.watched import Change, change_of, counts_of, lines_of, summary

ORDER = tuple(State)


def row(job_id: str, state: str) -> list[str]:
    return [job_id, "a name", state, "-", "-", "-", "-"]


def test_the_counts_of_a_row_are_those_of_its_tasks() -> None:
    assert counts_of("running") == {"running": 1}
    assert counts_of("running (12 pending, 3 running)") == {"pending": 12, "running": 3}
    assert counts_of("failed (194 succeeded, 6 repaired by job 15)") == {"succeeded": 200}
    assert counts_of("failed (1 succeeded, 2 failed, 1 running again in job 15)") == {
        "succeeded": 1, "failed": 2, "running": 1
    }  # fmt: skip
    assert counts_of("failed (repaired by job 15)") == {"failed": 1}


def test_what_changed_last_is_told_and_kept_until_something_else_has() -> None:
    looks = [
        [row("1", "pending"), row("2", "running (3 pending, 2 running)")],
        [row("1", "running"), row("2", "running (3 pending, 2 running)")],
        [row("1", "running"), row("2", "running (3 pending, 2 running)")],
        [row("1", "running"), row("2", "running (2 pending, 2 unknown, 1 running)")],
        [row("1", "running"), row("2", "running (2 pending, 1 failed, 1 succeeded, 1 running)")],
        [row("1", "unknown"), row("2", "failed (1 failed, 4 succeeded)")],
    ]
    last, told = Change(), []
    for before, now in zip([[], *looks], looks, strict=False):
        last = change_of(JOB_COLUMNS, before, now, last)
        told.append(last.lines(80) if last.news else [])
    started = ["last: 1 a name: pending -> running"]
    ended = ["last: 2 a name: 1 more failed, 1 more succeeded"]
    assert told == [[], started, started, started, ended, ["last: 2 a name: 3 more succeeded"]]
    assert Change("123456", "a-name-that-is-long", ("running -> succeeded",)).lines(38) == [
        "123456: running -> succeeded"
    ]


@pytest.mark.parametrize(
    ("shown", "cells", "width", "lines"),
    [
        (1, ["running"], 80, []),
        (2, ["running", "failed"], 80, ["2 jobs: 1 running, 1 failed"]),
        (1, ["running", "failed"], 80, ["1 of 2 jobs: 1 running, 1 failed"]),
        (1, ["running (9 pending, 1 running)"], 80, ["10 tasks: 9 pending, 1 running"]),
        (
            2,
            ["running (12 pending, 3 running, 5 succeeded)", "held"],
            38,
            ["2 jobs with 21 tasks: 12 pending,", "1 held, 3 running, 5 succeeded"],
        ),
    ],
)
def test_a_summary_counts_jobs_and_tasks(shown: int, cells: list[str], width: int, lines: list[str]) -> None:
    assert summary(shown, cells, ORDER, width) == lines


@given(st.lists(st.sampled_from([f"{many} {state}" for many in (1, 75000) for state in State])), st.integers(20, 90))
def test_no_part_is_broken_and_no_line_is_too_long(parts: list[str], width: int) -> None:
    lines = list(lines_of(parts, width, "3 of 9 jobs: "))
    assert all(len(line) <= width for line in lines)
    assert re.sub(r"^3 of 9 jobs:", "", " ".join(lines)).strip() == ", ".join(parts)
