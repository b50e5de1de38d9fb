"""The verbs that change jobs: cancel, hold, release, resubmit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .selecting import LIVE
from .verb import JOB_HELP, verb

if TYPE_CHECKING:
    from ..model.wanted import Wanted

_AGAIN = ("failed", "time", "memory", "cores", "gpus", "queue", "project", "name", "at_once")
_DRY_RUN = "show what the scheduler would be asked, and ask nothing"
_YES = "without asking, where jobs are selected and not named"


@verb(at_once=True, selects=True, help={**LIVE, "dry-run": _DRY_RUN, "yes": _YES})
def cancel(c: Context, which: Wanted, dry_run: bool = False, yes: bool = False) -> None:
    """Cancel jobs, or tasks of them.

    Those that are selected, not named one by one, are shown first.

    Example: fab -H sharc cancel --job 12 --job 13.2
    """
    from ..screen.output import show_answer
    from .host import chosen
    from .selecting import agreed

    host, selected = chosen(c, which, live=True, asked=True)
    if agreed(host, which, selected, "cancel", yes=yes, show=dry_run):
        show_answer(host.cancel(selected, dry_run))


@verb(at_once=True, selects=True, help={**LIVE, "dry-run": _DRY_RUN})
def hold(c: Context, which: Wanted, dry_run: bool = False) -> None:
    """Hold jobs that have not started.

    Example: fab -H sharc hold --job 12
    """
    from ..screen.output import show_answer
    from .host import chosen

    host, selected = chosen(c, which, live=True)
    show_answer(host.hold(selected, dry_run))


@verb(at_once=True, selects=True, help={**LIVE, "dry-run": _DRY_RUN})
def release(c: Context, which: Wanted, dry_run: bool = False) -> None:
    """Release jobs that are held.

    Example: fab -H sharc release --job 12
    """
    from ..screen.output import show_answer
    from .host import chosen

    host, selected = chosen(c, which, live=True)
    show_answer(host.release(selected, dry_run))


@verb(
    at_once=True,
    selects=True,
    iterable=("put", "option"),
    optional=("failed",),
    help={
        "job": f"{JOB_HELP}. A job file that is named means the new job from then on",
        "failed": "only what did not succeed, of an array job those tasks; =memory,time: only for these causes",
        "put": "a file or directory to lay beside the new job instead of the earlier one; may be repeated",
        "time": "how long it may run, instead; or so many times as long: x2",
        "memory": "memory per core, instead; or so many times as much: x1.5",
        "cores": "cores on one node, instead",
        "gpus": "GPUs, instead",
        "queue": "the queue, instead",
        "project": "the project, instead",
        "name": "the job's name, instead",
        "at-once": "how many tasks may run at once, instead",
        "option": 'more of the scheduler\'s own options, --option "-l x=y"; may be repeated',
        "job-file": "keep the new job in this file; without --job it is also the job to submit again",
        "dry-run": "show every step and submit nothing",
        "yes": _YES,
        "json": "one JSON object per new job and line on stdout",
    },
)
def resubmit(
    c: Context,
    which: Wanted,
    failed: bool | str = False,
    put: Sequence[str] | None = None,
    time: str = "",
    memory: str = "",
    cores: str = "",
    gpus: str = "",
    queue: str = "",
    project: str = "",
    name: str = "",
    at_once: str = "",
    option: Sequence[str] | None = None,
    job_file: str | None = None,
    dry_run: bool = False,
    yes: bool = False,
    json: bool = False,
) -> None:
    """Submit jobs again, as they were or with more.

    Script, flags and inputs are those in the job directory; of an array job --failed takes the failed tasks alone, and
    of these the ones that no later job has repaired or still runs.

    Example: fab -H sharc resubmit --job 12 --failed=memory --memory=x2
    """
    given = locals()
    from itertools import zip_longest

    from ..jobs.selection import not_succeeded
    from ..screen.output import show_jobs
    from .host import chosen, remember
    from .selecting import agreed, in_turn, with_job_files
    from .showing import scheduler_said, show_repeats, steps_or_jobs

    steps_or_jobs(dry_run, json)
    again = {flag: given[flag] for flag in _AGAIN} | {"put": put or (), "option": option or ()}
    which, files = with_job_files(which, job_file)
    host, selected = chosen(c, which)
    if which.selects and failed:
        selected = not_succeeded(selected)
    files = in_turn(which, files, selected)
    if not agreed(host, which, selected, "resubmit", yes=yes, show=dry_run):
        return
    heard = scheduler_said(json, lambda new: show_jobs([new] if json and new else [], as_json=True))
    for one, file in zip_longest(selected, files[: len(selected)]):
        if dry_run:
            show_repeats(host, one, again)
            continue
        for new in host.resubmit([one], job_file=file or "", heard=heard, **again):
            remember(new.job)
