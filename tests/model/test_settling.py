"""What became of a job: "could not ask" is never "gone", and an end is one only when it is known."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.job import Job, Outcome, State
from tasks.model.notes import Note, Notes
from tasks.model.resources import TaskRange
from tasks.model.settling import ACCOUNTING_LAG, ACCOUNTING_SILENT, Known, noted_ends, settle

JOB = Job("k", "sandbox", job_id="12", outcome=Outcome(State.PENDING))
ARRAY = replace(JOB, array=TaskRange(1, 3))
GONE: Mapping[int, State] = {}  # an answer that knows nothing of it


def know(
    *,
    notes: Mapping[int, Note] | None = None,
    queue: Mapping[int, State] | None = None,
    traced: Mapping[int, Outcome | State] | None = None,
    accounted: bool = True,
    now: int = 1000,
    listed_at: int = 0,
    noted: Set[tuple[int, int]] = frozenset(),
    last_runs: bool = False,
) -> Known:
    """Not said: not asked."""
    listed = None if queue is None else {task: Outcome(state) for task, state in queue.items()}
    records = (
        None
        if traced is None
        else {task: Outcome(one) if isinstance(one, State) else one for task, one in traced.items()}
    )
    return Known(now, notes or {}, listed, records, accounted, last_runs, listed_at, noted)


def ended(status: int) -> Note:
    return Note("12", 900, 990, status)


ENDS = [(0, State.SUCCEEDED), (7, State.FAILED), (99, State.FAILED), (137, State.FAILED), (143, State.FAILED)]


@pytest.mark.parametrize(("status", "state"), ENDS)
def test_d3_a_noted_end_is_one_when_its_scheduler_has_said_twice_that_the_job_is_gone(
    status: int, state: State
) -> None:
    notes = {0: ended(status)}
    job = settle(JOB, know(notes=notes))
    assert (job.state, noted_ends(job, notes)) == (State.RUNNING, {(0, 990)})
    for alive in (State.RUNNING, State.PENDING, State.HELD, State.ERROR):
        assert settle(job, know(notes=notes, queue={0: alive})).state is alive
        assert settle(job, know(notes=notes, queue=GONE, traced={0: alive})).state is alive
    left_out = settle(job, know(notes=notes, queue=GONE))
    assert (left_out.state, left_out.absent_since) == (State.RUNNING, 1000)
    gone = settle(left_out, know(notes=notes, queue=GONE, traced=GONE))
    assert gone.outcome == Outcome(state, status, 900, 990)
    assert (gone.absent_since, noted_ends(gone, notes)) == (None, set())


def test_d3_the_end_of_one_run_is_no_end_of_the_next() -> None:
    notes = {0: ended(0)}
    back = settle(JOB, know(notes=notes, queue={0: State.PENDING}, listed_at=1000))
    for second in range(5):  # what was noted before the list was made does not make it running again
        assert settle(back, know(notes=notes, now=1000 + second, listed_at=1000)).state is State.PENDING
    again = {0: Note("12", 1010, 990, 0)}
    assert settle(back, know(notes=again, listed_at=1000)).state is State.RUNNING


@pytest.mark.parametrize("state", [State.PENDING, State.HELD])
def test_d3_an_end_after_which_the_job_was_to_start_again_never_counts(state: State) -> None:
    """Not even when the job goes without another run: it was cancelled while it waited, here or elsewhere."""
    notes = {0: ended(0)}
    back = settle(JOB, know(notes=notes, queue={0: state}, noted=noted_ends(JOB, notes)))
    assert (back.state, noted_ends(back, notes)) == (state, set())
    gone = know(notes=notes, queue=GONE, traced=GONE)
    assert settle(back, gone).state is State.UNKNOWN
    assert settle(replace(back, cancelled=(None,)), gone).state is State.CANCELLED
    for at, end in ((990, State.CANCELLED), (1020, State.SUCCEEDED)):  # accounted is that run, or the next
        accounted = know(notes=notes, queue=GONE, traced={0: Outcome(State.SUCCEEDED, 0, 900, at)})
        assert settle(replace(back, cancelled=(None,)), accounted).state is end
    again = {0: Note("12", 1010, 1020, 3)}
    assert settle(back, know(notes=again, queue=GONE, traced=GONE)).outcome == Outcome(State.FAILED, 3, 1010, 1020)
    # One that was noted while the list was made may be the end of a run that began in between.
    late = settle(settle(JOB, know(notes=notes, queue={0: state})), gone)
    assert late.state is State.SUCCEEDED


def test_d3_an_end_that_is_accounted_counts_when_no_later_one_can_come() -> None:
    """Grid Engine tells records of runs before a requeue apart; elsewhere time does."""
    notes = {0: ended(0)}
    back = settle(JOB, know(notes=notes, queue={0: State.PENDING}, noted=noted_ends(JOB, notes)))
    first = {0: Outcome(State.SUCCEEDED, 0, 900, 990)}
    told_apart = know(notes=notes, queue=GONE, traced=first, last_runs=True)
    assert settle(back, told_apart).outcome == first[0]
    soon = settle(back, know(notes=notes, queue=GONE, traced=first))
    assert soon.state is State.UNKNOWN
    later = know(notes=notes, queue=GONE, traced=first, now=1000 + ACCOUNTING_LAG + 1)
    assert settle(soon, later).outcome == first[0]


@pytest.mark.parametrize("status", [0, 143])
def test_d3_why_it_ended_the_scheduler_knows_better(status: int) -> None:
    for record in (Outcome(State.FAILED, None, reason="timeout"), Outcome(State.CANCELLED)):
        job = settle(JOB, know(notes={0: ended(status)}, queue=GONE, traced={0: record}))
        assert job.outcome == Outcome(record.state, status, 900, 990, record.reason)
    ours = settle(replace(JOB, cancelled=(None,)), know(notes={0: ended(143)}, queue=GONE, traced=GONE))
    assert ours.state is State.CANCELLED
    died = settle(JOB, know(notes={0: ended(139)}, queue=GONE, traced={0: Outcome(State.FAILED, 139)}))
    assert died.outcome == Outcome(State.FAILED, 139, 900, 990)


def test_d3_of_an_array_job_each_task_ends_by_itself() -> None:
    notes = {1: ended(0), 2: ended(0)}
    queue = {2: State.PENDING, 3: State.RUNNING}  # task 2 was requeued
    job = settle(ARRAY, know(notes=notes, queue=queue, traced={1: State.UNKNOWN, 2: State.UNKNOWN, 3: State.UNKNOWN}))
    assert {task: one.state for task, one in job.tasks.items()} == {
        1: State.SUCCEEDED, 2: State.PENDING, 3: State.RUNNING,
    }  # fmt: skip
    assert noted_ends(job, notes) == {(2, 990)}


def test_d1_a_list_that_leaves_out_what_the_scheduler_knows_ends_nothing() -> None:
    running = replace(JOB, outcome=Outcome(State.RUNNING, None, 900))
    for job, known in ((running, {0: State.UNKNOWN}), (ARRAY, dict.fromkeys((1, 2, 3), State.UNKNOWN))):
        for notes in ({}, dict.fromkeys(known, ended(0))):
            still = settle(job, know(notes=notes, queue=GONE, traced=known, now=9999))
            assert (still.state, still.absent_since) == (job.state if job is running else State.UNKNOWN, None)
            assert "does not list it" in still.outcome.reason
    assert settle(running, know(queue=GONE, traced={0: State.PENDING})).state is State.PENDING


def test_could_not_ask_changes_nothing() -> None:
    for state in State:
        job = replace(JOB, outcome=Outcome(state))
        assert settle(job, know()).state is state
        assert settle(job, know(queue=GONE)).state is state  # and nobody could say more


def test_g28_a_job_that_left_no_trace_vanishes_only_after_accounting_had_its_time() -> None:
    absent = settle(JOB, know(queue=GONE, traced=GONE))
    assert (absent.state, absent.absent_since) == (State.UNKNOWN, 1000)
    still = settle(absent, know(queue=GONE, traced=GONE, now=1000 + ACCOUNTING_LAG))
    assert still.state is State.UNKNOWN
    gone = settle(still, know(queue=GONE, traced=GONE, now=1001 + ACCOUNTING_LAG))
    assert gone.state is State.VANISHED


def test_d2_what_has_vanished_is_what_it_turns_out_to_be() -> None:
    gone = replace(JOB, outcome=Outcome(State.VANISHED), absent_since=100)
    assert settle(gone, know(queue=GONE, traced=GONE)).state is State.VANISHED
    assert settle(gone, know(queue=GONE)).state is State.VANISHED
    late = Outcome(State.FAILED, 7, 50, 60)
    back = settle(gone, know(queue={0: State.RUNNING}))
    assert (back.state, back.absent_since) == (State.RUNNING, None)
    assert settle(gone, know(queue=GONE, traced={0: late})).outcome == late
    assert settle(gone, know(queue=GONE, traced={0: State.UNKNOWN})).state is State.UNKNOWN
    assert settle(gone, know(notes={0: ended(0)}, queue=GONE, traced=GONE)).state is State.SUCCEEDED
    tasks = replace(ARRAY, outcome=Outcome(State.VANISHED), tasks={1: Outcome(State.VANISHED)}, absent_since=100)
    assert settle(tasks, know(queue={1: State.RUNNING})).tasks[1].state is State.RUNNING


def test_g27_an_unreadable_accounting_gives_a_job_more_time() -> None:
    absent = settle(JOB, know(queue=GONE, traced=GONE, accounted=False))
    for now, state in ((1001 + ACCOUNTING_LAG, State.UNKNOWN), (1001 + ACCOUNTING_SILENT, State.VANISHED)):
        assert settle(absent, know(queue=GONE, traced=GONE, accounted=False, now=now)).state is state


def test_a_job_that_comes_back_into_the_queue_was_never_absent() -> None:
    absent = settle(JOB, know(queue=GONE, traced=GONE))
    back = settle(absent, know(queue={0: State.RUNNING}, now=1010))
    assert (back.state, back.absent_since) == (State.RUNNING, None)


def test_a_job_cancelled_from_here_is_cancelled_once_its_scheduler_has_it_no_more() -> None:
    job = replace(JOB, cancelled=(None,))
    assert settle(job, know(queue={0: State.RUNNING})).state is State.RUNNING
    assert settle(job, know(queue=GONE)).state is State.PENDING
    assert settle(job, know(queue=GONE, traced=GONE)).state is State.CANCELLED


def test_what_has_ended_stays_ended() -> None:
    done = replace(JOB, outcome=Outcome(State.SUCCEEDED, 0))
    assert settle(done, know(notes={0: ended(7)}, queue={0: State.RUNNING})) == done


def test_a_note_of_another_job_under_the_same_key_tells_nothing() -> None:
    assert settle(JOB, know(notes={0: Note("13", 1, 2, 0)})).state is State.PENDING


def test_an_array_job_is_running_while_any_task_is_and_failed_when_one_has() -> None:
    notes = {1: ended(0), 2: ended(3)}
    running = settle(ARRAY, know(notes=notes, queue={3: State.RUNNING}, traced=GONE))
    assert running.state is State.RUNNING
    assert running.tally() == "1 running, 1 succeeded, 1 failed"
    over = settle(running, know(notes=notes | {3: ended(0)}, queue=GONE, traced=GONE))
    assert (over.state, over.outcome.exit_status) == (State.FAILED, 3)


def test_a_task_that_noted_its_start_is_one_of_the_job_whoever_forgot_it() -> None:
    notes = {7: ended(0), 9: Note("11", 900, 990, 0), 12: Note("12", 900)}
    job = settle(ARRAY, know(notes=notes, queue=dict.fromkeys((1, 2, 3, 12), State.PENDING), traced=GONE))
    assert {task: outcome.state for task, outcome in job.tasks.items()} == {
        **dict.fromkeys((1, 2, 3, 12), State.PENDING), 7: State.SUCCEEDED
    }  # fmt: skip
    unknown = settle(JOB, know(notes={0: ended(0), 3: Note("12", 900)}, queue={3: State.RUNNING}, traced=GONE))
    assert {task: outcome.state for task, outcome in unknown.tasks.items()} == {0: State.SUCCEEDED, 3: State.RUNNING}
    assert settle(JOB, know(notes={0: ended(0)})).array is None


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
    job = settle(JOB, know(notes=notes.notes.get("k", {}).copy(), queue=GONE, traced=GONE))
    assert job.state in (State.UNKNOWN, State.SUCCEEDED, State.FAILED)
