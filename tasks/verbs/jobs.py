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
    from dataclasses import replace
    from pathlib import Path

    from .. import rendering
    from ..jobs.selection import check_target, resolve
    from ..model.errors import InvalidInput, OnlyAsked
    from ..model.key import check_key
    from ..model.resources import parse_resources, parse_time
    from ..model.wording import fab
    from ..screen import output
    from ..session import GIVE_UP
    from ..submission import conditions, resume
    from ..submission.job_file import clock_of, confirm_job_file, job_noted
    from ..submission.prepare import Wanted, option_words, prepare
    from ..submission.reconcile import known_there
    from ..submission.submit import show_steps, steps_or_jobs, submit_once
    from .where import session_of

    if not script:
        raise InvalidInput(f"which script? --script=PATH, or the name of a template (`{fab()} templates` lists them)")
    if key == "" or job_file == "":
        # A make variable that is not set would make another job every time.
        raise InvalidInput("--key and --job-file need a value")
    steps_or_jobs(dry_run, json)
    file = Path(job_file) if job_file else None
    began = clock_of(file) if file else 0
    noted = job_noted(file) if file else None
    if noted and key and key != noted.key:
        raise InvalidInput(f"--key {key}: {job_file} already is the job file of key {noted.key}")
    session = session_of(c, noted.cluster if noted else None)
    session.endurance = GIVE_UP
    wanted = Wanted(
        script,
        rendering.read_variables(set_ or (), vars or None),
        tuple(arg or ()),
        parse_resources(
            name=name, time=time, memory=memory, cores=cores, gpus=gpus, array=array, at_once=at_once,
            mail=mail, mail_on=mail_on, queue=queue, project=project,
        ),
        option_words(option or ()),
        tuple(put or ()),
        workdir or None,
        hold,
        bare,
        check_key(key) if key else None,
        tuple(conditions.as_repaired(session, known_there(session, [resolve(session, text) for text in after or ()]))),
    )  # fmt: skip
    limit = parse_time(timeout) if timeout else None
    check_target(fetch)
    if dry_run:
        wanted = replace(wanted, key=wanted.key or (noted.key if noted else None))
        show_steps(session, prepare(wanted, session.cluster, session.scheduler_unasked()))
        return
    prepared, begun = resume.begin(
        session,
        lambda key: prepare(replace(wanted, key=key), session.cluster, session.scheduler),
        wanted.key,
        file,
        noted,
    )

    def keep(job: Job) -> None:
        if file:
            confirm_job_file(file, job, began)

    try:
        job = submit_once(session, prepared, begun, keep, quiet=json)
    except OnlyAsked:
        if file and not noted:
            file.unlink(missing_ok=True)  # to make it would be the job's
        raise
    try:
        if wait or fetch:
            from ..jobs import results
            from ..tracking.watch import Watch, complain, watch_to_the_end

            session.endurance = 0.0  # which has a patience of its own
            watch = Watch(session, [(job, ())])
            try:
                watch_to_the_end(watch, limit)
            finally:
                (job,) = watch.shown()
            if fetch:
                results.fetch(session, watch, [(job, ())], Path(fetch), (), force=False, quiet=json)
            complain(session, [job], fetched=bool(fetch))
    finally:
        if json:
            output.show_jobs([job], as_json=True)


@verb(
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
    from ..model import command_line
    from ..model.errors import SchedulerError, Unreachable
    from ..model.job import State
    from ..schedulers.seam import Question
    from ..screen import output
    from ..submission.reconcile import confirmed, not_known_yet
    from ..tracking.watch import Watch, go_on
    from .where import select, select_live

    session, selected = select_live(c) if all else select(c, job or ())
    selected, unknown = confirmed(session, selected)
    if not selected:
        if command_line.current.rows:  # one of several clusters: that it can be reached is shown by the same table
            session.query(Question(":", lambda *_: None))
        known = session.ledger.last(session.name)
        what = (
            "every job that was submitted from here is known to have ended"
            if known
            else "no job was submitted from here"
        )
        output.say(f"{session.name}: {what}")
    seen = Watch(session, selected)
    if watch:
        with output.last_word(lambda: go_on(seen, "status --watch")), output.live_jobs(json) as show:
            try:
                seen.wait(None, show)
            except Unreachable:
                show(_not_asked(seen.shown()))
                raise
        output.say_why(seen.shown())
        return
    seen.look()
    shown = _not_asked(seen.shown()) if seen.trouble else seen.shown()
    if all:  # of what had vanished only what has turned up
        lost = {each.key for each, _ in selected if each.state is State.VANISHED}
        shown = [each for each in shown if each.key not in lost or each.state is not State.VANISHED]
    output.show_jobs(shown, json)
    output.say_why(shown)
    if seen.trouble:
        raise SchedulerError(f"{session.name}: could not ask: {seen.trouble}")
    if unknown:
        raise not_known_yet(session, unknown)


def _not_asked(jobs: Sequence[Job]) -> list[Job]:
    """What could not be asked is shown as that; the ledger keeps what was known before."""
    from dataclasses import replace

    from ..model.job import State

    return [j if j.state.final else replace(j, outcome=replace(j.outcome, state=State.UNKNOWN)) for j in jobs]


@verb(
    iterable=("job",),
    help={"job": JOB_HELP, "timeout": "not longer than this: seconds or [D-]HH:MM[:SS]", "json": JSON},
)
def wait(c: Context, job: Sequence[str] | None = None, timeout: str = "", json: bool = False) -> None:
    """Wait until jobs have ended, and say how.

    Example: fab -H sharc wait --timeout 2:00:00
    """
    from ..model.resources import parse_time
    from ..screen import output
    from ..submission.reconcile import known_there
    from ..tracking.watch import Watch, complain, watch_to_the_end
    from .where import select

    limit = parse_time(timeout) if timeout else None
    session, selected = select(c, job or ())
    watch = Watch(session, known_there(session, selected))
    try:
        watch_to_the_end(watch, limit)
    finally:
        if json:
            output.show_jobs(watch.shown(), as_json=True)
    complain(session, watch.shown(), fetched=False)


@verb(
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
    from pathlib import Path

    from ..jobs import results
    from ..jobs.selection import check_target
    from ..submission.reconcile import known_there
    from ..tracking.watch import Watch
    from .where import select

    check_target(to)
    session, selected = select(c, job or ())
    selected = known_there(session, selected)
    watch = Watch(session, selected)
    results.fetch(session, watch, selected, Path(to) if to else None, tuple(only or ()), force=force, quiet=False)
