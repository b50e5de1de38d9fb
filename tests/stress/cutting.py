"""Connections that are cut at each packet, and peers that are dead from a packet on."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.testbed.sshd import main_door
from tests.proxy import Direction, Proxy

from .fault import Fault, Lane, Tried
from .story import KINDS, Kind, Place

_WAYS: tuple[Direction, ...] = ("up", "down")


@dataclass(frozen=True)
class Packet:
    """The Nth packet of one direction in the submit of one kind of job."""

    kind: Kind
    way: Direction
    number: int


def packets(place: Place) -> Sequence[Packet]:
    """Every packet of a submit that nothing happens to."""
    found = []
    for kind in KINDS:
        with Proxy(main_door(place.cell).port) as proxy:
            assert place.story("whole", proxy, kind=kind).submit().status == 0
            found += [Packet(kind, way, number) for way in _WAYS for number in range(1, proxy.counted[way] + 1)]
    return found


def cut(place: Place, packet: Packet) -> Tried:
    """That packet does not arrive, and the connection is gone."""
    with Proxy(main_door(place.cell).port, cut=(packet.way, packet.number)) as proxy:
        story = place.story("cut", proxy, kind=packet.kind, job_file=packet.number % 2 == 0)
        story.submit()
        happened = proxy.cuts
        return Tried([story.persist()], happened)


def dead(place: Place, packet: Packet) -> Tried:
    """From that packet on the peer is silent, and closes nothing, until the user is told so."""
    with Proxy(main_door(place.cell).port) as proxy:
        story = place.story("dead", proxy, kind=packet.kind, seconds=1)
        process = story.begin()
        while proxy.counted[packet.way] < packet.number and process.poll() is None:
            time.sleep(0.0005)
        proxy.frozen = True
        answer = story.end()
        proxy.frozen = False
        proxy.drop_all()
        return Tried([story.persist()], int(answer.status != 0))


def dead_packets(place: Place) -> Sequence[Packet]:
    """Some of each submit: what is waited for differs."""
    return [Packet(kind, way, number) for kind in KINDS for way in _WAYS for number in (1, 2, 3, 6, 9, 12)]


def refused_for_a_while(place: Place, seconds: float) -> Tried:
    """The login node cannot be reached, and then it can."""
    with Proxy(main_door(place.cell).port, refusing=True) as proxy:
        story = place.story("refused", proxy)
        timer = threading.Timer(seconds, lambda: setattr(proxy, "refusing", False))
        timer.start()
        story.submit()
        happened = proxy.connections
        timer.join()
        return Tried([story.persist()], int(happened > 0))


FAULTS: tuple[Fault[Packet] | Fault[float], ...] = (
    Fault("connection cut at a packet of submit", packets, cut, short=6),
    Fault("peer dead from a packet on", dead_packets, dead, Lane.PATIENT, at_once=12),
    Fault("login node refuses, then does not", lambda _: [0.5, 2.0, 4.0, 8.0], refused_for_a_while, short=1),
)
