"""What became of a job, from everything that was asked: its own notes, the scheduler's list, the accounting.

The promise in here is that "could not ask" is never "gone": what was not asked, or not answered, changes nothing.
Pure; the words of the sources are translated before.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from .job import Job, Outcome, State, together
from .resources import TaskRange
from .wording import number

# For how long (seconds, by the cluster's clock) a job that the scheduler no longer has is looked for in its
# accounting, which lags, before it counts as vanished; longer when the accounting cannot be read at all.
ACCOUNTING_LAG = 60
ACCOUNTING_SILENT = 180


@dataclass(frozen=True)
class Note:
    """What one job or task wrote down itself: its latest start, and its latest end."""

    job_id: str
    started_at: int | None = None
    ended_at: int | None = None
    status: int | None = None
    reason: str = ""

    @property
    def exit_status(self) -> int | None:
        """How it ended; None while it runs. An end before the start is that of a run before a requeue."""
        return self.status if (self.ended_at or 0) >= (self.started_at or 0) else None


@dataclass(frozen=True)
class Logs:
    """Where a job or task says that its output goes."""

    out: str
    err: str


@dataclass
class Notes:
    """The notes of many jobs, by key and then by task (0: not an array job), as they are read."""

    notes: dict[str, dict[int, Note]] = field(default_factory=dict)
    logs: dict[str, dict[int, Logs]] = field(default_factory=dict)

    def read(self, text: str) -> None:
        """Take in notes as `run` writes them: `start KEY JOB TASK TIME HOST RESTARTS`, `out PATH`, `err PATH`, and
        `end KEY JOB TASK TIME STATUS REASON`, where there is a reason. The order of the files is any; lines that are
        not understood are passed over.
        """
        place: tuple[str, int] | None = None
        for line in text.split("\n"):  # and at nothing else: a path may hold what splitlines() takes for an end
            words = line.split(" ")
            if words[0] == "out" and place:
                self.logs.setdefault(place[0], {})[place[1]] = Logs(line[4:], line[4:])
            elif words[0] == "err" and place and place[1] in self.logs.get(place[0], {}):
                self.logs[place[0]][place[1]] = Logs(self.logs[place[0]][place[1]].out, line[4:])
            elif len(words) >= 6 and words[0] in ("start", "end") and (task := number(words[3])) is not None:
                place = words[1], task
                self._take(place, words)
            else:
                place = None

    def _take(self, place: tuple[str, int], words: list[str]) -> None:
        of_key = self.notes.setdefault(place[0], {})
        note = of_key.get(place[1])
        if note is None or note.job_id != words[2]:
            note = of_key[place[1]] = Note(words[2])
        when, status = number(words[4]), number(words[5])
        if when is None:
            return
        if words[0] == "start":
            of_key[place[1]] = replace(note, started_at=max(when, note.started_at or 0))
        elif status is not None and when >= (note.ended_at or 0):
            of_key[place[1]] = replace(note, ended_at=when, status=status, reason=" ".join(words[6:]))


@dataclass(frozen=True)
class Known:
    """All answers about one job. `queue` and `accounting` map tasks to what is known; None: could not be asked."""

    now: int
    notes: Mapping[int, Note]
    queue: Mapping[int, State] | None = None
    accounting: Mapping[int, Outcome] | None = None
    accounting_asked: bool = False


def _with_noted(job: Job, notes: Mapping[int, Note]) -> Job:
    """The job with every task that has noted its start: a scheduler that was asked late forgot those that had ended."""
    noted = [task for task, note in notes.items() if note.job_id == job.job_id]
    if all(task in (job.array or (0,)) for task in noted):
        return job
    return replace(job, array=TaskRange.of([*(job.numbers() if job.array else ()), *noted]))


def settle(job: Job, known: Known, not_ends: Collection[int]) -> Job:
    """The job as it is now known. `not_ends`: exit statuses that are not ends while the queue has the job, and of which
    the accounting may know more."""
    if job.state.ended and job.state is not State.VANISHED:
        return job
    job = _with_noted(job, known.notes)
    tasks = {}
    absent = False
    for task in job.numbers():
        before = job.tasks.get(task, Outcome(State.UNKNOWN)) if job.array else job.outcome
        if before.state.ended and before.state is not State.VANISHED:
            tasks[task] = before
            continue
        tasks[task], gone = _settle_task(job, task, before, known, not_ends)
        absent = absent or gone
    since = (job.absent_since or known.now) if absent else (None if known.queue is not None else job.absent_since)
    if job.array:
        return replace(job, outcome=together(tasks), tasks=tasks, absent_since=since)
    return replace(job, outcome=tasks[0], absent_since=since)


def _settle_task(job: Job, task: int, before: Outcome, known: Known, not_ends: Collection[int]) -> tuple[Outcome, bool]:
    """One task's outcome, and whether it is absent: neither alive nor known to have ended."""
    note = known.notes.get(task)
    if note and note.job_id != job.job_id:
        note = None
    started = note.started_at if note else None
    if note and note.exit_status is not None and note.exit_status not in not_ends:
        return _ended(job, task, note), False
    if known.queue is None:
        waiting = before.state in (State.PENDING, State.HELD, State.UNKNOWN)
        if note and started is not None and note.exit_status is None and waiting:
            return Outcome(State.RUNNING, None, started), False
        return before, False
    state = known.queue.get(task)
    if state is not None:
        # G33: on a dead node it stays like that, and only an administrator can clear it.
        cancelled = bool({None, task} & set(job.cancelled))
        return Outcome(state, None, started, reason="cancelled, and still there" if cancelled else ""), False
    record = (known.accounting or {}).get(task)
    if note and note.exit_status is not None:
        # A note of one of `not_ends` does not tell why: cancelled, over its time limit. The accounting may.
        if not known.accounting_asked:
            return Outcome(State.UNKNOWN, None, started, reason="has left the queue"), True
        ended = _ended(job, task, note)
        if record and record.state in (State.FAILED, State.CANCELLED) and ended.state is not State.CANCELLED:
            ended = replace(ended, state=record.state, reason=record.reason or ended.reason)
        return ended, False
    if record and record.state.ended:
        return replace(record, started_at=record.started_at or started), False
    if {None, task} & set(job.cancelled):
        return Outcome(State.CANCELLED, None, started, reason="cancelled from here"), False
    lag = ACCOUNTING_LAG if known.accounting is not None else ACCOUNTING_SILENT
    if known.accounting_asked and job.absent_since is not None and known.now - job.absent_since > lag:
        return Outcome(State.VANISHED, None, started, reason="neither queue nor accounting know it"), True
    return Outcome(State.UNKNOWN, None, started, reason="has left the queue, accounting does not have it yet"), True


def _ended(job: Job, task: int, note: Note) -> Outcome:
    state = State.FAILED if note.exit_status else State.SUCCEEDED
    if state is State.FAILED and {None, task} & set(job.cancelled):
        state = State.CANCELLED
    return Outcome(state, note.exit_status, note.started_at, note.ended_at, note.reason)
