"""Whom a path may come from: what is obeyed here is one's own, and nobody else decides where it is found.

Every component counts, as given and as links lead on: the links themselves, what they lead to, and the directories that
hold either. Each belongs to the user or to root, and nobody else may write to it. In a sticky directory all may write,
but nobody renames what belongs to another, so there it is the entry that counts. A group that is its owner's alone, as
where umask is 002, is nobody else; sshd's StrictModes on Debian says so too.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from .errors import InvalidInput
from .wording import one_line

_MOST_LINKS = 40  # as many as Linux follows
_UNMAPPED = 65534


def refuse_foreign(path: Path, chosen: Collection[Path] = ()) -> None:
    """Raises InvalidInput when another user decides, or could, what is at this path, FileNotFoundError if nothing is.

    `chosen` are directories that the user went to, or named: what belongs to their owners counts as well, as in the
    directory of a colleague, or in a checkout that a container runs in as root.
    """
    owners = {0, os.geteuid(), *_owners(chosen)}
    if not os.path.lexists(path):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
    with contextlib.suppress(OSError):  # who reads it will say why it cannot be read
        for place, status in _way(path):
            if why := _weakness(place, status, owners):
                _refuse(path, place, why)


def refuse_planted(path: Path, chosen: Collection[Path] = ()) -> None:
    """The same for what the user names and may have from a colleague: all but what somebody laid where all may write.

    Raises InvalidInput.
    """
    owners = {0, os.geteuid(), *_owners(chosen)}
    with contextlib.suppress(OSError):
        for place, status in _way(path):
            if status.st_uid not in owners and os.stat(os.path.dirname(place)).st_mode & stat.S_IWOTH:
                _refuse(path, place, "belongs to somebody else, in a directory where all may write")


def _refuse(path: Path, place: str, why: str) -> None:
    subject = "it" if place == os.path.abspath(path) else one_line(place)
    raise InvalidInput(f"{one_line(path)} is not used: {subject} {why}")


def _way(path: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Each directory, link and file that the system passes on its way to this path. Raises OSError where it ends."""
    here, links = "/", 0
    ahead = os.path.join(os.getcwd(), path).split("/")[::-1]
    yield here, os.lstat(here)
    while ahead:
        name = ahead.pop()
        if name in ("", "."):
            continue
        if name == "..":  # of a directory: links before it have been followed
            here = os.path.dirname(here)
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


def _weakness(place: str, status: os.stat_result, owners: Collection[int]) -> str:
    """What gives somebody else a say in what is there; empty: nothing does."""
    directory = stat.S_ISDIR(status.st_mode)
    if status.st_uid not in owners and not (directory and status.st_uid == _UNMAPPED and _has_unmapped_users()):
        return "belongs to somebody else"
    if stat.S_ISLNK(status.st_mode) or (directory and status.st_mode & stat.S_ISVTX):
        return ""
    if status.st_mode & stat.S_IWOTH:
        return "may be written by others (chmod o-w)"
    if status.st_mode & stat.S_IWGRP and not _is_private(place, status):
        return "may be written by its group (chmod g-w)"
    return ""


def _owners(directories: Collection[Path]) -> Iterator[int]:
    """Who owns these, but for those in which others could have laid anything."""
    for directory in directories:
        with contextlib.suppress(OSError):
            status = directory.stat()
            if not _weakness(str(directory), status, {status.st_uid}) and not status.st_mode & stat.S_IWOTH:
                yield status.st_uid


def _is_private(place: str, status: os.stat_result) -> bool:
    """Whether the group is its owner's alone: it has their name, and no other members; nor has a list of access."""
    import grp
    import pwd

    try:
        name, group = pwd.getpwuid(status.st_uid).pw_name, grp.getgrgid(status.st_gid)
    except KeyError:
        return False
    listed = "system.posix_acl_access" in getattr(os, "listxattr", lambda _: ())(place)
    return group.gr_name == name and set(group.gr_mem) <= {name} and not listed


def _has_unmapped_users() -> bool:
    """Whether this is a container in which root of the machine outside, as all whom it does not know, is `nobody`."""
    try:
        _, _, count = Path("/proc/self/uid_map").read_text("ascii").split()[:3]
    except (OSError, ValueError):
        return False
    return int(count) <= _UNMAPPED
