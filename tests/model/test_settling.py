"""What became of a job: "could not ask" is never "gone", and an end is one only when it is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.job import Job, Outcome, State
from tasks.model.resources import TaskRange
from tasks.model.settling import ACCOUNTING_LAG, Known, Note, Notes, settle

NOT_ENDS = frozenset({99, 100})
JOB = Job("k", "sandbox", job_id="12", outcome=Outcome(State.PENDING))
ARRAY = replace(JOB, array=TaskRange(1, 3))


def know(
    *,
    notes: Mapping[int, Note] | None = None,
    queue: Mapping[int, State] | None = None,
    accounting: Mapping[int, Outcome] | None = None,
    asked: bool = False,
    now: int = 1000,
) -> Known:
    return Known(now, notes or {}, queue, accounting, asked)


def ended(status: int) -> Note:
    return Note("12", 900, 990, status)


@pytest.mark.parametrize(("status", "state"), [(0, State.SUCCEEDED), (7, State.FAILED), (137, State.FAILED)])
def test_a_note_of_the_end_is_the_end_without_asking_anybody(status: int, state: State) -> None:
    job = settle(JOB, know(notes={0: ended(status)}), NOT_ENDS)
    assert job.outcome == Outcome(state, status, 900, 990)


@pytest.mark.parametrize("status", [99, 100])
def test_g11_exit_statuses_99_and_100_are_not_ends_until_the_queue_agrees(status: int) -> None:
    assert not settle(JOB, know(notes={0: ended(status)}), NOT_ENDS).state.ended
    assert settle(JOB, know(notes={0: ended(status)}, queue={0: State.ERROR}), NOT_ENDS).state is State.ERROR
    gone = settle(JOB, know(notes={0: ended(status)}, queue={}), NOT_ENDS)
    assert (gone.state, gone.absent_since) == (State.UNKNOWN, 1000)  # the accounting is to be asked
    settled = settle(gone, know(notes={0: ended(status)}, queue={}, asked=True), NOT_ENDS)
    assert (settled.state, settled.outcome.exit_status) == (State.FAILED, status)


def test_of_a_body_that_was_ended_the_accounting_knows_why() -> None:
    note = {0: ended(143)}
    over = {0: Outcome(State.FAILED, None, reason="timeout")}
    for record, state, reason in (
        (over, State.FAILED, "timeout"),
        ({0: Outcome(State.CANCELLED)}, State.CANCELLED, ""),
    ):
        job = settle(JOB, know(notes=note, queue={}, accounting=record, asked=True), frozenset({143}))
        assert job.outcome == Outcome(state, 143, 900, 990, reason)
        ours = settle(replace(JOB, cancelled=(None,)), know(notes=note, queue={}, accounting=record, asked=True), {143})
        assert ours.state is State.CANCELLED


def test_could_not_ask_changes_nothing() -> None:
    for state in State:
        job = replace(JOB, outcome=Outcome(state))
        assert settle(job, know(), NOT_ENDS).state is state


def test_g28_a_job_that_left_no_trace_vanishes_only_after_accounting_had_its_time() -> None:
    absent = settle(JOB, know(queue={}, accounting={}, asked=True), NOT_ENDS)
    assert (absent.state, absent.absent_since) == (State.UNKNOWN, 1000)
    still = settle(absent, know(queue={}, accounting={}, asked=True, now=1000 + ACCOUNTING_LAG), NOT_ENDS)
    assert still.state is State.UNKNOWN
    gone = settle(still, know(queue={}, accounting={}, asked=True, now=1001 + ACCOUNTING_LAG), NOT_ENDS)
    assert gone.state is State.VANISHED


def test_g27_an_unreadable_accounting_gives_a_job_more_time() -> None:
    absent = settle(JOB, know(queue={}, asked=True), NOT_ENDS)
    still = settle(absent, know(queue={}, asked=True, now=1001 + ACCOUNTING_LAG), NOT_ENDS)
    assert still.state is State.UNKNOWN


def test_a_job_that_comes_back_into_the_queue_was_never_absent() -> None:
    absent = settle(JOB, know(queue={}, accounting={}, asked=True), NOT_ENDS)
    back = settle(absent, know(queue={0: State.RUNNING}, now=1010), NOT_ENDS)
    assert (back.state, back.absent_since) == (State.RUNNING, None)


def test_a_job_cancelled_from_here_is_cancelled_once_the_queue_has_it_no_more() -> None:
    job = replace(JOB, cancelled=(None,))
    assert settle(job, know(queue={0: State.RUNNING}), NOT_ENDS).state is State.RUNNING
    assert settle(job, know(), NOT_ENDS).state is State.PENDING
    assert settle(job, know(queue={}), NOT_ENDS).state is State.CANCELLED


def test_what_has_ended_stays_ended() -> None:
    done = replace(JOB, outcome=Outcome(State.SUCCEEDED, 0))
    assert settle(done, know(notes={0: ended(7)}, queue={0: State.RUNNING}), NOT_ENDS) == done


def test_a_note_of_another_job_under_the_same_key_tells_nothing() -> None:
    assert settle(JOB, know(notes={0: Note("13", 1, 2, 0)}), NOT_ENDS).state is State.PENDING


def test_an_array_job_is_running_while_any_task_is_and_failed_when_one_has() -> None:
    notes = {1: ended(0), 2: ended(3)}
    running = settle(ARRAY, know(notes=notes, queue={3: State.RUNNING}), NOT_ENDS)
    assert running.state is State.RUNNING
    assert running.tally() == "1 running, 1 succeeded, 1 failed"
    over = settle(running, know(notes=notes | {3: ended(0)}), NOT_ENDS)
    assert (over.state, over.outcome.exit_status) == (State.FAILED, 3)


def test_a_task_that_noted_its_start_is_one_of_the_job_whoever_forgot_it() -> None:
    notes = {7: ended(0), 9: Note("11", 900, 990, 0), 12: Note("12", 900)}
    job = settle(ARRAY, know(notes=notes, queue=dict.fromkeys((1, 2, 3, 12), State.PENDING)), NOT_ENDS)
    assert {task: outcome.state for task, outcome in job.tasks.items()} == {
        **dict.fromkeys((1, 2, 3, 12), State.PENDING), 7: State.SUCCEEDED
    }  # fmt: skip
    unknown = settle(JOB, know(notes={0: ended(0), 3: Note("12", 900)}), NOT_ENDS)
    assert {task: outcome.state for task, outcome in unknown.tasks.items()} == {0: State.SUCCEEDED, 3: State.RUNNING}
    assert settle(JOB, know(notes={0: ended(0)}), NOT_ENDS).array is None


def test_notes_are_read_in_any_order_and_a_requeue_undoes_an_end() -> None:
    notes = Notes()
    notes.read("end k 12 0 20 99\nstart k 12 0 10 node\nout /a b/o\nerr /a b/e\n")
    assert notes.notes["k"][0] == Note("12", 10, 20, 99)
    assert (notes.logs["k"][0].out, notes.logs["k"][0].err) == ("/a b/o", "/a b/e")
    notes.read("start k 12 0 30 node\nout /o\nerr /e\n")
    assert notes.notes["k"][0].exit_status is None


@given(st.text())
def test_no_text_at_all_makes_a_note_of_an_end_without_its_status(text: str) -> None:
    notes = Notes()
    notes.read(text)
    for of_key in notes.notes.values():
        for note in of_key.values():
            assert note.exit_status is None or note.ended_at is not None


@given(st.text(max_size=40), st.integers(0, 60))
def test_a_damaged_note_is_passed_over(damage: str, at: int) -> None:
    good = "start k 12 0 10 node\nout /o\nerr /e\nend k 12 0 20 0\n"
    notes = Notes()
    notes.read(good[:at] + damage + good[at:])
    job = settle(JOB, know(notes=notes.notes.get("k", {}).copy()), NOT_ENDS)
    assert job.state in (State.PENDING, State.RUNNING, State.SUCCEEDED, State.FAILED)
