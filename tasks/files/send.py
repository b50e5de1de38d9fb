"""Send files to a cluster: small ones many at a time, big ones by themselves. Each is verified on the login node before
it is moved into place; what was sent before a connection broke is not sent again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

from ..login_node import Program, job_directory
from ..model.errors import InvalidInput, SchedulerError, Unreachable
from ..session import Session
from ..session.outage import Outage
from .stream import BIG, Kept, Plan, Stream, key_of
from .tree import SLOW, Entry, There, list_there, to_sum
from .wire import pieces


def plan(session: Session, here: Path, name: str, place: str, mine: Sequence[Entry]) -> Plan:
    """Compare what is here with what is there.

    If the place itself is a link that nobody else could have made or changed, it is followed. Raises InvalidInput for
    any other link where a directory goes (somebody may have planted it to have its target overwritten), and when one
    side is a directory and the other a file.
    """
    there = list_there(session, place, key_of(name))
    links = [there.path] if there.kind == "link" else _in_the_way(there, mine)
    if links:
        what = f"{links[0]} is a link, and none of others' or below the target is followed"
        raise InvalidInput(f"{session.name}: {what}: nothing sent; remove it there, or choose another --target")
    if there.kind != "nothing" and (there.kind == "directory") is not here.is_dir():
        raise InvalidInput(f"{session.name}: {there.path} is a {there.kind}, and {here} is none")
    known = {entry.path: entry for entry in there.entries}
    name = PurePosixPath(there.path).name  # not that of the link that was followed
    return Plan(here, name, there, [entry for entry in mine if not entry.same(known.get(entry.path))])


def _in_the_way(there: There, mine: Sequence[Entry]) -> list[str]:
    """The links on the login node where directories are to go."""
    links = {entry.path for entry in there.entries if entry.kind == "l"}
    return [f"{there.path}/{entry.path}" for entry in mine if entry.kind == "d" and entry.path in links]


def send(session: Session, begun: Plan, mine: Sequence[Entry], place: str) -> None:
    """Send what is in the plan; when the connection breaks, compare again and go on with what is still missing."""
    now, told, outage = begun, 0, Outage(session)
    with session.listener.transfer(f"sending to {session.name}", begun.size) as progress:

        def tell(amount: int) -> None:
            nonlocal told
            told += amount
            progress(amount)

        broken = False
        while now.changed:
            try:
                if broken:
                    now = plan(session, begun.here, begun.name, place, mine)
                    tell(begun.size - now.size - told)
                    broken = False
                else:
                    _once(session, now, tell)
                    return
            except Unreachable as error:
                outage.survive(error, told)
                broken = True


def _once(session: Session, plan: Plan, progress: Callable[[int], None]) -> None:
    parts = _good_parts(session, plan)
    with closing(Stream(plan, parts, progress)) as data:
        parent = str(PurePosixPath(plan.there.path).parent)
        program = Program(("sha256", "receive", "put"), {"path": parent}, data=data)
        sections = dict(session.follow(program, _patience(plan.size)))
    if "refused" in sections:
        raise SchedulerError(f"{session.name}: {sections['refused'].text.strip()}")


def _good_parts(session: Session, plan: Plan) -> dict[str, Kept]:
    """For each big file, the largest part on the login node with which the file here begins."""
    candidates = []
    for entry in plan.changed:
        name = f"{plan.name}/{entry.path}" if entry.path else plan.name
        start = job_directory.part(entry.path.rpartition("/")[0], key_of(name))
        found = [part for part in plan.there.parts if part.path.startswith(start) and 0 < part.size <= entry.size]
        if entry.kind == "f" and entry.size >= BIG and found:
            candidates.append((entry, max(found, key=lambda part: part.size)))
    if not candidates:
        return {}
    path = PurePosixPath(plan.there.path)
    directory = path if plan.there.kind == "directory" else path.parent
    wanted = [(part.size, part.path) for _, part in candidates]
    with session.listener.transfer(f"checking what is on {session.name} already", None):
        theirs = sums(session, str(directory), wanted)
        ours = [_prefix(plan.here / entry.path, part.size) for entry, part in candidates]
    return {
        entry.path: Kept(part, here)
        for (entry, part), there, here in zip(candidates, theirs, ours, strict=False)
        if there == here.hexdigest()
    }


def _patience(size: int) -> float:
    """Seconds of silence to allow while the login node sums so many bytes."""
    return max(SLOW, to_sum(size))


def sums(session: Session, directory: str, wanted: Sequence[tuple[int, str]]) -> list[str]:
    """The checksums, on the login node, of the first `size` bytes of each path."""
    data = []
    for size, path in wanted:
        name = path.encode("utf-8", "surrogateescape")
        data.append(f"{size} {len(name)}\n".encode() + name)
    program = Program(("sha256", "sums"), {"directory": directory}, data=data, most=4096 + 100 * len(data))
    return session.must(program, _patience(sum(size for size, _ in wanted)))["sums"].text.split()


def _prefix(path: Path, size: int) -> hashlib._Hash:
    digest = hashlib.sha256()
    for piece in pieces(path, most=size):
        digest.update(piece)
    return digest
