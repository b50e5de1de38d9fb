"""The request that the flags of `submit`, or the API's parameters, make; and the job that it becomes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .. import rendering
from ..model.errors import InvalidInput, OnlyAsked
from ..model.job import Job, Selected
from ..model.key import check_key
from ..model.resources import parse_resources
from ..model.wording import fab
from ..session import GIVE_UP
from ..tracking.cluster_session import ClusterSession
from . import conditions, resume
from .job_file import clock_of, confirm_job_file, job_noted
from .prepare import Prepared, Wanted, option_words, prepare
from .reconcile import known_there
from .submit import Heard, ignore, submit_once


@dataclass(frozen=True)
class Request:
    """Each field is the flag of that name, as typed; empty if not given.

    `after` are the jobs that have to succeed first.
    """

    script: str
    set: Sequence[str] | Mapping[str, object] = ()
    vars: str = ""
    arg: Sequence[str] = ()
    name: str = ""
    time: str = ""
    memory: str = ""
    cores: str = ""
    gpus: str = ""
    array: str = ""
    at_once: str = ""
    after: Sequence[Selected] = ()
    mail: str = ""
    mail_on: str = ""
    queue: str = ""
    project: str = ""
    option: Sequence[str] = ()
    put: Sequence[str] = ()
    workdir: str = ""
    hold: bool = False
    key: str | None = None
    group: str = ""
    job_file: str | None = None
    bare: bool = False
    over: str = ""
    grid: Sequence[str] = ()
    separate: bool = False

    def __post_init__(self) -> None:
        """Raises InvalidInput for what is missing, and for an empty key: a variable of make that is not set would make
        another job every time.
        """
        if not self.script:
            templates = f"{fab()} templates"
            raise InvalidInput(f"which script? --script=PATH, or the name of a template (`{templates}` lists them)")
        if self.separate and not self.swept:
            raise InvalidInput("--separate goes with --over or --grid")
        if self.swept and (self.array or self.bare):
            flag, why = (
                ("--array", "its rows are the tasks") if self.array else ("--bare", "who else gives out the rows?")
            )
            raise InvalidInput(f"{flag} does not go with --over and --grid: {why}")
        if self.key == "" or self.job_file == "":
            raise InvalidInput("--key and --job-file need a value")

    @property
    def swept(self) -> bool:
        """Whether it is a sweep."""
        return bool(self.over or self.grid)

    def noted(self) -> Job | None:
        """The job of the job file. Raises InvalidInput, also when it has another key."""
        noted = job_noted(Path(self.job_file)) if self.job_file else None
        if noted and self.key and self.key != noted.key:
            raise InvalidInput(f"--key {self.key}: {self.job_file} already is the job file of key {noted.key}")
        return noted


def steps(session: ClusterSession, request: Request) -> Prepared:
    """What submitting would send; the cluster is contacted only if that cannot be avoided. Raises InvalidInput."""
    noted = request.noted()
    asked = wanted(session, request)
    asked = replace(asked, key=asked.key or (noted.key if noted else None))
    return prepare(asked, session.cluster, session.scheduler_unasked(), session.listener)


def submit(session: ClusterSession, request: Request, heard: Heard = ignore) -> Job:
    """Submit, or continue what was begun under the same key or job file; return the job.

    `heard` is called with what the scheduler said. Raises InvalidInput, JobFailed when a job that has to succeed first
    did not, NotRecorded, SchedulerError, Unreachable.
    """
    file = Path(request.job_file) if request.job_file else None
    began = clock_of(file) if file else 0
    noted = request.noted()
    session.endurance = GIVE_UP
    try:
        return submit_wanted(session, wanted(session, request), file, noted, began, heard)
    finally:
        session.endurance = 0.0


def submit_wanted(
    session: ClusterSession, asked: Wanted, file: Path | None, noted: Job | None, began: int, heard: Heard
) -> Job:
    """The same for what was read already; `noted` is what the job file had, by its file system's clock at `began`."""
    prepared, begun = resume.begin(session, _preparing(session, asked), asked.key, file, noted)

    def keep(job: Job) -> None:
        if file:
            confirm_job_file(file, job, began)

    try:
        return submit_once(session, prepared, begun, keep, heard)
    except OnlyAsked:
        if file and not noted:
            file.unlink(missing_ok=True)  # to make it would be the job's
        raise


def _preparing(session: ClusterSession, wanted: Wanted) -> Callable[[str | None], Prepared]:
    """What makes the submission ready under a key."""
    return lambda key: prepare(replace(wanted, key=key), session.cluster, session.scheduler, session.listener)


def wanted(session: ClusterSession, request: Request) -> Wanted:
    """The request, read. Raises InvalidInput; SchedulerError, Unreachable for the jobs before it."""
    asked = ("name", "time", "memory", "cores", "gpus", "array", "at_once", "mail", "mail_on", "queue", "project")
    return Wanted(
        request.script,
        rendering.read_variables(request.set, request.vars or None),
        tuple(request.arg),
        parse_resources(**{name: getattr(request, name) for name in asked}),
        option_words(request.option),
        tuple(request.put),
        request.workdir or None,
        request.hold,
        request.bare,
        check_key(request.key) if request.key else None,
        check_key(request.group, "group") if request.group else "",
        tuple(conditions.as_repaired(session, known_there(session, request.after))),
    )
