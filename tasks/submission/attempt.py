"""Submit once: send the files, ask the scheduler under a lock, and when the answer is lost, find out what became of it.

Each program in here may be sent again. The job directory decides: with a receipt there is a job. An attempt without one
is looked up, by the mark that the scheduler keeps and the claim that the job itself takes, before anything is submitted
again (PROTOCOL.md, "Once").
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from ..files.tree import SLOW, to_sum
from ..files.wire import Bundle, Upload
from ..login_node import Program, job_directory, quoted, source
from ..model.errors import NotSubmitted, OnlyAsked, SchedulerError
from ..model.job import Job
from ..schedulers.seam import Scheduler
from ..session import SILENCE, Answer
from ..tracking.cluster_session import ClusterSession
from .verdict import Verdict, judge, place, step

# Seconds to find out what became of an attempt before the answer is "unknown".
PATIENCE = 150
# The same when the scheduler cannot be asked at all.
PATIENCE_DOWN = 15
# Seconds until a silent submit command's job is looked up by its mark: some scripts make it wait for the job's end.
_SILENT = "3"


def where_to_insert(script: bytes) -> tuple[int, bool]:
    """The number (from 1) of the first line that is neither blank nor a comment, and whether line 1 is a `#!`."""
    lines = script.split(b"\n")
    is_code = (bool(line.strip(b" \t")) and not line.lstrip(b" \t").startswith(b"#") for line in lines)
    insert = next((number for number, code in enumerate(is_code, 1) if code), len(lines))
    return insert, script.startswith(b"#!")


def program(
    session: ClusterSession, job: Job, variables: Mapping[str, str], uploads: Bundle, script: bytes, job_file: str
) -> Program:
    """The program that submits `job`. `variables` are the scheduler's, `job_file` is the name of the submitted file."""
    insert, shebang = where_to_insert(script)
    return Program(
        ("directory", "receive", "submit"),
        {
            **place(session, job),
            **variables,
            "submitter": session.scheduler.clients.submits,
            "insert": str(insert),
            "shebang": "1" if shebang else "0",
            "job_name": job_file,
            "bare": "1" if job.bare else "",
            "patience": _SILENT,
        },
        session.scheduler.submit_shell(),
        uploads,
    )


def own_files(
    scheduler: Scheduler, script: bytes, arguments: Sequence[str], about: bytes, digest: str, *, sweep: bool = False
) -> list[Upload]:
    """The files that submithost itself puts into the job directory."""
    given = f"submithost_given() (\nblock=/proc/$$/environ\n{source('given.sh')}\nfacts\nkept\n)"
    names = ("run", *(["run_row"] if sweep else []), "run_interpreter", "run_body")
    parts = (source(f"{name}.sh") for name in names)
    run = "\n".join([scheduler.job_shell(), given, *parts])
    return [
        Upload(job_directory.own("script"), script, 0o700),
        Upload(job_directory.own("run"), run.encode(), 0o700),
        Upload(job_directory.own("args"), quoted(arguments).encode("utf-8", "surrogateescape")),
        Upload(job_directory.own("about"), about),
        Upload(job_directory.own("digest"), f"{digest}\n".encode()),
    ]


def submit(session: ClusterSession, job: Job, program: Program, *, fresh: bool) -> tuple[Job, str, str]:
    """Submit, or continue what was begun. Return the job with its ID, and what the scheduler said (stdout, stderr).

    A `fresh` key was made just now; any other may be a job already. Raises NotSubmitted when the scheduler refused,
    SchedulerError when it cannot be known yet whether there is a job; Unreachable.
    """
    deadline = time.monotonic() + PATIENCE
    asked_now = told = False
    looks = step(session, job, "inspect", submitter=program.variables["submitter"])
    answer = _send(session, program) if fresh else session.ask(looks)
    tried, in_vain = "" if fresh else None, 0  # the attempt that was released last; empty: the program was sent
    while True:
        asked_now = asked_now or "submitted_at" in answer
        found = judge(session, job, answer, submitting=True)
        if found.verdict is Verdict.JOB:
            return found.job, found.out, found.err
        in_vain = in_vain + 1 if found.verdict is Verdict.NONE and found.held == tried else 0
        why = "nobody has it in hand, and yet it cannot be begun" if in_vain > 1 else found.trouble
        trouble = f" ({why})" if why else ""
        late = time.monotonic() > deadline - (PATIENCE - PATIENCE_DOWN if trouble else 0)
        if found.verdict is Verdict.NONE:
            if found.held:
                answer = session.ask(step(session, job, "release", held=found.held))
            if found.only_asked and asked_now:
                said = "no job was made, though the submit command ended well: was it only to verify?"
                raise OnlyAsked(f"{session.name}: {said}", found.out, found.err)
            if found.refused and asked_now:
                raise NotSubmitted(f"{session.name}: no job was made: {found.words()}")
            if not late:
                if in_vain:
                    time.sleep(2)
                if not found.held:
                    answer = _send(session, program)
                    asked_now = False
                tried = found.held
                continue
        if late:
            raise not_known(session, job, trouble)
        if not told:
            session.listener.say(f"{session.name}: finding out what became of key {job.key} ...")
            told = True
        time.sleep(2)
        answer = session.ask(step(session, job, "inspect"))


def _send(session: ClusterSession, program: Program) -> Answer:
    """Send the program, and show its warnings. It is silent while files are copied or summed on the login node."""
    files = program.data.files if isinstance(program.data, Bundle) else ()
    copied = any(file.kind == "c" for file in files)
    slow = SLOW if copied else max(SILENCE, to_sum(sum(file.size() for file in files)))
    answer = session.ask(program, slow)
    for line in answer.text("warnings").splitlines():
        session.listener.say(f"{session.name}: {line}")
    return answer


def not_known(session: ClusterSession, job: Job, trouble: str = "") -> SchedulerError:
    """The error for a submission of which it is not known yet whether it is a job."""
    return SchedulerError(
        f"{session.name}: not known yet whether key {job.key} became a job{trouble}; "
        f"{job.again()} finds out and never makes a second one"
    )
