"""The verbs hold and release."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

from invoke.context import Context

from .schedulers import Scheduler
from .selection import JOB_HELP, named, select
from .verb import verb

Build = Callable[[Sequence[tuple[str, int]]], str]


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
    sys.stdout.write(session.query(command(session.scheduler)(named(selected)), session.scheduler.parse_hold))
