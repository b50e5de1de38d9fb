"""What `qstat -j` tells of single jobs."""

from __future__ import annotations

import pytest

from tasks.model.errors import SchedulerError
from tasks.model.job import State
from tasks.model.resources import TaskRange
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.values import Submitted
from tests.captured import answer, captured

from . import DOWN, ROUND1, ROUND2


def test_marks_are_read_from_the_context_alone() -> None:
    out = (
        "==============================================================\njob_number:                 35\n"
        "job_name:                   submithost=fake\nenv_list:                   A=submithost=fake\n"
        "context:                    a=b,submithost=K-1\njob-array tasks:            1-5:2\n"
    )
    assert gridengine.marks(["1"]).parse(0, out, "") == {
        "K-1": [Submitted("35", "submithost=fake", TaskRange(1, 5, 2))]
    }


def test_g9_the_reason_of_an_error_state_is_read_for_each_job() -> None:
    asked = {"24": ROUND1, "27": ROUND1, "28": ROUND1, "3": ROUND2}
    blocks = {job: [b for b in captured(file) if b.command.startswith(f"qstat -j {job} | grep -E 'error reason")]
              for job, file in asked.items()}  # fmt: skip
    out = "".join(f"{'=' * 60}\njob_number:                 {job}\n{block.out}" for job, (block,) in blocks.items())
    out = f"<?xml version='1.0'?><job_info></job_info>\n=reasons\n{out}{'=' * 60}\njob_number:                 9\n"
    reasons = gridengine.reasons(["1"]).parse(0, out, "")
    assert list(reasons) == [(job, State.ERROR) for job in ("24", "27", "28", "3")]
    assert reasons["24", State.ERROR].text == "can't chdir to /nonexistent: No such file or directory"
    assert reasons["28", State.ERROR].text == "exit_status of job start = 100"
    down = answer(DOWN, "qstat -j 999")
    with pytest.raises(SchedulerError, match="commlib error"):
        gridengine.reasons(["1"]).parse(down.status, down.out, down.err)
