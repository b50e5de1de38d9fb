"""The verbs that change jobs: cancel, hold, release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from invoke.context import Context

from .verb import JOB_HELP, verb


@verb(iterable=("job",), help={"job": JOB_HELP})
def cancel(c: Context, job: Sequence[str] | None = None) -> None:
    """Cancel jobs, or tasks of them.

    Example: fab -H sharc cancel --job 12 --job 13.2
    """
    import sys

    from . import output
    from .cancelling import cancel_jobs
    from .selection import known_there, select

    session, selected = select(c, job or ())
    known_there(session, selected)
    live = []
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
    _change(c, job, "hold")


@verb(iterable=("job",), help={"job": JOB_HELP})
def release(c: Context, job: Sequence[str] | None = None) -> None:
    """Release jobs that are held.

    Example: fab -H sharc release --job 12
    """
    _change(c, job, "release")


def _change(c: Context, job: Sequence[str] | None, how: Literal["hold", "release"]) -> None:
    import sys

    from .selection import known_there, named, select

    session, selected = select(c, job or ())
    known_there(session, selected)
    scheduler = session.scheduler
    build = scheduler.hold_command if how == "hold" else scheduler.release_command
    sys.stdout.write(session.query(build(named(selected)), scheduler.parse_hold))
