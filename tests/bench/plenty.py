"""What takes months to come together, laid down in seconds: job directories, notes, ledgers, as submithost has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from tasks.model.job import Job, Outcome, State
from tasks.model.ledger import Ledger
from tasks.model.record import to_record
from tasks.model.resources import TaskRange

_BEGAN = 1_700_000_000


def ended_jobs(cluster: str, root: Path, count: int, first: int = 1_000_001) -> Iterator[Job]:
    """Jobs that have succeeded, each with a directory of its own below `root`; IDs that no scheduler has given yet."""
    for number in range(first, first + count):
        when = _BEGAN + number
        key = f"sweep-{number:010x}"
        yield Job(
            key, cluster, "sweep", "sweep.sh", "0" * 64, f"{root}/{key}", job_id=str(number),
            answer=f'Your job {number} ("sweep") has been submitted\n', submitted_at=when,
            outcome=Outcome(State.SUCCEEDED, 0, when + 1, when + 2), fetched_at=when + 3,
            digest="script:0123456789abcdef0123 flags:0123456789abcdef0123",
        )  # fmt: skip


def remember(person_home: Path, jobs: Sequence[Job]) -> None:
    """The ledger of somebody who submitted these."""
    Ledger(person_home / ".local" / "state" / "submithost" / "ledger.sqlite").update(*jobs)


def lay(job: Job) -> None:
    """The job directory of an ended job."""
    mine = Path(job.directory or "", ".submithost")
    (mine / "notes" / "0").mkdir(parents=True, mode=0o700)
    (mine / "attempt").mkdir(mode=0o700)
    fresh = replace(job, job_id=None, answer="", submitted_at=None, outcome=Outcome(State.UNKNOWN), fetched_at=None)
    texts = {
        "about": json.dumps({**to_record(fresh), "submission": {"key": job.key}, "inputs": {}, "before": []}),
        "receipt": f"{job.submitted_at} \n{job.answer}",
        "receipt.err": "", "digest": f"{job.digest}\n", "put": f"6 {job.submitted_at}.0000000000 sweep.sh\0",
        "script": "#!/bin/sh\necho\n", "args": "", "attempt/out": job.answer, "attempt/status": "0\n",
    }  # fmt: skip
    for name, text in texts.items():
        (mine / name).write_text(text)
    (mine / "run").write_bytes(b"#" * 20_000)
    if not job.array:
        note(job, 0, job.outcome.started_at or 0, job.outcome.ended_at or 0)
    Path(job.directory or "", f"sweep.o{job.job_id}").write_text("done\n" * 100)


def note(job: Job, task: int, started_at: int, ended_at: int) -> None:
    """The notes of a task (0: of a job without tasks) that has succeeded."""
    folder = Path(job.directory or "", ".submithost", "notes", str(task // 1000))
    folder.mkdir(parents=True, exist_ok=True)
    log = f"{job.directory}/sweep.{{}}{job.job_id}.{task}"
    about = f"{job.key} {job.job_id} {task}"
    start = f"start {about} {started_at} node1\nout {log.format('o')}\nerr {log.format('e')}\n"
    (folder / f"{task}.start").write_text(start)
    (folder / f"{task}.end").write_text(f"end {about} {ended_at} 0\n")


def array_job(cluster: str, root: Path, job_id: str, tasks: int, ended: int) -> Job:
    """An array job of which so many tasks have noted their end; its directory is laid, and it is not known to end."""
    job = Job(
        f"array-{job_id}", cluster, "sweep", "sweep.sh", "0" * 64, f"{root}/array-{job_id}", job_id=job_id,
        array=TaskRange(1, tasks), answer=f'Your job-array {job_id}.1-{tasks}:1 ("sweep") has been submitted\n',
        submitted_at=_BEGAN, outcome=Outcome(State.PENDING),
    )  # fmt: skip
    lay(job)
    for task in range(1, ended + 1):
        note(job, task, _BEGAN + task, _BEGAN + task + 60)
    return job
