"""A job as it is known from here: who it is, in which state, and since when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property

from .errors import InvalidInput
from .outcome import Alike, Outcome, State, together
from .resources import TaskRange
from .rows import Rows

__all__ = ["Alike", "Job", "Outcome", "Selected", "State", "iso", "together"]
_UNKNOWN = Outcome(State.UNKNOWN)


@dataclass(frozen=True)
class Job:
    """One submission. `job_id` is None until the scheduler's answer is known here."""

    key: str
    cluster: str
    name: str = ""
    script: str = ""
    script_hash: str = ""
    directory: str | None = None
    bare: bool = False
    job_id: str | None = None
    array: TaskRange | None = None
    answer: str = ""
    submitted_at: int | None = None
    outcome: Outcome = _UNKNOWN
    tasks: Mapping[int, Outcome] = field(default_factory=dict)
    absent_since: int | None = None
    cancelled: tuple[int | None, ...] = ()  # tasks that were cancelled from here; None: all of them
    requeued: frozenset[tuple[int, int]] = frozenset()  # ends that a requeue followed: task and time of each
    by_hand: bool = False  # submitted without submithost, and so without a job directory
    digest: str = ""  # of its text, by parts (text.py); empty: an earlier version wrote none
    origin: str = ""  # the key of the submission that this one repeats
    group: str = ""  # the name that it shares with other submissions, if any
    fetched_at: int | None = None  # when everything that it left behind, after its end, was here; the cluster's time
    in_part_at: int | None = None  # when what --only asked for was
    cleaned_at: int | None = None  # when its directory was removed on the login node
    sweep: str = ""  # of a sweep, the key of all of it; each task has a row
    repairs: Mapping[int, Job] = field(default_factory=dict)  # by task, the later job that counts; never recorded
    rows: Rows = field(default_factory=Rows, compare=False, repr=False)  # never recorded in here either

    @property
    def state(self) -> State:
        """The state of the job as a whole."""
        return self.outcome.state

    def numbers(self) -> Sequence[int]:
        """Its tasks' numbers; 0 alone when it is no array job."""
        return self.array.numbers() if self.array else (0,)

    def parts(self) -> Iterable[tuple[int, Outcome]]:
        """Its tasks, as far as they are known, with their outcomes; if none is, the job itself as task 0."""
        return self.tasks.items() if self.array and self.tasks else [(0, self.outcome)]

    def of(self, task: int) -> Outcome:
        """The outcome of one task, or of a job that is not an array job."""
        return self.tasks.get(task, self.outcome) if self.array else self.outcome

    @cached_property
    def counts(self) -> Mapping[State, int]:
        """How many tasks are in each state, as far as they are known one by one; counted once."""
        if isinstance(self.tasks, Alike):
            return {self.tasks.outcome.state: len(self.tasks)}
        return Counter(task.state for task in self.tasks.values())

    @property
    def in_the_end(self) -> Outcome:
        """The outcome with what later jobs have repaired."""
        if not self.repairs:
            return self.outcome
        return together({task: self.repairs.get(task, self).of(task) for task in self.tasks or self.numbers()})

    def only(self, tasks: Collection[int]) -> Job:
        """The job reduced to these tasks; none: the whole job."""
        if not tasks or not self.array:
            return self
        chosen = {task: self.tasks.get(task, Outcome(State.UNKNOWN)) for task in tasks}
        return replace(self, tasks=chosen, outcome=together(chosen))

    def title(self) -> str:
        """Its name in messages: `job 12 ("seven") on sandbox`."""
        number = f"job {self.job_id}" if self.job_id else f"key {self.key}"
        return f'{number} ("{self.name}") on {self.cluster}'

    def there(self) -> Job:
        """This job, whose directory is to be looked into. Raises InvalidInput when it was cleaned."""
        if self.cleaned_at:
            raise InvalidInput(f"{self.title()}: its directory was cleaned on {iso(self.cleaned_at)}")
        return self

    def again(self) -> str:
        """What to repeat when it is not known whether this became a job; it never makes a second one."""
        return (
            "the same resubmit"
            if self.origin
            else f"the same submit to {self.cluster} with --key {self.sweep or self.key}"
        )

    def as_json(self) -> dict[str, object]:
        """The object that `--json` prints; INTERFACE.md fixes its names."""
        shown: dict[str, object] = {
            "cluster": self.cluster,
            "job_id": self.job_id,
            "key": self.key,
            "name": self.name,
            "group": self.group or None,
            "state": str(self.state),
            "exit_status": self.outcome.exit_status,
            "script": self.script,
            "directory": None if self.cleaned_at else self.directory,
            "submitted_at": iso(self.submitted_at),
            "started_at": iso(self.outcome.started_at),
            "ended_at": iso(self.outcome.ended_at),
            "reason": self.outcome.reason or None,
        }
        if self.array:
            shown["tasks"] = {str(number): self._task_as_json(number) for number in sorted(self.tasks)}
        elif 0 in self.rows:
            shown["row"] = self.rows[0]
        for word in ("repaired_by", "repeated_by"):
            jobs = [job.job_id for task, job in self.repairs.items() if self._repaired(task) == word]
            if jobs:
                shown[word] = list(dict.fromkeys(jobs))
        return shown

    def _task_as_json(self, number: int) -> dict[str, object]:
        task = self.tasks[number]
        shown: dict[str, object] = {"state": str(task.state), "exit_status": task.exit_status}
        shown |= {"started_at": iso(task.started_at), "ended_at": iso(task.ended_at)}
        if number in self.rows:
            shown["row"] = self.rows[number]
        if number in self.repairs:
            shown[self._repaired(number)] = self.repairs[number].job_id
        return shown

    def _repaired(self, task: int) -> str:
        """What a later job has done about a task: it is `repaired_by` that, or so far only `repeated_by` it."""
        return "repaired_by" if self.repairs[task].of(task).state is State.SUCCEEDED else "repeated_by"

    def tally(self) -> str:
        """`3 succeeded, 1 failed` for an array job, and `6 repaired by job 15`; for others nothing, or the latter."""
        counts = self.counts
        if self.repairs:
            counts = Counter(self.tasks[task].state for task in self.tasks if task not in self.repairs)
        repeated = Counter((job.of(task).state, job.job_id) for task, job in self.repairs.items())
        words = [f"{counts[state]} {state}" for state in State if counts.get(state)]
        for (state, job_id), many in repeated.items():
            words.append(f"{many} {'repaired by' if state is State.SUCCEEDED else f'{state} again in'} job {job_id}")
        return ", ".join(words if self.array else (word.partition(" ")[2] for word in words))


def iso(seconds: int | None) -> str | None:
    """ISO 8601 in UTC, to the second; None for what is no time on any clock, whoever claims it."""
    if seconds is None or not 0 <= seconds < 1 << 37:
        return None
    return f"{datetime.fromtimestamp(seconds, timezone.utc).isoformat()[:19]}Z"


Selected = tuple[Job, tuple[int, ...]]
"""A job, and the tasks of it that were named; none: all of it."""
