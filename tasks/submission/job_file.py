"""Job files: the key and ID of one job in a file of the user's, for Makefiles (`submit --job-file x.job`)."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from ..model import project
from ..model.errors import InvalidInput, NotRecorded
from ..model.job import Job
from ..model.record import from_record, to_record
from ..model.writing import write_beside

# The time (ns since 1970) of a job file without a job: so old that make repeats the submit, which continues it.
_NO_JOB_YET = 10**9


def read_job_file(path: Path) -> Job:
    """The job of a job file. Raises InvalidInput, also when somebody else could have changed it."""
    try:
        record = json.loads(project.current.own(path).read_text("utf-8"))
        return from_record(record)
    except OSError as error:
        raise InvalidInput(f"job file {path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise InvalidInput(f"job file {path} is not one of submithost's; a submit --job-file writes it") from None


def job_noted(path: Path) -> Job | None:
    """The job of a job file that is to be written, if it exists. Raises InvalidInput, also where others may write."""
    if os.path.lexists(path):
        return read_job_file(path)
    with contextlib.suppress(FileNotFoundError):  # told when it is written
        project.current.own(path.parent)
    return None


def claim_job_file(path: Path, job: Job) -> Job:
    """Write a new job file; return its job, or the job of whoever wrote it first. Raises InvalidInput."""
    try:
        write_job_file(path, job, place=os.link)
    except FileExistsError:
        return read_job_file(path)
    return job


def clock_of(path: Path) -> int:
    """The time (ns since 1970) by the clock of the file system of a job file."""
    try:
        with tempfile.TemporaryFile(dir=path.parent) as file:
            return os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return time.time_ns()


def confirm_job_file(path: Path, job: Job, began: int) -> None:
    """Write a job with its ID into its job file, with the time when its script was read: later changes are newer.

    A job file that has it already is left alone, and keeps its time. Raises InvalidInput.
    """
    try:
        known = read_job_file(path)
        if (known.key, known.job_id) == (job.key, job.job_id) and path.stat().st_mtime_ns != _NO_JOB_YET:
            return
    except (InvalidInput, OSError):
        pass  # removed or damaged meanwhile
    write_job_file(path, job, began)


def write_job_file(
    path: Path, job: Job, when: int = _NO_JOB_YET, place: Callable[[str, Path], None] = os.replace
) -> None:
    """Write a job file, whole or not at all, with this time. Raises InvalidInput; with `os.link`, FileExistsError."""

    def finish(temporary: str) -> None:
        os.utime(temporary, ns=(when, when))
        place(temporary, path)

    try:
        write_beside(path, f"{json.dumps(to_record(job))}\n".encode(), finish)
    except FileExistsError:
        raise
    except OSError as error:
        raise NotRecorded(f"cannot write job file {path}: {error.strerror}") from None
