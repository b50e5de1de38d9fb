"""What became of a submission whose answer is not known: asked of the job directory, the queue and the job itself.

One look is a `Verdict`. Nothing in here submits, so anybody may look at any time, as often as it pleases. The source is
PROTOCOL.md, "Once" (4).
"""

from __future__ import annotations

import re
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum

from .login_node import Program
from .model.cluster import Cluster
from .model.errors import InvalidInput, NotSubmitted, SchedulerError
from .model.job import Job, Outcome, State
from .model.resources import TaskRange
from .model.wording import number, one_line
from .schedulers import Submitted
from .session import Answer, Session

# An attempt whose submit command may still be under way is left alone that long (seconds, by the cluster's clock): more
# than the lag of a shared file system, and more than a scheduler takes to show what it has accepted.
GRACE = 60
# What still has its process number after so long is another process.
_ANOTHER_PROCESS = 3600
# A shell's status of what signal N ended is 128 + N; some end with 255 of their own accord.
_SIGNALLED = 128
_LAST_SIGNAL = 64
_JOBS = "~/.submithost/jobs"


class Verdict(Enum):
    """What a look says: there is a job, there is none and will be none, or it cannot be known yet."""

    JOB = "job"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Found:
    """A verdict. `job` has its ID if there is one; `out` and `err` are what the scheduler said to it.

    Where there is none, `token` is what to release before the next attempt (empty: nothing is in the way), and
    `refused` says that the scheduler was asked and took nothing, `only_asked` that its command ended well: no job was
    asked for. `killed` names the signal that ended the command. `trouble`: why it could not be asked.
    """

    verdict: Verdict
    job: Job
    out: str = ""
    err: str = ""
    token: str = ""
    refused: bool = False
    only_asked: bool = False
    killed: str = ""
    trouble: str = ""

    def words(self) -> str:
        """A refusal in the scheduler's own words; of a command that was killed, what a shell says, unless one has."""
        lines = [line for line in f"{self.err}\n{self.out}".splitlines() if line.strip() and line != "Exiting."]
        if not any(self.killed in line for line in lines):
            lines.append(self.killed or "no word why")
        return " / ".join(lines)


@dataclass(frozen=True)
class Progress:
    """How far a submission has come, by its job directory."""

    directory: str
    receipt: bool = False
    submitted_at: int | None = None
    extent: TaskRange | None = None
    name: str = ""
    out: str = ""
    err: str = ""
    digest: str = ""
    claim: str = ""
    phase: str = ""
    age: int = 0
    alive: str = ""
    token: str = ""
    ended: bool = False
    status: int = 0  # of the submit command

    @property
    def killed(self) -> str:
        """The signal that ended the submit command, or one below a site's wrapper, as a shell names it; or nothing."""
        ended_by = self.status - _SIGNALLED
        if not 0 < ended_by <= _LAST_SIGNAL:
            return ""
        known = ended_by in signal.valid_signals()  # over here, where there may be fewer
        return (signal.strsignal(ended_by) if known else None) or f"signal {ended_by}"

    @classmethod
    def of(cls, answer: Answer) -> Progress:
        """Read the sections of `inspect`."""
        if "refused" in answer:
            raise NotSubmitted(f"nothing submitted: {reason(answer)}")
        found = cls(answer["directory"].exact.rstrip("\n"), digest=answer.text("digest"), claim=answer.text("claim"))
        if "receipt" in answer:
            return replace(found, err=answer["receipt"].errors).with_receipt(answer["receipt"].text)
        words = answer.text("attempt").split(" ")
        if len(words) < 3:
            return found
        found = replace(found, phase=words[0], age=number(words[1]) or 0, alive=words[2])
        if "answer" in answer:
            said = answer["answer"]
            if said.status is None:  # whole lines count
                return replace(found, out=said.text[: said.text.rfind("\n") + 1], err=said.errors)
            return replace(found, ended=True, out=said.text, err=said.errors, status=said.status)
        return replace(found, token=words[3] if len(words) > 3 else "")

    def with_receipt(self, receipt: str) -> Progress:
        """As its receipt says: `WHEN [TASKS NAME]` on the first line, then what the scheduler said."""
        head, _, out = receipt.partition("\n")
        when, tasks, called = (*head.split(" ", 2), "", "")[:3]
        return replace(self, receipt=True, submitted_at=number(when), extent=_extent(tasks), name=called, out=out)


def _extent(text: str) -> TaskRange | None:
    """The tasks of an array job, in whatever order they are told; None where none are."""
    try:
        return TaskRange.of(TaskRange.parse(text.strip()).numbers()) if text.strip() else None
    except InvalidInput:
        return None


def look(session: Session, job: Job) -> Found:
    """Look once. Raises Unreachable, and NotSubmitted when there can be no job directory."""
    return judge(session, job, session.ask(step(session, job, "inspect")))


def judge(session: Session, job: Job, answer: Answer, ours: str = "") -> Found:
    """What an answer of `submit` or `inspect` means, asking further where it leaves that open.

    `ours` is the token of an attempt that is known to be over, since we were it. Raises as `look`, and SchedulerError
    for a receipt that is not understood.
    """
    progress = Progress.of(answer)
    scheduler = session.scheduler
    accepted = scheduler.parse_submission(progress.out, progress.err)
    if progress.receipt:
        if not accepted:
            raise SchedulerError(f"{session.name}: the receipt in {progress.directory} is not understood")
        return Found(Verdict.JOB, recorded(job, progress, accepted), progress.out, progress.err)
    if not progress.phase and not progress.claim:
        return Found(Verdict.NONE, job)
    if not progress.ended and progress.alive == "yes" and scheduler.undecided(progress.err):
        return Found(Verdict.UNKNOWN, job)
    claimed = _claimed(job, progress)
    found = accepted or claimed
    if not found and progress.phase == "putting":
        over = progress.token == ours or progress.alive == "no" or progress.age > GRACE
        return Found(Verdict.NONE if over else Verdict.UNKNOWN, job, token=progress.token)
    if not found:
        try:
            found = find(session, job.key)
        except SchedulerError as error:
            return Found(Verdict.UNKNOWN, job, trouble=str(error))
    if found and not found.name:  # an answer that tells neither name nor tasks, and nobody could ask for them yet
        try:
            # Others may carry the same mark: what the body submitted itself, what a removed job directory belonged to.
            marked = marks(session, [found.job_id]).get(job.key, [])
            found = next((each for each in marked if each.job_id == found.job_id), claimed or found)
        except SchedulerError as error:
            return Found(Verdict.UNKNOWN, job, trouble=str(error))
    if found:
        return _confirm(session, job, progress, found, accepted=bool(accepted))
    given_up = progress.age > GRACE and (progress.alive != "yes" or progress.age > _ANOTHER_PROCESS)
    # A submit command that was killed may have left its request behind.
    certain = progress.ended and not progress.killed and not scheduler.doubtful(progress.err)
    if certain or given_up:
        only_asked = certain and progress.status == 0
        return Found(
            Verdict.NONE, job, progress.out, progress.err, "asked",
            refused=progress.ended, only_asked=only_asked, killed=progress.killed,
        )  # fmt: skip
    return Found(Verdict.UNKNOWN, job)


def _confirm(session: Session, job: Job, progress: Progress, found: Submitted, *, accepted: bool) -> Found:
    """Keep over there what the scheduler would have said, and say it."""
    line = progress.out.rstrip("\n") if accepted else session.scheduler.receipt(found)
    details = f"{found.array or '-'} {found.name}"
    answer = session.ask(step(session, job, "confirm", receipt=line, details=details))
    if "refused" in answer:
        lost = f"job {found.job_id} is submitted, but over there is no note of it: {reason(answer)}"
        print(one_line(f"{session.name}: {lost}", 1000), file=sys.stderr)
    else:
        progress = Progress.of(answer)
    progress = replace(progress, out=progress.out or f"{line}\n")
    return Found(Verdict.JOB, recorded(job, progress, found), progress.out, progress.err)


def reason(answer: Answer) -> str:
    """Why a program refused: each line once, without the shell's own `/bin/sh: 12: `."""
    lines = [re.sub(r"^\S*sh: (line )?\d+: ", "", line) for line in answer.text("refused").splitlines()]
    return " / ".join(dict.fromkeys(line for line in lines if line.strip()))


def _claimed(job: Job, progress: Progress) -> Submitted | None:
    """The job that has begun the work of this key, if one has. Its claim is `ID`, `ID.TASKS` of an array job, or `ID.?`
    of one that does not know its tasks: without a name, so that it is asked for.
    """
    job_id, _, tasks = progress.claim.partition(".")
    name = "" if tasks == "?" else job.name
    return Submitted(job_id, name, _extent(tasks)) if job_id.isalnum() and job_id.isascii() else None


def find(session: Session, key: str) -> Submitted | None:
    """The first job that carries the mark of `key` in the queue: a body that submits itself again makes later ones.

    Raises SchedulerError when that cannot be asked.
    """
    scheduler = session.scheduler
    rows = session.query(scheduler.queue_command(), scheduler.parse_queue)
    job_ids = sorted({row.job_id for row in rows})
    return next(iter(marks(session, job_ids).get(key, ())), None) if job_ids else None


def marks(session: Session, job_ids: Sequence[str]) -> dict[str, list[Submitted]]:
    """The jobs among these that carry a mark, by its key, oldest first.

    Raises SchedulerError when that cannot be asked.
    """
    return session.query(session.scheduler.marks_command(job_ids), session.scheduler.parse_marks)


def step(session: Session, job: Job, name: str, **variables: str) -> Program:
    """One of the programs about a job directory."""
    return Program(("directory", name), {**place(session, job), **variables})


def place(session: Session, job: Job) -> dict[str, str]:
    """Where a submission was begun, whatever the configuration says by now."""
    root = job.directory.removesuffix(f"/{job.key}") if job.directory else root_of(session.cluster)
    return {"root": root, "key": job.key}


def root_of(cluster: Cluster) -> str:
    """Where this cluster's job directories go; `~/` is the home directory over there."""
    return (cluster.directory or _JOBS).rstrip("/")


def recorded(job: Job, progress: Progress, accepted: Submitted) -> Job:
    """The job with what an accepting answer says."""
    fresh = job.job_id is None
    return replace(
        job,
        job_id=accepted.job_id,
        name=accepted.name or progress.name or job.name,
        array=accepted.array or progress.extent,
        directory=progress.directory,
        answer=progress.out,
        digest=progress.digest or job.digest,
        submitted_at=progress.submitted_at,
        outcome=Outcome(State.PENDING) if fresh else job.outcome,
    )
