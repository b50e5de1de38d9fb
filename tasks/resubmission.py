"""Submit again what was submitted before: its script, flags and inputs are read from its job directory.

An array job's failed tasks need not be one range, and the scheduler takes one range at a time (G42), so a resubmission
may be several jobs. Each has a key of its own, `KEY.rN`, in which N counts: the same resubmit again, after whatever
broke, continues the N that it has begun, and begins the next one only when all of that are jobs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from . import output
from .listing import SLOW
from .login_node import Program
from .model.errors import InvalidInput, SchedulerError
from .model.job import Job, State, check_key
from .model.resources import TaskRange, ranges_of
from .preparation import Prepared, collect, finish
from .schedulers import Submission
from .session import Session
from .submitting import show_steps, submit_once
from .watching import Watch

_DID_NOT_SUCCEED = (State.FAILED, State.CANCELLED, State.VANISHED)


@dataclass(frozen=True)
class Original:
    """A submission as its job directory has it. `inputs` are the files put there; `changed` those not as they were."""

    script: bytes
    submission: Submission
    inputs: tuple[str, ...]
    changed: tuple[str, ...]
    done: frozenset[str]


def resubmit_job(
    session: Session, job: Job, tasks: Sequence[int], put: Sequence[str], *, failed: bool, dry_run: bool, quiet: bool
) -> list[Job]:
    """Submit `job` again, or these tasks of it, or with `failed` those that did not succeed; return the new jobs.

    Raises InvalidInput, SchedulerError, Unreachable.
    """
    parts = _parts(session, job, tasks, failed=failed)
    if not parts:
        output.say(f"{job.title()}: nothing of it failed, nothing is submitted")
        return []
    original = _read(session, job.there())
    files = collect(put, session.scheduler)
    given = {file.name for file in files}
    inputs = [name for name in original.inputs if name not in given]
    if changed := [name for name in original.changed if name not in given]:
        what = f"{len(changed)} inputs, {changed[0]} among them," if len(changed) > 1 else f"the input {changed[0]}"
        raise InvalidInput(f"{job.title()} changed or removed {what} over there: give it again with --put")
    new = []
    for key, part in _keys(session, job, parts, original.done):
        submission = replace(original.submission, key=key, hold=False, after=())
        if part:
            submission = replace(submission, resources=replace(submission.resources, array=part))
        root = (job.directory or "").removesuffix(f"/{job.key}")
        fresh = Job(
            key, job.cluster, job.name, job.script, job.script_hash, f"{root}/{key}", job.bare,
            origin=job.origin or job.key,
        )  # fmt: skip
        prepared = finish(fresh, original.script, submission, files, {}, session.cluster, session.scheduler)
        if dry_run:
            output.say(f"{session.name}: {len(inputs)} inputs from {job.directory}")
            show_steps(session, prepared)
        else:
            new.append(_submit(session, job, prepared, inputs, quiet=quiet))
    return new


def _submit(session: Session, job: Job, prepared: Prepared, inputs: Sequence[str], *, quiet: bool) -> Job:
    known = session.ledger.by_key(session.name, prepared.job.key)
    if inputs and not (known and known.job_id):
        names = [name.encode("utf-8", "surrogateescape") for name in inputs]
        root = (prepared.job.directory or "").removesuffix(f"/{prepared.job.key}")
        variables = {"root": root, "key": prepared.job.key, "from": job.directory or ""}
        data = [f"{len(name)}\n".encode() + name for name in names]
        session.must(Program(("directory", "copy"), variables, data=data), SLOW)
    return submit_once(session, prepared, prepared.job, lambda _: None, quiet=quiet)


def _parts(session: Session, job: Job, tasks: Sequence[int], *, failed: bool) -> list[TaskRange | None]:
    """The ranges of tasks to submit again; None: a job that is no array. Raises InvalidInput for what has not ended."""
    watch = Watch(session, [(job, tuple(tasks))])
    watch.look()
    (now,) = watch.shown()
    if watch.trouble:
        raise SchedulerError(f"{session.name}: could not ask: {watch.trouble}")
    if not failed and not now.state.ended:
        raise InvalidInput(f"{now.title()} is {now.state}: wait for its end, or cancel it")
    if not now.array:
        return [None] if not failed or now.state in _DID_NOT_SUCCEED else []
    if failed:
        return list(ranges_of([number for number, task in now.tasks.items() if task.state in _DID_NOT_SUCCEED]))
    return list(ranges_of(tasks)) if tasks else [now.array]


def _keys(
    session: Session, job: Job, parts: Sequence[TaskRange | None], done: Collection[str]
) -> list[tuple[str, TaskRange | None]]:
    """A key for each part: those of the first N of which not all are jobs already."""
    number = 0
    while True:
        number += 1
        base = f"{job.origin or job.key}.r{number}"
        keys = [check_key(f"{base}.{_word(part)}" if part else base) for part in parts]
        known = [session.ledger.by_key(session.name, key) for key in keys]
        if not all((one and one.job_id) or key in done for key, one in zip(keys, known, strict=True)):
            return list(zip(keys, parts, strict=True))


def _word(part: TaskRange) -> str:
    """Short, and of these tasks alone."""
    digest = f".{hashlib.sha256(str(part).encode()).hexdigest()[:8]}" if part.also else ""
    return f"{part.first}-{part.last}.{part.step}{digest}"


def _read(session: Session, job: Job) -> Original:
    """Raises SchedulerError when the job directory is gone or not understood."""
    root, key = (job.directory or "").removesuffix(f"/{job.key}"), job.origin or job.key
    program = Program(("original",), {"directory": job.directory or "", "root": root, "key": key})
    answer = session.must(program, SLOW)
    try:
        submission = Submission.of(json.loads(answer["about"].out)["submission"])
    except (ValueError, KeyError, TypeError, RecursionError):
        where = f"{session.name}: {job.directory}/.submithost/about"
        raise SchedulerError(f"{where} does not say how it was submitted: submit its script again") from None
    now = {}
    for entry in _entries(answer["now"].out):
        kind, _, rest = entry.partition(" ")
        now[rest] = kind
    directories = {rest.split(" ", 2)[2] for rest, kind in now.items() if kind == "d"}
    put = [entry for entry in _entries(answer["put"].out) if entry.split(" ", 2)[2] not in directories]
    put = [entry for entry in put if entry.split(" ", 2)[2] not in session.scheduler.own_files]
    inputs = tuple(entry.split(" ", 2)[2] for entry in put if now.get(entry) == "f")
    changed = tuple(entry.split(" ", 2)[2] for entry in put if entry not in now)
    return Original(answer["script"].out, submission, inputs, changed, frozenset(answer.text("done").split("\n")))


def _entries(data: bytes) -> list[str]:
    """Entries with at least three words, as `find` prints them."""
    entries = data.decode("utf-8", "surrogateescape").split("\0")
    return [entry for entry in entries if entry.count(" ") >= 2]
