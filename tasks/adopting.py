"""Take in jobs that this ledger does not know: those whose job directories are there, and jobs submitted by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

from . import output
from .finding import Progress, recorded, root_of
from .listing import SLOW
from .login_node import Program
from .model.errors import InvalidInput
from .model.job import Job, Outcome, State, check_key
from .model.ledger import from_record
from .session import Answer, Session


def adopt_all(session: Session) -> list[Job]:
    """Note every submission in the cluster's job directories that the ledger lacks; return these, oldest first.

    Those without an answer of the scheduler's are noted as begun. Raises SchedulerError, Unreachable.
    """
    answer = session.must(Program(("directory", "adopt"), {"root": root_of(session.cluster)}), SLOW)
    known = {job.key for job in session.ledger.jobs(session.name)}
    new = sorted(
        (job for job in _found(session, answer) if job.key not in known), key=lambda job: job.submitted_at or 0
    )
    with session.ledger.leniently():
        session.ledger.update(*new)
    return new


def _found(session: Session, answer: Answer) -> Iterator[Job]:
    """The submissions of `adopt.sh`; one that is not understood is told, and left alone."""
    root = answer["root"].exact.rstrip("\n")
    fields = answer["found"].out.decode("utf-8", "surrogateescape").split("\0")
    for key, about, receipt in zip(fields[0::3], fields[1::3], fields[2::3], strict=False):
        try:
            job = replace(from_record(json.loads(about)), cluster=session.name, directory=f"{root}/{key}")
            if job.key != check_key(key):
                raise ValueError
        except (InvalidInput, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            output.say(f"{session.name}: {root}/{key}: its note is not understood; left alone")
            continue
        progress = Progress(job.directory or "").with_receipt(receipt)
        accepted = session.scheduler.parse_submission(progress.out)
        yield recorded(job, progress, accepted) if accepted else job


def adopt_by_hand(session: Session, job_id: str) -> Job:
    """Note a job that was submitted without submithost: queue and accounting alone tell its end.

    Raises InvalidInput for a job that is not this user's, SchedulerError, Unreachable.
    """
    if not (job_id.isascii() and job_id.isdigit()):
        raise InvalidInput(f"--job {job_id}: a job that was submitted by hand is named by its ID")
    if known := session.ledger.by_id(session.name, job_id):
        output.say(f"{known.title()} is known already")
        return known
    scheduler = session.scheduler
    found = session.query(scheduler.by_hand_command(job_id), scheduler.parse_by_hand)
    if not found:
        raise InvalidInput(f"{session.name}: neither queue nor accounting know a job {job_id} of yours")
    job = Job(
        key=f"by-hand-{job_id}",
        cluster=session.name,
        name=found.submitted.name,
        directory=found.directory or None,
        bare=True,
        by_hand=True,
        job_id=job_id,
        array=found.submitted.array,
        submitted_at=found.submitted_at,
        outcome=Outcome(State.UNKNOWN),
    )
    with session.ledger.leniently():
        session.ledger.update(job)
    return job
