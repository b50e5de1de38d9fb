"""The scheduler's daemons down: before, during and after a submit, a poll and a settle, on a cluster of its own.

One fault strikes several submissions at different steps, and counts once for each that was under way.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from tasks.testbed import processes
from tasks.testbed.processes import wait_until

from .fault import Fault, Lane, Tried
from .outages import Daemon, Outage, controller, node
from .story import Kind, Place, Story, persist
from .truth import read_witness

_ALL: tuple[Kind, ...] = ("plain", "put", "array", "bare")


def ends(_: Place) -> Sequence[Outage]:
    """Killed, and for a while; ended in good order."""
    return [Outage(True, 0.0), Outage(True, 10.0), Outage(False, 3.0), Outage(True, 25.0)]


def ends_of_a_node(_: Place) -> Sequence[Outage]:
    """The same, less often: qmaster takes minutes to use a host again."""
    return [Outage(True, 10.0), Outage(False, 3.0)]


def before_submit(place: Place, outage: Outage) -> Tried:
    """It is down already when four users submit."""
    stories = [place.story("before", kind=kind) for kind in _ALL]
    outage.begin(controller(place.cell), place.cell)
    for story in stories:
        story.begin()
    for story in stories:
        story.end()
    time.sleep(outage.away)
    controller(place.cell).start(place.cell)
    struck = sum(story.answers[0].status != 0 for story in stories)
    return Tried(persist(stories), struck)


def during_submit(place: Place, outage: Outage) -> Tried:
    """It goes when the first of eight users has asked; the others are at earlier steps."""
    stories = [place.story("during", kind=kind) for kind in _ALL * 2]
    for story in stories:
        story.begin()
        time.sleep(0.05)
    lying = [place.directory_of(story) / ".submithost/attempt" for story in stories]
    wait_until(lambda: any(any(path.glob("asked.*")) for path in lying), 60)
    time.sleep(outage.after)
    outage.begin(controller(place.cell), place.cell)
    struck = sum(story.process is not None and story.process.poll() is None for story in stories)
    time.sleep(outage.away)
    controller(place.cell).start(place.cell)
    for story in stories:
        story.end()
    return Tried(persist(stories), struck)


def moments(_: Place) -> Sequence[Outage]:
    return [
        *(Outage(True, away, after) for after in (0.0, 0.02, 0.05, 0.2) for away in (0.0, 20.0)),
        *(Outage(False, 1.0, after) for after in (0.0, 0.05)),
    ]


def _submitted(place: Place, what: str) -> list[Story]:
    """A submission of each kind, all at once, each answered."""
    stories = [place.story(what, kind=kind) for kind in _ALL]
    for story in stories:
        story.begin()
    for story in stories:
        story.end()
    return stories


def after_submit(place: Place, outage: Outage) -> Tried:
    """It goes as soon as it has answered."""
    stories = _submitted(place, "after")
    outage.begin(controller(place.cell), place.cell)
    time.sleep(outage.away)
    controller(place.cell).start(place.cell)
    return Tried(persist(stories), len(stories))


def during_poll(place: Place, outage: Outage) -> Tried:
    """It goes while four users wait for running jobs; status is asked meanwhile."""
    return _waiting(place, outage, 12, _running, controller(place.cell))


def during_settle(place: Place, outage: Outage) -> Tried:
    """It goes in the moment in which the first job ends."""
    return _waiting(place, outage, 3, _ended, controller(place.cell))


def node_away(place: Place, outage: Outage) -> Tried:
    """Their node's daemon goes while jobs run."""
    return _waiting(place, outage, 6, _running, node(place.cell))


def node_away_before(place: Place, outage: Outage) -> Tried:
    """It goes before jobs are submitted, so they pend until it is back."""
    outage.begin(node(place.cell), place.cell)
    stories = _submitted(place, "pending")
    time.sleep(outage.away)
    node(place.cell).start(place.cell)
    return Tried(persist(stories), len(stories))


def stalled(place: Place, pause: float) -> Tried:
    """It stands still while four users submit; what submits for them is killed so many seconds after it goes on.

    Nothing may have to be asked before: of a key that is made for a job file there cannot be a job, and a job before
    these leaves word of the queues.
    """
    place.story("warm").persist()
    stalling = processes.daemon(place.cell.directory, controller(place.cell).program)
    assert stalling
    stories = [place.story("stalled", kind=kind, job_file=True) for kind in _ALL]
    os.kill(stalling.pid, signal.SIGSTOP)
    try:
        for story in stories:
            story.begin()
        assert wait_until(lambda: all(_command_of(place, story) > 0 for story in stories), 60)
        time.sleep(0.3)
    finally:
        os.kill(stalling.pid, signal.SIGCONT)
    time.sleep(pause)
    struck = 0
    for story in stories:
        if process := processes.look(_command_of(place, story)):
            processes.end(process)
            struck += 1
    for story in stories:
        story.end()
    return Tried(persist(stories), struck)


def _command_of(place: Place, story: Story) -> int:
    """The process that submits for this one, whose key begins with its name; -1: none yet."""
    jobs = place.directory_of(story).parent
    with contextlib.suppress(StopIteration, OSError, ValueError):
        return int(next(jobs.glob(f"{story.name}-*/.submithost/attempt/asked.*/pid")).read_text())
    return -1


def _running(place: Place, story: Story) -> bool:
    return bool(read_witness(place.witnesses / story.name))


def _ended(place: Place, story: Story) -> bool:
    return any(body.ended for body in read_witness(place.witnesses / story.name))


def _waiting(
    place: Place, outage: Outage, seconds: float, moment: Callable[[Place, Story], bool], daemon: Daemon[Any]
) -> Tried:
    stories = [place.story("waiting", kind=kind, seconds=seconds) for kind in _ALL]
    with ThreadPoolExecutor(2 * len(stories)) as pool:
        waiting = [pool.submit(story.persist) for story in stories]
        assert wait_until(lambda: all(story.accepted for story in stories), 300)
        assert wait_until(lambda: moment(place, stories[0]), 120)
        outage.begin(daemon, place.cell)
        asked = [pool.submit(story.type, "-H", "hpc", "status", "--json", f"--job={story.name}") for story in stories]
        for one in asked:
            one.result()
        time.sleep(outage.away)
        daemon.start(place.cell)
        for one_story in waiting:
            one_story.result()
    return Tried(stories, len(stories))


FAULTS = (
    Fault("controller down before a submit", ends, before_submit, Lane.SHAKING, at_once=1),
    Fault("controller down during a submit", moments, during_submit, Lane.SHAKING, at_once=1),
    Fault(
        "controller stalls, what submits is killed",
        lambda _: [0.0, 0.001, 0.003, 0.006, 0.01, 0.02],
        stalled,
        Lane.SHAKING,
        at_once=1,
    ),
    Fault("controller down after a submit", ends, after_submit, Lane.SHAKING, at_once=1, short=1),
    Fault("controller down during a poll", ends, during_poll, Lane.SHAKING, at_once=1),
    Fault("controller down during a settle", ends, during_settle, Lane.SHAKING, at_once=1),
    Fault("node down before a job", ends_of_a_node, node_away_before, Lane.SHAKING, at_once=1),
    Fault("node down during a job", ends_of_a_node, node_away, Lane.SHAKING, at_once=1),
)
