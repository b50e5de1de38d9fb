"""Read the files that a cluster sends, and write them here: never through a link, and each whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from ..model.errors import ConnectionLost, InvalidInput, SchedulerError
from .stream import key_of
from .tree import OURS, Entry

_LONGEST = 32 << 20


class Arrival:
    """Reads the sections of an answer while it comes. Raises ConnectionLost when it ends too early."""

    def __init__(self, stream: Iterator[tuple[str, bytes]]) -> None:
        self._stream = stream
        self._begun = ""  # a section that has begun, and of which nothing was read yet
        self._rest = b""

    def begin(self, name: str) -> None:
        """Skip to the next section, which has to be `name`."""
        self._rest = b""
        while not self._begun:
            self._next()
        if self._begun != name:
            raise ConnectionLost(f"the answer is not understood: {self._begun!r} where {name!r} was to come")
        self._begun = ""

    def _next(self) -> bytes:
        """The next bytes of this section; none when the next section has begun."""
        if self._begun:
            return b""
        name, piece = next(self._stream, ("", b""))
        if not name:
            raise ConnectionLost("the files ended too early")
        if not piece:
            self._begun = name
        return piece

    def section(self, name: str) -> Iterator[bytes]:
        """All of the next section, piece by piece."""
        self.begin(name)
        while piece := self._next():
            yield piece

    def text(self, name: str) -> bytes:
        """All of the next section, kept in memory. Raises SchedulerError for more than checksums can take."""
        text = bytearray()
        for piece in self.section(name):
            text += piece
            if len(text) > _LONGEST:
                raise SchedulerError(f"the answer is not understood: {name!r} goes on and on")
        return bytes(text)

    def take(self, size: int) -> Iterator[bytes]:
        """The next `size` bytes of this section, piece by piece; fewer if it ends before."""
        while size and (piece := self._rest or self._next()):
            piece, self._rest = piece[:size], piece[size:]
            size -= len(piece)
            yield piece

    def end(self) -> None:
        """Read to the end of the answer: only then is it known to be whole."""
        for _ in self._stream:
            pass


def unpack_sums(lines: bytes) -> dict[bytes, str]:
    """The checksums that sha256sum printed, by path; a line that begins with a backslash has escapes."""
    found = {}
    for line in lines.split(b"\n"):
        there, _, path = line.partition(b"  ")
        if there.startswith(b"\\"):
            there = there[1:]
            path = re.sub(rb"\\(.)", lambda escape: {b"n": b"\n", b"r": b"\r"}.get(escape[1], escape[1]), path)
        found[path] = there.decode("ascii", "replace")
    return found


class Part:
    """A temporary file beside the place of the one that comes. A lasting one is kept until the file is whole.

    `size` is what it held when it was opened.
    """

    def __init__(self, target: Path, name: str, *, lasting: bool) -> None:
        self._place, self._lasting = target / name, lasting
        self._directory = open_directory(target, name)
        try:
            if lasting:
                self._name, exclusive = f"{OURS}part-{key_of(name)}", 0
            else:
                self._name, exclusive = f"{OURS}incoming-{secrets.token_hex(8)}", os.O_EXCL
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | exclusive
            opened = os.open(self._name, flags, 0o600, dir_fd=self._directory)
            self._file = os.fdopen(opened, "r+b", buffering=0)
            if lasting:
                self._check_ours()
                self._lock()
        except OSError as error:
            os.close(self._directory)
            if error.errno == errno.ELOOP:
                part = self._place.with_name(self._name)
                raise InvalidInput(f"{part} is a symbolic link, and no part of a file; remove it") from None
            raise self._error(error) from None
        except InvalidInput:
            self._file.close()
            os.close(self._directory)
            raise
        self.size: int = self._file.seek(0, os.SEEK_END)

    def _check_ours(self) -> None:
        """Its name can be guessed: whoever made it first, or has a hard link to it, could read and change the file."""
        status = os.fstat(self._file.fileno())
        if status.st_uid != os.geteuid() or status.st_nlink != 1:
            part = self._place.with_name(self._name)
            raise InvalidInput(f"{part} belongs to somebody else: bring it to a directory of your own")

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InvalidInput(f"{self._place} is being brought by another command just now") from None

    def _error(self, error: OSError) -> InvalidInput:
        return InvalidInput(f"cannot write {self._place}: {error.strerror}")

    def __enter__(self) -> Part:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def sum(self, digest: hashlib._Hash) -> str:
        """The checksum of what it holds."""
        self._file.seek(0)
        while piece := self._file.read(1 << 18):
            digest.update(piece)
        return digest.hexdigest()

    def restart(self) -> None:
        """The partial file belongs to another version: start over."""
        self._file.truncate(0)
        self._file.seek(0)
        self.size = 0

    def write(self, piece: bytes) -> None:
        """Append. Raises InvalidInput when there is no room."""
        try:
            while piece:
                piece = piece[self._file.write(piece) :]
        except OSError as error:
            self.forget()
            raise self._error(error) from None

    def settle(self, entry: Entry) -> None:
        """Move the finished file into place. Raises InvalidInput."""
        try:
            os.utime(self._file.fileno(), ns=(entry.modified, entry.modified))
            os.fchmod(self._file.fileno(), entry.mode)
            os.replace(self._name, self._place.name, src_dir_fd=self._directory, dst_dir_fd=self._directory)
        except OSError as error:
            raise self._error(error) from None
        self._name = ""

    def forget(self) -> None:
        """Do not keep it."""
        self._lasting = False

    def close(self) -> None:
        """Close it; remove it if it is empty, or neither whole nor lasting."""
        if self._file.closed:
            return
        if self._name and not (self._lasting and os.fstat(self._file.fileno()).st_size):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._name, dir_fd=self._directory)
        self._file.close()
        os.close(self._directory)


def make_directory(target: Path, name: str, mode: int) -> None:
    """Make a directory below the target, with this mode, unless it exists. Raises InvalidInput."""
    os.close(open_directory(target, f"{name}/", mode))


def open_directory(target: Path, name: str, mode: int | None = None) -> int:
    """Open the directory that `name` is in, following no symbolic link below the target; make what is missing.

    Whatever happens to its name later, the descriptor stays that of this directory. `mode` is for the innermost one, if
    it is made. Raises InvalidInput.
    """
    place, flags = target, os.O_DIRECTORY | os.O_CLOEXEC | getattr(os, "O_PATH", os.O_RDONLY)
    try:
        target.mkdir(mode=0o700, parents=True, exist_ok=True)  # logs may hold secrets; the job directory is private too
        here = os.open(target, flags)
        above = PurePosixPath(name).parts[: None if name.endswith("/") else -1]
        for number, word in enumerate(above, 1):
            place = place / word
            outer = here
            try:
                _make(word, outer, mode if number == len(above) else None)
                here = os.open(word, flags | os.O_NOFOLLOW, dir_fd=outer)
            finally:
                os.close(outer)
    except OSError as error:
        if place != target and place.is_symlink():
            raise InvalidInput(f"{place} is a symbolic link, which could lead out of {target}; move it away") from None
        raise InvalidInput(f"cannot make {place}: {error.strerror}") from None
    return here


def _make(word: str, above: int, mode: int | None) -> None:
    """Make one directory, unless the name is taken."""
    try:
        os.mkdir(word, dir_fd=above)
    except FileExistsError:
        return
    if mode is not None:
        made = os.open(word, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=above)
        os.fchmod(made, mode | 0o700)
        os.close(made)


def make_link(target: Path, name: str, link: str) -> None:
    """Make a symbolic link, replacing any file of that name. Raises InvalidInput."""
    directory, place, new = open_directory(target, name), target / name, f"{OURS}link-{secrets.token_hex(8)}"
    try:
        os.symlink(link, new, dir_fd=directory)
        try:
            os.replace(new, place.name, src_dir_fd=directory, dst_dir_fd=directory)
        except OSError:
            os.unlink(new, dir_fd=directory)
            raise
    except OSError as error:
        raise InvalidInput(f"cannot write {place}: {error.strerror}") from None
    finally:
        os.close(directory)
