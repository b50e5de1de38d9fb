"""The verbs hold and release."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from invoke.context import Context

from .verb import JOB_HELP, verb


@verb(iterable=("job",), help={"job": JOB_HELP})
def hold(c: Context, job: Sequence[str] | None = None) -> None:
    """Hold jobs that have not started

    fab -H sharc hold --job 12
    """
    _change(c, job, "hold")


@verb(iterable=("job",), help={"job": JOB_HELP})
def release(c: Context, job: Sequence[str] | None = None) -> None:
    """Release jobs that are held

    fab -H sharc release --job 12
    """
    _change(c, job, "release")


def _change(c: Context, job: Sequence[str] | None, how: Literal["hold", "release"]) -> None:
    import sys

    from .selection import named, select

    session, selected = select(c, job or ())
    scheduler = session.scheduler
    build = scheduler.hold_command if how == "hold" else scheduler.release_command
    sys.stdout.write(session.query(build(named(selected)), scheduler.parse_hold))
