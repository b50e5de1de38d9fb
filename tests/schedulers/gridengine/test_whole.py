"""Grid Engine as a whole, on anything that may come back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import SchedulerError
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.values import Record
from tests.captured import Captured, answer, captured

from . import DOWN, ROUND1, ROUND2

BLOCKS = [block for file in (ROUND1, ROUND2) for block in captured(file)]


def traced(out: str, err: str = "") -> list[Record]:
    """The records of an answer to `trace` that begins with whose jobs count."""
    return list(gridengine.trace([], []).parse(0, f"te1st\n{out}", err).records)


def test_g25_a_qmaster_that_is_down_is_could_not_ask_for_every_question() -> None:
    down = answer(DOWN, "qstat -xml")
    with pytest.raises(SchedulerError, match="commlib error"):
        gridengine.queue().parse(down.status, down.out, down.err)
    down = answer(DOWN, "qstat -j 999")
    with pytest.raises(SchedulerError, match="commlib error"):
        gridengine.marks(["1"]).parse(down.status, down.out, down.err)
    down = answer(DOWN, "qdel 999")
    with pytest.raises(SchedulerError, match="commlib error"):
        gridengine.cancel([]).parse(down.status, down.out, down.err)
    gone = answer(ROUND1, "qstat -j 999")
    assert gridengine.marks(["1"]).parse(gone.status, gone.out, gone.err) == {}


@given(st.integers(-1, 255), st.text(), st.text())
def test_no_answer_at_all_raises_anything_but_an_error_of_ours(status: int, out: str, err: str) -> None:
    for question in (gridengine.queue(), gridengine.marks(["1"]), gridengine.trace([], []), gridengine.cancel([])):
        with contextlib.suppress(SchedulerError):
            question.parse(status, out, err)
    gridengine.parse_submission(out)


@given(st.sampled_from(BLOCKS), st.text(max_size=30), st.integers(0, 4000))
def test_damaged_answers_are_survived(block: Captured, damage: str, at: int) -> None:
    out = block.out[:at] + damage + block.out[at:]
    try:
        for record in traced(out):
            assert record.job_id.isdigit()
        gridengine.queue().parse(0, out, "")
    except SchedulerError:
        pass
