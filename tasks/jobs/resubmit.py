"""Submit again what was submitted before: its script, flags and inputs are read from its job directory.

An array job's failed tasks need not be one range, and the scheduler takes one range at a time (G42), so a resubmission
may be several jobs. Each has a key of its own, `KEY.rN`: the same resubmit again, after whatever broke, continues N.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..files.tree import SLOW
from ..login_node import Program, job_directory
from ..model.errors import InvalidInput, NotRecorded, SchedulerError
from ..model.job import Job, State
from ..model.key import check_key
from ..model.repairs import by_origin, later
from ..model.resources import TaskRange, ranges_of
from ..schedulers.values import Submission
from ..submission import conditions
from ..submission.attempt import Upload
from ..submission.digest import digest_again, inputs_of, keys_of
from ..submission.job_file import clock_of, write_job_file
from ..submission.prepare import Prepared, collect, finish
from ..submission.reconcile import confirmed, not_known_yet
from ..submission.submit import Heard, ignore, submit_once
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch

_DID_NOT_SUCCEED = (State.FAILED, State.CANCELLED, State.VANISHED)
# A key has up to 128 characters, and in those of repeats there is a number and a range of tasks at the end.
_LONGEST_STEM = 80
# Bytes of a submission, most of them its script's, and of what is told of its inputs.
_MOST = 96 << 20
_WITHIN = {"script": 52 << 20, "about": 8 << 20, "put": 8 << 20, "now": 8 << 20, "done": 1 << 20}
# A job to repeat, and the tasks of it; None: all of a job that is no array job.
Part = tuple[Job, TaskRange | None]


@dataclass(frozen=True)
class Original:
    """A submission as its job directory has it.

    `inputs` are the files put there, with a digest each where that was written down; `changed` those not as they were;
    `after` the conditions, as `run` reads them, `before` the keys that these were made of; `done` the keys of jobs that
    repeat it.
    """

    script: bytes
    submission: Submission
    inputs: dict[str, str]
    changed: tuple[str, ...]
    after: str
    before: list[tuple[str, list[int]]]
    done: frozenset[str]


@dataclass(frozen=True)
class Repeat:
    """A submission that is ready to be sent, the job that it repeats, and which inputs come from that."""

    source: Job
    prepared: Prepared
    inputs: Sequence[str]


def repeats(
    session: ClusterSession, job: Job, tasks: Sequence[int], put: Sequence[str], *, failed: bool
) -> Iterator[Repeat]:
    """Make ready `job` again, or these tasks of it, or with `failed` those that did not succeed.

    Raises InvalidInput, SchedulerError, Unreachable.
    """
    say = session.listener.say
    parts = _parts(session, job, tasks, failed=failed)
    if not parts:
        say(f"{job.title()}: nothing of it is to be repaired, nothing is submitted")
        return
    originals = {source.key: _read(session, source.there()) for source, _ in parts}
    files = collect(put, session.scheduler, session.listener)
    done = {key for original in originals.values() for key in original.done}
    for key, (source, part) in zip(_keys(session, job, [part for _, part in parts], done), parts, strict=True):
        original = originals[source.key]
        if original.submission.hold:
            say(f"{source.title()} was submitted held; this time it is not")
        inputs = _inputs(source, original, files)
        yield Repeat(source, _prepare(session, source, original, key, part, files), inputs)


def submit_again(session: ClusterSession, repeat: Repeat, heard: Heard = ignore) -> Job:
    """Submit it, with copies of the inputs that lie in the earlier job directory; `heard` as in `submit_once`.

    Raises InvalidInput, JobFailed when a job that has to succeed first did not, SchedulerError, Unreachable.
    """
    paths = {name: f"{repeat.source.directory}/{name}".encode("utf-8", "surrogateescape") for name in repeat.inputs}
    copies = [Upload(name, path, kind="c") for name, path in paths.items()]
    prepared = replace(repeat.prepared, uploads=(*copies, *repeat.prepared.uploads))
    return submit_once(session, prepared, prepared.job, lambda _: None, heard)


def means_now(session: ClusterSession, file: str, job: Job, new: Sequence[Job]) -> None:
    """Write into a job file what stands for `job` from now on, and say so. Raises InvalidInput.

    That is the new job where it repeats all of it. Else it is `job`: who asks about that is told of its repairs. The
    file is as new as the work that it stands for, so that make brings the results.
    """
    whole = len(new) == 1 and len(new[0].numbers()) == len(job.numbers())
    path, jobs = Path(file), ", ".join(f"job {each.job_id}" for each in new)
    try:
        write_job_file(path, new[0] if whole else session.ledger.by_key(session.name, job.key) or job, clock_of(path))
    except NotRecorded as error:
        raise NotRecorded(f"{jobs} submitted, but {error}; it means {job.title()} still") from None
    session.listener.say(
        f"{file} means {jobs} from now on" if whole else f"{file} means {job.title()} with its repair in {jobs}"
    )


def _prepare(
    session: ClusterSession, job: Job, original: Original, key: str, part: TaskRange | None, files: Sequence[Upload]
) -> Prepared:
    """The submission of `job`, or of a part of it, under a new key. It is not held: that was for another time."""
    now = conditions.now(session, original.after)
    after = conditions.not_yet_met([part for parts in now.values() for part in parts])
    before = [pair for key, tasks in original.before for pair in (keys_of(now[key]) if key in now else [[key, tasks]])]
    ids = tuple(dict.fromkeys(each.job_id or "" for each, _ in after))
    submission = replace(original.submission, key=key, hold=False, after=ids)
    if part:
        submission = replace(submission, resources=replace(submission.resources, array=part))
    inputs = original.inputs | inputs_of(files)
    root = (job.directory or "").removesuffix(f"/{job.key}")
    fresh = Job(
        key, job.cluster, job.name, job.script, job.script_hash, f"{root}/{key}", job.bare,
        origin=job.origin or job.key, digest=digest_again(job.digest, inputs, before, session.cluster),
    )  # fmt: skip
    all_files = [*conditions.upload(after, bare=job.bare), *files]
    written = {"inputs": inputs, "before": before}
    prepared = finish(fresh, original.script, submission, all_files, written, session.cluster, session.scheduler)
    return replace(prepared, after=tuple(after))


def _inputs(job: Job, original: Original, files: Sequence[Upload]) -> list[str]:
    """The inputs that come from the earlier job directory. Raises InvalidInput for one that is not as it was."""
    given = {file.name for file in files}
    if changed := [name for name in original.changed if name not in given]:
        what = f"{len(changed)} inputs, {changed[0]} among them," if len(changed) > 1 else f"the input {changed[0]}"
        raise InvalidInput(f"{job.title()} changed or removed {what} on the login node: give it again with --put")
    return [name for name in original.inputs if name not in given]


def _parts(session: ClusterSession, job: Job, tasks: Sequence[int], *, failed: bool) -> list[Part]:
    """What to submit again. Raises InvalidInput for what has not ended, SchedulerError, Unreachable."""
    if failed:
        begun = [each for each in later(job, by_origin(session.ledger.repeats(session.name))) if not each.job_id]
        _, unknown = confirmed(session, [(each, ()) for each in begun])
        if unknown:
            raise not_known_yet(session, unknown)
    watch = Watch(session, [(job, tuple(tasks))])
    watch.look()
    (now,) = watch.shown()
    if watch.trouble:
        raise SchedulerError(f"{session.name}: could not ask: {watch.trouble}")
    if failed:
        return list(_failed(session, now))
    if not now.state.ended:
        raise InvalidInput(f"{now.title()} is {now.state}: wait for its end, or cancel it")
    if not now.array:
        return [(now, None)]
    return [(now, part) for part in (ranges_of(tasks) if tasks else [now.array])]


def _failed(session: ClusterSession, job: Job) -> Iterator[Part]:
    """The tasks that have not succeeded yet, as far as no repeat of them may still do so; each of the last job that
    ran it."""
    numbers = job.tasks if job.array else (0,)
    sources = {job.key: job, **{each.key: each for each in job.repairs.values()}}
    parts: dict[str, list[int]] = {}
    for task in numbers:
        source = job.repairs.get(task, job)
        if source.of(task).state in _DID_NOT_SUCCEED:
            parts.setdefault(source.key, []).append(task)
    for key, repeat in sources.items():
        if key != job.key and not repeat.state.ended:
            tasks = [task for task, each in job.repairs.items() if each.key == key and not each.of(task).state.ended]
            which = f"tasks {', '.join(map(str, ranges_of(tasks)))}" if job.array else "it"
            session.listener.say(f"{job.title()}: {repeat.title()} is {repeat.state} and runs {which} again already")
    for key, tasks in parts.items():
        yield from ((sources[key], part if job.array else None) for part in ranges_of(tasks))


def _keys(session: ClusterSession, job: Job, parts: Sequence[TaskRange | None], done: Collection[str]) -> list[str]:
    """A key for each part: those of the first N of which not all are jobs already."""
    number = 0
    while True:
        number += 1
        base = f"{_stem(job)}.r{number}"
        keys = [check_key(f"{base}.{_word(part)}" if part else base) for part in parts]
        known = [session.ledger.by_key(session.name, key) for key in keys]
        if not all((one and one.job_id) or key in done for key, one in zip(keys, known, strict=True)):
            return keys


def _stem(job: Job) -> str:
    """What the keys of all repeats of this submission begin with: its key, shortened where no more would fit behind."""
    key = job.origin or job.key
    return key if len(key) <= _LONGEST_STEM else f"{key[:60]}-{hashlib.sha256(key.encode()).hexdigest()[:10]}"


def _word(part: TaskRange) -> str:
    """Short, and of these tasks alone."""
    digest = f".{hashlib.sha256(str(part).encode()).hexdigest()[:8]}" if part.also else ""
    return f"{part.first}-{part.last}.{part.step}{digest}"


def _read(session: ClusterSession, job: Job) -> Original:
    """Raises SchedulerError when the job directory is gone or not understood."""
    root = (job.directory or "").removesuffix(f"/{job.key}")
    variables = {"directory": job.directory or "", "root": root, "key": _stem(job)}
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
    return Original(answer["script"].out, submission, inputs, changed, answer["after"].exact, before, done)


def _entries(data: bytes) -> list[str]:
    """Entries with at least three words, as `find` prints them."""
    entries = data.decode("utf-8", "surrogateescape").split("\0")
    return [entry for entry in entries if entry.count(" ") >= 2]
