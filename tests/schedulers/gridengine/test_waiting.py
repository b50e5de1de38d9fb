"""Why jobs of Grid Engine wait, out of what the scheduler said of jobs that were made to wait for each cause."""

from __future__ import annotations

import pytest

from tasks.model.errors import SchedulerError
from tasks.model.job import State
from tasks.model.reason import Reason
from tasks.schedulers.gridengine import scheduler as gridengine
from tests.captured import answer, captured

WAITING = "gridengine-8.1.9-waiting.txt"


def told(block: str, state: State = State.PENDING) -> dict[str, Reason]:
    """The reasons in a captured answer of jobs in that state, by their IDs."""
    ids = [word.rstrip(",") for word in block.split() if word.rstrip(",").isdecimal()]
    of_all = gridengine.reasons(ids).parse(0, answer(WAITING, block).out, "")
    return {job_id: reason for (job_id, each), reason in of_all.items() if each is state}


ALL = "reasons 27 28 29 30 31 32 33 34 35 36 37 38 39"


def test_what_no_node_has_is_told_with_the_largest_that_there_is() -> None:
    never = {job_id: reason for job_id, reason in told(ALL).items() if reason.kind == "never"}
    assert {job_id: reason.text for job_id, reason in never.items()} == {
        "30": "no node has 65536G of rmem; the largest has 64G",
        "31": "no node has 999 cores; the largest has 16",
        "32": "no node has 16 cores with rmem=8G for each",
        "35": "no node has 9 of gpu; the largest has 4",
        "37": "it asks for 40 cores, and the parallel environment mpi has 16",
        "38": "no node has arch=foo; there is lx-amd64",
    }
    flags = {"30": "--memory=64G", "31": "--cores=16", "35": "--gpus=4"}
    assert {job_id: reason.advice for job_id, reason in never.items() if reason.advice} == {
        job_id: f"submit it with {flag} at most" for job_id, flag in flags.items()
    }


def test_who_waits_for_others_for_a_time_or_is_held_is_told_apart_from_who_waits_for_its_turn() -> None:
    others = {job_id: reason for job_id, reason in told(ALL).items() if reason.kind != "never"}
    assert {job_id: (reason.kind, reason.text) for job_id, reason in others.items()} == {
        "29": ("after", "waits for job 28"),
        "33": ("limit", "at most 2 of its tasks run at once (--at-once)"),
        "34": ("busy", "it waits for its turn (4th of the 10 jobs that wait)"),
        "36": ("begin", "it is not to start before 2026-11-27T17:09:00Z"),
        "39": (
            "busy",
            "no node has 900G of mem_free at the moment; the largest has 21.626G (8th of the 10 jobs that wait)",
        ),
    }
    held = told(ALL, State.HELD)
    assert {job_id: reason.kind for job_id, reason in held.items()} == {"27": "held"}


def test_a_limit_is_named_with_its_value_also_where_the_scheduler_keeps_no_messages() -> None:
    found = told("reasons 30 31 33 34, with a resource quota, and schedd_job_info false")
    assert found["33"] == Reason("limit", "the limit u/1 is reached (users {*} to slots=3)")
    assert found["34"] == Reason("never", "it asks for more than the limit u/1 allows (users {*} to slots=3)")
    assert (found["30"].kind, found["31"].text) == ("never", "no node has 999 cores; the largest has 16")
    user = told("reasons 41, maxujobs 1")["41"]
    assert user == Reason("limit", "as many jobs of one user run as may run at once (1)")


def test_queues_that_are_out_of_order_are_named() -> None:
    found = told("reasons 33 34, all.q disabled, schedd_job_info false")["34"]
    assert (found.kind, "all.q@localhost" in found.text) == ("down", True)


def test_what_is_not_understood_is_passed_on_and_no_answer_is_none() -> None:
    block = answer(WAITING, ALL).out
    odd = block.replace("because it offers only hc:rmem=64.000G", "for a reason nobody has heard of")
    assert "a reason nobody has heard of" in gridengine.reasons(["30"]).parse(0, odd, "")["30", State.PENDING].text
    unasked = "\n".join(line for line in block.splitlines() if not line.startswith(("check", "Job ", "verification")))
    assert ("30", State.PENDING) not in gridengine.reasons(["30"]).parse(0, unasked, "")
    with pytest.raises(SchedulerError):
        gridengine.reasons(["30"]).parse(1, "", "error: commlib error: got select error")


def test_every_answer_was_one_of_the_scheduler() -> None:
    assert {block.status for block in captured(WAITING)} == {0}
