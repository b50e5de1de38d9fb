"""What Slurm says of array jobs, as it was captured."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

import pytest

from tasks.model.job import Job, Outcome, State
from tasks.model.resources import TaskRange
from tasks.schedulers.slurm import scheduler as slurm
from tasks.schedulers.values import Record
from tasks.tracking.matching import records_of
from tests.captured import answer, captured

ARRAYS = "slurm-22.05-arrays.txt"
MANY = "0-9,14,17,23-25,29,33-34,39,41,44,47,52,55,57,61,67-69,71,80-88"


def job(job_id: str, array: str) -> Job:
    return Job("key", "hpc", "a.sh", "a.sh", "-", "/d", job_id=job_id, array=TaskRange.parse(array), submitted_at=0)


def test_s2_a_long_list_of_tasks_is_asked_for_whole() -> None:
    cut = answer(ARRAYS, "squeue -h -o '%F|%K|%T'")
    assert "|0-9,14,17,23-25,29,33-34,39,41,44,47,52,55,57,61,67-69,71,80...|" in cut.out
    assert "SLURM_BITSTR_LEN=0" in slurm.clients.fixed
    whole = answer(ARRAYS, "SLURM_BITSTR_LEN=0 squeue -h -o '%F|%K|%T|%r|%o|.'")
    out = re.sub(r"^(\d+\|.*?\|.*?\|.*?)\|", r"\1|1|(null)|", whole.out, flags=re.M)  # priority and dependency
    (row,) = [row for row in slurm.queue().parse(0, out, "") if row.job_id == "4"]
    assert {number for tasks in row.tasks for number in tasks.numbers()} == set(TaskRange.parse(MANY).numbers())


def test_s2_what_is_told_of_one_task_beats_what_is_told_of_the_rest() -> None:
    (said,) = [each for each in captured(ARRAYS) if "-j 5 " in each.command]
    found = records_of(job("5", "0-9"), slurm.trace([], []).parse(0, said.out, said.err).records)
    assert {task: outcome.state for task, outcome in found.items()} == {
        task: State.SUCCEEDED if task < 2 else State.CANCELLED for task in range(10)
    }
    # The controller has forgotten it; sacct's line for the rest still names tasks that started, and may have succeeded.
    rows = [line for line in said.out.splitlines() if "|" in line]
    ended = "\n".join(rows).replace("5_2|CANCELLED by 1001", "5_2|COMPLETED")
    for text in (ended, "\n".join(reversed(ended.splitlines()))):
        found = records_of(job("5", "0-9"), slurm.trace([], []).parse(0, text, "").records)
        assert Counter(outcome.state for outcome in found.values()) == {State.SUCCEEDED: 3, State.CANCELLED: 7}


def test_g29_an_older_record_of_the_same_number_counts_only_when_the_right_one_does_not_come() -> None:
    older = Record("7", (), 1000, Outcome(State.FAILED, 7))
    mine = Job("key", "hpc", "a.sh", "a.sh", "-", "/d", job_id="7", submitted_at=1100)
    assert records_of(mine, [older], 1110) == {}
    absent = replace(mine, absent_since=1110)
    assert records_of(absent, [older], 1150) == {}
    assert records_of(absent, [older], 1171) == {0: older.outcome}  # the clocks differ
    right = Record("7", (), 1100, Outcome(State.SUCCEEDED, 0))
    assert records_of(mine, [right], 1110) == {0: right.outcome}


@pytest.mark.parametrize("source", ["JobId=", "4_"])
def test_s2_the_rest_of_an_array_job_that_was_cancelled_is_all_of_it(source: str) -> None:
    (said,) = [each for each in captured(ARRAYS) if "-j 4 " in each.command]
    lines = "\n".join(line for line in said.out.splitlines() if line.startswith(source))
    found = records_of(job("4", MANY), slurm.trace([], []).parse(0, lines, "").records)
    assert {task: outcome.state for task, outcome in found.items()} == dict.fromkeys(
        TaskRange.parse(MANY).numbers(), State.CANCELLED
    )
    unheard_of = lines.replace("[0-9,", "[0 to 9,").replace("4294967294", "0 to 9")
    assert not records_of(job("4", MANY), slurm.trace([], []).parse(0, unheard_of, "").records)
