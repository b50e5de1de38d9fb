"""Take in jobs that the ledger here does not know: those that have job directories, and jobs submitted by hand."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from itertools import islice

from ..files.tree import SLOW, texts_of
from ..login_node import Program, Reply
from ..model.errors import InvalidInput, SchedulerError
from ..model.job import Job, Outcome, State
from ..model.key import check_key
from ..model.record import from_record
from ..model.wording import one_line
from ..session import Answer
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .inspection import Inspection
from .reconcile import confirmed, not_known_yet, turned_up
from .verdict import recorded, root_of

# The most bytes of a whole answer, of one submission in it, and of a path; and the most jobs that are taken in at once.
_MOST, _LONGEST, _LONGEST_PATH = 4 << 30, 4 << 20, 8192
_AT_ONCE = 50_000


def adopt(session: ClusterSession, job_ids: Sequence[str] = ()) -> list[Job]:
    """Take in the jobs with these IDs, which were submitted by hand; without IDs, those that have job directories.

    Returns them as they are now, with jobs that had vanished and have turned up. Raises InvalidInput, Unreachable, and
    SchedulerError when it is not known yet what became of one (the rest is in its `known`).
    """
    new = [adopt_by_hand(session, job_id) for job_id in job_ids] if job_ids else adopt_all(session)
    if not new:
        session.listener.say(f"{session.name}: every job directory there is known here")
    found_again = [] if job_ids else turned_up(session)
    selected, unknown = confirmed(session, [(job, ()) for job in new])
    watch = Watch(session, selected)
    watch.look()
    shown = [*watch.shown(), *found_again]
    if unknown:
        raise not_known_yet(session, unknown, shown)
    return shown


def adopt_all(session: ClusterSession) -> list[Job]:
    """Record the submissions in the cluster's job directories that the ledger lacks; return them, oldest first.

    Says so when there are more than are taken in at once. Those without an answer of the scheduler's are recorded as
    begun. Raises SchedulerError, Unreachable.
    """
    known = session.ledger.keys(session.name)
    new = session.persist(lambda: list(islice(_unknown(session, known), _AT_ONCE + 1)))
    if len(new) > _AT_ONCE:
        session.listener.say(
            f"{session.name}: there are more than {_AT_ONCE} jobs to take in: adopt again for the rest"
        )
    new = sorted(new[:_AT_ONCE], key=lambda job: job.submitted_at or 0)
    with session.ledger.leniently():
        session.ledger.update(*new)
    return new


def _unknown(session: ClusterSession, known: Collection[str]) -> Iterator[Job]:
    """The submissions on the login node whose keys are not among the `known` ones, as they come."""
    program = Program(
        ("directory", "adopt"), {"root": root_of(session.cluster)}, most=_MOST, within={"root": _LONGEST_PATH}
    )
    root, rest = b"", b""
    with closing(session.pieces(program, SLOW)) as answer:
        for name, piece in answer:
            root += piece if name == "root" else b""
            rest += piece if name == "found" else b""
            if len(rest) > _LONGEST:
                raise SchedulerError(f"{session.name}: the answer is not understood: it goes on and on")
            if name == "found" and rest.count(b"\0") >= 3:
                fields = rest.split(b"\0")
                whole = (len(fields) - 1) // 3 * 3
                rest = b"\0".join(fields[whole:])
                some = Answer({"root": Reply(root), "found": Reply(b"\0".join([*fields[:whole], b""]))})
                yield from (job for job in _found(session, some) if job.key not in known)


def _found(session: ClusterSession, answer: Answer) -> Iterator[Job]:
    """Parse the submissions that `adopt.sh` sends; report those that are not understood, and skip them."""
    root = answer["root"].exact.rstrip("\n")
    fields = texts_of([answer["found"].out], _LONGEST)
    for key, about, receipt in zip(fields, fields, fields, strict=False):
        if job := _understood(session, f"{root}/{key}", key, about, receipt):
            yield job
        else:
            session.listener.say(
                one_line(f"{session.name}: {root}/{key}: its note is not understood; left alone", 4096)
            )


def _understood(session: ClusterSession, directory: str, key: str, about: str, receipt: str) -> Job | None:
    try:
        job = replace(from_record(json.loads(about)), cluster=session.name, directory=directory)
        if job.key != check_key(key):
            return None
    except (InvalidInput, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    # Written down before the scheduler was asked: it cannot know of an end, or of tasks.
    job = replace(job, array=None, tasks={}, outcome=Outcome(State.UNKNOWN))
    progress = Inspection(directory).with_receipt(receipt)
    accepted = session.scheduler.parse_submission(progress.out)
    return recorded(session, job, progress, accepted) if accepted else job


def adopt_by_hand(session: ClusterSession, job_id: str) -> Job:
    """Record a job that was submitted without submithost: only the queue and the accounting tell its end.

    Raises InvalidInput for a job that is not this user's, SchedulerError, Unreachable.
    """
    if not (job_id.isascii() and job_id.isdigit()):
        raise InvalidInput(f"--job {job_id}: a job that was submitted by hand is named by its ID")
    if known := session.ledger.by_id(session.name, job_id):
        session.listener.say(f"{known.title()} is known already")
        return known
    found = session.query(session.scheduler.by_hand(job_id))
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
