"""Progress: what `wait` shows, and a bar for files that are sent and brought."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..model.ended import ended_line
from ..model.job import Job, State
from ..model.outcome import DID_NOT_SUCCEED
from ..model.wording import fab, one_line
from .output import CONTROL_C, say

if TYPE_CHECKING:
    pass


# The most failed tasks at once that get a line each.
_AT_ONCE = 20


class WaitProgress:
    """What `wait` shows: a line that moves on a terminal, a line for each change of state elsewhere."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, int | None], State] = {}
        self._seen: dict[str, Job] = {}
        self._reasoned: dict[str, tuple[State, bool]] = {}
        self._began = time.monotonic()
        self._moving = sys.stderr.isatty()

    def __call__(self, jobs: Sequence[Job]) -> None:
        """Tell what is new: the end of each job and failed task; on a terminal, also how many are in each state."""
        lines = [line for job in jobs if self._seen.get(job.key) is not job for line in self._news(job)]
        self._seen = {job.key: job for job in jobs}
        if self._moving:
            print("\r\033[K", end="", file=sys.stderr)
        for line in lines:
            say(line)
        if self._moving:
            print(self._summary(jobs), end="", flush=True, file=sys.stderr)

    def close(self) -> None:
        """Remove the moving line."""
        if self._moving:
            print("\r\033[K", end="", flush=True, file=sys.stderr)

    def _news(self, job: Job) -> Iterator[str]:
        worth_a_line = job.array and any(state in DID_NOT_SUCCEED for state in job.counts)
        ended = [
            (task, outcome)
            for task, outcome in (job.tasks.items() if worth_a_line else ())
            if outcome.state in DID_NOT_SUCCEED and self._new(job.key, task, outcome.state) and task not in job.repairs
        ]
        for task, outcome in ended[:_AT_ONCE]:
            yield ended_line(job, task, outcome)
        if len(ended) > _AT_ONCE:
            yield f"and {len(ended) - _AT_ONCE} more tasks of {job.title()} did not succeed; status --json has them all"
        if self._new(job.key, None, job.state) | self._explained(job):
            if job.state.ended:
                yield ended_line(job, None, job.outcome) + (f": {tally}" if (tally := job.tally()) else "")
            elif job.state is State.ERROR:
                why = f" ({job.outcome.reason})" if job.outcome.reason else ""
                how = f"it waits until somebody acts ({fab()} -H {job.cluster} cancel)"
                yield one_line(f"{job.title()} is in error state{why}: {how}", 1000)
            elif job.state is not State.UNKNOWN and (job.outcome.reason or not self._moving):
                why = f": {job.outcome.reason}" if job.outcome.reason else ""
                yield one_line(f"{job.title()} is {job.state}{why}", 1000)

    def _explained(self, job: Job) -> bool:
        """Whether why it is in this state has become known only now; it may change as time goes on."""
        known, why = self._reasoned.get(job.key), (job.state, bool(job.outcome.reason))
        self._reasoned[job.key] = why if known is None or known[0] is not job.state else (job.state, known[1] or why[1])
        return why[1] and known == (job.state, False) and not job.state.ended

    def _new(self, key: str, task: int | None, state: State) -> bool:
        known = self._told.get((key, task))
        self._told[key, task] = state
        return known is not state

    def _summary(self, jobs: Sequence[Job]) -> str:
        states: dict[State, int] = {}
        for job in jobs:
            for state, many in job.counts.items() if job.array and job.tasks else [(job.state, 1)]:
                states[state] = states.get(state, 0) + many
        passed = int(time.monotonic() - self._began)
        counts = ", ".join(f"{states[state]} {state}" for state in State if state in states)
        return one_line(f"waiting {passed // 60}:{passed % 60:02}: {counts}", _columns() - 1 - CONTROL_C)


def _columns() -> int:
    """The width of the terminal at stderr: a moving line must not wrap."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


@contextmanager
def transfer(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar with rate and time left, on a terminal, once it takes a while; yields `add(bytes)`.

    Without a `total` it shows only that something is going on, and for how long.
    """
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    bar = _Bar(what, total)
    bar.start()
    try:
        yield bar.add
    finally:
        bar.close()


class _Bar(threading.Thread):
    """A bar that appears after two seconds: what is done by then needs none, nor the time to load one."""

    def __init__(self, what: str, total: int | None) -> None:
        super().__init__(daemon=True)
        self._what, self._total, self._done = what, total, 0
        self._over = threading.Event()

    def add(self, amount: int) -> None:
        """Count bytes that are done."""
        self._done += amount

    def close(self) -> None:
        """Remove the bar."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Redraw ten times a second."""
        if self._over.wait(2):
            return
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            ProgressColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        columns: list[ProgressColumn] = [TextColumn("{task.description}", markup=False), BarColumn()]
        if self._total is None:
            columns += [TimeElapsedColumn()]
        else:
            columns += [DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()]
        console = Console(stderr=True)
        console.width -= CONTROL_C
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(one_line(self._what), total=self._total)
            while not self._over.wait(0.1):
                progress.update(task, completed=self._done)
