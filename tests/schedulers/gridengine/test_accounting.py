"""How jobs ended, as qacct tells it."""

from __future__ import annotations

from tasks.model.job import State
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.values import Record, Traced
from tests.captured import answer

from . import ROUND1


def accounting(command: str, file: str = ROUND1) -> list[Record]:
    block = answer(file, command)
    return traced(block.out, block.err)


def traced(out: str, err: str = "") -> list[Record]:
    """The records of an answer to `trace` that begins with whose jobs count."""
    return list(gridengine.trace([], []).parse(0, f"te1st\n{out}", err).records)


def test_g29_g30_a_deleted_running_job_was_cancelled() -> None:
    (record,) = accounting("qacct -j 22")
    assert (record.job_id, record.tasks) == ("22", ())
    assert (record.outcome.state, record.outcome.exit_status) == (State.CANCELLED, 137)
    assert (record.submitted_at, record.outcome.started_at, record.outcome.ended_at) == (
        1795336591, 1795336591, 1795336594,
    )  # fmt: skip


def test_g30_a_job_over_its_time_failed_and_says_why() -> None:
    block = answer(ROUND1, "qacct -j 22")
    out = block.out.replace("failed       100 : assumedly after job", "failed       37  : qmaster enforced h_rt, h_cpu")
    (record,) = traced(out)
    assert record.outcome.state is State.FAILED
    assert record.outcome.reason == "qmaster enforced h_rt, h_cpu"


def test_g26_not_found_is_an_answer_and_an_unreadable_file_is_none() -> None:
    for command, accounted in (("qacct -j 23", True), ("qacct -j 999", False)):
        block = answer(ROUND1, command)
        assert gridengine.trace([], []).parse(0, "te1st\n", block.err) == Traced(
            (), accounted, last_runs=True, ids_last=86400
        )


def test_g29_of_several_records_the_last_one_tells() -> None:
    first = answer(ROUND1, "qacct -j 22").out
    again = first.replace("failed       100 : assumedly after job", "failed       0").replace(
        "exit_status  137                  (Killed)", "exit_status  0"
    )
    (record,) = traced(first + again)
    assert record.outcome.state is State.SUCCEEDED
