"""What qsub answers: accepted, refused, and the noise of wrappers."""

from __future__ import annotations

import pytest

from tasks.model.resources import TaskRange
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.values import Submitted
from tests.captured import answer

from . import ROUND1


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("qsub ok.sh 6", Submitted("1", "ok.sh")),
        ("qsub -terse ok.sh 3 3", Submitted("2", "")),
        ("qsub -t 1-3 ok.sh 4", Submitted("3", "ok.sh", TaskRange(1, 3, 1))),
        ("qsub -terse -t 1-5:2 -tc 1 ok.sh 2", Submitted("4", "", TaskRange(1, 5, 2))),
        ("qsub -sync y ok.sh 1 4", Submitted("34", "ok.sh")),
    ],
)
def test_g1_every_form_of_an_accepting_answer_is_understood(command: str, expected: Submitted) -> None:
    assert gridengine.parse_submission(answer(ROUND1, command).out) == expected


@pytest.mark.parametrize(
    "command",
    [
        "qsub 'sp ace.sh' 1", "qsub 9digit.sh", "qsub -N a/b ok.sh", "qsub nosuch.sh", "qsub -l nosuch=1 ok.sh",
        "qsub -w v ok.sh", "qsub -verify ok.sh", "qsub -t 1-2,5 ok.sh", "qsub -t 0-3 ok.sh",
    ],
)  # fmt: skip
def test_g5_a_refusal_is_no_job_whatever_its_exit_status(command: str) -> None:
    assert gridengine.parse_submission(answer(ROUND1, command).out) is None


def test_g2_a_wrappers_numbers_are_not_the_job_id() -> None:
    said = 'quota 95% used\n12\nYour job 816720 ("x y") has been submitted\nhave a nice day 7\n'
    assert gridengine.parse_submission(said) == Submitted("816720", "x y")
    assert gridengine.parse_submission("quota: 95\nno job today\n") is None
