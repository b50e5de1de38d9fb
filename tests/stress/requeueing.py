"""Requeued by hand: a run is broken off, and the job comes back; bodies that trap TERM and exit 0 look like an end."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from tasks.testbed.cell import Cell
from tasks.testbed.processes import wait_until
from tasks.testbed.sshd import main_door
from tests.proxy import Proxy

from .ambient import release
from .fault import Fault, Lane, Tried
from .judging import told
from .story import Kind, Place, Story
from .truth import read_witness


@dataclass(frozen=True)
class Requeue:
    """So long (seconds) after each of so many runs has begun."""

    kind: Kind
    after: float
    trapping: bool
    times: int = 1


def moments(_: Place) -> Sequence[Requeue]:
    kinds: tuple[Kind, ...] = ("plain", "array", "bare")
    return [
        *(Requeue(kind, after, trap) for after in (0.0, 0.3, 1.0, 2.5) for trap in (True, False) for kind in kinds),
        *(Requeue(kind, 1.0, trapping=True, times=2) for kind in kinds),
    ]


def requeued(place: Place, case: Requeue) -> Tried:
    """The same `wait` sees the end of the last run, and every `status` beside it no end before that."""
    rerunnable = "-r y" if isinstance(place.cell, Cell) else "--requeue"
    words = ("--hold", f"--option={rerunnable}")
    with Proxy(main_door(place.cell).port) as proxy:
        story = place.story("requeued", proxy, kind=case.kind, seconds=10, trapping=case.trapping, words=words)
        assert story.submit().status == 0
        (job_id,) = told(story.asked)
        before = proxy.connections, proxy.counted["down"]
        began, process = time.time(), story.person.start(*story.wait_words())
        assert wait_until(lambda: proxy.connections > before[0] and proxy.counted["down"] > before[1] + 12, 120)
        release(place.cell, job_id)
        for runs in range(case.times):
            assert wait_until(lambda runs=runs: _runs(place, story) > runs or process.poll() is not None, 300)
            time.sleep(case.after)
            story.requeued += _requeue(place, f"{job_id}{_task(place, case.kind)}")
            story.type("-H", "hpc", "status", "--json", f"--job={story.name}")
        out, err = process.communicate(timeout=600)
        story.keep(story.wait_words(), process.returncode, out, err, began)
        return Tried([story], story.requeued)


def _task(place: Place, kind: Kind) -> str:
    """The first task of an array job, in its scheduler's words."""
    return "" if kind != "array" else ".1" if isinstance(place.cell, Cell) else "_1"


def _requeue(place: Place, job: str) -> int:
    words = ("qmod", "-rj", job) if isinstance(place.cell, Cell) else ("scontrol", "requeue", job)
    return int(place.cell.run(*words, timeout=60).returncode == 0)


def _runs(place: Place, story: Story) -> int:
    """How often the body of a job, or of its first task, has begun."""
    return sum(body.task <= 1 for body in read_witness(place.witnesses / story.name))


FAULTS = (Fault("requeued by hand", moments, requeued, Lane.PATIENT, at_once=9, short=1),)
