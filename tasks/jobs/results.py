"""Bring back what jobs left behind: only changed files, each verified, and without overwriting newer ones."""

from __future__ import annotations

import contextlib
import fnmatch
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..files.bring import Changes, RemoteFile, bring, refuse_newer
from ..files.transferred import Owners, Transferred, first_there
from ..files.tree import LISTING, SLOW, all_files, entries, inside, laid, stays_inside, summary, tell, what
from ..login_node import Program, job_directory
from ..model.errors import InvalidInput
from ..model.job import Job, Selected, State
from ..model.listener import Listener
from ..model.notes import MOST_OF_NOTES
from ..model.wording import number
from ..schedulers.values import Submitted
from ..session import GIVE_UP
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch


@dataclass(frozen=True)
class Fetched(Transferred):
    """The files that were brought of one job, or of the tasks that were named."""

    job: Job
    tasks: tuple[int, ...] = ()


def fetch(
    watch: Watch,
    selected: Sequence[Selected],
    to: Path | None,
    only: Sequence[str] = (),
    *,
    force: bool = False,
    here: Path = Path(),
    owners: Owners,
) -> Iterator[Fetched]:
    """Bring the results of these jobs, one by one; several jobs go into directories of their own.

    Without `to` each goes into such a directory below `here`. What a later job has repaired comes as if it had
    succeeded at first.

    Raises InvalidInput when something here is in the way, and at the end when files here are newer and were left;
    SchedulerError when a job directory is gone, Unreachable.
    """
    session = watch.session
    session.endurance = GIVE_UP
    for job, _ in selected:
        job.there()
    kept: list[str] = []
    watch.look()  # before its files are listed: if the job has ended, the list is complete
    for job, tasks in ((watch.jobs[job.key], tasks) for job, tasks in selected):
        _say_if_alive(session.listener, job, tasks)
        own = "".join(char if char.isprintable() and char != "/" else "_" for char in f"{job.name}-{job.job_id}")
        target = (to / own if len(selected) > 1 else to) if to else here / own
        ours = not to or len(selected) > 1
        if ours:
            _check_ours(target)
        for fetched in _fetch_one(watch, job, tasks, target, only, force=force, ours=ours, owners=owners):
            kept += fetched.newer
            yield fetched
    refuse_newer(kept)


def _fetch_one(
    watch: Watch,
    job: Job,
    tasks: Sequence[int],
    target: Path,
    only: Sequence[str],
    *,
    force: bool,
    ours: bool,
    owners: Owners,
) -> Iterator[Fetched]:
    """Bring the files of one job; once they were reported, note that it was fetched."""
    session = watch.session
    parts = [(each, tasks if each.array else ()) for each in watch.with_repeats(job)]
    looked = [(each, *_look(session, watch, each, of)) for each, of in parts]
    # Files of a later job replace those of the job that it repeats.
    whose = {file.name: (each, file) for each, _, files in looked for file in files if _wanted(file.name, only)}
    found = [file for _, file in whose.values()]
    if only and not found:
        raise InvalidInput(f"{job.title()} left nothing behind that matches {' or '.join(only)}")
    if first := first_there(owners, target, job.title()):
        already = f"{target} already has the results of {first}"
        raise InvalidInput(f"{already}; fetch {job.title()} by itself, with a --to of its own")
    changes = Changes.between(found, target, force=force)
    if ours and changes.wanted:
        with contextlib.suppress(OSError):  # reported when the first file is written
            target.mkdir(mode=0o700, parents=True)
        _check_ours(target)
    missing = []
    for each, _ in parts:
        of_it = [file for file in changes.wanted if whose[file.name][0] is each]
        missing += bring(session, each.directory or "", target, of_it)
    files = tuple(target / file.name for file in changes.wanted)
    said = f"{job.title()}: {_said(changes, target, found)}"
    in_the_end = next(each for each in watch.shown() if each.key == job.key)
    yield Fetched(str(target), files, changes.unchanged, tuple(changes.newer), said, in_the_end, tuple(tasks))
    if not (tasks or missing or changes.newer):
        for each, now, _ in looked:
            if watch.jobs[each.key].state.final and not each.by_hand:
                with session.ledger.leniently():
                    session.ledger.note(each, **{"in_part_at" if only else "fetched_at": now})


def _said(changes: Changes, target: Path, found: Sequence[RemoteFile]) -> str:
    """What was brought, in words."""
    if not found:
        return "it left nothing behind"
    if not (changes.wanted or changes.newer):
        return f"nothing to bring: {all_files(changes.unchanged)} in {target} already"
    same_here = f", {changes.unchanged} unchanged" if changes.unchanged else ""
    return f"{summary([file.entry for file in changes.wanted])} into {target}{same_here}"


def _say_if_alive(listener: Listener, job: Job, tasks: Sequence[int]) -> None:
    """Say that a job is still running: its results are incomplete."""
    state = job.only(tasks).state
    if state is State.UNKNOWN:
        listener.say(f"{job.title()} is not known to have ended: this is what there is of it now")
    elif not state.ended:
        listener.say(f"{job.title()} is still {state}: this is what there is of it so far")


def _check_ours(target: Path) -> None:
    """Raises InvalidInput for somebody else's directory: the name can be guessed, and planted in a place like /tmp."""
    with contextlib.suppress(FileNotFoundError):
        if target.lstat().st_uid != os.geteuid():
            raise InvalidInput(f"{target} belongs to somebody else: fetch into a directory of your own with --to")


def _look(session: ClusterSession, watch: Watch, job: Job, tasks: Sequence[int]) -> tuple[int, list[RemoteFile]]:
    """The files that the job made, its logs among them; and when they were listed."""
    if job.by_hand:
        return 0, _look_by_hand(session, job)
    notes = session.ask(
        Program(
            ("look",),
            {"queue": "", "seconds": "0", "first": "0", "every": "1", "logs": "1"},
            data=[_line(job)],
            most=MOST_OF_NOTES,
        )
    )
    watch.notes.read(notes["notes"].exact)
    logs = {
        path
        for task, each in watch.notes.logs.get(job.key, {}).items()
        for path in (each.out, each.err)
        if path.startswith("/") and path != "/dev/null" and (not tasks or task in tasks)
    }
    elsewhere = [path for path in sorted(logs) if not path.startswith(f"{job.directory}/")]
    data = "".join(f"{path}\n" for path in elsewhere).encode("utf-8", "surrogateescape")
    program = Program(("manifest",), {"directory": job.directory or ""}, data=[data], most=LISTING)
    answer = session.must(program, SLOW)
    put = {(entry.size, entry.modified, entry.path) for entry in laid(answer["put"].names)}
    found, left = [], []
    rows = tuple(f"{job_directory.ROWS}/{job.rows.number(task)}/" for task in tasks if job.sweep)
    for entry in entries(answer["files"].names, answer["logs"].names):
        path = entry.path
        name = path.rpartition("/")[2] if path.startswith("/") else path
        if entry.kind == "f" or (entry.kind == "l" and stays_inside(name, entry.link)):
            if _linked_in(path, entry.link) or (entry.size, entry.modified, path) in put:
                continue
            if not tasks or _absolute(job, path) in logs or path.startswith(rows):
                found.append(RemoteFile(path, inside(name, session), entry))
        else:
            left.append(f"{path} is left there: {what(entry)}")
    tell(session.listener, job.title(), left)
    return number(notes.text("now")) or 0, found


def _look_by_hand(session: ClusterSession, job: Job) -> list[RemoteFile]:
    """The logs of a job by hand, where it ran: any other file there may be another's. Raises InvalidInput."""
    if not job.directory:
        raise InvalidInput(f"{job.title()}: accounting does not tell where it ran; `get` brings its logs")
    names = session.scheduler.log_names(Submitted(job.job_id or "", job.name, job.array))
    data = "".join(f"{name}\n" for name in names).encode("utf-8", "surrogateescape")
    answer = session.must(Program(("logs_by_hand",), {"directory": job.directory}, data=[data], most=LISTING))
    logs = [entry for entry in entries(answer["files"].out) if "/" not in entry.path]
    return [RemoteFile(entry.path, inside(entry.path, session), entry) for entry in logs]


def _linked_in(path: str, link: str) -> bool:
    """Whether it is the link to a file of --put in the directory of a row."""
    folder, _, rest = path.partition("/")
    return folder == job_directory.ROWS and rest.count("/") == 1 and link == f"../../{rest.partition('/')[2]}"


def _absolute(job: Job, path: str) -> str:
    return path if path.startswith("/") else f"{job.directory}/{path}"


def _line(job: Job) -> bytes:
    return f"{job.directory}\n".encode("utf-8", "surrogateescape")


def _wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(fnmatch.fnmatch(name, p) or fnmatch.fnmatch(PurePosixPath(name).name, p) for p in only)
