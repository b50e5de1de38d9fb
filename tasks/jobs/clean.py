"""Remove the job directories of jobs that have ended, and only those: the ledger alone is not believed.

`judged` asks for the notes, the queue and the accounting as they are now. The program that removes asks the queue once
more, and only takes directories whose notes have not changed since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..files.tree import SLOW, tell
from ..login_node import Program
from ..model.errors import InvalidInput, SchedulerError
from ..model.job import Job, Outcome, Selected, State
from ..model.key import check_key
from ..model.notes import MOST_OF_NOTES, Notes
from ..model.settling import Known, settle
from ..model.wanted import Wanted
from ..model.wording import number, one_line
from ..session import Answer
from ..submission.verdict import root_of
from ..tracking.cluster_session import ClusterSession
from ..tracking.matching import by_id, records_of
from .selection import choose

# How many are looked at together, and the most bytes of the answer beside their notes.
_AT_ONCE = 20_000
_MOST = MOST_OF_NOTES + (16 << 20)
_KNOWN_ENDS = (State.SUCCEEDED, State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Candidate:
    """What a job has on the login node. `size` is in KiB; `why` is why it stays; `now` is the cluster's time."""

    job: Job
    candidate: bool = False
    gone: bool = False
    removed: bool = False
    size: int = 0
    stamp: str = "-"
    why: str = ""
    now: int = 0


def objection(job: Job, *, unfetched: bool) -> str:
    """Why, by the ledger, the directory of a job may not be removed; empty: it may."""
    if job.by_hand:
        return "was submitted by hand: what is where it ran is no job directory"
    if job.cleaned_at:
        return "was cleaned before"
    if job.state not in _KNOWN_ENDS:
        return f"is not known to have ended ({job.state})"
    if not (job.fetched_at or unfetched):
        how = "was fetched in part (--only)" if job.in_part_at else "was not fetched"
        return f"{how} since it ended: fetch it, or say --unfetched"
    try:
        check_key(job.key)
    except InvalidInput as error:
        return str(error)
    return ""


def candidates(session: ClusterSession, wanted: Wanted, *, unfetched: bool, older_than: int = 0) -> list[Candidate]:
    """Look at the job directories that may go: of the wanted jobs, or, nothing given, of all that have ended.

    Those that have to stay are told, and why; of jobs that are named one by one that is an error. `older_than`: only
    jobs that ended that many seconds ago, by the cluster's clock. Raises InvalidInput, SchedulerError, Unreachable.
    """
    named = bool(wanted.job) and not wanted.selects
    if named:
        jobs = _named(choose(session, wanted), unfetched=unfetched)
    else:
        ended = [job for job, _ in choose(session, wanted)] if wanted.selects else None
        jobs = _unnamed(session, ended, unfetched=unfetched)
    found = judged(session, jobs) if jobs else []
    found = [
        each for each in found if each.now - (each.job.outcome.ended_at or each.job.submitted_at or 0) >= older_than
    ]
    note(session, found)
    if named and any(each.why for each in found):
        raise InvalidInput(f"{session.name}: a job that was named may not be cleaned: nothing removed")
    return [each for each in found if each.candidate]


def _named(selected: Sequence[Selected], *, unfetched: bool) -> list[Job]:
    for job, tasks in selected:
        if tasks:
            raise InvalidInput(f"{job.title()}: a directory is that of all tasks: name the job alone")
        if why := objection(job, unfetched=unfetched):
            raise InvalidInput(f"{job.title()} {why}")
    return list({job.key: job for job, _ in selected}.values())


def _unnamed(session: ClusterSession, jobs: Sequence[Job] | None, *, unfetched: bool) -> list[Job]:
    """Those of these jobs (None: of all) that may go."""
    jobs = session.ledger.not_cleaned(session.name) if jobs is None else jobs
    left = [job for job in jobs if objection(job, unfetched=False) and not objection(job, unfetched=True)]
    if left and not unfetched:
        say = session.listener.say
        say(f"{session.name}: {len(left)} not fetched since they ended, and so left; --unfetched takes them too")
        lines = [f"{job.title()}{', fetched in part (--only)' if job.in_part_at else ''}" for job in left]
        tell(session.listener, "left", lines)
    return [job for job in jobs if not objection(job, unfetched=unfetched)]


def note(session: ClusterSession, found: Sequence[Candidate]) -> None:
    """Tell which stay, and why; the ledger keeps which have no directory any more."""
    for each in found:
        if each.why:
            session.listener.say(one_line(f"{each.job.title()}: left: {each.why}", 1000))
        if each.gone or each.removed:
            with session.ledger.leniently():
                session.ledger.note(each.job, cleaned_at=each.now)


def judged(session: ClusterSession, jobs: Sequence[Job]) -> list[Candidate]:
    """What is on the login node of each of these; those that may be removed are `candidate`.

    Raises SchedulerError when the scheduler could not be asked, Unreachable.
    """
    parts = [jobs[at : at + _AT_ONCE] for at in range(0, len(jobs), _AT_ONCE)]
    return [found for part in parts for found in _look(session, part)]


def _look(session: ClusterSession, jobs: Sequence[Job]) -> list[Candidate]:
    wanted = [Candidate(job) for job in jobs]
    answer = _ask(session, wanted)
    found = _read(answer, wanted)
    notes = Notes()
    notes.read(answer["notes"].exact)
    there = [each for each in found if each.candidate]
    scheduler, judged = session.scheduler, dict[str, Job]()
    if there:
        silent = [each.job.job_id or "" for each in there if not _all_noted(each.job, notes)]
        question = scheduler.trace([each.job.job_id or "" for each in there], silent)
        with session.listener.slow(f"{session.name}: still asking how jobs ended"):
            traced = session.query(question)
        of_id = by_id(traced.records)
        judged = {
            each.job.key: _ended(each, notes, records_of(each.job, of_id.get(each.job.job_id, ()))) for each in there
        }
    unsure = "neither its notes nor the accounting say that it has ended"
    return [
        replace(each, candidate=False, why=unsure)
        if each.candidate and judged[each.job.key].state not in _KNOWN_ENDS
        else each
        for each in found
    ]


def remove(session: ClusterSession, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Remove these, unless they have changed since; those that stay say why. Raises SchedulerError, Unreachable."""
    parts = [candidates[at : at + _AT_ONCE] for at in range(0, len(candidates), _AT_ONCE)]
    return [found for part in parts for found in _read(_ask(session, part, remove="1"), part)]


def remove_all(session: ClusterSession, found: Sequence[Candidate]) -> list[Candidate]:
    """Remove these; return those that are gone. Raises SchedulerError, with these in `known`, if some are left."""
    result = remove(session, found)
    note(session, result)
    removed = [each for each in result if each.removed or each.gone]
    if len(removed) < len(found):
        error = SchedulerError(f"{session.name}: {len(found) - len(removed)} could not be removed")
        error.known = removed
        raise error
    return removed


def _ask(session: ClusterSession, jobs: Sequence[Candidate], remove: str = "") -> Answer:
    lines = [f"{each.job.key} {each.job.job_id} {each.stamp} {each.job.directory}\n" for each in jobs]
    alive = session.scheduler.alive()
    variables = {"root": root_of(session.cluster), "alive": alive.command, "remove": remove}
    data = ["".join(lines).encode("utf-8", "surrogateescape")]
    program = Program(("directory", "clean"), variables, data=data, most=_MOST, within={"notes": MOST_OF_NOTES})
    answer = session.must(program, SLOW)
    answer["alive"].read(alive.parse)
    return answer


def _read(answer: Answer, jobs: Sequence[Candidate]) -> list[Candidate]:
    """Parse the section `found`; a directory that is missing in it was left."""
    fields = answer["found"].exact.split("\0")
    told = {key: rest for key, *rest in zip(fields[0::4], fields[1::4], fields[2::4], fields[3::4], strict=False)}
    now = number(answer.text("now")) or 0
    found = []
    for each in jobs:
        word, what, stamp = told.get(each.job.key, ["left", "nothing was said of it", "-"])
        found.append(
            replace(
                each,
                candidate=word == "there",
                gone=word == "gone",
                removed=word == "removed",
                size=(number(what) or each.size) if word == "there" else each.size,
                stamp=stamp,
                why=what if word == "left" else "",
                now=now,
            )
        )
    return found


def _all_noted(job: Job, notes: Notes) -> bool:
    noted = notes.notes.get(job.key, {})
    return all(task in noted and noted[task].exit_status is not None for task in job.numbers())


def _ended(found: Candidate, notes: Notes, traced: Mapping[int, Outcome]) -> Job:
    """The job by what is known there, and by nothing that the ledger says of its end: it is not in the queue."""
    job = replace(found.job, outcome=Outcome(State.UNKNOWN), tasks={}, absent_since=None)
    return settle(job, Known(found.now, notes.notes.get(job.key, {}), {}, traced))
