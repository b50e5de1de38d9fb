"""Files from a cluster to here: only changed ones, each verified. No newer file is overwritten, and big ones resume
where they stopped.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..login_node import Program
from ..model.errors import InvalidInput, SchedulerError, Unreachable
from ..session import SILENCE, Session
from ..session.outage import Outage
from .part import Arrival, Part, make_directory, make_link, unpack_sums
from .send import sums
from .stream import BIG, MANY
from .tree import SLOW, Entry, local_entry

Progress = Callable[[int], None]
# How many big files are open here at once: some systems allow a process 256 open files.
_OPEN_AT_ONCE = 16
# By how many bytes files may have grown since they were listed.
_MEANWHILE = 256 << 20


@dataclass(frozen=True, slots=True, eq=False)
class RemoteFile:
    """A file on the cluster: its `path` for `bring.sh`, and its `name` below the target. Equal only to itself."""

    path: str
    name: str
    entry: Entry

    @property
    def raw(self) -> bytes:
        """The path in bytes, never one that begins with a dash and would be taken for an option."""
        return (self.path if self.path.startswith("/") else f"./{self.path}").encode("utf-8", "surrogateescape")


@dataclass(frozen=True)
class Changes:
    """Which files to bring, which are `newer` here and stay, and how many are unchanged."""

    wanted: list[RemoteFile]
    newer: list[str]
    unchanged: int

    @classmethod
    def between(cls, found: Sequence[RemoteFile], target: Path, *, force: bool) -> Changes:
        """Compare the files found with those in `target`. `force`: bring those that are newer here, too."""
        wanted, newer, unchanged = [], [], 0
        for file in found:
            here = os.path.join(target, file.name)
            mine = local_entry(here)
            if file.entry.same(mine):  # an existing directory is left as it is
                unchanged += file.entry.kind != "d"
            # A directory in the way is another matter, which is told when the file is written.
            elif not force and mine and mine.kind != "d" and mine.modified > file.entry.modified + 1_000_000:
                newer.append(here)
            else:
                wanted.append(file)
        return cls(wanted, newer, unchanged)


def refuse_newer(paths: Sequence[str]) -> None:
    """Raises InvalidInput when files here were newer and so were left alone."""
    if paths:
        raise InvalidInput(f"not overwritten, since newer here: {', '.join(paths[:5])}; --force overwrites them")


def bring(session: Session, directory: str, target: Path, files: Sequence[RemoteFile]) -> list[RemoteFile]:
    """Bring the files; after a broken connection, only what is still missing.

    Returns those that could not be brought since they changed or disappeared meanwhile; each was reported.
    """
    missing: list[RemoteFile] = []
    total = sum(file.entry.size for file in files)
    left = dict.fromkeys(file for file in files if file.entry.kind == "f")
    for file in files:
        if file.entry.kind == "d":
            make_directory(target, file.name, file.entry.mode)
    told, outage = 0, Outage(session)
    alone: set[RemoteFile] = set()
    with session.listener.transfer(f"fetching from {session.name}", total) as progress:

        def tell(amount: int) -> None:
            nonlocal told
            told += amount
            progress(amount)

        while left:
            try:
                for file in _once(session, directory, target, tuple(left), alone, missing, tell):
                    left.pop(file)
            except Unreachable as error:
                outage.survive(error, told)
            tell(total - sum(file.entry.size for file in left) - told)
    for file in files:
        if file.entry.kind == "l":  # last, so that nothing was written through one
            make_link(target, file.name, file.entry.link)
    return missing


def _once(
    session: Session,
    directory: str,
    target: Path,
    files: Sequence[RemoteFile],
    alone: set[RemoteFile],
    missing: list[RemoteFile],
    progress: Progress,
) -> Iterator[RemoteFile]:
    """Yield each file that is done: whole and verified here, or reported as gone and added to `missing`.

    A file that changes while it comes puts all that follow it in its batch out of step. It is added to `alone`, and
    asked for by itself in the next round, like the big ones.
    """
    batches = list(_batches([file for file in files if file.entry.size < BIG and file not in alone]))
    single = [file for file in files if file.entry.size >= BIG or file in alone][:_OPEN_AT_ONCE]
    with Parts(session, directory, target, single) as parts:
        requests = [_many(batch) for batch in batches]
        requests += [_piece(file, parts[file].size) for file in single]
        # A small file is sent whole, however much it has grown.
        most = 2 * sum(file.entry.size for file in files) + sum(map(len, requests)) + _MEANWHILE
        program = Program(("sha256", "bring"), {"directory": directory}, data=requests, most=most)
        arrival = Arrival(session.pieces(program, SLOW if single else SILENCE))
        for batch in batches:
            yield from _take_many(session, arrival, target, batch, alone, missing, progress)
        for file in single:
            progress(parts[file].size)
            if not _take_piece(arrival, parts[file], file, progress):
                session.listener.say(f"{session.name}: {file.name} has changed or gone meanwhile; fetch again for it")
                missing.append(file)
            yield file
        arrival.end()


def _batches(files: Sequence[RemoteFile]) -> Iterator[list[RemoteFile]]:
    batch: list[RemoteFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file.entry.size
        if size >= BIG or len(batch) == MANY:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _many(batch: Sequence[RemoteFile]) -> bytes:
    paths = b"".join(file.raw + b"\0" for file in batch)
    return f"many {len(paths)}\n".encode() + paths * 2


def _piece(file: RemoteFile, offset: int) -> bytes:
    return f"piece {offset} {file.entry.size - offset} {len(file.raw)}\n".encode() + file.raw


def _take_many(
    session: Session,
    arrival: Arrival,
    target: Path,
    batch: Sequence[RemoteFile],
    alone: set[RemoteFile],
    missing: list[RemoteFile],
    progress: Progress,
) -> Iterator[RemoteFile]:
    known = unpack_sums(arrival.text("sums"))
    arrival.begin("bytes")
    for file in batch:
        there = known.get(file.raw)
        if there is None:
            session.listener.say(f"{session.name}: {file.name} has gone meanwhile, or cannot be read")
            missing.append(file)
            yield file
            continue
        with Part(target, file.name, lasting=False) as part:
            digest = hashlib.sha256()
            for piece in arrival.take(file.entry.size):
                digest.update(piece)
                part.write(piece)
                progress(len(piece))
            if digest.hexdigest() != there:
                alone.add(file)
                return  # what follows is out of step
            part.settle(file.entry)
        yield file


def _take_piece(arrival: Arrival, part: Part, file: RemoteFile, progress: Progress) -> bool:
    """Take the rest of a big file; whether it came as asked for."""
    digest, missing = hashlib.sha256(), file.entry.size - part.size
    for piece in arrival.section("bytes"):
        missing -= len(piece)
        if missing < 0:  # more than was asked for: it could go on until the disk is full
            part.forget()
            raise SchedulerError(f"the answer is not understood: more of {file.name} than there is")
        digest.update(piece)
        part.write(piece)
        progress(len(piece))
    there = arrival.text("sums").decode("ascii", "replace").strip()
    if missing or there != digest.hexdigest():
        part.forget()
        return False
    part.settle(file.entry)
    return True


class Parts(dict[RemoteFile, Part]):
    """The parts of these files that are here, verified; they are open until they are written."""

    def __init__(self, session: Session, directory: str, target: Path, files: Sequence[RemoteFile]) -> None:
        super().__init__()
        try:
            for file in files:
                self[file] = Part(target, file.name, lasting=True)
            begun = [(file, part) for file, part in self.items() if part.size]
            if begun:
                with session.listener.transfer("checking what is here already", None):
                    wanted = [(min(part.size, file.entry.size), file.path) for file, part in begun]
                    for (file, part), there in zip(begun, sums(session, directory, wanted), strict=False):
                        if part.size > file.entry.size or part.sum(hashlib.sha256()) != there:
                            part.restart()
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, *_: object) -> None:
        for part in self.values():
            part.close()
