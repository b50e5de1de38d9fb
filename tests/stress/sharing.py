"""Two clients with one key: one is stopped in the middle of its upload, or dies while the scheduler is busy with the
other; and shells on the login node that are killed or stopped at each of their commands.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.model.errors import NotSubmitted
from tasks.model.resources import Resources
from tasks.submission.prepare import Wanted
from tasks.testbed import processes
from tasks.testbed.processes import wait_until
from tests.exactly_once.striking import ALL, Struck

from .fault import Fault, Lane, Tried
from .outages import controller
from .story import Place, Story

_BIG = 60 << 20


def _pair(place: Place, what: str) -> tuple[Story, Story]:
    """Two machines of one user that submit the same, which takes a moment to send."""
    one, other = (place.story(name, kind="put") for name in (what, "others"))
    script = f"{one.name}.sh"
    other.person.script(script, (one.person.work / script).read_text())
    for story in (one, other):
        with (story.person.work / "data").open("r+b") as file:
            file.truncate(_BIG)
    return one, Story(other.person, one.name, one.kind, one.status)


def _stop_at(place: Place, story: Story, pause: float) -> bool:
    """Begin to submit, and stop so long after its files have begun to come in; whether that was before its end."""
    process = story.begin()
    coming = place.directory_of(story) / ".submithost"
    wait_until(lambda: process.poll() is not None or any(coming.glob("attempt.*/holder.*/draft/data")), 60)
    time.sleep(pause)
    process.send_signal(signal.SIGSTOP)
    return process.poll() is None and not (coming / "receipt").exists()


def _over(one: Story, other: Story, happened: bool) -> Tried:
    one.answers += other.answers
    return Tried([one.persist()], int(happened))


@dataclass(frozen=True)
class Stop:
    """So long (seconds) after the files began to come in; then it dies, or goes on late."""

    after: float
    dies: bool


def stops(_: Place) -> Sequence[Stop]:
    return [Stop(after / 1000, dies) for after in (0, 20, 50, 100, 150, 200, 300, 400) for dies in (True, False)]


def stopped(place: Place, stop: Stop) -> Tried:
    """It is stopped while it sends, another one submits, and it dies or goes on."""
    one, other = _pair(place, "stopped")
    happened = _stop_at(place, one, stop.after)
    other.submit()
    assert one.process
    one.process.send_signal(signal.SIGKILL if stop.dies else signal.SIGCONT)
    one.end(killed=stop.dies)
    return _over(one, other, happened)


def busy(place: Place, stop: Stop) -> Tried:
    """One is stopped while it sends; the scheduler is busy with the other when one of them dies."""
    warm = place.story("warm").persist()  # so that the queues need not be asked
    one, other = _pair(place, "busy")
    happened = _stop_at(place, one, 0.05)
    assert one.process
    daemon = processes.daemon(place.cell.directory, controller(place.cell).program)
    assert daemon
    process = other.begin()
    mine = place.directory_of(one) / ".submithost"
    # It asks for earlier jobs of the key before it sends, and would wait for that answer for as long as we wait here.
    wait_until(lambda: process.poll() is not None or len(list(mine.glob("attempt.*/holder.*/draft"))) > 1, 60)
    os.kill(daemon.pid, signal.SIGSTOP)
    try:
        asking = wait_until(lambda: process.poll() is not None or any(mine.glob("attempt/asked.*/pid")), 60)
        happened = happened and asking and process.poll() is None
        time.sleep(stop.after)
        (one.process if stop.dies else process).kill()
        one.process.send_signal(signal.SIGCONT)
        time.sleep(1)
    finally:
        os.kill(daemon.pid, signal.SIGCONT)
    other.end(killed=not stop.dies)
    one.end(killed=stop.dies)
    tried = _over(one, other, happened)
    return Tried([warm, *tried.stories], tried.happened)


@dataclass(frozen=True)
class Strike:
    """By which signal, at which command of the program on the login node."""

    how: str
    number: int


def _struck(place: Place, story: Story, strike: Strike) -> Struck:
    folder = place.folder / place.new("strike")
    return Struck(place.cell, folder, story.name, strike.number, strike.how, ALL)


def _wanted(story: Story) -> Wanted:
    work: Path = story.person.work
    return Wanted(str(work / f"{story.name}.sh"), resources=Resources(name=story.name), put=(str(work / "data"),))


def strikes(place: Place) -> Sequence[Strike]:
    """Every command of a submit that nothing happens to."""
    story = place.story("whole", kind="put")
    whole = _struck(place, story, Strike("KILL", 0))
    whole.begin(_wanted(story)).join()
    assert whole.job, whole.failure
    return [Strike(how, number) for number in range(1, whole.steps + 1) for how in ("KILL", "STOP")]


def struck(place: Place, strike: Strike) -> Tried:
    """Another client submits the key meanwhile; both are told of the same job, or one that nothing was submitted."""
    story = place.story("struck", kind="put")
    one = _struck(place, story, strike)
    one.race(_wanted(story), story.submit)
    tried = Tried([story.persist()], int(one.shell() > 0))
    if one.job:
        assert any(f" {one.job.job_id}" in answer.out for answer in story.answers), one.job.job_id
    else:  # a subshell that is killed is a step that fails
        assert strike.how == "KILL"
        assert isinstance(one.failure, NotSubmitted), one.failure
    return tried


FAULTS: tuple[Fault[Stop] | Fault[Strike], ...] = (
    Fault("client stopped in mid-upload, another submits the key", stops, stopped, Lane.PATIENT, at_once=4),
    Fault(
        "one of two clients of a key dies, the scheduler is busy",
        lambda _: [Stop(after, dies) for after in (0.0, 0.05, 0.5, 4.0) for dies in (True, False)],
        busy,
        Lane.SHAKING,
        at_once=1,
    ),
    Fault("shell on the login node killed or stopped at a command", strikes, struck, Lane.PATIENT, at_once=4),
)
