"""Waiting for days: connections that drop, login nodes that restart or say nothing, a laptop that sleeps."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tasks.testbed.processes import wait_until
from tasks.testbed.sshd import extra_sshd, main_door, start_sshd, stop_sshd
from tests.proxy import Proxy

from .fault import Fault, Lane, Tried
from .story import KINDS, Kind, Place

Hurt = Callable[[Proxy, "subprocess.Popen[str]"], None]


@dataclass(frozen=True)
class Days:
    """What happens to a wait for a job of one kind that runs for so long (seconds)."""

    hurt: Hurt
    seconds: float
    kind: Kind = "plain"


def waited(place: Place, days: Days) -> Tried:
    """The same `wait` has to see the end by itself: nothing is typed again."""
    with Proxy(main_door(place.cell).port) as proxy:
        story = place.story("wait", proxy, kind=days.kind, seconds=days.seconds)
        assert story.submit().status == 0
        before = proxy.connections, proxy.counted["down"]
        began, process = time.time(), story.person.start(*story.wait_words())
        assert wait_until(lambda: proxy.connections > before[0] and proxy.counted["down"] > before[1] + 12, 60)
        time.sleep(2)
        happened = process.poll() is None
        if happened:
            days.hurt(proxy, process)
        out, err = process.communicate(timeout=600)
        story.keep(story.wait_words(), process.returncode, out, err, began)
        return Tried([story], int(happened))


def _dropped(proxy: Proxy, process: subprocess.Popen[str]) -> None:
    for _ in range(5):
        proxy.drop_all()
        time.sleep(2.5)


def _refused(proxy: Proxy, process: subprocess.Popen[str]) -> None:
    """For half a minute nobody gets in; the login node is not stormed meanwhile."""
    proxy.refusing = True
    proxy.drop_all()
    before = proxy.connections
    time.sleep(30)
    proxy.refusing = False
    assert 2 <= proxy.connections - before <= 30, proxy.connections - before


def _asleep(proxy: Proxy, process: subprocess.Popen[str]) -> None:
    """A minute in which the laptop does nothing, and its connection is cut."""
    process.send_signal(signal.SIGSTOP)
    time.sleep(2)
    proxy.drop_all()
    time.sleep(58)
    process.send_signal(signal.SIGCONT)


def _asleep_unnoticed(proxy: Proxy, process: subprocess.Popen[str]) -> None:
    """The same, and nobody tells the laptop that its connection is gone."""
    process.send_signal(signal.SIGSTOP)
    proxy.frozen = True
    time.sleep(60)
    process.send_signal(signal.SIGCONT)
    time.sleep(30)
    proxy.frozen = False
    proxy.drop_all()


def _silent(proxy: Proxy, process: subprocess.Popen[str]) -> None:
    """A dead peer: nothing comes, and nothing says that nothing will come, for longer than our patience."""
    proxy.frozen = True
    connections = proxy.connections
    wait_until(lambda: proxy.connections > connections or process.poll() is not None, 300)
    proxy.frozen = False
    proxy.drop_all()


def nights(_: Place) -> Sequence[Days]:
    return [
        *(Days(_dropped, 12, kind) for kind in KINDS * 3),
        *(Days(_refused, seconds, kind) for seconds in (10, 35) for kind in KINDS),
        *(Days(_asleep, seconds, kind) for seconds in (20, 70) for kind in KINDS),
        *(Days(_asleep_unnoticed, seconds) for seconds in (20, 100)),
        *(Days(_silent, seconds) for seconds in (20, 160)),
    ]


def restarted(place: Place, seconds: float) -> Tried:
    """sshd is killed with all its sessions, and started again so many seconds later."""
    with extra_sshd(place.cell, place.new("restarted")) as door:
        story = place.story("restart", door=door, seconds=8)
        assert story.submit().status == 0
        logins = door.logins()
        began, process = time.time(), story.person.start(*story.wait_words())
        assert wait_until(lambda: door.logins() > logins, 60)
        time.sleep(1.5)
        stop_sshd(door)
        happened = process.poll() is None
        time.sleep(seconds)
        start_sshd(door)
        out, err = process.communicate(timeout=600)
        story.keep(story.wait_words(), process.returncode, out, err, began)
        return Tried([story], int(happened))


FAULTS = (
    Fault("wait: dropped, refused, asleep, silent", nights, waited, Lane.PATIENT, at_once=13),
    Fault(
        "wait: sshd restarted", lambda _: [0.0, 1.0, 3.0, 6.0, 12.0, 20.0], restarted, Lane.PATIENT, at_once=6, short=1
    ),
)
