"""What became of a job, by everything that was asked: its own notes, the scheduler's list, the accounting.

The promise kept here: "could not ask" is never "gone". What was not asked, or not answered, changes nothing. No single
source decides that a job has ended: a note may be of a run before a requeue, and a list may leave a job out. It has
ended when it is not in the list, and not alive when the scheduler is asked about that very job.
Pure; the sources' own words are translated before.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Set
from dataclasses import dataclass, replace

from .job import Alike, Job, Outcome, State, together
from .notes import Note
from .resources import TaskRange

_UNKNOWN = Outcome(State.UNKNOWN)

# Seconds (by the cluster's clock) for which a job that left the scheduler is looked for in its accounting, which lags,
# before it counts as vanished; longer if the accounting cannot be read at all.
ACCOUNTING_LAG = 60
ACCOUNTING_SILENT = 180
# Seconds by which the clocks of the cluster's nodes may differ.
CLOCKS = 5


@dataclass(frozen=True)
class Known:
    """All answers about one job. `queue` and `traced` map tasks to what is known of them; None: could not be asked.

    `queue` is the scheduler's list, last understood at `listed_at` (the cluster's time; 0: not yet). `traced` is its
    answer about this job's ID, with the accounting if that could be read (`accounted`); with `last_runs`, ends that a
    requeue followed are not in it. `noted` are the ends (task and time) that were noted before the list was asked for.
    `news` are the only tasks whose notes may have changed (None: any may).
    """

    now: int
    notes: Mapping[int, Note]
    queue: Mapping[int, Outcome] | None = None
    traced: Mapping[int, Outcome] | None = None
    accounted: bool = True
    last_runs: bool = False
    listed_at: int = 0
    noted: Set[tuple[int, int]] = frozenset()
    news: Set[int] | None = None

    def only_of(self, job: Job) -> list[int] | None:
        """The only tasks of `job` of which something new may be known; None: all of them."""
        if self.news is None or self.queue is not None or self.traced is not None or not job.tasks:
            return None
        return [task for task in self.news if task in job.tasks]

    def all_alike(self, job: Job) -> bool:
        """Whether nothing that is known tells one task of an array job from another."""
        return (
            bool(job.array)
            and (not job.tasks or isinstance(job.tasks, Alike))
            and not job.requeued
            and set(job.cancelled) <= {None}
            and all(not answer or isinstance(answer, Alike) for answer in (self.notes, self.queue, self.traced))
        )


def _with_noted(job: Job, notes: Mapping[int, Note]) -> Job:
    """The job with every task that has noted its start: if asked late, a scheduler has forgotten the ended ones."""
    known: Container[int] = job.array.numbers() if job.array else (0,)
    if not any(task not in known and note.job_id == job.job_id for task, note in notes.items()):
        return job
    noted = [task for task, note in notes.items() if note.job_id == job.job_id]
    return replace(job, array=TaskRange.of([*(job.numbers() if job.array else ()), *noted]))


def settle(job: Job, known: Known) -> Job:
    """The job as it is now known. It has ended once its scheduler has said in two ways that it will not come back."""
    if job.state.final:
        return job
    job = _with_noted(job, known.notes)
    job = replace(job, requeued=job.requeued | {end for end in known.noted if _waits(known.queue, end[0])})
    numbers = job.numbers()
    alike, only, of_tasks = known.all_alike(job), known.only_of(job), bool(job.array)
    tasks = {} if alike or only is None else dict(job.tasks)
    absent = False
    for task in numbers[:1] if alike else numbers if only is None else only:
        before = job.tasks.get(task, _UNKNOWN) if of_tasks else job.outcome
        if before.state.final:
            tasks[task] = before
            continue
        tasks[task], gone = _settle_task(job, task, before, known)
        absent = absent or gone
    since = (job.absent_since or known.now) if absent else (None if known.queue is not None else job.absent_since)
    if alike:
        return replace(job, outcome=together(tasks), tasks=Alike(numbers, tasks[numbers[0]]), absent_since=since)
    if job.array:
        return replace(job, outcome=together(tasks), tasks=tasks, absent_since=since)
    return replace(job, outcome=tasks[0], absent_since=since)


def _waits(queue: Mapping[int, Outcome] | None, task: int) -> bool:
    """Whether it is listed as waiting to start: then any end before was that of another run."""
    return queue is not None and task in queue and queue[task].state in (State.PENDING, State.HELD)


def noted_ends(job: Job, notes: Mapping[int, Note]) -> set[tuple[int, int]]:
    """Task and time of each end that was noted but is not confirmed: it may be that of a run before a requeue."""
    if job.state.final:
        return set()
    tasks = job.tasks if job.array else {0: job.outcome}
    return {
        (task, note.ended_at or 0)
        for task, note in notes.items()
        if note.job_id == job.job_id
        and note.exit_status is not None
        and (task, note.ended_at) not in job.requeued
        and not (task in tasks and tasks[task].state.final)
    }


def _settle_task(job: Job, task: int, before: Outcome, known: Known) -> tuple[Outcome, bool]:
    """One task's outcome, and whether it is absent: neither alive nor known to have ended."""
    note = known.notes.get(task)
    if note and note.job_id != job.job_id:
        note = None
    started = note.started_at if note else None
    listed = known.queue.get(task) if known.queue is not None else None
    if listed:
        # G33: on a dead node it stays so until an administrator clears it.
        cancelled = bool({None, task} & set(job.cancelled))
        reason = "cancelled, and still there" if cancelled else listed.reason
        return Outcome(listed.state, None, started, reason=reason), False
    if known.traced is None:
        return _as_noted(before, started, known), known.queue is not None
    record = known.traced.get(task)
    if record and not record.state.ended:
        if record.state is not State.UNKNOWN:
            return replace(record, started_at=record.started_at or started), False
        if not known.queue:  # the scheduler has the job, but its list does not: the list is incomplete
            state = before.state if before.state is not State.VANISHED else State.UNKNOWN
            return Outcome(state, None, started, reason="its scheduler has it, but does not list it"), False
        record = None  # the records may be those of other tasks
    lag = ACCOUNTING_LAG if known.accounted else ACCOUNTING_SILENT
    waited = job.absent_since is not None and known.now - job.absent_since > lag
    if record and record.ended_at is not None and not known.last_runs and not waited:
        # This record may be that of an earlier run, and the right one late.
        before_last = max((at for number, at in job.requeued if number == task), default=None)
        if before_last is not None and record.ended_at <= before_last + CLOCKS:
            record = None
    if note and note.exit_status is not None and (task, note.ended_at) not in job.requeued:
        return _ended(job, task, note, record), False
    if record:
        return replace(record, started_at=record.started_at or started), False
    if {None, task} & set(job.cancelled):
        return Outcome(State.CANCELLED, None, started, reason="cancelled from here"), False
    if waited:
        return Outcome(State.VANISHED, None, started, reason="neither queue nor accounting know it"), True
    return Outcome(State.UNKNOWN, None, started, reason="has left the queue, accounting does not have it yet"), True


def _as_noted(before: Outcome, started: int | None, known: Known) -> Outcome:
    """With a start note alone it is running, unless the note is older than the scheduler's last list with the job."""
    waiting = before.state in (State.PENDING, State.HELD, State.UNKNOWN)
    if waiting and started is not None and started >= known.listed_at - CLOCKS:
        return Outcome(State.RUNNING, None, started)
    return before


def _ended(job: Job, task: int, note: Note, record: Outcome | None) -> Outcome:
    """The end as it was noted, with the scheduler's reason if it has one (cancelled, over its time limit)."""
    state, reason = (State.FAILED if note.exit_status else State.SUCCEEDED), note.reason
    if record and record.state in (State.FAILED, State.CANCELLED):
        state, reason = record.state, record.reason or reason
    if state is State.FAILED and {None, task} & set(job.cancelled):
        state = State.CANCELLED
    return Outcome(state, note.exit_status, note.started_at, note.ended_at, reason)
