"""The verb submit. What it needs is imported where it is used: every command line loads this file, `--list` too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import JSON, NOTIFY, verb

if TYPE_CHECKING:
    from ..model.job import Job


@verb(
    at_once=True,
    iterable=("set_", "arg", "after", "option", "put", "grid"),
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
        "over": "a task for each row of this CSV, TSV or JSON lines file, with its columns as variables; - is stdin",
        "grid": "a task for each of these values, alpha=0.1,0.2 or seed=1-10; may be repeated",
        "separate": "with --over or --grid: each row a job of its own, columns like time and memory are flags of it",
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
        "group": "the name of a group that it belongs to: status, fetch, cancel --group take all of that",
        "job-file": "keep key and job ID in this file; the same file again continues that submission",
        "wait": "wait for the end",
        "timeout": "with --wait: not longer than this",
        "give-up": "with --wait: not for what can never start, or is in error state",
        "fetch": "wait, and bring the results into this directory, however it ended",
        "bare": "submit the very file, without notes of start and end",
        "dry-run": "show every step and touch nothing",
        "verify": "ask the scheduler whether it would take it and could run it; submit nothing",
        "json": JSON,
        **NOTIFY,
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
    over: str = "",
    grid: Sequence[str] | None = None,
    separate: bool = False,
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
    group: str = "",
    job_file: str | None = None,
    wait: bool = False,
    timeout: str = "",
    give_up: bool = False,
    fetch: str = "",
    bare: bool = False,
    dry_run: bool = False,
    verify: bool = False,
    json: bool = False,
    notify: bool = False,
    notify_command: str = "",
) -> None:
    """Submit a job script or template.

    The job runs in a directory of its own, with the files of --put in it. The scheduler's answer is printed.

    Example: fab -H sharc submit --script=hello
    """
    given = locals()
    from ..jobs.selection import check_target
    from ..model.resources import parse_time
    from ..screen.output import show_jobs, show_words
    from .host import flags_of, host_for, remember
    from .showing import notice_of, only_verify, scheduler_said, see_through, show_steps, steps_or_jobs

    steps_or_jobs(dry_run, json)
    only_verify(verify, over or grid or json or wait or fetch)
    flags = flags_of(given)
    host = host_for(c, flags)
    limit = parse_time(timeout) if timeout else None
    notice = notice_of(notify, notify_command, wait or bool(fetch), "--wait or --fetch")
    check_target(fetch)
    if dry_run:
        show_steps(host.name, host.steps(**flags))
        return
    if verify:
        show_words(host.verify(**flags))
        return
    jobs: list[Job] = []
    try:
        begin = host.sweep if over or grid or separate else host.submit
        begin(**flags, heard=scheduler_said(json, lambda job: jobs.extend([job] if job else [])))
        remember(*jobs)
        if wait or fetch:
            see_through(host, jobs, limit, notice, fetch, quiet=json, give_up=give_up)
    finally:
        if json:
            show_jobs(jobs, as_json=True)
