"""Bring back what jobs left behind: changed files only, each verified, and nothing newer overwritten without a word."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from . import output
from .listing import SLOW, entries, inside, laid, stays_inside, summary, tell, what
from .login_node import Program
from .model.errors import InvalidInput
from .model.job import Job
from .selection import Selected
from .session import Session
from .transfer import Found, bring, newer_here, same
from .watching import Watch

# What this command line has fetched into which directory: `-H a,b fetch --to=x` would mix two clusters' results.
_filled: dict[Path, tuple[str, str]] = {}
# Where results go that nothing else is said of.
here = Path()


def fetch(
    session: Session,
    watch: Watch,
    selected: Sequence[Selected],
    to: Path | None,
    only: Sequence[str],
    *,
    force: bool,
) -> None:
    """Bring the results of these jobs; several jobs go into directories of their own.

    Raises InvalidInput when something here is in the way, SchedulerError when a job directory is gone, Unreachable.
    """
    kept: list[str] = []
    for job, tasks in selected:
        own = f"{job.name}-{job.job_id}".replace("/", "_")
        target = (to / own if len(selected) > 1 else to) if to else here / own
        found = _look(session, watch, job, tasks)
        found = [file for file in found if _wanted(file.name, only)]
        if only and not found:
            raise InvalidInput(f"{job.title()} left nothing behind that matches {' or '.join(only)}")
        if _filled.setdefault(target.resolve(), (session.name, job.key)) != (session.name, job.key):
            already = f"{target} already has the results of another job of this command line"
            raise InvalidInput(f"{already}; fetch {job.title()} by itself, with a --to of its own")
        changed = [file for file in found if not same(file, target / file.name)]
        newer = [file for file in changed if not force and newer_here(file, target / file.name)]
        kept += [str(target / file.name) for file in newer]
        wanted = [file for file in changed if file not in newer]
        bring(session, job.directory or "", target, wanted)
        unchanged = len(found) - len(changed)
        output.say(
            f"{job.title()}: {summary([file.entry for file in wanted])} into {target}"
            + (f", {unchanged} unchanged" if unchanged else "")
        )
        for file in wanted:
            output.show_path(target / file.name)
    if kept:
        raise InvalidInput(f"not overwritten, since newer here: {', '.join(kept[:5])}; --force overwrites them")


def _look(session: Session, watch: Watch, job: Job, tasks: Sequence[int]) -> list[Found]:
    """The files that the job and its logs made."""
    notes = session.ask(
        Program(("look",), {"queue": "", "seconds": "0", "first": "0", "every": "1"}, data=[_line(job)])
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
    answer = session.must(Program(("manifest",), {"directory": job.directory or ""}, data=[data]), SLOW)
    put = {(entry.size, entry.modified, entry.path) for entry in laid(answer["put"].out)}
    found, left = [], []
    for entry in entries(answer["files"].out + answer["logs"].out):
        path = entry.path
        if entry.kind == "f" or (entry.kind == "l" and stays_inside(path, entry.link)):
            if (entry.size, entry.modified, path) not in put and (not tasks or _absolute(job, path) in logs):
                name = PurePosixPath(path).name if path.startswith("/") else path
                found.append(Found(path, inside(name, session), entry))
        else:
            left.append(f"{path} is left there: {what(entry)}")
    tell(job.title(), left)
    return found


def _absolute(job: Job, path: str) -> str:
    return path if path.startswith("/") else f"{job.directory}/{path}"


def _line(job: Job) -> bytes:
    return f"{job.directory}\n".encode("utf-8", "surrogateescape")


def _wanted(name: str, only: Sequence[str]) -> bool:
    return not only or any(fnmatch.fnmatch(name, p) or fnmatch.fnmatch(PurePosixPath(name).name, p) for p in only)
