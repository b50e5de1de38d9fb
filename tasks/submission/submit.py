"""One submission as a user sees it: noted before the cluster is contacted, sent, recorded, and said."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ..model import command_line
from ..model.errors import InvalidInput, JobFailed, NotRecorded, NotSubmitted, OnlyAsked
from ..model.job import Job, State
from ..model.wording import one_line
from ..screen import output
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from . import attempt
from .attempt import Bundle
from .digest import differences
from .prepare import Prepared


def submit_once(
    session: ClusterSession, prepared: Prepared, wanted: Job, keep: Callable[[Job], None], *, quiet: bool
) -> Job:
    """Note the intention, submit, record and `keep`; print what the scheduler said (`quiet`: keep stdout for others).

    What is known to be a job (`wanted`) is not submitted again, nor is the cluster asked. Raises InvalidInput when
    another text was submitted under the same key, from elsewhere or at the same time.
    """
    if not wanted.job_id and not session.ledger.by_key(session.name, wanted.key):
        check_before(session, prepared)
    job = session.ledger.begin(wanted)
    if not job.digest and job.script_hash != prepared.job.script_hash:  # begun by an earlier version
        output.say(f"{session.name}: key {job.key} belongs to another text of the script; continuing that submission")
    for warning in prepared.warnings:
        output.say(f"{session.name}: {warning}")
    out, err = job.answer, ""
    if not job.job_id:
        try:
            job, out, err = send(session, job, prepared)
        except NotSubmitted as error:
            if job is wanted:  # and nothing was begun under this key before: there is nothing to remember
                with session.ledger.leniently():
                    session.ledger.forget(job)
            if isinstance(error, OnlyAsked):
                _show(error.out, error.err, quiet=quiet)
            raise
    what = differences(job.digest, prepared.job.digest)
    _tell_and_keep(session, job, lambda: None if what else _show(out, err, quiet=quiet), keep, quiet=quiet)
    if what:
        raise InvalidInput(f"{job.title()} has taken key {job.key} with another text (changed: {what})")
    return job


def _tell_and_keep(
    session: ClusterSession, job: Job, show: Callable[[], None], keep: Callable[[Job], None], *, quiet: bool
) -> None:
    """Do each of it, whatever becomes of the others: say what the scheduler said, record it, and `keep` the job.

    Raises NotRecorded, which tells the job as well.
    """
    troubles = []
    for step in (show, lambda: session.ledger.update(job), lambda: keep(job)):
        try:
            step()
        except InvalidInput as error:
            troubles.append(str(error))
    command_line.current.submitted.append((session.name, job.key))
    if troubles:
        if quiet:
            output.show_jobs([job], as_json=True)
        raise NotRecorded(f"{job.title()} is submitted, but {'; '.join(troubles)}; {job.again()} continues this one")


def _show(out: str, err: str, *, quiet: bool) -> None:
    """What the scheduler said."""
    output.show_words(err, sys.stderr)
    output.show_answer(out if out.endswith("\n") or not out else f"{out}\n", sys.stderr if quiet else sys.stdout)


def check_before(session: ClusterSession, prepared: Prepared) -> None:
    """Raises JobFailed when one of the jobs that have to succeed first is known not to have."""
    for job, tasks in prepared.after:
        known = job.only(tasks)
        if known.state is State.VANISHED:
            watch = Watch(session, [(job, tasks)])
            watch.look()
            (known,) = watch.shown()
        if known.state.ended and known.state is not State.SUCCEEDED:
            raise JobFailed(f"{known.title()} {known.state}: nothing is submitted to run after it")


def send(session: ClusterSession, job: Job, prepared: Prepared) -> tuple[Job, str, str]:
    """Submit; return the job, and what the scheduler said on stdout and stderr."""
    size = sum(upload.size() for upload in prepared.uploads)
    with output.transfer(f"sending to {session.name}", size) as progress:
        uploads = Bundle(prepared.uploads, progress)
        program = attempt.program(session, job, prepared.variables, uploads, prepared.script, prepared.job_file)
        try:
            return attempt.submit(session, job, program, fresh=prepared.fresh)
        except KeyboardInterrupt:
            output.say(f"{job.again()} continues this submission")
            raise


def steps_or_jobs(dry_run: bool, json: bool) -> None:
    """Raises InvalidInput when both are to be on stdout."""
    if dry_run and json:
        raise InvalidInput("--dry-run shows steps, and --json jobs, of which there is none then: leave out one of them")


def show_steps(session: ClusterSession, prepared: Prepared) -> None:
    """What `submit` would do, step by step."""
    for warning in prepared.warnings:
        output.say(f"{session.name}: {warning}")
    print(f"# on {session.name}, in {prepared.job.directory}")
    for upload in prepared.uploads:
        print(f"put {one_line(upload.name, 4096)} ({upload.size()} bytes)")
    output.show_words(f"{prepared.variables['submit']}\n")
    print("# the script")
    sys.stdout.flush()
    sys.stdout.buffer.write(prepared.script)
