"""A tiny test job, from submission to end. It leaves nothing behind, on the cluster or in the ledger."""

from __future__ import annotations

import contextlib
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from ..files.wire import Bundle
from ..jobs.clean import Candidate, judged, remove
from ..jobs.selection import named
from ..model.errors import JobFailed, NotSubmitted, SchedulerError, StillRunning, SubmithostError
from ..model.job import Job, State
from ..model.resources import Resources
from ..submission.attempt import program, submit
from ..submission.inspection import Inspection
from ..submission.prepare import Prepared, Wanted, prepare
from ..submission.verdict import Verdict, judge, step
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch

_SCRIPT = "#!/bin/sh\necho submithost\n"
# Seconds to wait until a job has left the queue, and until it is known whether there is one.
_PATIENCE = 30


def run_job(session: ClusterSession, limit: float) -> str:
    """Submit the job, wait for its end, and remove its directory; return what to say of it.

    Raises JobFailed, and StillRunning after `limit` seconds. Whatever ends this early, even Ctrl-C, the job is
    cancelled and its directory removed; if that fails, a line says what is left.
    """
    prepared = _prepared(session)
    sent = Bundle(prepared.uploads)
    sending = program(session, prepared.job, prepared.variables, sent, prepared.script, prepared.job_file)
    job = prepared.job
    began = time.monotonic()
    try:
        job, _, _ = submit(session, job, sending, fresh=True)
        submitted = time.monotonic() - began
        # Not recorded, so `--job last` does not change.
        watch = Watch(session, [(job, ())], record=False)
        watch.wait(limit, lambda _: None)
        (ended,) = watch.shown()
        left = _removed(session, ended)
    except StillRunning:
        (still,) = watch.shown()
        raise StillRunning(
            f"{still.title()} is still {still.state} after {limit:.0f} s, "
            f"and was cancelled{_taken_back(session, still)}: "
            "is the cluster busy (queues), or does it want other 'options'?"
        ) from None
    except (SubmithostError, KeyboardInterrupt) as error:
        if not isinstance(error, NotSubmitted):
            session.listener.say(f"{job.title()}: cancelling it, and removing its directory ...")
        if left := _taken_back(session, job):
            session.listener.say(f"{job.title()}{left}")
        raise
    took = f"submitted in {submitted:.2f} s, ended after {time.monotonic() - began:.0f} s"
    if ended.state is not State.SUCCEEDED:
        status = ended.outcome.exit_status
        how = f" with exit status {status}" if status is not None else ""
        raise JobFailed(f"{ended.title()} {ended.state}{how} {ended.outcome.reason}{left}".rstrip())
    return f"job {ended.job_id} ran: {took}{left}"


def _prepared(session: ClusterSession) -> Prepared:
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder) / "submithost-check"
        script.write_text(_SCRIPT)
        wanted = Wanted(str(script), resources=Resources(name=script.name, time=60))
        return prepare(wanted, session.cluster, session.scheduler, session.listener)


def _taken_back(session: ClusterSession, job: Job) -> str:
    """Cancel the job, if there is one, and remove its directory; return what to say if that fails."""
    try:
        job = _as_it_is(session, job)
        if job.job_id:
            with contextlib.suppress(SchedulerError):  # it may have ended, which is checked next
                session.query(session.scheduler.cancel(named([(job, ())])))
            return _removed(session, replace(job, cancelled=(None,)))
        return _left(*remove(session, [Candidate(job)]))
    except (SubmithostError, KeyboardInterrupt) as error:
        return f" (it and its directory {job.directory} may be left: {str(error) or 'interrupted'})"


def _as_it_is(session: ClusterSession, job: Job) -> Job:
    """The job as its directory has it: with an ID, or it will never have one. Raises SchedulerError, Unreachable."""
    deadline = time.monotonic() + _PATIENCE
    while not job.job_id:
        answer = session.ask(step(session, job, "inspect"))
        found = judge(session, job, answer)
        if found.verdict is not Verdict.UNKNOWN and not found.held:
            return replace(found.job, directory=Inspection.of(answer).directory)
        if found.held:  # once more, since it may move on before it is released
            session.ask(step(session, job, "release", held=found.held))
        if time.monotonic() > deadline:
            raise SchedulerError("it is not known yet whether it became a job")
        time.sleep(1)
    return job


def _removed(session: ClusterSession, job: Job) -> str:
    """Remove its directory; return what to say if that fails."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        (found,) = judged(session, [job])
        if found.candidate or time.monotonic() > deadline:
            break
        time.sleep(1)
    return _left(*remove(session, [found]) if found.candidate else [found])


def _left(found: Candidate) -> str:
    return "" if found.removed or found.gone else f" (its directory {found.job.directory} is left: {found.why})"
