"""Many at once through one ledger and one key, and login nodes that take few sessions or say too much."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tasks.testbed.sshd import Door, extra_sshd

from .fault import Fault, Tried
from .story import KINDS, Kind, Place, Story, persist

_CROWD = 20


def one_ledger(place: Place, kind: Kind) -> Tried:
    """Twenty processes of one user submit twenty jobs at once."""
    first = place.story("ledger", kind=kind)
    stories = [first, *(place.story("ledger", person=first.person, kind=kind) for _ in range(_CROWD - 1))]
    for story in stories:
        story.begin()
    for story in stories:
        story.end()
    return Tried(persist(stories))


def one_key(place: Place, case: tuple[Kind, bool]) -> Tried:
    """Twenty processes of one user submit one key, or one job file, at once."""
    kind, by_file = case
    story = place.story("key", kind=kind, job_file=by_file)
    return Tried([_together(story, [story] * _CROWD)])


def one_key_of_many(place: Place, kind: Kind) -> Tried:
    """Ten users of one account on the login node, each with a ledger of their own, submit one key at once."""
    story = place.story("keys", kind=kind)
    more = []
    for _ in range(9):
        other = place.story("others", kind=kind)
        other.person.script(f"{story.name}.sh", (story.person.work / f"{story.name}.sh").read_text())
        more.append(Story(other.person, story.name, kind, story.status))
    _together(story, [story, *more])
    story.answers += [answer for other in more for answer in other.answers]
    return Tried([story])


def _together(story: Story, all_of_them: Sequence[Story]) -> Story:
    began = [each.begin() for each in all_of_them]
    for each, process in zip(all_of_them, began, strict=True):
        each.process = process
        each.end()
    return story.persist()


def one_session(place: Place, kind: Kind) -> Tried:
    """MaxSessions 1: a channel opened right after another has closed is refused about half the time."""
    with extra_sshd(place.cell, place.new("one"), ["MaxSessions 1"]) as door:
        return Tried([place.story("one", door=door, kind=kind).persist()])


def drops(place: Place, seconds: float) -> Tried:
    """MaxStartups is used up by somebody else for so long."""
    with extra_sshd(place.cell, place.new("few"), ["MaxStartups 2:100:2", "LogLevel DEBUG"]) as door:
        story = place.story("few", door=door)
        with _hogs(door, 2):
            process = story.begin()
            time.sleep(seconds)
        process.wait()
        story.end()
        happened = "MaxStartups" in door.log.read_text(errors="replace")
        return Tried([story.persist()], int(happened))


@contextmanager
def _hogs(door: Door, count: int) -> Iterator[None]:
    """Connections that never log in."""
    hogs = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(count)]
    try:
        for hog in hogs:
            hog.recv(64)
        yield
    finally:
        for hog in hogs:
            hog.close()


def noisy(place: Place, kind: Kind) -> Tried:
    """rc files print, which makes SFTP hang; SFTP here hangs anyway."""
    home = place.folder / place.new("noisy")
    home.mkdir()
    (home / ".bashrc").write_text(f"echo noise; echo noise >&2; echo said >>'{home}/said'\n")
    (home / ".bash_profile").write_text("echo profile noise\n")
    options = ["Subsystem sftp /bin/sleep 3600"]
    with extra_sshd(place.cell, home.name, options, login_shell="/bin/bash", home=home, sftp=False) as door:
        story = place.story("noise", door=door, kind=kind).persist()
        return Tried([story], int((home / "said").exists()))


FAULTS = (
    Fault("20 processes at once, one ledger", lambda _: KINDS, one_ledger, at_once=1),
    Fault(
        "20 processes at once, one key",
        lambda _: [("plain", False), ("plain", True), ("array", False)],
        one_key,
        at_once=1,
    ),
    Fault("10 ledgers at once, one key", lambda _: KINDS, one_key_of_many, at_once=1),
    Fault("MaxSessions 1", lambda _: KINDS * 2, one_session, short=1),
    Fault("MaxStartups drops", lambda _: [0.5, 1.0, 2.0, 4.0, 8.0, 16.0], drops, short=1),
    Fault("noisy rc files, SFTP hangs", lambda _: KINDS * 2, noisy, short=1),
)
