"""The verb get: bring a file or directory from a cluster, only changed files, each verified."""

from __future__ import annotations

from pathlib import Path, PurePosixPath

from ..model.errors import InvalidInput, SchedulerError
from ..session import GIVE_UP, Session
from .bring import Changes, RemoteFile, bring, refuse_newer
from .transferred import Owners, Transferred, first_there
from .tree import There, all_files, inside, list_there, stays_inside, summary, tell, what


def get(
    session: Session, source: str, target: str = ".", *, force: bool = False, dry_run: bool = False, owners: Owners
) -> Transferred:
    """Bring a file or directory into a directory here; it keeps its name.

    Raises InvalidInput when there is nothing to bring, when the target has files of another cluster (`owners`), and
    when files here are newer and were left alone (the rest is in its `known`); SchedulerError, Unreachable.
    """
    if not source:
        raise InvalidInput("get what? --source=PATH on the cluster")
    session.endurance = GIVE_UP
    there = list_there(session, source)
    name = _name(session, source, there)
    place = Path(target) / name
    if first := first_there(owners, place, session.name):  # `-H a,b get` would mix their files
        raise InvalidInput(f"{place} has come from {first}: get that of {session.name} with a --target of its own")
    found = _found(session, there, name)
    changes = Changes.between(found, Path(target), force=force)
    if not dry_run:
        directory = there.path if there.kind == "directory" else str(PurePosixPath(there.path).parent)
        bring(session, directory, Path(target), changes.wanted)
    would = "would go" if dry_run else "came"
    said = f"{summary([file.entry for file in changes.wanted])} {would} into {target}, {changes.unchanged} unchanged"
    if not (changes.wanted or changes.newer):
        said = f"nothing to bring: {all_files(changes.unchanged)} in {target} already"
    files = tuple(Path(target) / file.name for file in changes.wanted if file.entry.kind != "d")
    got = Transferred(target, files, changes.unchanged, tuple(changes.newer), f"{session.name}: {said}")
    try:
        refuse_newer(changes.newer)
    except InvalidInput as error:
        error.known = got
        raise
    return got


def _name(session: Session, source: str, there: There) -> str:
    """The name that the file or directory keeps here."""
    if there.kind == "nothing":
        raise InvalidInput(f"{session.name}: there is no {there.path}")
    name, asked = PurePosixPath(there.path).name, PurePosixPath(source).name
    if name != asked and (asked not in ("", "..", "~") or name.startswith(".")):
        # A login node that chose the name could replace anything in the target.
        raise SchedulerError(f"{session.name}: asked for {source!r}, it answers with {there.path!r}")
    return name


def _found(session: Session, there: There, name: str) -> list[RemoteFile]:
    """What to bring; what is left there is reported by name."""
    found = [
        RemoteFile(entry.path or there.path, inside(f"{name}/{entry.path}" if entry.path else name, session), entry)
        for entry in there.entries
        if entry.kind in "fd" or (entry.kind == "l" and stays_inside(entry.path, entry.link))
    ]
    kept = {file.path for file in found}
    left = [entry for entry in there.entries if (entry.path or there.path) not in kept]
    tell(session.listener, session.name, [f"{there.path}/{each.path} is left there: {what(each)}" for each in left])
    return found
