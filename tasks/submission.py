"""Submit once: send the files, ask the scheduler under a lock, and when the answer is lost, find out what became of it.

Each program in here may be sent again. What the job directory says decides: a receipt is a job; an attempt without
one is looked up, by the mark that the scheduler keeps and by the claim that the job itself takes, before anything is
submitted again (PROTOCOL.md, "Once").
"""

from __future__ import annotations

import hashlib
import re
import secrets
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .login_node import Program, quoted, source
from .model.cluster import Cluster
from .model.errors import InvalidInput, NotSubmitted, SchedulerError
from .model.job import Job, Outcome, State
from .schedulers import Scheduler, Submitted
from .session import Answer, Session

# An attempt whose qsub may still be under way is left alone that long (seconds, by the cluster's clock): more than the
# lag of a shared file system, and more than a qmaster takes to show what it has accepted.
GRACE = 60
# How long the truth about an attempt is looked for before the answer is "unknown".
PATIENCE = 150
_JOBS = "~/.submithost/jobs"
# Until a qsub that says nothing is looked up by its mark (`-sync y` says nothing until the job has ended).
_SILENT = "3"


@dataclass(frozen=True)
class Upload:
    """A file for the job directory: a text of ours, or a local file of the user's."""

    name: str
    content: bytes | Path
    mode: int = 0o600
    modified: str = "-"  # seconds since 1970; `-`: when it arrives

    def pieces(self) -> Iterator[bytes]:
        """The header that `submit.sh` reads, and the content. Raises InvalidInput when the file is not readable."""
        digest, size = hashlib.sha256(), 0
        for piece in self._read():
            digest.update(piece)
            size += len(piece)
        name = self.name.encode("utf-8", "surrogateescape")
        yield f"file {self.mode:o} {self.modified} {size} {digest.hexdigest()} {len(name)}\n".encode() + name
        yield from self._read()

    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def _read(self) -> Iterator[bytes]:
        if isinstance(self.content, bytes):
            yield self.content
            return
        try:
            with self.content.open("rb") as file:
                while piece := file.read(1 << 18):
                    yield piece
        except OSError as error:
            raise InvalidInput(f"cannot read {self.content}: {error.strerror}") from None


@dataclass(frozen=True)
class Uploads:
    """All files of a submission, as the data of its program; it may be sent again."""

    files: Sequence[Upload]
    progress: Callable[[int], None] = lambda _: None

    def __iter__(self) -> Iterator[bytes]:
        for file in self.files:
            for piece in file.pieces():
                yield piece
                self.progress(len(piece))
        yield b"done\n"


def where_to_insert(script: bytes) -> tuple[int, bool]:
    """The number (from 1) of the first line that is neither blank nor a comment, and whether line 1 is a `#!`."""
    lines = script.split(b"\n")
    is_code = (bool(line.strip(b" \t")) and not line.lstrip(b" \t").startswith(b"#") for line in lines)
    insert = next((number for number, code in enumerate(is_code, 1) if code), len(lines))
    return insert, script.startswith(b"#!")


def program(
    session: Session, job: Job, variables: Mapping[str, str], uploads: Uploads, script: bytes, job_file: str
) -> Program:
    """The program that submits `job`: `variables` are the scheduler's, `job_file` the name of the submitted file."""
    insert, shebang = where_to_insert(script)
    return Program(
        ("directory", "receive", "submit"),
        {
            **_place(session, job),
            "token": secrets.token_hex(8),
            **variables,
            "insert": str(insert),
            "shebang": "1" if shebang else "0",
            "job_name": job_file,
            "bare": "1" if job.bare else "",
            "patience": _SILENT,
        },
        session.scheduler.before_submit,
        uploads,
    )


def _place(session: Session, job: Job) -> dict[str, str]:
    # Where the submission was begun, whatever the configuration says by now.
    root = job.directory.removesuffix(f"/{job.key}") if job.directory else root_of(session.cluster)
    return {"root": root, "key": job.key}


def root_of(cluster: Cluster) -> str:
    """Where this cluster's job directories go; `~/` is the home directory over there."""
    return (cluster.directory or _JOBS).rstrip("/")


def own_files(scheduler: Scheduler, script: bytes, arguments: Sequence[str], about: bytes) -> list[Upload]:
    """What submithost itself lays into the job directory."""
    run = f"{scheduler.in_job}\n{source('run.sh')}"
    return [
        Upload(".submithost/script", script, 0o700),
        Upload(".submithost/run", run.encode(), 0o700),
        Upload(".submithost/args", quoted(arguments).encode("utf-8", "surrogateescape")),
        Upload(".submithost/about", about),
    ]


@dataclass(frozen=True)
class _Progress:
    """How far a submission has come, by its job directory."""

    directory: str
    receipt: bool = False
    submitted_at: int | None = None
    out: str = ""
    err: str = ""
    claim: str = ""
    phase: str = ""
    age: int = 0
    alive: str = ""
    token: str = ""
    ended: bool = False

    @classmethod
    def of(cls, answer: Answer) -> _Progress:
        """Read the sections of `inspect`."""
        if "refused" in answer:
            raise NotSubmitted(f"nothing submitted: {_reason(answer)}")
        found = cls(answer["directory"].exact.rstrip("\n"), claim=answer.text("claim"))
        if "receipt" in answer:
            when, _, out = answer["receipt"].text.partition("\n")
            submitted_at = int(when) if when.isdecimal() else None
            return replace(found, receipt=True, submitted_at=submitted_at, out=out, err=answer["receipt"].errors)
        words = answer.text("attempt").split(" ")
        if len(words) < 3:
            return found
        found = replace(
            found, phase=words[0], age=int(words[1]) if words[1].lstrip("-").isdigit() else 0, alive=words[2]
        )
        if "answer" in answer:
            return replace(found, ended=True, out=answer["answer"].text, err=answer["answer"].errors)
        return replace(found, token=words[3] if len(words) > 3 else "")


def submit(session: Session, job: Job, program: Program) -> tuple[Job, str, str]:
    """Submit, or continue what was begun. Return the job with its ID, and what the scheduler said (stdout, stderr).

    Raises SchedulerError when it refused, or when it cannot be known yet whether there is a job; Unreachable.
    """
    answer = session.ask(program)
    asked_now = "submitted_at" in answer
    deadline = time.monotonic() + PATIENCE
    told = False
    while True:
        progress = _Progress.of(answer)
        accepted = session.scheduler.parse_submission(progress.out)
        if progress.receipt:
            if not accepted:
                raise SchedulerError(f"{session.name}: the receipt in {progress.directory} is not understood")
            return _recorded(job, progress, accepted), progress.out, progress.err
        found = accepted or _claimed(session, job, progress)
        trouble = ""
        if not found and progress.phase == "asked":
            try:
                found = find(session, job.key)
            except SchedulerError as error:
                trouble = f" ({error})"
        if found:
            line = progress.out.rstrip("\n") if accepted else session.scheduler.receipt(found)
            answer = session.ask(_step(session, job, "confirm", receipt=line))
            if "refused" in answer:
                print(f"{session.name}: job {found.job_id} is submitted, but over there is no note of it: "
                      f"{_reason(answer)}", file=sys.stderr)  # fmt: skip
                return _recorded(job, replace(progress, out=f"{line}\n"), found), f"{line}\n", progress.err
        elif not progress.phase:
            answer = session.ask(program)
            asked_now = "submitted_at" in answer
        elif progress.phase == "putting" and _abandoned(progress, program):
            answer = session.ask(_step(session, job, "release", token=progress.token))
        elif progress.phase == "asked" and not trouble and (progress.ended or _given_up(progress)):
            answer = session.ask(_step(session, job, "release", token="asked"))  # noqa: S106  # no password
            if progress.ended and asked_now:
                raise _refused(session, progress)
        elif time.monotonic() > deadline or (trouble and time.monotonic() > deadline - PATIENCE + 15):
            raise SchedulerError(
                f"{session.name}: not known yet whether key {job.key} became a job{trouble}; "
                f"the same submit with --key {job.key} finds out and never makes a second one"
            )
        else:
            if not told:
                print(f"{session.name}: finding out what became of key {job.key} ...", file=sys.stderr)
                told = True
            time.sleep(2)
            answer = session.ask(_step(session, job, "inspect"))


def _reason(answer: Answer) -> str:
    """Why a program refused: each line once, without the shell's own `/bin/sh: 12: `."""
    lines = [re.sub(r"^\S*sh: (line )?\d+: ", "", line) for line in answer.text("refused").splitlines()]
    return " / ".join(dict.fromkeys(line for line in lines if line.strip()))


def _claimed(session: Session, job: Job, progress: _Progress) -> Submitted | None:
    """The job that has begun the work of this key, if one has."""
    claimed = session.scheduler.parse_submission(progress.claim)
    return replace(claimed, name=job.name) if claimed else None


def find(session: Session, key: str) -> Submitted | None:
    """The job that carries the mark of `key` in the queue. Raises SchedulerError when that cannot be asked."""
    scheduler = session.scheduler
    rows = session.query(scheduler.queue_command(), scheduler.parse_queue)
    job_ids = sorted({row.job_id for row in rows})
    if not job_ids:
        return None
    return session.query(scheduler.marks_command(job_ids), scheduler.parse_marks).get(key)


def _step(session: Session, job: Job, name: str, **variables: str) -> Program:
    return Program(("directory", name), {**_place(session, job), **variables})


def _abandoned(progress: _Progress, program: Program) -> bool:
    """Whether nobody is sending files any more: it was us, over a connection that broke, or it is dead, or silent."""
    return progress.token == program.variables["token"] or progress.alive == "no" or progress.age > GRACE


def _given_up(progress: _Progress) -> bool:
    """Whether a qsub that left no answer can have no job any more, when neither queue nor job directory show one."""
    # What still has its process number after so long is another process.
    return progress.age > GRACE and (progress.alive != "yes" or progress.age > 3600)


def _refused(session: Session, progress: _Progress) -> NotSubmitted:
    said = [line for line in f"{progress.err}\n{progress.out}".splitlines() if line.strip() and line != "Exiting."]
    return NotSubmitted(f"{session.name}: no job was made: {' / '.join(said) or 'no word why'}")


def _recorded(job: Job, progress: _Progress, accepted: Submitted) -> Job:
    fresh = job.job_id is None
    return replace(
        job,
        job_id=accepted.job_id,
        name=accepted.name or job.name,
        array=accepted.array,
        directory=progress.directory,
        answer=progress.out,
        submitted_at=progress.submitted_at,
        outcome=Outcome(State.PENDING) if fresh else job.outcome,
    )
