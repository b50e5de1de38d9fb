"""What became of a submission whose answer was lost: the job directory, the queue and the job itself are asked.

Each look ends with a `Verdict`. Nothing in here submits, so looking is always allowed. The source is PROTOCOL.md,
"Once" (4).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from ..login_node import Program, job_directory
from ..model.cluster import Cluster
from ..model.errors import SchedulerError
from ..model.job import Job, Outcome, State
from ..model.resources import MOST_FOLLOWED, TaskRange
from ..model.wording import one_line
from ..schedulers.seam import Cannot
from ..schedulers.values import Submitted
from ..session import Answer
from ..tracking.cluster_session import ClusterSession
from .inspection import Inspection, extent, reason
from .marks import Marks, marks


class Verdict(Enum):
    """There is a job; there is none, and there will be none; or it cannot be known yet."""

    JOB = "job"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Finding:
    """A verdict, and what it rests on. `job` has its ID if there is a job; `out` and `err` are the scheduler's words.

    If there is no job: `held` is the attempt to release before the next one (empty: nothing is in the way); `refused`
    says that the scheduler was asked and took nothing; `only_asked`, that its command ended well without a job;
    `killed` names the signal that ended the command; `trouble` is why the scheduler could not be asked.
    """

    verdict: Verdict
    job: Job
    out: str = ""
    err: str = ""
    held: str = ""
    refused: bool = False
    only_asked: bool = False
    killed: str = ""
    trouble: str = ""

    def words(self) -> str:
        """A refusal in the scheduler's own words; for a killed command, the words that a shell has for it."""
        lines = [line for line in f"{self.err}\n{self.out}".splitlines() if line.strip() and line != "Exiting."]
        if not any(self.killed in line for line in lines):
            lines.append(self.killed or "no word why")
        return " / ".join(lines)


def look_up(session: ClusterSession, jobs: Sequence[Job]) -> list[Finding]:
    """Look each of these up once. Raises Unreachable."""
    answers = [session.ask(step(session, job, "inspect")) for job in jobs]
    marked = Marks(session)
    return [judge(session, job, answer, marked) for job, answer in zip(jobs, answers, strict=True)]


def judge(
    session: ClusterSession, job: Job, answer: Answer, marked: Marks | None = None, *, submitting: bool = False
) -> Finding:
    """What an answer of `submit` or `inspect` means; asks further when it leaves that open.

    `submitting`: the caller is about to submit. It need not wait for others that are still sending files, and if the
    job directory was refused before anybody began, nothing was submitted. An empty job directory proves nothing: it may
    have been removed. Raises Unreachable, NotSubmitted (only if `submitting`), and SchedulerError for a receipt that is
    not understood.
    """
    if "unsafe" in answer or ("refused" in answer and not submitting):
        return Finding(Verdict.UNKNOWN, job, trouble=reason(answer))
    inspection = Inspection.of(answer)
    scheduler = session.scheduler
    accepted = scheduler.parse_submission(inspection.out, inspection.err)
    if inspection.receipt:
        if not accepted:
            raise SchedulerError(f"{session.name}: the receipt in {inspection.directory} is not understood")
        return Finding(Verdict.JOB, recorded(session, job, inspection, accepted), inspection.out, inspection.err)
    if not inspection.ended and inspection.alive == "yes" and scheduler.undecided(inspection.err):
        return Finding(Verdict.UNKNOWN, job)
    claimed = _claimed(job, inspection)
    found = accepted or claimed
    in_hand = ("laying", "taking") if submitting else ("putting", "laying", "taking")
    if not found and not inspection.over and inspection.phase in in_hand:
        return Finding(Verdict.UNKNOWN, job)
    # A submit command that was killed may have left its request behind.
    certain = inspection.ended and not inspection.killed and not scheduler.doubtful(inspection.err)
    if not found:
        try:
            found = (marked or Marks(session)).of(job.key, inspection.directory)
        except SchedulerError as error:
            if not (certain and isinstance(error, Cannot)):  # where nobody can look for a job, a refusal counts
                return Finding(Verdict.UNKNOWN, job, trouble=str(error))
    if found and not found.name:  # an answer that tells neither name nor tasks, and nobody could ask for them yet
        try:
            # Others may carry the same mark: what the body submitted itself, what a removed job directory belonged to.
            same = marks(session, [found.job_id]).get(job.key, [])
            found = next((each for each in same if each.job_id == found.job_id), claimed or found)
        except Cannot:
            pass  # it stays without
        except SchedulerError as error:
            return Finding(Verdict.UNKNOWN, job, trouble=str(error))
    if found:
        return _confirm(session, job, inspection, found, accepted=bool(accepted))
    if inspection.phase != "asked":
        return Finding(Verdict.NONE, job, held=inspection.held)
    return _no_job(job, inspection, certain=certain) if certain or inspection.over else Finding(Verdict.UNKNOWN, job)


def _no_job(job: Job, inspection: Inspection, *, certain: bool) -> Finding:
    """The verdict when the scheduler was asked and there is no job."""
    only_asked = certain and inspection.status == 0
    return Finding(
        Verdict.NONE, job, inspection.out, inspection.err, inspection.held,
        refused=inspection.ended, only_asked=only_asked, killed=inspection.killed,
    )  # fmt: skip


def _confirm(session: ClusterSession, job: Job, inspection: Inspection, found: Submitted, *, accepted: bool) -> Finding:
    """Write the lost receipt, on the login node, as the scheduler would have answered; return the job."""
    line = inspection.out.rstrip("\n") if accepted else session.scheduler.receipt(found)
    details = f"{found.array or '-'} {found.name}"
    answer = session.ask(step(session, job, "confirm", receipt=line, details=details))
    if "refused" in answer:
        lost = f"job {found.job_id} is submitted, but there is no note of it on the login node: {reason(answer)}"
        session.listener.say(one_line(f"{session.name}: {lost}", 1000))
    else:
        inspection = Inspection.of(answer)
    inspection = replace(inspection, out=inspection.out or f"{line}\n")
    return Finding(Verdict.JOB, recorded(session, job, inspection, found), inspection.out, inspection.err)


def _claimed(job: Job, inspection: Inspection) -> Submitted | None:
    """The job that has claimed this key, if any. The claim is `ID`, `ID.TASKS` for an array job, or `ID.?` for one that
    does not know its tasks; that one is left without a name, so that the scheduler is asked.
    """
    job_id, _, tasks = inspection.claim.partition(".")
    name = "" if tasks == "?" else job.name
    return Submitted(job_id, name, extent(tasks)) if job_id.isalnum() and job_id.isascii() else None


def step(session: ClusterSession, job: Job, name: str, **variables: str) -> Program:
    """A program about one job directory."""
    return Program(("directory", name), {**place(session, job), **variables})


def place(session: ClusterSession, job: Job) -> dict[str, str]:
    """The variables that say where a submission was begun, even if the configuration has changed since."""
    root = job.directory.removesuffix(f"/{job.key}") if job.directory else root_of(session.cluster)
    return {"root": root, "key": job.key}


def root_of(cluster: Cluster) -> str:
    """Where this cluster's job directories go; `~/` is the home directory on the login node."""
    return (cluster.directory or job_directory.ROOT).rstrip("/")


def _followed(session: ClusterSession, accepted: Submitted, inspection: Inspection) -> TaskRange | None:
    """The tasks to follow; None, with a warning, if there are too many to follow each: then it is one job to us."""
    told = accepted.array or inspection.extent
    if told is None or told.size <= MOST_FOLLOWED:
        return told
    who = f"{session.name}: job {accepted.job_id}"
    session.listener.say(f"{who}: its {told.size} tasks are not followed one by one (at most {MOST_FOLLOWED})")
    return None


def recorded(session: ClusterSession, job: Job, inspection: Inspection, accepted: Submitted) -> Job:
    """The job with what the scheduler's answer says of it."""
    fresh = job.job_id is None
    return replace(
        job,
        job_id=accepted.job_id,
        name=accepted.name or inspection.name or job.name,
        array=_followed(session, accepted, inspection),
        directory=inspection.directory,
        answer=inspection.out,
        digest=inspection.digest or job.digest,
        submitted_at=inspection.submitted_at,
        outcome=Outcome(State.PENDING) if fresh else job.outcome,
    )
