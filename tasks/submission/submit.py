"""One submission as a user sees it: noted before the cluster is contacted, sent, recorded, and reported."""

from __future__ import annotations

from collections.abc import Callable

from ..files.wire import Bundle
from ..model.errors import InvalidInput, JobFailed, NotRecorded, NotSubmitted, OnlyAsked
from ..model.job import Job, State
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from . import attempt
from .digest import differences
from .prepare import Prepared

Heard = Callable[[Job | None, str, str], None]
"""Called with the job (None: there is none) and what the scheduler said on stdout and stderr."""


def ignore(*_: object) -> None:
    """For those who read what the scheduler said from the job's `answer`."""


def submit_once(
    session: ClusterSession, prepared: Prepared, wanted: Job, keep: Callable[[Job], None], heard: Heard = ignore
) -> Job:
    """Note the intention, submit, record the job and `keep` it; `heard` is called with what the scheduler said.

    If `wanted` is known to be a job, nothing is submitted and the cluster is not contacted. Raises InvalidInput when
    another text was submitted under the same key, from elsewhere or at the same time.
    """
    if not wanted.job_id and not session.ledger.by_key(session.name, wanted.key):
        check_before(session, prepared)
    job = session.ledger.begin(wanted)
    if wanted.rows and not session.ledger.rows.known(wanted):
        with session.ledger.leniently():
            session.ledger.rows.keep(wanted, wanted.rows.text)
    say = session.listener.say
    if not job.digest and job.script_hash != prepared.job.script_hash:  # begun by an earlier version
        say(f"{session.name}: key {job.key} belongs to another text of the script; continuing that submission")
    for warning in prepared.warnings:
        say(f"{session.name}: {warning}")
    out, err = job.answer, ""
    if not job.job_id:
        try:
            job, out, err = send(session, job, prepared)
        except NotSubmitted as error:
            if job is wanted:  # nothing was begun under this key before, so nothing has to be remembered
                with session.ledger.leniently():
                    session.ledger.forget(job)
            if isinstance(error, OnlyAsked):
                heard(None, error.out, error.err)
            raise
    what = differences(job.digest, prepared.job.digest)
    _tell_and_keep(session, job, lambda: None if what else heard(job, out, err), keep)
    if what:
        raise InvalidInput(f"{job.title()} has taken key {job.key} with another text (changed: {what})")
    return job


def _tell_and_keep(session: ClusterSession, job: Job, tell: Callable[[], None], keep: Callable[[Job], None]) -> None:
    """Tell what the scheduler said, record the job, and `keep` it: each of these, even if another one fails.

    Raises NotRecorded, whose message names the job.
    """
    troubles = []
    for step in (tell, lambda: session.ledger.update(job), lambda: keep(job)):
        try:
            step()
        except InvalidInput as error:
            troubles.append(str(error))
    if troubles:
        raise NotRecorded(f"{job.title()} is submitted, but {'; '.join(troubles)}; {job.again()} continues this one")


def check_before(session: ClusterSession, prepared: Prepared) -> None:
    """Raises JobFailed when a job that has to succeed first is known to have failed."""
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
    with session.listener.transfer(f"sending to {session.name}", size) as progress:
        uploads = Bundle(prepared.uploads, progress)
        program = attempt.program(session, job, prepared.variables, uploads, prepared.script, prepared.job_file)
        try:
            return attempt.submit(session, job, program, fresh=prepared.fresh)
        except KeyboardInterrupt:
            session.listener.say(f"{job.again()} continues this submission")
            raise
