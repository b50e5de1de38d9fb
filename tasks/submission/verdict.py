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

from ..login_node import Program, job_directory, quote
from ..model.cluster import Cluster
from ..model.errors import InvalidInput, NotSubmitted, SchedulerError
from ..model.job import Job, Outcome, State
from ..model.resources import MOST_FOLLOWED, TaskRange
from ..model.wording import number, one_line
from ..schedulers import Submitted
from ..session import Answer, Session

# Seconds, by the cluster's clock, since an attempt's last sign of life, after which it is over. When its process is
# known to be gone: more than the lag of a shared file system, and than a scheduler takes to show what it has accepted.
GRACE = 60
# When it is on another login node, where nobody can look; the attempt shows life as long as it lives.
_SILENT = 600
# What still has its process number after so long is another process.
_ANOTHER_PROCESS = 3600
# A shell's status of what signal N ended is 128 + N; some end with 255 of their own accord.
_SIGNALLED = 128
_LAST_SIGNAL = 64


class Verdict(Enum):
    """What a look says: there is a job, there is none and will be none, or it cannot be known yet."""

    JOB = "job"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Found:
    """A verdict. `job` has its ID if there is one; `out` and `err` are what the scheduler said to it.

    Where there is none, `held` is the attempt to release before the next one (empty: nothing is in the way), and
    `refused` says that the scheduler was asked and took nothing, `only_asked` that its command ended well: no job was
    asked for. `killed` names the signal that ended the command. `trouble`: why it could not be asked.
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
    held: str = ""  # the name of the attempt that has the lock
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
        attempts = [words for line in answer.text("attempt").splitlines() if len(words := line.split(" ")) > 2]
        if not attempts:
            return found
        # Of several that take in their files the liveliest one tells how far it is.
        words = min(attempts, key=lambda words: (words[2] == "no", number(words[1]) or 0))
        held = words[3] if len(words) > 3 and words[0] != "putting" else ""
        found = replace(found, phase=words[0], age=number(words[1]) or 0, alive=words[2], held=held)
        if "answer" not in answer:
            return found
        said = answer["answer"]
        if said.status is None:  # whole lines count
            return replace(found, out=said.text[: said.text.rfind("\n") + 1], err=said.errors)
        return replace(found, ended=True, out=said.text, err=said.errors, status=said.status)

    @property
    def over(self) -> bool:
        """Whether this attempt has ended without a word, since its process has, or shows no life any more."""
        if self.phase in ("putting", "taking"):
            return self.alive == "no" or self.age > (_ANOTHER_PROCESS if self.alive == "yes" else _SILENT)
        if self.phase == "laying":  # nothing was asked for yet, and nothing will be once it is released
            return self.alive == "no" or self.age > GRACE
        gone = self.ended or self.alive == "no"
        return self.age > (GRACE if gone else _ANOTHER_PROCESS if self.alive == "yes" else _SILENT)

    def with_receipt(self, receipt: str) -> Progress:
        """As its receipt says: `WHEN [TASKS NAME]` on the first line, then what the scheduler said."""
        head, _, out = receipt.partition("\n")
        when, tasks, called = (*head.split(" ", 2), "", "")[:3]
        return replace(self, receipt=True, submitted_at=number(when), extent=_extent(tasks), name=called, out=out)


def _extent(text: str) -> TaskRange | None:
    """The tasks of an array job, in whatever order they are told; None where none are."""
    try:
        told = TaskRange.parse(text.strip()) if text.strip() else None
    except InvalidInput:
        return None
    return TaskRange.of(told.numbers()) if told and told.also and told.size <= MOST_FOLLOWED else told


class Marks:
    """The marks in the queue, asked for once, when somebody wants to know: after the job directories were looked at."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._found: dict[str, list[Submitted]] | None = None

    def of(self, key: str, directory: str) -> Submitted | None:
        """The first job that carries the mark of `key`: a body that submits itself again makes later ones.

        Not one of another job directory, below another `directory` of the configuration, where the same key is another
        submission. Raises SchedulerError when that cannot be asked.
        """
        if self._found is None:
            scheduler = self._session.scheduler
            rows = self._session.query(scheduler.queue_command(), scheduler.parse_queue)
            self._found = marks(self._session, sorted({row.job_id for row in rows}))
        of_key = self._found.get(key, ())
        return next((each for each in of_key if each.directory in ("", directory) or self._same(each, directory)), None)

    def _same(self, submitted: Submitted, directory: str) -> bool:
        """Whether it is that directory by another name; one that was removed is taken for it."""
        there, here = quote(submitted.directory), quote(directory)
        same = f"[ ! -e {there} ] || [ {there} -ef {here} ]"
        return bool(self._session.query(same, lambda status, *_: status == 0))


def look(session: Session, jobs: Sequence[Job]) -> list[Found]:
    """Look at each of these once. Raises Unreachable."""
    answers = [session.ask(step(session, job, "inspect")) for job in jobs]
    marked = Marks(session)
    return [judge(session, job, answer, marked) for job, answer in zip(jobs, answers, strict=True)]


def judge(
    session: Session, job: Job, answer: Answer, marked: Marks | None = None, *, submitting: bool = False
) -> Found:
    """What an answer of `submit` or `inspect` means, asking further where it leaves that open.

    Whoever is `submitting` need not wait for others that still send their files, and nothing was submitted where the
    job directory was refused before anybody had begun. That nothing is in it proves no absence of a job: it may have
    been removed. Raises Unreachable, NotSubmitted to whoever is submitting, and SchedulerError for a receipt that is
    not understood.
    """
    if "unsafe" in answer or ("refused" in answer and not submitting):
        return Found(Verdict.UNKNOWN, job, trouble=reason(answer))
    progress = Progress.of(answer)
    scheduler = session.scheduler
    accepted = scheduler.parse_submission(progress.out, progress.err)
    if progress.receipt:
        if not accepted:
            raise SchedulerError(f"{session.name}: the receipt in {progress.directory} is not understood")
        return Found(Verdict.JOB, recorded(job, progress, accepted), progress.out, progress.err)
    if not progress.ended and progress.alive == "yes" and scheduler.undecided(progress.err):
        return Found(Verdict.UNKNOWN, job)
    claimed = _claimed(job, progress)
    found = accepted or claimed
    in_hand = ("laying", "taking") if submitting else ("putting", "laying", "taking")
    if not found and not progress.over and progress.phase in in_hand:
        return Found(Verdict.UNKNOWN, job)
    if not found:
        try:
            found = (marked or Marks(session)).of(job.key, progress.directory)
        except SchedulerError as error:
            return Found(Verdict.UNKNOWN, job, trouble=str(error))
    if found and not found.name:  # an answer that tells neither name nor tasks, and nobody could ask for them yet
        try:
            # Others may carry the same mark: what the body submitted itself, what a removed job directory belonged to.
            same = marks(session, [found.job_id]).get(job.key, [])
            found = next((each for each in same if each.job_id == found.job_id), claimed or found)
        except SchedulerError as error:
            return Found(Verdict.UNKNOWN, job, trouble=str(error))
    if found:
        return _confirm(session, job, progress, found, accepted=bool(accepted))
    if progress.phase != "asked":
        return Found(Verdict.NONE, job, held=progress.held)
    # A submit command that was killed may have left its request behind.
    certain = progress.ended and not progress.killed and not scheduler.doubtful(progress.err)
    if certain or progress.over:
        only_asked = certain and progress.status == 0
        return Found(
            Verdict.NONE, job, progress.out, progress.err, progress.held,
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
    told = answer.text("refused") or answer.text("unsafe")
    lines = [re.sub(r"^\S*sh: (line )?\d+: ", "", line) for line in told.splitlines()]
    return " / ".join(dict.fromkeys(line for line in lines if line.strip()))


def _claimed(job: Job, progress: Progress) -> Submitted | None:
    """The job that has begun the work of this key, if one has. Its claim is `ID`, `ID.TASKS` of an array job, or `ID.?`
    of one that does not know its tasks: without a name, so that it is asked for.
    """
    job_id, _, tasks = progress.claim.partition(".")
    name = "" if tasks == "?" else job.name
    return Submitted(job_id, name, _extent(tasks)) if job_id.isalnum() and job_id.isascii() else None


def marks(session: Session, job_ids: Sequence[str]) -> dict[str, list[Submitted]]:
    """The jobs among these that carry a mark, by its key, oldest first; and those that have ended, where the scheduler
    remembers any. Raises SchedulerError when that cannot be asked.
    """
    command = session.scheduler.marks_command(job_ids)
    return session.query(command, session.scheduler.parse_marks) if command else {}


def step(session: Session, job: Job, name: str, **variables: str) -> Program:
    """One of the programs about a job directory."""
    return Program(("directory", name), {**place(session, job), **variables})


def place(session: Session, job: Job) -> dict[str, str]:
    """Where a submission was begun, whatever the configuration says by now."""
    root = job.directory.removesuffix(f"/{job.key}") if job.directory else root_of(session.cluster)
    return {"root": root, "key": job.key}


def root_of(cluster: Cluster) -> str:
    """Where this cluster's job directories go; `~/` is the home directory over there."""
    return (cluster.directory or job_directory.ROOT).rstrip("/")


def _followed(job: Job, accepted: Submitted, progress: Progress) -> TaskRange | None:
    """The tasks that are told of; None when they are too many to follow each, which is said: it is one job to us."""
    told = accepted.array or progress.extent
    if told is None or told.size <= MOST_FOLLOWED:
        return told
    who = f"{job.cluster}: job {accepted.job_id}"
    print(f"{who}: its {told.size} tasks are not followed one by one (at most {MOST_FOLLOWED})", file=sys.stderr)
    return None


def recorded(job: Job, progress: Progress, accepted: Submitted) -> Job:
    """The job with what an accepting answer says."""
    fresh = job.job_id is None
    return replace(
        job,
        job_id=accepted.job_id,
        name=accepted.name or progress.name or job.name,
        array=_followed(job, accepted, progress),
        directory=progress.directory,
        answer=progress.out,
        digest=progress.digest or job.digest,
        submitted_at=progress.submitted_at,
        outcome=Outcome(State.PENDING) if fresh else job.outcome,
    )
