"""Files from a cluster to here: changed ones only, each verified, and none newer overwritten."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from . import output
from .login_node import Program
from .model.errors import ConnectionLost, InvalidInput, SchedulerError
from .session import Session

# Seconds of silence for which a login node may count files, or read a large one for its checksum.
SLOW = 1800.0


@dataclass(frozen=True)
class Found:
    """One file over there: `path` as `bring.sh` takes it, `name` the place below the target, `modified` in seconds."""

    path: str
    name: str
    size: int
    modified: float


def inside(name: str, session: Session) -> str:
    """`name` if it stays below the target directory. Raises SchedulerError: it is the cluster that names it."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise SchedulerError(f"{session.name}: a file over there is called {name!r}, which leads out of the target")
    return name


def same(file: Found, local: Path) -> bool:
    """Whether `local` is what a fetch of this file would leave: it leaves the cluster's modification time."""
    try:
        there = local.lstat()
    except OSError:
        return False
    return there.st_size == file.size and abs(there.st_mtime - file.modified) < 0.001


def newer_here(file: Found, local: Path) -> bool:
    """Whether a file here was changed after the one over there."""
    if local.is_dir():
        return False  # in the way in another manner, which is told when it is written
    try:
        return local.lstat().st_mtime > file.modified + 0.001
    except OSError:
        return False


def bring(session: Session, directory: str, target: Path, files: Sequence[Found]) -> None:
    """Bring them in one go; what was brought before a connection broke is not brought again."""
    left = list(files)
    with output.transfer(f"fetching from {session.name}", sum(file.size for file in files)) as progress:
        tries = 0
        while left:
            try:
                for file in _stream(session, directory, target, tuple(left), progress):
                    left.remove(file)
            except ConnectionLost as error:
                tries += 1
                if tries == 4:
                    raise
                output.say(f"{error}; going on with the {len(left)} files that are left")


def _stream(
    session: Session, directory: str, target: Path, files: Sequence[Found], progress: Callable[[int], None]
) -> Iterator[Found]:
    """Yield each file when it is here, whole and verified."""
    requests = (
        f"{file.size} {len(name)}\n".encode() + name
        for file in files
        for name in [file.path.encode("utf-8", "surrogateescape")]
    )
    program = Program(("bring",), {"directory": directory}, data=list(requests))
    stream = Pieces(session.stream(program, "files", SLOW))
    for file in files:
        hash_there = stream.line()
        if hash_there == b"gone":
            output.say(f"{session.name}: {file.name} has changed or gone meanwhile; fetch again for it")
            yield file
            continue
        _write(target, file, stream, hash_there, progress)
        yield file


class Pieces:
    """Read lines and lengths from a stream of pieces. Raises ConnectionLost when it ends too early."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._rest = b""

    def _more(self) -> None:
        piece = next(self._pieces, None)
        if piece is None:
            raise ConnectionLost("the stream of files ended too early")
        self._rest += piece

    def line(self) -> bytes:
        """The next line, without its end."""
        while b"\n" not in self._rest:
            self._more()
        line, _, self._rest = self._rest.partition(b"\n")
        return line

    def take(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes, piece by piece."""
        while size:
            if not self._rest:
                self._more()
            piece, self._rest = self._rest[:size], self._rest[size:]
            size -= len(piece)
            yield piece


def _write(target: Path, file: Found, stream: Pieces, hash_there: bytes, progress: Callable[[int], None]) -> None:
    """Write one file beside its place, verify it, and rename it into its place."""
    place = target / file.name
    digest = hashlib.sha256()
    try:
        _directories(target, file.name)
        handle, temporary = tempfile.mkstemp(prefix=".submithost-", dir=place.parent)
        try:
            with os.fdopen(handle, "wb") as local:
                for piece in stream.take(file.size):
                    digest.update(piece)
                    local.write(piece)
                    progress(len(piece))
            if digest.hexdigest().encode() != hash_there:
                raise ConnectionLost(f"{file.name} did not arrive as it was sent")
            os.utime(temporary, (file.modified, file.modified))
            os.chmod(temporary, 0o600 | 0o666 & ~_umask())
            os.replace(temporary, place)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise InvalidInput(f"cannot write {place}: {error.strerror}") from None


def _directories(target: Path, name: str) -> None:
    """Make the directories above `name`, through no symbolic link below the target. Raises InvalidInput."""
    target.mkdir(parents=True, exist_ok=True)
    place = target
    for part in PurePosixPath(name).parts[:-1]:
        place = place / part
        if place.is_symlink():
            raise InvalidInput(f"{place} is a symbolic link, which could lead out of {target}; move it away")
        place.mkdir(exist_ok=True)


def _umask() -> int:
    umask = os.umask(0o077)
    os.umask(umask)
    return umask
