"""What the user sees: data on stdout, everything else on stderr; tables and progress for a person, plain lines for
a pipe.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..model import command_line
from ..model.command_line import Cells, Styles
from ..model.ended import ended_line
from ..model.errors import NotRecorded
from ..model.job import Job, State, iso
from ..model.wording import fab, one_line
from .streams import lose_stdout
from .tables import JOB_COLUMNS, NOTHING, most_urgent, table

if TYPE_CHECKING:
    from rich.console import RenderableType

_SAFE = 200
_NOBODY = Job("", "")
# What a terminal shows of Ctrl-C behind what is redrawn: `^C`. If that went on in the next line, the first would stay.
_CONTROL_C = 2
# Seconds after which a person wants to know what takes so long.
_SLOW = 2.0
# Of so many failed tasks at once each has a line of its own.
_AT_ONCE = 20
# How a task ends that is told of by itself.
_NOT_WELL = (State.FAILED, State.CANCELLED, State.VANISHED)


@contextmanager
def last_word(words: Callable[[], Iterable[str]]) -> Iterator[None]:
    """Ctrl-C in here says what goes on without us, and what to type to take it up again; then it goes its way."""
    try:
        yield
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)  # what the terminal shows of the key, `^C`
        for line in words():
            say(line)
        raise


def say(line: str) -> None:
    """A line about what is being done, on stderr. What it quotes comes from outside, and may steer no terminal."""
    print(one_line(line, 4096), file=sys.stderr)


@contextmanager
def while_slow(line: str) -> Iterator[None]:
    """Say this, once, when what is done in here takes more than two seconds."""

    def tell() -> None:
        told = command_line.current.told
        if line not in told:
            told.add(line)
            say(line)

    timer = threading.Timer(_SLOW, tell)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def show_words(text: str, stream: TextIO | None = None) -> None:
    """What a scheduler said: to a pipe as it is, to a terminal so that nothing in it moves the cursor."""
    stream = stream or sys.stdout
    if stream.isatty():
        text = "".join(f"{one_line(line.expandtabs(), 4096)}\n" for line in text.splitlines())
    stream.write(text)


def show_answer(text: str, stream: TextIO | None = None) -> None:
    """What a scheduler said when it changed something. Raises NotRecorded, which has it, where it cannot be shown."""
    stream = stream or sys.stdout
    try:
        show_words(text, stream)
        stream.flush()
    except OSError as error:
        lose_stdout()
        said = one_line(" / ".join(text.splitlines()), 1000)
        raise NotRecorded(f"stdout cannot be written ({error.strerror}); what the scheduler said: {said}") from None


def show_path(path: Path, stream: TextIO | None = None) -> None:
    """A path as data: to a pipe byte for byte, to a terminal so that nothing in it moves the cursor."""
    stream = stream or sys.stdout
    if stream.isatty():
        print(one_line(path, 4096), file=stream)
    else:
        stream.flush()
        stream.buffer.write(os.fsencode(path) + b"\n")
        stream.flush()


def show_jobs(jobs: Sequence[Job], as_json: bool) -> None:
    """The jobs on stdout: one JSON object a line, or a table."""
    if as_json:
        for job in jobs:
            print(json.dumps(job.as_json()))
    else:
        show_rows(JOB_COLUMNS, *_job_rows(jobs))


def say_why(jobs: Sequence[Job]) -> None:
    """The reasons for their states, where there are any."""
    for job in jobs:
        if job.outcome.reason:
            ended = ended_line(job, None, job.outcome)
            say(ended if job.state.ended else one_line(f"{job.title()} is {job.state}: {job.outcome.reason}", 1000))


def _job_rows(jobs: Sequence[Job]) -> tuple[list[list[str]], dict[tuple[int, int], str]]:
    return [_row(job) for job in jobs], {(at, 2): style(job.state) for at, job in enumerate(jobs)}


def show_rows(columns: Sequence[str], rows: Cells, styles: Styles = NOTHING) -> None:
    """A table for a person, whose cells may have styles by row and column; lines with tabs for a pipe."""
    if rows_to := command_line.current.rows:
        rows_to(columns, rows, styles, live=False)
    elif sys.stdout.isatty():
        from rich.console import Console

        console = Console()
        console.print(table(columns, rows, styles, console.width))
    else:
        for row in rows:
            print("\t".join(row))


@contextmanager
def redrawn() -> Iterator[Callable[[Sequence[str], Cells, Styles], None]]:
    """Yield what shows a table of jobs again and again in the same place: no higher than the screen, until the last."""
    from rich.live import Live

    last: list[RenderableType] = []
    with Live(auto_refresh=False, vertical_overflow="crop") as live:

        def show(columns: Sequence[str], rows: Cells, styles: Styles) -> None:
            width, height = live.console.size
            width -= _CONTROL_C
            live.update(most_urgent(columns, rows, styles, width, height - 1), refresh=True)
            last[:] = [table(columns, rows, styles, width)]

        try:
            yield show
        finally:
            if last:
                live.update(last[0])


@contextmanager
def live_jobs(as_json: bool) -> Iterator[Callable[[Sequence[Job]], None]]:
    """Yield what shows jobs again and again: a table that is redrawn for a person, a line for each change elsewhere."""
    rows_to = command_line.current.rows
    if rows_to and not as_json:
        send, shown = rows_to, [[""]]

        def changed(jobs: Sequence[Job]) -> None:
            rows, styles = _job_rows(jobs)
            if rows != shown:
                send(JOB_COLUMNS, rows, styles, live=True)
                shown[:] = rows

        yield changed
        return
    if sys.stdout.isatty() and not as_json:
        with redrawn() as redraw:
            yield lambda jobs: redraw(JOB_COLUMNS, *_job_rows(jobs))
        return
    told: dict[str, Job] = {}

    def tell(jobs: Sequence[Job]) -> None:
        show_jobs([job for job in jobs if _row(told.get(job.key, _NOBODY)) != _row(job)], as_json)
        told.update({job.key: job for job in jobs})
        sys.stdout.flush()

    yield tell


def _row(job: Job) -> list[str]:
    """The cells of one job. Names come from outside: nothing of theirs moves a terminal's cursor."""
    outcome = job.outcome
    tally = job.tally()
    state = f"{job.state} ({tally})" if tally else str(job.state)
    return [
        job.job_id or "-",  # digits, wherever it comes from
        one_line(job.name, _SAFE),
        state,
        "-" if outcome.exit_status is None else str(outcome.exit_status),
        *(iso(when) or "-" for when in (job.submitted_at, outcome.started_at, outcome.ended_at)),
    ]


def style(state: State) -> str:
    """In which colour a state is shown."""
    if state is State.SUCCEEDED:
        return "green"
    return "red" if state.ended or state is State.ERROR else "yellow"


class Progress:
    """What `wait` shows: a line that moves on a terminal, a line for each change of state elsewhere."""

    def __init__(self) -> None:
        self._told: dict[tuple[str, int | None], State] = {}
        self._seen: dict[str, Job] = {}
        self._began = time.monotonic()
        self._moving = sys.stderr.isatty()

    def __call__(self, jobs: Sequence[Job]) -> None:
        """Tell what is new: the end of each job and of each failed task; on a terminal how many are in which state."""
        lines = [line for job in jobs if self._seen.get(job.key) is not job for line in self._news(job)]
        self._seen = {job.key: job for job in jobs}
        if self._moving:
            print("\r\033[K", end="", file=sys.stderr)
        for line in lines:
            say(line)
        if self._moving:
            print(self._summary(jobs), end="", flush=True, file=sys.stderr)

    def close(self) -> None:
        """Take the moving line away."""
        if self._moving:
            print("\r\033[K", end="", flush=True, file=sys.stderr)

    def _news(self, job: Job) -> Iterator[str]:
        worth_a_line = job.array and any(state in _NOT_WELL for state in job.counts)
        ended = [
            (task, outcome)
            for task, outcome in (job.tasks.items() if worth_a_line else ())
            if outcome.state in _NOT_WELL and self._new(job.key, task, outcome.state) and task not in job.repairs
        ]
        for task, outcome in ended[:_AT_ONCE]:
            yield ended_line(job, task, outcome)
        if len(ended) > _AT_ONCE:
            yield f"and {len(ended) - _AT_ONCE} more tasks of {job.title()} did not succeed; status --json has them all"
        if self._new(job.key, None, job.state):
            if job.state.ended:
                yield ended_line(job, None, job.outcome) + (f": {tally}" if (tally := job.tally()) else "")
            elif job.state is State.ERROR:
                why = f" ({job.outcome.reason})" if job.outcome.reason else ""
                how = f"it waits until somebody acts ({fab()} -H {job.cluster} cancel)"
                yield one_line(f"{job.title()} is in error state{why}: {how}", 1000)
            elif job.state is not State.UNKNOWN and (job.outcome.reason or not self._moving):
                why = f": {job.outcome.reason}" if job.outcome.reason else ""
                yield one_line(f"{job.title()} is {job.state}{why}", 1000)

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
        return one_line(f"waiting {passed // 60}:{passed % 60:02}: {counts}", _columns() - 1 - _CONTROL_C)


def _columns() -> int:
    """How wide the terminal at stderr is: a line that moves must not go on in the next one."""
    try:
        return os.get_terminal_size(sys.stderr.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


@contextmanager
def transfer(what: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A progress bar with rate and time left, on a terminal and only for what takes a while; yields `add(bytes)`.

    Without a `total` it only shows that something goes on, and for how long.
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


class Screen:
    """The listener of a command line (model/listener.py): lines on stderr, bars on a terminal."""

    say = staticmethod(say)
    slow = staticmethod(while_slow)
    transfer = staticmethod(transfer)


class _Bar(threading.Thread):
    """Shows itself after two seconds: what is done by then needs no bar, and no time to load one."""

    def __init__(self, what: str, total: int | None) -> None:
        super().__init__(daemon=True)
        self._what, self._total, self._done = what, total, 0
        self._over = threading.Event()

    def add(self, amount: int) -> None:
        """So much more is done."""
        self._done += amount

    def close(self) -> None:
        """Take the bar away."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look ten times a second how far it is."""
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
        console.width -= _CONTROL_C
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task(one_line(self._what), total=self._total)
            while not self._over.wait(0.1):
                progress.update(task, completed=self._done)
