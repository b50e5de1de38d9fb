"""The verbs that change jobs: cancel, hold, release, resubmit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from invoke.context import Context

from .verb import JOB_HELP, verb

_DRY_RUN = "show what the scheduler would be asked, and ask nothing"


@verb(iterable=("job",), help={"job": JOB_HELP, "dry-run": _DRY_RUN})
def cancel(c: Context, job: Sequence[str] | None = None, dry_run: bool = False) -> None:
    """Cancel jobs, or tasks of them.

    Example: fab -H sharc cancel --job 12 --job 13.2
    """
    from ..jobs.cancel import cancel_jobs, still_theirs
    from ..jobs.selection import named
    from ..screen import output
    from ..submission.reconcile import known_there
    from ..tracking.watch import Watch
    from .where import select

    session, selected = select(c, job or ())
    selected = known_there(session, selected)
    live = []
    for found, tasks in selected:
        if found.state.final:
            output.say(f"{found.title()} had already ended ({found.state})")
            for repeat in Watch(session, [(found, ())]).live():
                output.say(f"{repeat.title()}, which repeats it, goes on: cancel --job {repeat.job_id} is for that one")
        else:
            live.append((found, tasks))
    if live and dry_run:
        print(session.scheduler_unasked().cancel(named(live)).command)
    elif live and (theirs := still_theirs(session, live)):
        cancel_jobs(session, theirs)


@verb(iterable=("job",), help={"job": JOB_HELP, "dry-run": _DRY_RUN})
def hold(c: Context, job: Sequence[str] | None = None, dry_run: bool = False) -> None:
    """Hold jobs that have not started.

    Example: fab -H sharc hold --job 12
    """
    _change(c, job, "hold", dry_run)


@verb(iterable=("job",), help={"job": JOB_HELP, "dry-run": _DRY_RUN})
def release(c: Context, job: Sequence[str] | None = None, dry_run: bool = False) -> None:
    """Release jobs that are held.

    Example: fab -H sharc release --job 12
    """
    _change(c, job, "release", dry_run)


@verb(
    iterable=("job", "put"),
    help={
        "job": f"{JOB_HELP}. A job file that is named means the new job from then on",
        "failed": "only what did not succeed; of an array job those tasks",
        "put": "a file or directory to lay beside the new job instead of the earlier one; may be repeated",
        "job-file": "keep the new job in this file; without --job it is also the job to submit again",
        "dry-run": "show every step and submit nothing",
        "json": "one JSON object per new job and line on stdout",
    },
)
def resubmit(
    c: Context,
    job: Sequence[str] | None = None,
    failed: bool = False,
    put: Sequence[str] | None = None,
    job_file: str | None = None,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Submit jobs again, as they were.

    Script, flags and inputs are those in the job directory; of an array job --failed takes the failed tasks alone, and
    of these the ones that no later job has repaired or still runs.

    Example: fab -H sharc resubmit --job 12 --failed
    """
    import os
    from itertools import zip_longest

    from ..jobs.resubmit import means_now, resubmit_job
    from ..jobs.selection import job_files
    from ..screen import output
    from ..submission.reconcile import known_there
    from ..submission.submit import steps_or_jobs
    from .where import select

    steps_or_jobs(dry_run, json)
    files = job_files(job or (), job_file)
    session, selected = select(c, job or [file for file in files if os.path.exists(file)])
    for (found, tasks), file in zip_longest(known_there(session, selected), files[: len(selected)]):
        new = []
        for one in resubmit_job(session, found, tasks, put or (), failed=failed, dry_run=dry_run, quiet=json):
            new.append(one)
            if json:
                output.show_jobs([one], as_json=True)
        if new and file:
            means_now(session, file, found, new)


def _change(c: Context, job: Sequence[str] | None, how: Literal["hold", "release"], dry_run: bool) -> None:
    from ..jobs.cancel import held_ones, still_theirs
    from ..jobs.selection import named
    from ..screen import output
    from ..submission.reconcile import known_there
    from .where import select

    session, selected = select(c, job or ())
    selected = known_there(session, selected)
    scheduler = session.scheduler_unasked() if dry_run else session.scheduler
    change = scheduler.hold if how == "hold" else scheduler.release
    question = change(named(selected))  # a scheduler that cannot says so first
    if dry_run:
        print(question.command)
    elif theirs := still_theirs(session, selected):
        if how == "release":
            theirs = held_ones(session, theirs)
        if theirs:
            output.show_answer(session.query(change(named(theirs))))
