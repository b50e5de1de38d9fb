"""A tiny job from the beginning to the end, which leaves nothing behind: neither over there nor in the ledger."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from .cleaning import look, remove
from .model.errors import JobFailed, StillRunning
from .model.job import Job, State
from .model.resources import Resources
from .preparation import Wanted, prepare
from .selection import named
from .session import Session
from .submitting import send
from .watching import Watch

_SCRIPT = "#!/bin/sh\necho submithost\n"


class _Unnoted(Watch):
    """A check is no submission of the user's: `--job last` stays what it is."""

    def _store(self) -> None:
        """Nothing."""


def run_job(session: Session, limit: float) -> str:
    """Submit it, wait, and remove its directory; returns what to say of it.

    Raises JobFailed, and StillRunning after `limit` seconds, when it has been cancelled.
    """
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "submithost-check"
        script.write_text(_SCRIPT)
        wanted = Wanted(str(script), resources=Resources(name=script.name, time=60))
        prepared = prepare(wanted, session.cluster, session.scheduler)
        began = time.monotonic()
        job, _, _ = send(session, prepared.job, prepared)
    submitted = time.monotonic() - began
    watch = _Unnoted(session, [(job, ())])
    try:
        watch.wait(limit, lambda _: None)
    except StillRunning:
        still = watch.shown()[0]
        _cancel(session, [still])
        left = _removed(session, replace(still, cancelled=(None,)))
        raise StillRunning(
            f"{still.title()} is still {still.state} after {limit:.0f} s, and was cancelled{left}: "
            "is the cluster busy (queues), or does it want other 'options'?"
        ) from None
    (ended,) = watch.shown()
    left = _removed(session, ended)
    took = f"submitted in {submitted:.2f} s, ended after {time.monotonic() - began:.0f} s"
    if ended.state is not State.SUCCEEDED:
        status = ended.outcome.exit_status
        how = f" with exit status {status}" if status is not None else ""
        raise JobFailed(f"{ended.title()} {ended.state}{how} {ended.outcome.reason}{left}".rstrip())
    return f"job {ended.job_id} ran: {took}{left}"


def _cancel(session: Session, jobs: Sequence[Job]) -> None:
    scheduler = session.scheduler
    session.query(scheduler.cancel_command(named([(job, ()) for job in jobs])), scheduler.parse_cancel)


def _removed(session: Session, job: Job) -> str:
    """Remove its directory; returns what to say when that cannot be."""
    deadline = time.monotonic() + 30  # until the scheduler has taken it out of its queue
    while True:
        (found,) = look(session, [job])
        if found.candidate or time.monotonic() > deadline:
            break
        time.sleep(1)
    (found,) = remove(session, [found]) if found.candidate else (found,)
    return "" if found.removed else f" (its directory {job.directory} is left: {found.why})"
