"""The seam: what a scheduler is to the rest of the program, and what it is by default.

A scheduler builds command lines and reads their answers; it runs nothing. What it must have is at the top of
`Scheduler`; all else has a default, most often that this scheduler cannot. docs/adding-a-scheduler.md tells more.
"""

from __future__ import annotations

import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

from ..model.errors import InvalidInput, SchedulerError
from ..model.job import Outcome, State
from ..model.resources import Resources
from .values import Amount, ByHand, Clients, Load, Ran, Record, Row, Submission, Submitted, Traced
from .waiting import Reasons, listed_reasons
from .wording import shell

T = TypeVar("T")
NOTHING: Mapping[str, str] = MappingProxyType({})
Jobs = Sequence[tuple[str, "int | None"]]
"""IDs of jobs, each with a task (None: all of it)."""
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.+=-]", re.ASCII)
# What a submission may ask for, by the name of its flag, and what a scheduler has that takes it.
_ASKED_FOR = {
    "time": "time limits",
    "memory": "limits of memory",
    "cores": "cores to ask for",
    "mpi": "cores to ask for",
    "gpus": "GPUs to ask for",
    "array": "array jobs",
    "at_once": "array jobs",
    "mail": "mail",
    "mail_on": "mail",
    "queue": "queues",
    "project": "projects",
    "options": "options of its own",
    "hold": "holds",
    "workdir": "other working directories",
    "after": "jobs that wait for others",
}
EVERYTHING = frozenset(_ASKED_FOR)
_SUBMITTING, _RUNNING = shell(__file__, "submitting.sh"), shell(__file__, "running.sh")


class Cannot(SchedulerError):
    """This scheduler cannot do what was asked for; trying again does not help."""


@dataclass(frozen=True)
class Question(Generic[T]):
    """A command line for the login node, and what its answer means.

    `parse` takes the answer's exit status, stdout and stderr. It raises SchedulerError when the scheduler could not be
    asked or its answer is not understood, whatever the answer is.
    """

    command: str
    parse: Callable[[int, str, str], T]


class Scheduler(ABC):
    """One scheduler. The first names have to be supplied, the others where it can do more."""

    name: str  # that of its file or folder
    probe: str  # a command line that succeeds on the login node when this is the scheduler
    clients: Clients
    variables: Mapping[str, str]  # the shell expressions for a job's own facts: `job_id` at least

    @abstractmethod
    def submit_variables(self, submission: Submission, names: Mapping[str, str]) -> dict[str, str]:
        """Variables for `submit.sh`: `submit`, the command line that submits, and what `before_submit` wants."""

    # What the submit command says of a job that it has made: a line, in which {} is the ID. It need not be given where
    # `parse_submission`, `receipt` and the shell function `accepted` are.
    answer = "{}"

    # --- what it is
    rank = 0  # of several schedulers that a login node has, that of the highest rank is meant
    verifying: tuple[str, ...] = ()  # options of the submit command that have it only say whether the job could run
    takes: frozenset[str] = frozenset()  # what a submission may ask for, of EVERYTHING
    default_names: Mapping[str, str] = NOTHING  # what memory, gpus, smp and mpi are called where a site says nothing
    directive: bytes = b""  # how a line of the script begins that is a directive
    own_files: frozenset[str] = frozenset()  # what `defaults` lays beside the user's files
    before_submit = ""  # shell functions for submit.sh, where they differ from those in submitting.sh
    in_job = ""  # shell functions for run.sh, where they differ from those in running.sh

    # --- submitting
    def check(self, script: bytes, resources: Resources) -> list[str]:
        """Warnings about what is submitted. Raises InvalidInput for what can only go wrong."""
        return []

    def legal_name(self, name: str) -> str:
        """`name` as this scheduler accepts it, with `_` for characters that patterns and shells interpret."""
        return _ILLEGAL.sub("_", name) or "job"

    def directives(self, resources: Resources, names: Mapping[str, str] = NOTHING) -> list[str]:
        """The directive lines that ask for `resources`; a site calls them by `names`."""
        return []

    def defaults(
        self,
        resources: Resources,
        options: Sequence[str],
        names: Mapping[str, str],
        script: bytes,
        submission: Submission,
    ) -> dict[str, str]:
        """Files (name to text) for the job directory that hold defaults, which the script's own directives override.

        `submission` is what the flags ask for, which wins over both. Raises InvalidInput.
        """
        if options or resources != Resources():
            raise InvalidInput(f"the cluster's 'resources' and 'options': {self.name} has no defaults for jobs")
        return {}

    def amounts(self, script: bytes, options: Sequence[str], names: Mapping[str, str]) -> list[Amount]:
        """What directives, and over them these options, ask for of time and memory; each name once."""
        return []

    def asking(self, amount: Amount) -> tuple[str, ...]:
        """The options that ask for it, in the words of `amounts`."""
        return ()

    def without(self, options: Sequence[str], what: str, names: Mapping[str, str]) -> tuple[str, ...]:
        """These options without any that asks for `what`: time or memory."""
        return tuple(options)

    def parse_submission(self, out: str, err: str = "") -> Submitted | None:
        """What was accepted; None: nothing, or it was withdrawn at once."""
        found = re.findall(self._accepting, out, re.M)
        return Submitted(found[-1], "") if found else None

    @property
    def _accepting(self) -> str:
        """`answer` as a regular expression of Python and of grep -E alike."""
        before, after = (re.sub(r"([][\\.^$*+?(){}|])", r"\\\1", text) for text in self.answer.split("{}"))
        return f"^{before}([0-9]{{1,20}}){after}$"

    def undecided(self, err: str) -> bool:
        """Whether a submit command that is still running may yet withdraw its job."""
        return False

    def doubtful(self, err: str) -> bool:
        """Whether a submit command that ended with this on stderr may have made a job nevertheless."""
        return False

    def receipt(self, submitted: Submitted) -> str:
        """What the scheduler would have said, for a job that was found again by its mark."""
        return self.answer.format(submitted.job_id)

    def log_names(self, submitted: Submitted) -> list[str]:
        """Patterns of the names that the logs of a job have, where neither script nor flags say otherwise."""
        return []

    def submit_shell(self) -> str:
        """The shell functions for submit.sh."""
        return f"accepting={shlex.quote(self._accepting)}\n{_SUBMITTING}\n{self.before_submit}"

    def job_shell(self) -> str:
        """The shell functions for run.sh."""
        return f"submithost_job={self.variables['job_id']}\n{_RUNNING}\n{self.in_job}"

    def refuse(self, submission: Submission) -> None:
        """Raises InvalidInput for what it does not take."""
        for name in (name for name in _ASKED_FOR if name not in self.takes):
            asked = submission if hasattr(submission, name) else submission.resources
            if getattr(asked, name):
                raise InvalidInput(f"--{name.replace('_', '-')}: the scheduler {self.name} has no {_ASKED_FOR[name]}")

    # --- asking
    def cannot(self, what: str) -> Cannot:
        """The error that this scheduler cannot do that."""
        return Cannot(f"the scheduler {self.name} cannot {what}")

    def queue(self) -> Question[list[Row]]:
        """All jobs of this user that are alive."""
        raise self.cannot("list jobs, so nobody knows whether they are alive")

    def alive(self) -> Question[set[str]]:
        """The IDs alone of all jobs of this user that are alive."""
        queue = self.queue()
        return Question(queue.command, lambda *answer: {row.job_id for row in queue.parse(*answer)})

    def trace(self, job_ids: Sequence[str], silent: Sequence[str]) -> Question[Traced]:
        """Each of these by its ID: whether it is alive, and how it ended by the accounting.

        `silent` are those among them that have not noted their end themselves: the accounting alone can tell. Without
        an accounting what the list does not have is gone.
        """
        queue = self.queue()

        def alive(status: int, out: str, err: str) -> Traced:
            rows = [row for row in queue.parse(status, out, err) if row.job_id in job_ids]
            return Traced(tuple(Record(row.job_id, (), None, Outcome(State.UNKNOWN), row.key) for row in rows))

        return Question(queue.command, alive)

    def reasons(self, job_ids: Sequence[str]) -> Question[Reasons]:
        """Why these jobs, which are alive, do not run."""
        queue = self.queue()

        def reasons(status: int, out: str, err: str) -> Reasons:
            return listed_reasons(queue.parse(status, out, err), job_ids)

        return Question(queue.command, reasons)

    def marks(self, job_ids: Sequence[str]) -> Question[dict[str, list[Submitted]]] | None:
        """By key, the jobs among these that carry it, oldest first. None: there is nothing to ask."""
        raise self.cannot("find a job by its key")

    def by_hand(self, job_id: str) -> Question[ByHand | None]:
        """This job of this user, alive or ended. The answer None: nobody knows it, or it is somebody else's."""
        raise self.cannot("tell of jobs that were submitted by hand")

    def usage(self, job_ids: Sequence[str], names: Mapping[str, str] = NOTHING) -> Question[list[Ran]]:
        """What these jobs asked for and used, so far or until their end, and why they ended; a site calls resources by
        `names`. Of a task that is told of twice the later one counts."""
        raise self.cannot("tell what jobs used")

    def load(self) -> Question[Load]:
        """How busy the cluster is."""
        raise self.cannot("tell how busy it is")

    def most_tasks(self) -> Question[int | None]:
        """The highest number that a task of an array job can have, counted from 1. The answer None: any."""
        return Question(":", lambda *_: None)

    # --- changing
    def cancel(self, jobs: Jobs) -> Question[tuple[str, set[str]]]:
        """Cancel these. The answer: what to tell the user, and the IDs of the jobs that it took."""
        raise self.cannot("cancel jobs")

    def hold(self, jobs: Jobs) -> Question[str]:
        """Hold these: they do not start until released. The answer: what to tell the user."""
        raise self.cannot("hold jobs")

    def release(self, jobs: Jobs) -> Question[str]:
        """Release what was held. The answer: what to tell the user."""
        raise self.cannot("release jobs")
