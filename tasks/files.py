"""The verbs put and get: files and directories, changed ones only, each verified."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from invoke.context import Context

from . import output
from .login_node import Program
from .model.errors import InvalidInput
from .session import Session, session_of
from .submission import Upload, Uploads
from .transfer import SLOW, Found, bring, inside, newer_here, same
from .verb import verb


@verb(
    help={
        "source": "a file or directory here",
        "target": "the directory on the cluster that it goes into; default: the home directory",
        "dry-run": "say what would be sent, and send nothing",
    }
)
def put(c: Context, source: str = "", target: str = "", dry_run: bool = False) -> None:
    """Send a file or directory, changed files only.

    It keeps its name, below the target: fab -H sharc put --source=data --target=/fastdata/te1st
    """
    here = Path(source).expanduser()
    if not source or not os.path.lexists(here):
        raise InvalidInput(f"--source={source}: there is no such file or directory here")
    session = session_of(c)
    name = here.name or here.resolve().name
    place = f"{target.rstrip('/')}/{name}" if target else name
    there = look(session, place)
    if there.kind != "nothing" and (there.kind == "directory") is not here.is_dir():
        raise InvalidInput(f"{session.name}: {there.path} is a {there.kind}, and {here} is none")
    known = {entry.path: entry for entry in there.entries}
    changed = [file for file in local_files(here) if not _unchanged(file, known.get(_below(file.name, here)))]
    size = sum(file.size() for file in changed)
    if dry_run:
        for file in changed:
            output.show_path(Path(file.name))
        output.say(f"{session.name}: {len(changed)} files ({size} bytes) would go into {there.path}")
        return
    if changed:
        with output.transfer(f"sending to {session.name}", size) as progress:
            parent = str(PurePosixPath(there.path).parent)
            session.must(Program(("receive", "put"), {"path": parent}, data=Uploads(changed, progress)), SLOW)
    output.say(f"{session.name}: {len(changed)} files ({size} bytes) into {there.path}")


@verb(
    help={
        "source": "a file or directory on the cluster; relative to the home directory there",
        "target": "the directory here that it goes into; default: this one",
        "force": "overwrite local files that are newer",
        "dry-run": "say what would be brought, and bring nothing",
    }
)
def get(c: Context, source: str = "", target: str = ".", force: bool = False, dry_run: bool = False) -> None:
    """Bring a file or directory, changed files only.

    It keeps its name, below the target: fab -H sharc get --source=/fastdata/te1st/results --target=here
    """
    if not source:
        raise InvalidInput("get what? --source=PATH on the cluster")
    session = session_of(c)
    there = look(session, source)
    if there.kind == "nothing":
        raise InvalidInput(f"{session.name}: there is no {there.path}")
    name = PurePosixPath(there.path).name
    links = [entry.path for entry in there.entries if entry.kind not in "fd"]
    files = [
        Found(entry.path or there.path, inside(f"{name}/{entry.path}" if entry.path else name, session), entry.size,
              float(entry.modified))
        for entry in there.entries if entry.kind == "f"
    ]  # fmt: skip
    changed = [file for file in files if not same(file, Path(target) / file.name)]
    newer = [] if force else [file for file in changed if newer_here(file, Path(target) / file.name)]
    wanted = [file for file in changed if file not in newer]
    if not dry_run:
        directory = there.path if there.kind == "directory" else str(PurePosixPath(there.path).parent)
        bring(session, directory, Path(target), wanted)
    for file in wanted:
        output.show_path(Path(target) / file.name)
    would = "would go" if dry_run else "files came"
    output.say(f"{session.name}: {len(wanted)} {would} into {target}, {len(files) - len(changed)} unchanged")
    if links:
        output.say(f"{session.name}: {len(links)} links and special files are left there: {', '.join(links[:3])}")
    if newer:
        names = ", ".join(file.name for file in newer[:5])
        raise InvalidInput(f"not overwritten, since newer here: {names}; --force overwrites them")


@dataclass(frozen=True)
class Entry:
    """One entry of `list.sh`: kind as find's %y, times as text, `path` below the place (empty: the place itself)."""

    kind: str
    size: int
    modified: str
    mode: int
    path: str


@dataclass(frozen=True)
class There:
    """What is at a place over there: `directory`, `file` or `nothing`; `path` is absolute."""

    kind: str
    path: str
    entries: tuple[Entry, ...]


def look(session: Session, path: str) -> There:
    """List a place on the cluster. Raises SchedulerError when it cannot be read."""
    answer = session.must(Program(("list",), {"path": path}), SLOW)
    kind, _, where = answer["place"].out.decode("utf-8", "surrogateescape").partition("\n")
    return There(kind, where, tuple(_entries(answer["files"].out)))


def _entries(data: bytes) -> Iterator[Entry]:
    for entry in data.decode("utf-8", "surrogateescape").split("\0"):
        head, newline, path = entry.partition("\n")
        words = head.split(" ")
        if newline and len(words) == 4:
            yield Entry(words[0], int(words[1]), words[2], int(words[3], 8), path)


def local_files(here: Path) -> list[Upload]:
    """The files at and below a path, links as what they point to. Raises InvalidInput for what cannot be sent."""
    paths = [here] if not here.is_dir() else [Path(top) / name for top, _, names in os.walk(here) for name in names]
    found = []
    for path in sorted(paths):
        if not path.is_file():
            what = "a link to nothing" if path.is_symlink() else "neither a file nor a directory"
            raise InvalidInput(f"{path} is {what}")
        name = f"{here.name or here.resolve().name}/{path.relative_to(here)}" if here.is_dir() else path.name
        status = path.stat()
        modified = f"{status.st_mtime_ns // 10**9}.{status.st_mtime_ns % 10**9:09}"
        found.append(Upload(name, path, status.st_mode & 0o777, modified))
    return found


def _below(name: str, here: Path) -> str:
    return name.partition("/")[2] if here.is_dir() else ""


def _unchanged(file: Upload, entry: Entry | None) -> bool:
    """Whether what is there is what an earlier put of this file left: it leaves our modification time and mode."""
    if entry is None or entry.kind != "f" or entry.size != file.size():
        return False
    return abs(float(entry.modified) - float(file.modified)) < 1e-3 and entry.mode == file.mode
