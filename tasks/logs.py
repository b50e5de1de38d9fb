"""The verb logs: a job's output, where the job itself noted that it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import JOB_HELP, verb

if TYPE_CHECKING:
    from .model.job import Job
    from .session import Session


@verb(
    iterable=("job",),
    help={
        "job": JOB_HELP,
        "task": "which task of an array job",
        "stderr": "its stderr instead of its stdout",
        "follow": "go on until the job ends",
        "lines": "only the last N lines",
    },
)
def logs(
    c: Context,
    job: Sequence[str] | None = None,
    task: str = "",
    stderr: bool = False,
    follow: bool = False,
    lines: str = "",
) -> None:
    """Show a job's output.

    Example: fab -H sharc logs --follow
    """
    from contextlib import closing

    from .log_text import Log
    from .login_node import Program
    from .model.errors import InvalidInput
    from .model.resources import parse_count
    from .output import say
    from .selection import select

    last = str(parse_count(lines, "lines", least=0)) if lines else ""
    session, selected = select(c, job or ())
    if len(selected) > 1:
        raise InvalidInput("logs shows one job: name it with --job")
    found, tasks = selected[0]
    wanted = parse_count(task, "task", least=0) if task else (tasks[0] if tasks else None)
    if found.array and wanted is None:
        numbers = found.array.numbers()
        said = f"name a task with --task, {numbers[0]} to {numbers[-1]}"
        raise InvalidInput(f"{found.title()} is an array job: {said}")
    if wanted is not None and (not found.array or wanted not in found.array.numbers()):
        raise InvalidInput(f"{found.title()} has no task {wanted}")
    number = wanted or 0  # as notes have it of what is no array job
    path = log_of(session, found, number, stderr=stderr)
    if path == "/dev/null":
        say(f"{found.title()} sends its {'stderr' if stderr else 'stdout'} to /dev/null, as its script or a flag says")
        return
    end = f"{found.directory}/.submithost/notes/{number // 1000}/{number}.end" if follow else ""
    program = Program(("log",), {"path": path, "lines": last, "end": end})
    with closing(Log()) as log:
        for piece in session.stream(program, "log"):
            log.write(piece)


def log_of(session: Session, job: Job, task: int, *, stderr: bool) -> str:
    """The path of a log, from the note of the job's start. Raises SchedulerError when it has not started."""
    from .login_node import Program, quote
    from .model.errors import InvalidInput, SchedulerError
    from .model.settling import Notes

    job.there()
    if job.by_hand:
        raise InvalidInput(f"{job.title()} was submitted by hand and noted no log; fetch brings those where it ran")
    note = f"{job.directory}/.submithost/notes/{task // 1000}/{task}.start"
    answer = session.ask(Program(("ask",), {"command": f"cat {quote(note)}"}))["answer"]
    notes = Notes()
    notes.read(answer.exact)
    logs = notes.logs.get(job.key, {}).get(task)
    if not logs and job.bare:
        raise SchedulerError(f"{job.title()} was submitted --bare and noted no log; fetch brings those that it left")
    if not logs:
        raise SchedulerError(f"{job.title()} has not started: there is no log of it yet")
    return logs.err if stderr else logs.out
