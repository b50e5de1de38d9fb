"""The verbs for jobs: submit, status, wait, fetch.

What they need is imported where it is used: every command line loads this module, `--list` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import JOB_HELP, JSON, verb

if TYPE_CHECKING:
    from ..model.job import Job


@verb(
    at_once=True,
    iterable=("set_", "arg", "after", "option", "put"),
    help={
        "script": "a job script, a template file (*.j2), or a template's name (`fab templates` lists them)",
        "set": "a template variable, K=V; may be repeated",
        "vars": "a YAML or JSON file of template variables",
        "arg": "an argument for the script; may be repeated",
        "name": "the job's name",
        "time": "how long it may run: seconds, [D-]HH:MM[:SS] or 1h30m",
        "memory": "memory per core: 4G, 500M",
        "cores": "cores on one node",
        "gpus": "GPUs",
        "array": "an array job's tasks: 1-100 or 1-100:2",
        "at-once": "how many tasks of it may run at once",
        "after": "run it after this job, and only if that succeeds (as --job names it); may be repeated",
        "mail": "who gets mail",
        "mail-on": "when: b(egin) e(nd) a(bort) s(uspend), or n(ever)",
        "queue": "the queue",
        "project": "the project",
        "option": 'more of the scheduler\'s own options, --option "-l x=y"; may be repeated',
        "put": "a file or directory to lay beside the job; may be repeated",
        "workdir": "run in this directory of the cluster, below home or absolute, instead of the job directory",
        "hold": "submit it held",
        "key": "the name of this submission: the same key again never makes a second job",
        "job-file": "keep key and job ID in this file; the same file again continues that submission",
        "wait": "wait for the end",
        "timeout": "with --wait: not longer than this",
        "fetch": "wait, and bring the results into this directory, however it ended",
        "bare": "submit the very file, without notes of start and end",
        "dry-run": "show every step and touch nothing",
        "json": JSON,
    },
)
def submit(
    c: Context,
    script: str = "",
    set_: Sequence[str] | None = None,
    vars: str = "",
    arg: Sequence[str] | None = None,
    name: str = "",
    time: str = "",
    memory: str = "",
    cores: str = "",
    gpus: str = "",
    array: str = "",
    at_once: str = "",
    after: Sequence[str] | None = None,
    mail: str = "",
    mail_on: str = "",
    queue: str = "",
    project: str = "",
    option: Sequence[str] | None = None,
    put: Sequence[str] | None = None,
    workdir: str = "",
    hold: bool = False,
    key: str | None = None,
    job_file: str | None = None,
    wait: bool = False,
    timeout: str = "",
    fetch: str = "",
    bare: bool = False,
    dry_run: bool = False,
    json: bool = False,
) -> None:
    """Submit a job script or template.

    The job runs in a directory of its own, with the files of --put beside it. What the scheduler answers is printed.

    Example: fab -H sharc submit --script=hello
    """
    given = locals()
    from ..jobs.selection import check_target
    from ..model.resources import parse_time
    from ..screen.output import show_jobs
    from ..tracking.last_words import complain
    from .host import flags_of, host_for, remember
    from .showing import fetch_and_show, scheduler_said, show_steps, steps_or_jobs, to_the_end

    steps_or_jobs(dry_run, json)
    flags = flags_of(given)
    host = host_for(c, flags)
    limit = parse_time(timeout) if timeout else None
    check_target(fetch)
    if dry_run:
        show_steps(host.name, host.steps(**flags))
        return
    jobs: list[Job] = []
    try:
        host.submit(**flags, heard=scheduler_said(json, lambda job: jobs.extend([job] if job else [])))
        remember(jobs[0])
        if wait or fetch:
            watch = host.watch(jobs)
            try:
                to_the_end(watch, limit)
            finally:
                jobs[:] = watch.shown()
            if fetch:
                fetch_and_show(host, jobs, fetch, quiet=json)
            complain(watch.session, jobs, fetched=bool(fetch))
    finally:
        if json:
            show_jobs(jobs, as_json=True)


@verb(
    at_once=True,
    iterable=("job",),
    help={
        "job": JOB_HELP,
        "all": "every job of this cluster that is not known to have ended",
        "watch": "go on until all have ended: redrawn on a terminal, a line for each change elsewhere",
        "json": JSON,
    },
)
def status(
    c: Context, job: Sequence[str] | None = None, all: bool = False, watch: bool = False, json: bool = False
) -> None:
    """Show the state of jobs, by one question to the cluster.

    Example: fab -H sharc status --all
    """
    from ..jobs.status import not_asked
    from ..model.command_line import current
    from ..model.errors import Unreachable
    from ..screen import output
    from ..tracking.last_words import go_on
    from .host import chosen, host_of, known_too

    host, selected = (host_of(c), []) if all else chosen(c, job)
    if current.rows and all and not host.live():  # one of several clusters: the same table shows that it can be reached
        host.reach()
    if watch:
        seen = host.watch(selected, all=all)
        with output.last_word(lambda: go_on(seen, "status --watch")), output.live_jobs(json) as show:
            try:
                seen.wait(None, show)
            except Unreachable:
                show(not_asked(seen.shown()))
                raise
        output.say_why(seen.shown())
        return

    def show_all(jobs: Sequence[Job]) -> None:
        output.show_jobs(jobs, json)
        output.say_why(jobs)

    known_too(lambda: host.status(selected, all=all), show_all)


@verb(
    at_once=True,
    iterable=("job",),
    help={"job": JOB_HELP, "timeout": "not longer than this: seconds or [D-]HH:MM[:SS]", "json": JSON},
)
def wait(c: Context, job: Sequence[str] | None = None, timeout: str = "", json: bool = False) -> None:
    """Wait until jobs have ended, and say how.

    Example: fab -H sharc wait --timeout 2:00:00
    """
    from ..model.resources import parse_time
    from ..screen.output import show_jobs
    from ..tracking.last_words import complain
    from .host import chosen
    from .showing import to_the_end

    limit = parse_time(timeout) if timeout else None
    host, selected = chosen(c, job)
    watch = host.watch(host.known(selected))
    try:
        to_the_end(watch, limit)
    finally:
        if json:
            show_jobs(watch.shown(), as_json=True)
    complain(watch.session, watch.shown(), fetched=False)


@verb(
    at_once=True,
    iterable=("job", "only"),
    help={
        "job": JOB_HELP,
        "to": "the directory for the results; default: ./NAME-JOBID",
        "only": "only files that match this pattern (*.csv); may be repeated",
        "force": "overwrite local files that are newer",
    },
)
def fetch(
    c: Context,
    job: Sequence[str] | None = None,
    to: str = "",
    only: Sequence[str] | None = None,
    force: bool = False,
) -> None:
    """Bring what jobs left behind, changed files only.

    Example: fab -H sharc fetch --to=results --only='*.csv'
    """
    from ..jobs.selection import check_target
    from .host import chosen
    from .showing import fetch_and_show

    check_target(to)
    fetch_and_show(*chosen(c, job), to, only or (), force=force)
