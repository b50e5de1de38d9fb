"""Read a submission from its job directory, to submit it again."""

from __future__ import annotations

import json
from dataclasses import dataclass

from ..files.tree import SLOW
from ..login_node import Program, job_directory
from ..model.errors import SchedulerError
from ..model.job import Job
from ..schedulers.values import Submission
from ..tracking.cluster_session import ClusterSession
from .repeat_keys import stem

# The most bytes of a submission, which are mostly its script's, and of the lists of its inputs.
_MOST = 96 << 20
_WITHIN = {"script": 52 << 20, "about": 8 << 20, "put": 8 << 20, "now": 8 << 20, "done": 1 << 20}


@dataclass(frozen=True)
class Original:
    """A submission as its job directory has it.

    `inputs` are the files put there, with a digest each where that was written down; `changed` those not as they were;
    `after` the conditions, as `run` reads them, `before` the keys that these were made of; `done` the keys of jobs that
    repeat it; `rows` the names of ours that have the rows of a sweep.
    """

    script: bytes
    submission: Submission
    inputs: dict[str, str]
    changed: tuple[str, ...]
    after: str
    before: list[tuple[str, list[int]]]
    done: frozenset[str]
    rows: tuple[str, ...]


def read_original(session: ClusterSession, job: Job) -> Original:
    """Raises SchedulerError when the job directory is gone or not understood."""
    root = (job.directory or "").removesuffix(f"/{job.key}")
    variables = {"directory": job.directory or "", "root": root, "key": stem(job)}
    program = Program(("directory", "original"), variables, most=_MOST, within=_WITHIN)
    answer = session.must(program, SLOW)
    try:
        about = json.loads(answer["about"].out)
        submission = Submission.of(about["submission"])
        digests = dict(about.get("inputs", {}))
        before = [(str(key), list(tasks)) for key, tasks in about.get("before", ())]
    except (ValueError, KeyError, TypeError, RecursionError):
        where = f"{session.name}: {job.directory}/{job_directory.own('about')}"
        raise SchedulerError(f"{where} does not say how it was submitted: submit its script again") from None
    now = {}
    for entry in _entries(answer["now"].names):
        kind, _, rest = entry.partition(" ")
        now[rest] = kind
    directories = {rest.split(" ", 2)[2] for rest, kind in now.items() if kind == "d"}
    put = _entries(answer["put"].names)
    laid = tuple(path for path in (entry.split(" ", 2)[2] for entry in put) if path in directories)
    put = [entry for entry in put if entry.split(" ", 2)[2] not in directories]
    put = [entry for entry in put if entry.split(" ", 2)[2] not in session.scheduler.own_files]
    kept = [*laid, *(entry.split(" ", 2)[2] for entry in put if now.get(entry) in ("f", "l"))]
    inputs = {name: str(digests.get(name, "")) for name in kept}
    changed = tuple(entry.split(" ", 2)[2] for entry in put if entry not in now)
    done = frozenset(answer.text("done").split("\n"))
    rows = tuple(name for name in ("rows", "scripts") if name in answer.text("rows").split())
    return Original(answer["script"].out, submission, inputs, changed, answer["after"].exact, before, done, rows)


def _entries(data: bytes) -> list[str]:
    """Entries with at least three words, as `find` prints them."""
    entries = data.decode("utf-8", "surrogateescape").split("\0")
    return [entry for entry in entries if entry.count(" ") >= 2]
