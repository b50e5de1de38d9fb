"""The verbs that change jobs: cancel, hold, release."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from invoke.context import Context

from . import output
from .cancelling import cancel_jobs
from .schedulers import Scheduler
from .selection import JOB_HELP, Selected, known_there, named, select
from .verb import verb

Build = Callable[[Sequence[tuple[str, int]]], str]


@verb(iterable=("job",), help={"job": JOB_HELP})
def cancel(c: Context, job: Sequence[str] | None = None) -> None:
    """Cancel jobs, or tasks of them.

    Example: fab -H sharc cancel --job 12 --job 13.2
    """
    session, selected = select(c, job or ())
    known_there(session, selected)
    live: list[Selected] = []
    for found, tasks in selected:
        if found.state.ended:
            output.say(f"{found.title()} had already ended ({found.state})")
        else:
            live.append((found, tasks))
    if live:
        sys.stdout.write(cancel_jobs(session, live))


@verb(iterable=("job",), help={"job": JOB_HELP})
def hold(c: Context, job: Sequence[str] | None = None) -> None:
    """Hold jobs that have not started.

    Example: fab -H sharc hold --job 12
    """
    _change(c, job, lambda scheduler: scheduler.hold_command)


@verb(iterable=("job",), help={"job": JOB_HELP})
def release(c: Context, job: Sequence[str] | None = None) -> None:
    """Release jobs that are held.

    Example: fab -H sharc release --job 12
    """
    _change(c, job, lambda scheduler: scheduler.release_command)


def _change(c: Context, job: Sequence[str] | None, command: Callable[[Scheduler], Build]) -> None:
    session, selected = select(c, job or ())
    known_there(session, selected)
    sys.stdout.write(session.query(command(session.scheduler)(named(selected)), session.scheduler.parse_hold))
