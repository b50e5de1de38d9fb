"""The verbs reconcile and adopt: when answers, or the ledger itself, were lost."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.context import Context

from .verb import JSON, verb


@verb(help={"json": JSON})
def reconcile(c: Context, json: bool = False) -> None:
    """Find out what became of submissions that were cut.

    Nothing is submitted. Those that became jobs are recorded as such; those that did not are forgotten.

    Example: fab -H sharc reconcile
    """
    from ..screen.output import show_jobs
    from .host import host_of, known_too

    known_too(host_of(c).reconcile, lambda jobs: show_jobs(jobs, json))


@verb(
    iterable=("job",),
    help={"job": "the ID of a job that was submitted by hand; may be repeated", "json": JSON},
)
def adopt(c: Context, job: Sequence[str] | None = None, json: bool = False) -> None:
    """Take in jobs that are not known here.

    Without --job, all that have job directories: after a lost ledger, or when they were submitted from another machine.
    With --job, jobs that were submitted by hand.

    Example: fab -H sharc adopt
    """
    from ..screen.output import show_jobs
    from .host import host_of, known_too

    host = host_of(c)
    known_too(lambda: host.adopt(job or ()), lambda jobs: show_jobs(jobs, json))
