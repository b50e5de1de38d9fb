"""What to do with a submission under a known key or job file: continue the one that was begun, or begin a new one.

The same text is never submitted twice. Another text under the same job file is a new job, once the one before it has
ended. Its key is made from what it replaces and the new text, so whoever does the same at the same time, or again after
a crash, means the same job.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from ..model.errors import InvalidInput
from ..model.job import Job, State
from ..model.wording import fab
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .digest import differences
from .job_file import claim_job_file, write_job_file
from .prepare import Prepared
from .reconcile import confirmed
from .submit import check_before

Prepare = Callable[[str | None], Prepared]


def begin(
    session: ClusterSession, prepare: Prepare, key: str | None, job_file: Path | None, noted: Job | None
) -> tuple[Prepared, Job]:
    """What to submit, and its job, which may have been begun or have ended already.

    `prepare` makes the submission ready under a key; `key` is the user's, and `noted` the job of the job file. Raises
    InvalidInput when the key or job file belongs to another text, JobFailed when a job that has to succeed first did
    not.
    """
    prepared = prepare(key or (noted.key if noted else None))
    if job_file and not noted:
        noted = claim_job_file(job_file, prepared.job)
        # Somebody was faster with the same job file: continue their submission.
        if noted.key != prepared.job.key:
            prepared = prepare(noted.key)
    known = _begun(session, prepared.job, noted)
    what = differences(known.digest, prepared.job.digest)
    if not what:
        if known.state.ended:
            _say_failed(session, known, job_file)
        return prepared, known
    if key:
        raise InvalidInput(
            f"key {key} is {known.title()}, and this is another text (changed: {what}): one key is one submission, "
            "so choose another key"
        )
    _check_ended(session, known, what, job_file)
    prepared = prepare(_next_key(known, prepared.job))
    if not session.ledger.by_key(session.name, prepared.job.key):
        check_before(session, prepared)
    if job_file:
        write_job_file(job_file, prepared.job)
        session.listener.say(
            f"{job_file}: another text than {known.title()} (changed: {what}), which has ended: a new job"
        )
    return prepared, session.ledger.by_key(session.name, prepared.job.key) or prepared.job


def _say_failed(session: ClusterSession, known: Job, job_file: Path | None) -> None:
    """Say that `resubmit` is the verb for a job that failed, unless it was repaired."""
    (job,) = Watch(session, [(known, ())]).shown()
    if job.in_the_end.state.ended and job.in_the_end.state is not State.SUCCEEDED:
        again = (
            f"{fab()} resubmit --job {job_file}" if job_file else f"{fab()} -H {session.name} resubmit --job {job.key}"
        )
        session.listener.say(
            f"{job.title()} {job.state}, and the same submit makes no second job; run it again: {again}"
        )


def _begun(session: ClusterSession, job: Job, noted: Job | None) -> Job:
    """The job that is known under the key of `job`; if it is known that none was made, `job` itself."""
    known = session.ledger.by_key(session.name, job.key) or noted or job
    if known.job_id or not differences(known.digest, job.digest):
        return known
    ((found, _),), unknown = confirmed(session, [(known, ())])
    if unknown:
        raise InvalidInput(
            f"{session.name}: key {known.key} was begun with another text, and it is not known yet whether that "
            f"became a job: {fab()} -H {session.name} reconcile finds out"
        )
    if found.job_id:
        return found
    session.ledger.forget(known)
    return job


def _check_ended(session: ClusterSession, known: Job, what: str, job_file: Path | None) -> None:
    """Raises InvalidInput while the job before is not known to have ended."""
    watch = Watch(session, [(known, ())])
    watch.look()
    if not (living := watch.live()):
        return
    first = living[0]
    known_state = not watch.trouble and first.state is not State.UNKNOWN
    state = f"is {first.state}" if known_state else "is not known to have ended"
    own = first.key == known.key
    here, which = (fab(), job_file) if own else (f"{fab()} -H {session.name}", first.job_id)
    raise InvalidInput(
        f"{job_file}: another text than {first.title()} (changed: {what}), which {state}: {here} wait --job {which} or "
        f"{here} cancel --job {which}, and submit again; or rm {job_file}, and there are two jobs"
    )


def _next_key(before: Job, job: Job) -> str:
    """The key of a new text, by what it replaces."""
    name = before.key.rpartition("-")[0] or before.key
    return f"{name[:40]}-{hashlib.sha256(f'{before.key} {job.digest}'.encode()).hexdigest()[:10]}"
