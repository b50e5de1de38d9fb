"""The list of what is alive, as it was captured and as it may be damaged."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import SchedulerError
from tasks.model.job import State
from tasks.model.resources import TaskRange
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.gridengine.queue import state_of
from tasks.schedulers.values import Row
from tests.captured import answer

from . import ROUND1

WHOLE = answer(ROUND1, "qstat -xml", 1)


def test_g22_one_job_is_several_rows_and_pending_tasks_are_ranges() -> None:
    block = answer(ROUND1, "qstat -xml", 1)
    rows = gridengine.queue().parse(block.status, block.out, block.err)
    assert Row("1", State.RUNNING) in rows
    assert [row for row in rows if row.job_id == "3"] == [
        Row("3", State.RUNNING, (TaskRange(1, 1),)),
        Row("3", State.RUNNING, (TaskRange(2, 2),)),
        Row("3", State.PENDING, (TaskRange(3, 3),)),
    ]
    assert Row("4", State.PENDING, (TaskRange(1, 5, 2),)) in rows
    assert len(rows) == 10


def test_g20_an_empty_list_is_an_answer_and_no_output_at_all_is_none() -> None:
    block = answer(ROUND1, "qstat -xml")
    assert gridengine.queue().parse(block.status, block.out, block.err) == []
    with pytest.raises(SchedulerError):
        gridengine.queue().parse(0, "", "")


@pytest.mark.parametrize(
    ("letters", "state"),
    [
        ("qw", State.PENDING), ("hqw", State.HELD), ("t", State.RUNNING), ("r", State.RUNNING),
        ("Rr", State.RUNNING), ("Rq", State.PENDING), ("s", State.SUSPENDED), ("S", State.SUSPENDED),
        ("T", State.SUSPENDED), ("hr", State.RUNNING), ("hRwq", State.HELD), ("Eqw", State.ERROR),
        ("Ehqw", State.ERROR), ("EhRqw", State.ERROR), ("dr", State.RUNNING), ("dt", State.RUNNING),
        ("dRt", State.RUNNING), ("z", None), ("", State.UNKNOWN), ("x", State.UNKNOWN), ("rX", State.UNKNOWN),
    ],
)  # fmt: skip
def test_g24_states_are_letters_in_any_mix(letters: str, state: State | None) -> None:
    assert state_of(letters) is state


def test_g24_an_unheard_of_state_does_not_lose_the_list() -> None:
    block = answer(ROUND1, "qstat -xml", 1)
    rows = gridengine.queue().parse(0, block.out.replace("<state>r</state>", "<state>Qx</state>", 1), "")
    assert rows[0] == Row("1", State.UNKNOWN)
    assert len(rows) == 10


def test_noise_around_the_xml_and_odd_characters_in_it_are_survived() -> None:
    block = answer(ROUND1, "qstat -xml", 1)
    odd = block.out.replace(">ok.sh<", ">o\x1b[2Jk\x00<")
    assert len(gridengine.queue().parse(0, f"Welcome!\n{odd}\nbye", "")) == 10


@given(st.integers(0, len(WHOLE.out) - 13))
def test_a_cut_answer_never_ends_a_job(at: int) -> None:
    with pytest.raises(SchedulerError):
        gridengine.queue().parse(0, WHOLE.out[:at], "")
