"""What each scheduler says: one module each, pure functions that build a command line and read its answer.

A scheduler is a module in this folder with the names of `Scheduler`; adding one is adding that file. What would make it
too long is beside it, in `NAME_PART.py`. Nothing in here runs anything, and no other file names a scheduler.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, cast

from ..model.errors import InvalidInput, SchedulerError, nearest
from ..model.job import Outcome, State
from ..model.resources import Resources, TaskRange

T = TypeVar("T")
NOTHING: Mapping[str, str] = MappingProxyType({})
# Bounds of what a scheduler may say: bytes about all jobs of one user (tens of thousands), rows or records in one
# answer, and ranges of tasks in all of these.
MOST_OF_A_QUEUE = 24 << 20
MOST_RECORDS = 250_000
MOST_RANGES = 100_000


def at_home(path: str) -> str:
    """A path over there as a word of a command line: what is not absolute begins in the home directory, as after ssh.

    `~name` is that user's, by the shell that reads the word.
    """
    tilde, slash, rest = path.partition("/")
    if not path or path.startswith("/"):
        return shlex.quote(path)
    if re.fullmatch(r"~[A-Za-z0-9_][A-Za-z0-9_.-]*", tilde, re.ASCII):
        return f"{tilde}{slash}{shlex.quote(rest) if rest else ''}"
    rest = rest if tilde == "~" else path
    return f'"$HOME"/{shlex.quote(rest)}' if rest else '"$HOME"'


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
        """It as plain data, for the job directory."""
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
class Traced:
    """The answer about jobs that were asked for by their IDs. A job without a record is unknown to the scheduler.

    `accounted`: whether the accounting could be read. `last_runs`: no record of an end is of a run before a requeue.
    """

    records: tuple[Record, ...]
    accounted: bool = True
    last_runs: bool = False


@dataclass(frozen=True)
class ByHand:
    """A job of this user that was submitted without us: where it runs, and when it was submitted, if that is told."""

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
    """The scheduler's commands that we run over there, and what of the environment there they are run with.

    `submits` are run as typed in the login shell. `asks` never see the user's or the site's defaults: without the
    variables `ambient`, except those that say where the scheduler is (`places`; both extended regular expressions), and
    with the words NAME=VALUE of `fixed` set. `short_cut` is sh for describe.sh, which says what it may do.
    """

    submits: str
    asks: tuple[str, ...]
    places: tuple[str, ...]
    ambient: str
    fixed: tuple[str, ...] = ()
    short_cut: str = ""


class Scheduler(Protocol):
    """What a scheduler's module supplies. `(status, out, err)` is the answer of the command built just before."""

    name: str
    clients: Clients
    probe: str  # a command line that succeeds over there when this is the scheduler
    variables: Mapping[str, str]
    default_names: Mapping[str, str]
    own_files: frozenset[str]
    before_submit: str
    in_job: str

    def check(self, script: bytes, resources: Resources) -> list[str]:
        """Warnings about what is submitted. Raises InvalidInput for what can only go wrong."""

    def legal_name(self, name: str) -> str:
        """`name` as this scheduler takes it."""

    def directives(self, resources: Resources, names: Mapping[str, str] = NOTHING) -> list[str]:
        """The directive lines that ask for `resources`."""

    def defaults(
        self,
        resources: Resources,
        options: Sequence[str],
        names: Mapping[str, str],
        script: bytes,
        submission: Submission,
    ) -> dict[str, str]:
        """Files (name to text) for the job directory that give the script defaults that it wins over.

        `submission` is what the flags ask for, which wins over both.
        """

    def submit_variables(self, submission: Submission, names: Mapping[str, str]) -> dict[str, str]:
        """Variables for `submit.sh`: `submit`, the command line that submits, and what `before_submit` wants."""

    def parse_submission(self, out: str, err: str = "") -> Submitted | None:
        """What was accepted; None: nothing was, or it was taken back at once."""

    def undecided(self, err: str) -> bool:
        """Whether a submit command that still runs is about to say whether its job is taken back."""

    def doubtful(self, err: str) -> bool:
        """Whether a submit command that ended with this on stderr may have made a job all the same."""

    def receipt(self, submitted: Submitted) -> str:
        """What the scheduler would have said, for a job that was found again by its mark."""

    def queue_command(self) -> str:
        """Ask for all jobs of this user."""

    def parse_queue(self, status: int, out: str, err: str) -> list[Row]:
        """All that is alive. Raises SchedulerError when it could not be asked or is not understood."""

    def alive_command(self) -> str:
        """Ask for the IDs alone of all jobs of this user."""

    def parse_alive(self, status: int, out: str, err: str) -> set[str]:
        """The IDs, one a line. Raises SchedulerError when it could not be asked or is not understood."""

    def load_command(self) -> str:
        """Ask how busy the cluster is."""

    def parse_load(self, status: int, out: str, err: str) -> Load:
        """Its queues, and how many jobs wait. Raises SchedulerError when that is not understood."""

    def marks_command(self, job_ids: Sequence[str]) -> str:
        """Ask for the marks of these jobs; empty: without any there is nothing to ask."""

    def parse_marks(self, status: int, out: str, err: str) -> dict[str, list[Submitted]]:
        """Keys, and the jobs that carry them, oldest first. Raises SchedulerError."""

    def by_hand_command(self, job_id: str) -> str:
        """Ask who a job is, alive or ended."""

    def parse_by_hand(self, status: int, out: str, err: str) -> ByHand | None:
        """The job, if it is this user's; None: nobody knows it, or it is somebody else's. Raises SchedulerError."""

    def log_names(self, submitted: Submitted) -> list[str]:
        """Patterns of the names that the logs of a job have, where neither script nor flags say otherwise."""

    def errors_command(self, job_ids: Sequence[str]) -> str:
        """Ask why these jobs, alive, are in error state."""

    def parse_errors(self, status: int, out: str, err: str) -> dict[str, str]:
        """The reasons, by job ID. Raises SchedulerError."""

    def trace_command(self, job_ids: Sequence[str], silent: Sequence[str]) -> str:
        """Ask about each of these by its ID whether it is alive, and the accounting how it ended.

        `silent` are those among them that have not noted their end themselves: the accounting alone can tell.
        """

    def parse_trace(self, status: int, out: str, err: str) -> Traced:
        """What is known of them. Raises SchedulerError when the scheduler itself could not be asked about each."""

    def cancel_command(self, jobs: Sequence[tuple[str, int | None]]) -> str:
        """Cancel these jobs (no task), or these tasks of them."""

    def hold_command(self, jobs: Sequence[tuple[str, int | None]]) -> str:
        """Hold these jobs or tasks: they do not start until released."""

    def release_command(self, jobs: Sequence[tuple[str, int | None]]) -> str:
        """Release what was held."""

    def parse_hold(self, status: int, out: str, err: str) -> str:
        """What to tell the user of either. Raises SchedulerError when it was refused."""

    def parse_cancel(self, status: int, out: str, err: str) -> tuple[str, set[str]]:
        """What to tell the user, and the IDs of the jobs that it took. Raises SchedulerError: it took none."""


@dataclass(frozen=True)
class Dialect:
    """What rendering needs of a scheduler on one cluster: the words of both."""

    scheduler: Scheduler
    names: Mapping[str, str]

    @property
    def name(self) -> str:
        """The scheduler's."""
        return self.scheduler.name

    @property
    def variables(self) -> Mapping[str, str]:
        """The shell expressions for a job's own facts."""
        return self.scheduler.variables

    def directives(self, resources: Resources) -> list[str]:
        """The directive lines that ask for `resources` on this cluster."""
        return self.scheduler.directives(resources, self.names)


def bounded(told: Iterable[T]) -> Iterator[T]:
    """These, as long as they are as many as there can be. Raises SchedulerError."""
    for number, each in enumerate(told, 1):
        check_many(number)
        yield each


def check_many(number: int) -> None:
    """Raises SchedulerError for more rows or records than there can be."""
    if number > MOST_RECORDS:
        raise SchedulerError(f"the answer is not understood: it is about more than {MOST_RECORDS} jobs and tasks")


def lines_of(text: str) -> Iterator[str]:
    """The lines that are not empty, one at a time: there may be millions. Raises SchedulerError for too many."""
    return bounded(line for found in re.finditer("[^\n]+", text) for line in found[0].splitlines())


def check_ranges(texts: Iterable[str]) -> None:
    """Raises SchedulerError when these name more ranges of tasks than there can be."""
    if sum(text.count(",") for text in texts) > MOST_RANGES:
        raise SchedulerError(f"the answer is not understood: it names more than {MOST_RANGES} ranges of tasks")


def waited_for(job_ids: Sequence[str]) -> str:
    """`job 12`, `jobs 12 and 13`: for the reason why another one waits."""
    *first, last = dict.fromkeys(job_ids)
    return f"jobs {', '.join(first)} and {last}" if first else f"job {last}"


@cache
def known() -> tuple[str, ...]:
    """The names of all schedulers."""
    return tuple(module.name for module in pkgutil.iter_modules(__path__) if "_" not in module.name)


def assumed() -> Scheduler:
    """The scheduler whose words are used where no cluster says, and none is asked."""
    return scheduler(known()[0])


@cache
def clients(name: str | None = None) -> Mapping[str, str]:
    """What describe.sh has to know of this scheduler's commands; None: of all, to find out which one there is."""
    every = [scheduler(each).clients for each in ([name] if name else known())]
    return {
        "submits": " ".join(each.submits for each in every),
        "asks": " ".join(command for each in every for command in each.asks),
        "places": "|".join(name for each in every for name in each.places),
        "ambient": "|".join(each.ambient for each in every),
        "fixed": " ".join(["LC_ALL=C", "TZ=UTC", *(word for each in every for word in each.fixed)]),
        "short_cut": "".join(each.short_cut for each in every),
    }


@cache
def scheduler(name: str) -> Scheduler:
    """The scheduler of that name. Raises InvalidInput."""
    if name not in known():
        raise InvalidInput(f"unknown scheduler '{name}'{nearest(name, known())} (known: {', '.join(known())})")
    module = importlib.import_module(f".{name}", __name__)
    if hasattr(module, "__path__"):
        module = importlib.import_module(f".{name}.scheduler", __name__)
    return cast(Scheduler, module)
