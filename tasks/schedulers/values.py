"""What passes through the seam: what is asked of a scheduler, and what its answers mean, as plain data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..model.failure import Cause
from ..model.job import Outcome, State
from ..model.resources import Resources, TaskRange
from ..model.usage import Usage


@dataclass(frozen=True)
class Submission:
    """All that a submit command is built from. `script` is the file to submit, relative to the job directory.

    `resources` come from flags and beat the script; `options` are more of the scheduler's own; `key` is the mark
    that the scheduler has to keep. `after`: IDs of jobs that have to end before this one starts.
    """

    key: str
    script: str
    resources: Resources
    options: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    hold: bool = False
    workdir: str | None = None
    after: tuple[str, ...] = ()

    def record(self) -> dict[str, object]:
        """Return it as plain data, for the job directory."""
        plain = asdict(self)
        plain["resources"]["array"] = self.resources.array and str(self.resources.array)
        return plain

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Submission:
        """Read `record()` back. Raises KeyError, TypeError, ValueError."""
        resources = dict(record["resources"])
        if resources["array"]:
            resources["array"] = TaskRange.parse(resources["array"])
        texts = {name: tuple(record[name]) for name in ("options", "arguments", "after")}
        return cls(**{**record, **texts, "resources": Resources(**resources)})


@dataclass(frozen=True)
class Amount:
    """What a directive or an option asks for: of `what` (time, memory), by the scheduler's `name` for it.

    `amount` is in seconds, or bytes; None: it is no number, or not understood.
    """

    what: str
    name: str
    amount: int | None


@dataclass(frozen=True)
class Submitted:
    """What an accepting answer says; or, of a job that carries a mark, what the scheduler shows of it: `directory` is
    the job directory that it was submitted from.
    """

    job_id: str
    name: str
    array: TaskRange | None = None
    directory: str = field(default="", compare=False)


@dataclass(frozen=True)
class Row:
    """One line of the scheduler's list: these tasks of a job (none: all of it) are alive and in that state.

    `key` is that of its mark, where the list shows marks: an ID is used again sooner or later. `reason` says in words
    why it is held, in error state, or waits for other jobs.
    """

    job_id: str
    state: State
    tasks: tuple[TaskRange, ...] = ()
    key: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Record:
    """What is known of a job that was asked for by its ID: of these tasks (none: of whatever no other one tells of).

    An outcome that is no end says that the job is alive (UNKNOWN: in whatever state). `submitted_at` tells IDs apart
    that are used again, and so does `key`, where it is shown.
    """

    job_id: str
    tasks: tuple[TaskRange, ...]
    submitted_at: int | None
    outcome: Outcome
    key: str = ""


@dataclass(frozen=True)
class Ran:
    """What the scheduler tells of the last run of a job, or of these tasks of it: what it asked for and used, and why
    it ended, where it did. `submitted_at` and `key` tell IDs apart that are used again.
    """

    job_id: str
    tasks: tuple[TaskRange, ...]
    submitted_at: int | None
    usage: Usage
    cause: Cause = field(default_factory=Cause)
    key: str = ""


@dataclass(frozen=True)
class Traced:
    """The answer about jobs that were asked for by their IDs. A job without a record is unknown to the scheduler.

    `accounted`: whether the accounting could be read. `last_runs`: no record of an end is of a run before a requeue.
    `ids_last`: seconds for which an ID belongs to one job, whatever the clocks of login node and scheduler say.
    """

    records: tuple[Record, ...]
    accounted: bool = True
    last_runs: bool = False
    ids_last: int = 300


@dataclass(frozen=True)
class ByHand:
    """A job of this user that was submitted by hand: where it runs, and when it was submitted, if known."""

    submitted: Submitted
    directory: str
    submitted_at: int | None


@dataclass(frozen=True)
class Queue:
    """How busy one queue is: its slots, and the jobs that wait for it (None: they wait for no queue in particular)."""

    name: str
    used: int
    free: int
    down: int
    waiting: int | None = None


@dataclass(frozen=True)
class Load:
    """How busy a cluster is: its queues, and how many jobs wait in all, those that are held among them."""

    queues: tuple[Queue, ...]
    waiting: int


@dataclass(frozen=True)
class Clients:
    """The scheduler's commands that we run on the login node, and what of the environment there they are run with.

    `submits` are run as typed in the login shell. `asks` never see the user's or the site's defaults: without the
    variables `ambient`, except those that say where the scheduler is (`places`; both extended regular expressions), and
    with the words NAME=VALUE of `fixed` set. `short_cut` is sh for describe.sh, which says what it may do.
    """

    submits: str
    asks: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    ambient: str = ""
    fixed: tuple[str, ...] = ()
    short_cut: str = ""
