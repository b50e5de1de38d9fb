"""Another user of this machine, who really tries: what they manage to change is what has to be refused.

Root becomes that user in a child, so no account is made and none is left behind.
"""

from __future__ import annotations

import contextlib
import os
import signal
import struct
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

ATTACKER = 54321
"""Their user and group; nobody has it."""
EVIL = "evil"

MAPS = {
    "         0          0 4294967295\n": True,
    "0 1000 1\n": False,
    "0 1000 1\n1 100000 65536\n": True,
    "0 1000 1\n1 100000 65533\n": False,
}
"""What containers have in /proc/self/uid_map, and whether `nobody` is a user of its own in there."""


def as_attacker(act: Callable[[], object]) -> None:
    """Have another user do this, in a child; what they are not allowed to do is not done."""
    _, status = os.waitpid(_become_attacker(act), 0)
    assert status == 0, "the attacker failed, and tried nothing more: see above"


def _become_attacker(act: Callable[[], object]) -> int:
    if os.geteuid() != 0:
        pytest.fail("only root can become another user: run the tests as root, as in a container")
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(ATTACKER, ATTACKER, ATTACKER)
            os.setresuid(ATTACKER, ATTACKER, ATTACKER)
            os.umask(0o022)
            with contextlib.suppress(OSError):
                act()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)
    return child


@contextlib.contextmanager
def beside_attacker(act: Callable[[], object]) -> Iterator[None]:
    """Meanwhile have another user do this over and over, in a child, which has to be at it to the end."""

    def again() -> None:
        while os.getppid() == ours:
            with contextlib.suppress(OSError):
                act()

    ours = os.getpid()
    child = _become_attacker(again)
    try:
        yield
    finally:
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the attacker failed, and tried nothing more: see above"


def changed_by_attacker(paths: Sequence[Path], text: str = EVIL, seen: Sequence[Path] = ()) -> list[bool]:
    """For each of these whether another user manages that whoever reads it reads `text`.

    `seen` is how it is read: the same paths from a directory in which somebody stands already. They try every step of
    the way; one child tries all.
    """
    seen = seen or paths
    as_attacker(lambda: [_attack(path, text, read) for path, read in zip(paths, seen, strict=True)])
    return [_reads(path, text) for path in seen]


def _reads(path: Path, text: str) -> bool:
    with contextlib.suppress(OSError):
        return path.read_text() == text
    return False


def _attack(path: Path, text: str, seen: Path) -> None:
    """Write to the file; else move away what is on the way to it, from its end, and lay something else there."""
    for place, rest in reversed(list(_way(str(path)))):
        if not rest:
            with contextlib.suppress(OSError):
                Path(place).write_text(text)
        if not _reads(seen, text):
            with contextlib.suppress(OSError):
                os.rename(place, f"{place}.away")
                _file(Path(place, rest), text)
        if _reads(seen, text):
            return


def _way(path: str) -> Iterator[tuple[str, str]]:
    """Each place on the way to `path`, where links lead too, and what follows it."""
    words, here = path.split("/")[1:], "/"
    while words:
        here = os.path.normpath(os.path.join(here, words.pop(0)))
        yield here, "/".join(words)
        if os.path.islink(here):
            words = os.readlink(here).split("/") + words
            here = "/" if not words[0] else os.path.dirname(here)


def allow(path: Path, uid: int) -> None:
    """Let this user write there by an access control list, which the mode shows as a right of the group."""
    everyone = 0xFFFFFFFF
    entries = [(1, 7, everyone), (2, 7, uid), (4, 5, everyone), (0x10, 7, everyone), (0x20, 5, everyone)]
    os.setxattr(
        path, "system.posix_acl_access", b"\x02\0\0\0" + b"".join(struct.pack("<HHI", *entry) for entry in entries)
    )


# Kinds of places: each makes a directory below `top`, lays `text` into a file there, and has something done about it.
Lay = Callable[[Path, str, str], Path]
PLACES: dict[str, Lay] = {}


def _kind(name: str) -> Callable[[Lay], Lay]:
    def note(lay: Lay) -> Lay:
        PLACES[name] = lay
        return lay

    return note


def _file(path: Path, text: str, *, theirs: bool = False) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return _give(path) if theirs else path


def _give(path: Path) -> Path:
    os.chown(path, ATTACKER, ATTACKER, follow_symlinks=False)
    return path


def _directory(mode: int, gid: int = 0, uid: int = 0, *, theirs: bool = False) -> Lay:
    """A directory with this mode, and in there a file of one's own, or of theirs."""

    def lay(top: Path, name: str, text: str) -> Path:
        path = _file(top / name, text, theirs=theirs)
        os.chown(path.parent, uid, gid)
        path.parent.chmod(mode)
        return path

    return lay


PLACES["a directory of one's own"] = _directory(0o755)
PLACES["a private one"] = _directory(0o700)
PLACES["one that a group of one's own may write to"] = _directory(0o2775)
PLACES["one that their group may write to"] = _directory(0o2775, ATTACKER)
PLACES["one that all may write to"] = _directory(0o777)
PLACES["a sticky one"] = _directory(0o1777)
PLACES["a sticky one of theirs"] = _directory(0o1777, uid=ATTACKER)
PLACES["a sticky one, and their file"] = _directory(0o1777, theirs=True)
PLACES["one's own, and their file"] = _directory(0o755, theirs=True)
PLACES["a sticky one for their group"] = _directory(0o1775, ATTACKER)


@_kind("a directory of one's own below theirs")
def _below(top: Path, name: str, text: str) -> Path:
    path = _file(top / "theirs" / name, text)
    _give(top / "theirs")
    return path


@_kind("one below a directory that all may write to")
def _below_open(top: Path, name: str, text: str) -> Path:
    path = _file(top / "open" / name, text)
    (top / "open").chmod(0o777)
    return path


@_kind("one below a sticky directory")
def _below_sticky(top: Path, name: str, text: str) -> Path:
    path = _file(top / "sticky" / name, text)
    (top / "sticky").chmod(0o1777)
    return path


@_kind("a file that all may write to")
def _open_file(top: Path, name: str, text: str) -> Path:
    path = _file(top / name, text)
    path.chmod(0o666)
    return path


@_kind("a file with a list of who may write")
def _listed_file(top: Path, name: str, text: str) -> Path:
    path = _file(top / name, text)
    allow(path, ATTACKER)
    return path


@_kind("a directory with such a list")
def _listed_directory(top: Path, name: str, text: str) -> Path:
    path = _file(top / name, text)
    allow(path.parent, ATTACKER)
    return path


def _link(directory: int, target: Lay, *, theirs: bool = False, relative: bool = False) -> Lay:
    """A link in a directory with this mode, one's own or theirs, to a file in such a place."""

    def lay(top: Path, name: str, text: str) -> Path:
        to = target(top / "elsewhere", "deep/target", text)
        link = top / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(to, link.parent) if relative else to)
        if theirs:
            _give(link)
        link.parent.chmod(directory)
        return link

    return lay


_OWN = PLACES["a directory of one's own"]
PLACES["one's own link to a file of one's own"] = _link(0o755, _OWN)
PLACES["one that goes up and down"] = _link(0o755, _OWN, relative=True)
PLACES["one's own link in a sticky directory"] = _link(0o1777, _OWN)
PLACES["their link to a file of one's own"] = _link(0o1777, _OWN, theirs=True)
PLACES["their link to a file of theirs"] = _link(0o1777, _directory(0o755, uid=ATTACKER, theirs=True), theirs=True)
PLACES["one's own link to where all may write"] = _link(0o755, PLACES["one that all may write to"])
PLACES["one's own link to below theirs"] = _link(0o755, _below)
PLACES["a chain of one's own links"] = _link(0o755, _link(0o1777, _OWN, relative=True))
PLACES["a chain with a link of theirs"] = _link(0o755, _link(0o1777, _OWN, theirs=True))


@_kind("a link of one's own on the way")
def _link_above(top: Path, name: str, text: str) -> Path:
    path = _file(top / "real" / name, text)
    (top / "through").symlink_to("real")
    return top / "through" / path.relative_to(top / "real")


@_kind("a link of theirs on the way")
def _link_of_theirs_above(top: Path, name: str, text: str) -> Path:
    _file(top / "real" / name, text)
    (top / "sticky").mkdir()
    (top / "sticky" / "through").symlink_to("../real")
    _give(top / "sticky" / "through")
    (top / "sticky").chmod(0o1777)
    return top / "sticky" / "through" / name


@_kind("a link of one's own on the way where all may write")
def _link_in_the_open(top: Path, name: str, text: str) -> Path:
    _file(top / "real" / name, text)
    (top / "open").mkdir()
    (top / "open" / "through").symlink_to("../real")
    (top / "open").chmod(0o777)
    return top / "open" / "through" / name


@contextlib.contextmanager
def common_ground() -> Iterator[Path]:
    """A directory that other users can get to, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="submithost-test-", dir="/tmp") as top:
        os.chmod(top, 0o755)
        yield Path(top)
