"""How verbs show what they did: the scheduler's words, steps, files, and progress."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ..api.chosen import Which
from ..api.submit_host import SubmitHost
from ..checks.steps import Step
from ..files.transferred import Transferred
from ..jobs.collect import write, written
from ..jobs.many_logs import Stream
from ..jobs.results import Fetched
from ..jobs.selection import named
from ..jobs.status import not_asked
from ..model.errors import InvalidInput, Unreachable
from ..model.job import Job
from ..model.wording import one_line, typed
from ..screen import output
from ..screen.log_text import LabelledLog
from ..screen.notice import Notice
from ..screen.progress import WaitProgress
from ..submission.prepare import Prepared
from ..submission.submit import Heard
from ..tracking.last_words import complain, go_on
from ..tracking.watch import Watch

# So many rows of a sweep are shown before it is submitted.
_FIRST_ROWS = 3
_STYLES = {"ok": "green", "warning": "yellow", "failed": "red"}


def steps_or_jobs(dry_run: bool, json: bool) -> None:
    """Raises InvalidInput if both are asked for: both are for stdout."""
    if dry_run and json:
        raise InvalidInput("--dry-run shows steps and --json shows jobs: leave out one of them")


def only_verify(verify: bool, more: object) -> None:
    """Raises InvalidInput when a submission that is only verified is to become jobs."""
    if verify and more:
        raise InvalidInput("--verify makes no job: leave out --over, --grid, --json, --wait and --fetch")


def scheduler_said(quiet: bool, told: Callable[[Job | None], None]) -> Heard:
    """A listener that calls `told` with the job, then shows the scheduler's words (`quiet`: all on stderr)."""

    def heard(job: Job | None, out: str, err: str) -> None:
        told(job)
        output.show_words(err, sys.stderr)
        output.show_answer(out if out.endswith("\n") or not out else f"{out}\n", sys.stderr if quiet else sys.stdout)

    return heard


def show_steps(cluster: str, prepared: Prepared) -> None:
    """Show what `submit` would do, step by step."""
    for warning in prepared.warnings:
        output.say(f"{cluster}: {warning}")
    print(f"# on {cluster}, in {prepared.job.directory}")
    for task in range(1, min(len(prepared.job.rows), _FIRST_ROWS) + 1) if not prepared.job.origin else ():
        print(f"# {prepared.job.rows.called(task)}")
    for upload in prepared.uploads:
        print(f"put {one_line(upload.name, 4096)} ({upload.size()} bytes)")
    output.show_words(f"{prepared.variables['submit']}\n")
    print("# the script")
    sys.stdout.flush()
    sys.stdout.buffer.write(prepared.script)


def show_repeats(host: SubmitHost, job: Which, again: Mapping[str, Any]) -> None:
    """Show what `resubmit` with these flags would do for one job."""
    for repeat in host.repeats([job], **again):
        many = len(repeat.inputs)
        output.say(f"{host.name}: {many} input{'s' * (many != 1)} from {repeat.source.directory}")
        show_steps(host.name, repeat.prepared)


def show_files(done: Transferred, quiet: bool = False) -> None:
    """Show the path of each file on stdout (`quiet`: on stderr)."""
    for path in done.files:
        output.show_path(path, sys.stderr if quiet else sys.stdout)


def show_states(jobs: Sequence[Job], *, as_json: bool) -> None:
    """Show the jobs, and why they are in error state or have failed."""
    output.show_jobs(jobs, as_json)
    output.say_why(jobs)


def notice_of(person: bool, command: str, waits: bool = True, flag: str = "") -> Notice:
    """Who is told when the wait ends. Raises InvalidInput where `flag`, which makes it wait, is missing."""
    if (person or command) and not waits:
        raise InvalidInput(f"--notify and --notify-command tell when a wait ends: they go with {flag}")
    return Notice(person, command)


def watch_states(watch: Watch, as_json: bool, notice: Notice) -> None:
    """Show the jobs until all have ended. Raises as `Watch.wait`; Ctrl-C ends the watching and says how to go on."""
    with (
        notice.at_the_end(watch.session.name, watch.shown),
        output.last_word(lambda: go_on(watch, "status --watch")),
        output.live_jobs(as_json) as show,
    ):
        try:
            watch.wait(None, show)
        except Unreachable:
            show(not_asked(watch.shown()))
            raise
    output.say_why(watch.shown())


def to_the_end(watch: Watch, limit: float | None, notice: Notice, *, give_up: bool = False) -> None:
    """Watch until all have ended. Raises as `Watch.wait`; Ctrl-C ends the watching and says how to go on."""
    with (
        notice.at_the_end(watch.session.name, watch.shown),
        output.last_word(lambda: go_on(watch, "wait")),
        closing(WaitProgress()) as progress,
    ):
        watch.wait(limit, progress, give_up=give_up)


def see_through(
    host: SubmitHost,
    jobs: list[Job],
    limit: float | None,
    notice: Notice,
    fetch: str,
    *,
    quiet: bool,
    give_up: bool,
) -> None:
    """Wait for the jobs, and bring their results into `fetch` (empty: nowhere), however they ended.

    `jobs` is updated with what is known of them, whatever is raised: as by `to_the_end`, and JobFailed.
    """
    watch = host.watch(jobs)
    try:
        to_the_end(watch, limit, notice, give_up=give_up)
    finally:
        jobs[:] = watch.shown()
    if fetch:
        fetch_and_show(host, jobs, fetch, quiet=quiet)
    complain(watch.session, jobs, fetched=bool(fetch))


def show_logs(host: SubmitHost, streams: Sequence[Stream], lines: str, follow: bool) -> None:
    """Several logs, each line behind the label of its log."""
    log = LabelledLog([stream.label for stream in streams])
    jobs = {stream.job.key: stream.job for stream in streams}.values()
    again = typed(host.name, "logs", job=[job.job_id or "" for job in jobs], both=True, follow=True)
    goes_on = [f"{host.name}: what is followed goes on; follow it again: {again}"]
    with output.last_word(lambda: goes_on if follow else []):
        host.read_logs(streams, lambda stream, line: log.write(stream.label, line), lines, follow)


def fetch_and_show(
    host: SubmitHost,
    job: Sequence[Which],
    to: str,
    only: Sequence[str] = (),
    *,
    force: bool = False,
    quiet: bool = False,
) -> list[Fetched]:
    """Fetch, and show the files of each job as soon as they are here (`quiet`: all on stderr)."""
    called = [job_id if task is None else f"{job_id}.{task}" for job_id, task in named(host.selected(job))]
    again = typed(host.name, "fetch", job=called, to=to, only=only, force=force)

    def show(fetched: Fetched) -> None:
        output.say(fetched.said)
        show_files(fetched, quiet)

    with output.last_word(lambda: [f"{host.name}: what has come is kept; this goes on with the rest: {again}"]):
        return host.fetch(job, to, only, force, told=show)


def show_table(table: Sequence[Mapping[str, str]], to: str) -> None:
    """A table of rows into the file `to`, which is told; `-` is stdout."""
    if to == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(written(table, "").encode("utf-8", "surrogateescape"))
        return
    write(table, Path(to))
    output.say(f"{len(table)} row{'' if len(table) == 1 else 's'} in {to}")


def show_step(cluster: str, step: Step, *, as_json: bool) -> None:
    """Show a step of `check` as soon as it is done."""
    if as_json:
        seconds = None if step.seconds is None else round(step.seconds, 3)
        told = {"cluster": cluster, "step": step.name, "result": step.result, "seconds": seconds}
        print(json.dumps({**told, "detail": step.detail}), flush=True)
        return
    taken = "" if step.seconds is None else f"{step.seconds:.2f} s"
    line = f"{step.result:<7}  {step.name:<9}  {taken:>7}  {one_line(step.detail, 1000)}"
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.text import Text

        Console().print(Text(line, style=_STYLES.get(step.result, "")), soft_wrap=True)
    else:
        print(line, flush=True)
