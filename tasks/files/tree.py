"""Listings of trees of files, here and on the cluster, in one form, so that they can be compared."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ..login_node import Program, job_directory
from ..model.errors import InvalidInput, SchedulerError
from ..model.listener import Listener
from ..model.wording import one_line
from ..session import Session

# Seconds of silence to allow a login node that counts files, or sums a large one.
SLOW = 1800.0
# The longest list of files that is kept, in files and in bytes.
MOST_FILES = 300_000
LISTING = 40 << 20
# How the names of our temporary files begin, here and there.
OURS = job_directory.TEMPORARY
_PART = re.compile(rf"{re.escape(OURS)}part-[\w.-]+", re.ASCII)
_TIME = re.compile(r"-?[0-9]{1,15}(\.[0-9]*)?")
_HEAD = re.compile(rf"(\w) ([0-9]{{1,18}}) ({_TIME.pattern.replace('(', '(?:')}) ([0-7]{{1,5}})", re.ASCII)
_LATEST = 253_402_300_799  # seconds: a login node can claim times that no file can have
# Modes are kept, except that no copy can be written by everybody, and none is setuid.
_KEPT = 0o775
_CLOCK = 1_000_000  # ns: file systems and tools differ in the precision of times


def to_sum(size: int) -> float:
    """Seconds of silence to allow a login node that sums so many bytes from a slow file system."""
    return size / 10e6


@dataclass(frozen=True, slots=True)
class Entry:
    """A file, directory or link. `kind` is find's %y, `modified` in ns since 1970, `mode` the bits that are kept.

    `path` is relative to the top of the tree (empty: the top itself); `link` is the target of a link.
    """

    kind: str
    size: int
    modified: int
    mode: int
    path: str
    link: str = ""

    def same(self, other: Entry | None) -> bool:
        """Whether `other` looks like a copy of this one: put and get keep modification times and modes."""
        if other is None or other.kind != self.kind:
            return False
        if self.kind != "f":
            return other.link == self.link
        return (other.size, other.mode) == (self.size, self.mode) and abs(other.modified - self.modified) < _CLOCK


@dataclass(frozen=True)
class There:
    """What is at a place on the cluster. `kind` is directory, file or nothing; `path` is absolute.

    For `put`, `kind` can also be link: a link to a directory that somebody else could have made or changed. `parts` are
    files that came in part, with paths as in `entries`; `tar` is whether the login node has tar.
    """

    kind: str
    path: str
    tar: bool
    entries: Sequence[Entry]
    parts: Sequence[Entry]


def stays_inside(path: str, link: str) -> bool:
    """Whether a link at `path` stays inside its tree, whatever other links are in there that stay inside.

    `..` may only come first: after a word that is itself a link it would lead elsewhere than it looks.
    """
    words = [word for word in link.split("/") if word not in ("", ".")]
    up = next((at for at, word in enumerate(words) if word != ".."), len(words))
    return bool(link) and link[0] != "/" and ".." not in words[up:] and up < len(PurePosixPath(path.lstrip("/")).parts)


def list_there(session: Session, path: str, key: str = "") -> There:
    """List a place on the cluster; `key` (see `key_of`) finds parts of a file. Raises SchedulerError, Unreachable."""
    with session.listener.transfer(f"looking at {session.name}", None):
        parts = ("directory", "list") if key else ("list",)
        answer = session.must(Program(parts, {"path": path, "key": key, "root": "/"}, most=LISTING), SLOW)
    kind, _, where = answer["place"].out.decode("utf-8", "surrogateescape").partition("\n")
    found = list(entries(answer["files"].names))
    ours = [entry for entry in found if entry.kind == "f" and _is_part(entry.path)]
    rest = [entry for entry in found if not any(word.startswith(OURS) for word in entry.path.split("/"))]
    return There(kind, where, answer.text("tools") == "tar", rest, ours)


def _is_part(path: str) -> bool:
    return _PART.fullmatch(path.rpartition("/")[2]) is not None


def texts_of(pieces: Iterable[bytes], longest: int) -> Iterator[str]:
    """Split at NULs, as the pieces come. Raises SchedulerError for a text that is longer than any can be."""
    rest = bytearray()
    for piece in pieces:
        rest += piece
        start = 0
        while (end := rest.find(b"\0", start)) >= 0:
            yield rest[start:end].decode("utf-8", "surrogateescape")
            start = end + 1
        del rest[:start]
        if len(rest) > longest:
            raise SchedulerError("the answer is not understood: it goes on and on")


def entries(*data: bytes) -> Iterator[Entry]:
    """Parse what `list.sh` and `manifest.sh` list. Raises SchedulerError for more than can be kept."""
    texts = texts_of(data, max(map(len, data)))
    for number, (text, link) in enumerate(zip(texts, texts, strict=False)):
        if number >= MOST_FILES:
            raise SchedulerError(f"there are more than {MOST_FILES} files: take the directories in it one by one")
        head, _, path = text.partition("\n")
        if match := _HEAD.fullmatch(head.strip()):
            kind, size, seconds, mode = match.groups()
            amount = int(size) if kind == "f" else 0
            yield Entry(kind, amount, _nanoseconds(seconds), int(mode, 8) & _KEPT, path, link)


def laid(data: bytes) -> Iterator[Entry]:
    """Parse the list of the files that `--put` laid: `SIZE MTIME PATH<NUL>`, as `submit.sh` wrote it."""
    for number, text in enumerate(texts_of([data], len(data))):
        if number >= MOST_FILES:
            raise SchedulerError(f"there are more than {MOST_FILES} files that were put there")
        size, _, rest = text.partition(" ")
        modified, space, path = rest.partition(" ")
        if space and re.fullmatch("[0-9]{1,18}", size) and _TIME.fullmatch(modified):
            yield Entry("f", int(size), _nanoseconds(modified), 0, path)


def _nanoseconds(text: str) -> int:
    """The time of find's %T@, which has more digits than a float."""
    seconds, _, rest = text.partition(".")
    return max(-_LATEST, min(int(seconds), _LATEST)) * 10**9 + int(rest[:9].ljust(9, "0"))


def local(here: Path) -> tuple[list[Entry], list[str]]:
    """List a path and what is below it; return the entries, and a line for each link that is followed or left out.

    Links that stay inside the tree are kept as links. Raises InvalidInput for what cannot be read.
    """
    found: list[Entry] = []
    said: list[str] = []
    try:
        if here.is_dir():
            found.append(_entry("d", here.stat(), ""))
            _below(here, "", found, said)
        elif here.is_file():
            found.append(_entry("f", here.stat(), ""))
        else:
            gone = "a link to nothing" if here.is_symlink() else "no such file or directory"
            raise InvalidInput(f"{here}: {'neither a file nor a directory' if here.exists() else gone}")
    except OSError as error:
        raise InvalidInput(f"cannot read {error.filename}: {error.strerror}") from None
    return found, said


def _below(top: Path, path: str, found: list[Entry], said: list[str]) -> None:
    with os.scandir(top / path) as listing:
        children = sorted(listing, key=lambda child: child.name)
    for child in children:
        name = f"{path}/{child.name}" if path else child.name
        if child.name.startswith(OURS):
            continue  # what an interrupted get left
        if child.is_symlink():
            link = os.readlink(child.path)
            if stays_inside(name, link):
                found.append(_entry("l", child.stat(follow_symlinks=False), name, link))
            elif child.is_file():
                found.append(_entry("f", child.stat(), name))
                said.append(f"{top / name} leads out of {top}: followed")
            else:
                what = "to a directory elsewhere" if child.is_dir() else "to nothing"
                said.append(f"{top / name} is a link {what}: left out")
        elif child.is_dir():
            found.append(_entry("d", child.stat(), name))
            _below(top, name, found, said)
        elif child.is_file():
            found.append(_entry("f", child.stat(), name))
        else:
            said.append(f"{top / name} is no file, directory or link: left out")


def _entry(kind: str, status: os.stat_result, path: str, link: str = "") -> Entry:
    mode = stat.S_IMODE(status.st_mode) & _KEPT
    return Entry(kind, status.st_size if kind == "f" else 0, status.st_mtime_ns, mode, path, link)


def local_entry(path: Path | str) -> Entry | None:
    """The entry of one path here, None if there is none; links are not followed."""
    try:
        status = os.lstat(path)
    except OSError:
        return None
    if stat.S_ISLNK(status.st_mode):
        return _entry("l", status, "", os.readlink(path))
    return _entry("d" if stat.S_ISDIR(status.st_mode) else "f", status, "")


def inside(name: str, session: Session) -> str:
    """Return `name`, which the cluster chose. Raises SchedulerError if it leads out of the target."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or name.startswith("/") or ".." in parts or "\0" in name:
        raise SchedulerError(f"{session.name}: a file there is called {name!r}, which leads out of the target")
    return name


def summary(entries: Sequence[Entry]) -> str:
    """How many files of what size; or how many directories, if there is nothing else."""
    files = [entry for entry in entries if entry.kind != "d"]
    if entries and not files:
        return f"{len(entries)} director{'y' if len(entries) == 1 else 'ies'}"
    return f"{len(files)} file{'' if len(files) == 1 else 's'} ({sum(entry.size for entry in files)} bytes)"


def all_files(count: int) -> str:
    """The beginning of a sentence that says that nothing has to be done about so many files."""
    return "the file is" if count == 1 else f"all {count} files are"


def what(entry: Entry) -> str:
    """Describe an entry that is not brought."""
    return f"a link to {entry.link}, out of the directory" if entry.kind == "l" else "no file, directory or link"


def tell(listener: Listener, who: str, lines: Sequence[str], most: int = 20) -> None:
    """Report what is left out or followed, by name."""
    for line in lines[:most]:
        listener.say(f"{who}: {one_line(line, 4096)}")
    if len(lines) > most:
        listener.say(f"{who}: and so for {len(lines) - most} more")
