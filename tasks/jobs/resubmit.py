"""Submit again what was submitted before: its script, flags and inputs are read from its job directory.

An array job's failed tasks need not be one range, and the scheduler takes one range at a time (G42), so a resubmission
may be several jobs. Each has a key of its own, `KEY.rN`: the same resubmit again, after whatever broke, continues N.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..files.wire import Upload
from ..login_node import job_directory
from ..model.errors import InvalidInput, NotRecorded
from ..model.job import Job
from ..model.resources import TaskRange
from ..submission import conditions
from ..submission.digest import digest_again, inputs_of, keys_of
from ..submission.job_file import clock_of, write_job_file
from ..submission.prepare import Prepared, collect, finish
from ..submission.submit import Heard, ignore, submit_once
from ..tracking.cluster_session import ClusterSession
from .changed import changed
from .original import Original, read_original
from .repeat_keys import keys
from .repeated import parts_of
from .repeating import Repeating


@dataclass(frozen=True)
class Repeat:
    """A submission that is ready to be sent, the job that it repeats, and which inputs, or rows, come from that."""

    source: Job
    prepared: Prepared
    inputs: Sequence[str]


def repeats(session: ClusterSession, job: Job, tasks: Sequence[int], again: Repeating) -> Iterator[Repeat]:
    """Make ready `job` again, or these tasks of it, as `again` says.

    Raises InvalidInput, SchedulerError, Unreachable.
    """
    say = session.listener.say
    parts = parts_of(session, job, tasks, again.failed)
    if not parts:
        causes = f" that failed for {' or '.join(again.failed)}" if isinstance(again.failed, tuple) else ""
        say(f"{job.title()}: nothing of it{causes} is to be repaired, nothing is submitted")
        return
    originals = {source.key: read_original(session, source.there()) for source, _ in parts}
    asked = {source.key: changed(session, source, originals[source.key], again.changes) for source, _ in parts}
    files = collect(again.put, session.scheduler, session.listener)
    done = {key for original in originals.values() for key in original.done}
    for key, (source, part) in zip(keys(session, job, [part for _, part in parts], done), parts, strict=True):
        original = replace(originals[source.key], submission=asked[source.key])
        if original.submission.hold:
            say(f"{source.title()} was submitted held; this time it is not")
        prepared = _prepare(session, source, original, key, part, files)
        if again.changes:
            warnings = session.scheduler.check(original.script, original.submission.resources)
            prepared = replace(prepared, warnings=tuple(warnings))
        inputs = _inputs(source, original, files)
        yield Repeat(source, prepared, [*inputs, *map(job_directory.own, original.rows)])


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
        key, job.cluster, submission.resources.name or job.name, job.script, job.script_hash, f"{root}/{key}", job.bare,
        group=job.group, origin=job.origin or job.key,
        digest=digest_again(job.digest, submission, inputs, before, session.cluster),
        sweep=job.sweep, rows=job.rows,
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
