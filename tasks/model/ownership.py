"""Which paths to trust: files that are obeyed have to be the user's own, and nobody else may be able to replace them.

Every component of the path counts: links, their targets, and the directories that hold either. Each has to belong to
the user or to root, and nobody else may write to it. In a sticky directory everybody may write, but nobody can rename
what belongs to another, so there only the entry counts. A group with its owner as the only member (as with umask 002)
is harmless; so says sshd's StrictModes on Debian.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from .errors import InvalidInput
from .wording import one_line

_MOST_LINKS = 40  # as many as Linux follows
_UNMAPPED = 65534
# How WSL mounts a drive of Windows: everybody acts on it as one user, and modes mean nothing.
_OF_WINDOWS = frozenset({"9p", "drvfs"})
_WITHOUT_MODES = _OF_WINDOWS | {"afs", "cifs", "exfat", "fuseblk", "smb3", "vfat"}
_FOREIGN = "belongs to somebody else"


def refuse_foreign(path: Path, chosen: Collection[Path] = ()) -> None:
    """Raises InvalidInput when another user could change what is at this path, FileNotFoundError if nothing is there.

    `chosen` are directories that the user went to, or named. Their owners are trusted as well: a colleague's directory,
    or a checkout in which a container runs as root.
    """
    owners = {0, os.geteuid(), *_owners(chosen)}
    if not os.path.lexists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    for place, status in _way(path):
        if why := _weakness(place, status, owners):
            _refuse(path, place, why)


def refuse_planted(path: Path, chosen: Collection[Path] = ()) -> None:
    """The same for a file that the user named, perhaps a colleague's: only what was planted where all may write counts.

    Raises InvalidInput.
    """
    owners = {0, os.geteuid(), *_owners(chosen)}
    for place, status in _way(path):
        if status.st_uid not in owners and _is_open_to_all(_above(place)):
            _refuse(path, place, "belongs to somebody else, in a directory where all may write")


def as_reached(path: Path) -> Path:
    """The same path, relative to the working directory if it is below: then the directories above do not matter."""
    with contextlib.suppress(OSError, ValueError):
        return path.relative_to(os.getcwd()) if path.is_absolute() and os.getcwd() != "/" else path
    return path


def _refuse(path: Path, place: str, why: str) -> None:
    place = os.path.abspath(place)
    if place == os.path.abspath(path):
        raise InvalidInput(f"{one_line(path)} is not used: it {why}")
    cure = ""
    if why == _FOREIGN and os.path.isdir(place) and os.path.exists(path):
        cure = f"; to use it all the same, cd to {one_line(os.path.dirname(os.path.realpath(path)))}"
    raise InvalidInput(f"{one_line(path)} is not used: {one_line(place)} {why}{cure}")


def _way(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Each directory, link and file on the way to this path, as far as it can be followed.

    A relative path begins at the working directory, whoever could rename the directories above.
    """
    with contextlib.suppress(OSError):  # whoever reads it will report the error
        yield from _steps(path)


def _steps(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """The same. Raises OSError where it ends."""
    here, links = "/" if path.is_absolute() else ".", 0
    ahead = str(path).split("/")[::-1]
    yield here, os.lstat(here)
    while ahead:
        name = ahead.pop()
        if name in ("", "."):
            continue
        if name == "..":  # of a real directory: links before it have been followed
            here = _above(here)
            yield here, os.lstat(here)
            continue
        place = os.path.join(here, name)
        status = os.lstat(place)
        yield place, status
        if not stat.S_ISLNK(status.st_mode):
            here = place
            continue
        links += 1
        if links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), place)
        target = os.readlink(place)
        here = "/" if target.startswith("/") else here
        ahead += target.split("/")[::-1]


def _above(here: str) -> str:
    return os.path.join(here, "..") if os.path.basename(here) in (".", "..") else os.path.dirname(here)


def _is_open_to_all(directory: str) -> bool:
    try:
        return bool(os.stat(directory).st_mode & stat.S_IWOTH)
    except OSError:  # it could be
        return True


def _weakness(place: str, status: os.stat_result, owners: Collection[int]) -> str:
    """How somebody else could change what is there; empty: nobody could."""
    directory = stat.S_ISDIR(status.st_mode)
    if status.st_uid not in owners and not (directory and status.st_uid == _UNMAPPED and _has_unmapped_users()):
        return _FOREIGN
    if stat.S_ISLNK(status.st_mode) or (directory and status.st_mode & stat.S_ISVTX):
        return ""
    if stat.S_ISCHR(status.st_mode):  # /dev/null: what is written there is not what is read
        return ""
    if not status.st_mode & (stat.S_IWOTH | stat.S_IWGRP):
        return ""
    kind, options = mount_of(_mounts(), status.st_dev)
    if kind in _OF_WINDOWS and f"uid={os.geteuid()}" in options:
        return ""
    useless = f"chmod does nothing on its file system, {kind}: keep it on another" if kind in _WITHOUT_MODES else ""
    if status.st_mode & stat.S_IWOTH:
        return f"may be written by others ({useless or 'chmod o-w'})"
    return "" if _is_private(place, status) else f"may be written by its group ({useless or 'chmod g-w'})"


def _owners(directories: Collection[Path]) -> Iterator[int]:
    """The owners of these, except of those in which others could have planted something."""
    for directory in directories:
        with contextlib.suppress(OSError):
            status = directory.stat()
            if not _weakness(str(directory), status, {status.st_uid}) and not status.st_mode & stat.S_IWOTH:
                yield status.st_uid


def _is_private(place: str, status: os.stat_result) -> bool:
    """Whether a file's group has its owner as its only member, and no access list adds others.

    If access lists cannot be read, as over sshfs, there may be one.
    """
    import grp
    import pwd

    try:
        name, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid)
        attributes = getattr(os, "listxattr", lambda _: ())(place)
    except (KeyError, OSError):
        return False
    listed = any("acl" in each for each in attributes)  # POSIX's, or NFSv4's
    return group.gr_name == name and set(group.gr_mem) <= {name} and not listed


def _has_unmapped_users() -> bool:
    """Whether this is a container in which the users outside, root among them, appear as `nobody`."""
    try:
        return not maps_nobody(Path("/proc/self/uid_map").read_text("ascii"))
    except (OSError, ValueError):
        return False


def maps_nobody(uid_map: str) -> bool:
    """Whether a container's `nobody` is a real user, by its /proc/self/uid_map."""
    ranges = [[int(word) for word in line.split()] for line in uid_map.splitlines()]
    return any(first <= _UNMAPPED < first + count for first, _, count in ranges)


def _mounts() -> str:
    try:
        return Path("/proc/self/mountinfo").read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


def mount_of(mountinfo: str, device: int) -> tuple[str, list[str]]:
    """The type of the file system on a device, and its options, by /proc/self/mountinfo (see proc(5))."""
    for line in mountinfo.splitlines():
        mounted, _, what = line.partition(" - ")
        if mounted.split()[2] == f"{os.major(device)}:{os.minor(device)}":
            return what.split()[0], re.split("[,;]", what.split()[-1])
    return "", []
