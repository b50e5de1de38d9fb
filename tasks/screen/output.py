"""What the user sees: data on stdout, everything else on stderr; tables and progress on a terminal, plain lines in a
pipe.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from ..model import command_line
from ..model.command_line import Cells, Styles
from ..model.ended import ended_line
from ..model.errors import NotRecorded
from ..model.job import Job, State, iso
from ..model.outcome import DID_NOT_SUCCEED
from ..model.wording import one_line
from .streams import lose_stdout
from .tables import JOB_COLUMNS, NOTHING, most_urgent, table
from .watched import Change, change_of

if TYPE_CHECKING:
    from rich.console import RenderableType

_SAFE = 200
_NOBODY = Job("", "")
# A terminal shows Ctrl-C as `^C` after what is redrawn. These columns stay free, so that it never wraps.
CONTROL_C = 2
# Seconds after which a person is told what takes so long.
_SLOW = 2.0
# Of so many rows that did not succeed each has a line.
_MOST_ROWS = 20


@contextmanager
def last_word(words: Callable[[], Iterable[str]]) -> Iterator[None]:
    """On Ctrl-C in the block, say what goes on without us and how to resume; the KeyboardInterrupt is raised again."""
    try:
        yield
    except KeyboardInterrupt:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)  # what the terminal shows of the key, `^C`
        for line in words():
            say(line)
        raise


def say(line: str) -> None:
    """A line on stderr about what is being done. It may quote text from outside, which must not steer the terminal."""
    print(one_line(line, 4096), file=sys.stderr)


@contextmanager
def while_slow(line: str) -> Iterator[None]:
    """Say this once if the block takes more than two seconds."""

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
    """Show a scheduler's words: as they are in a pipe; on a terminal, so that nothing in them moves the cursor."""
    stream = stream or sys.stdout
    if stream.isatty():
        text = "".join(f"{one_line(line.expandtabs(), 4096)}\n" for line in text.splitlines())
    stream.write(text)


def show_answer(text: str, stream: TextIO | None = None) -> None:
    """Show a scheduler's answer to a change. Raises NotRecorded, with the answer, if it cannot be shown."""
    stream = stream or sys.stdout
    try:
        show_words(text, stream)
        stream.flush()
    except OSError as error:
        lose_stdout()
        said = one_line(" / ".join(text.splitlines()), 1000)
        raise NotRecorded(f"stdout cannot be written ({error.strerror}); what the scheduler said: {said}") from None


def show_path(path: Path, stream: TextIO | None = None) -> None:
    """Show a path as data: byte for byte in a pipe; on a terminal, so that nothing in it moves the cursor."""
    stream = stream or sys.stdout
    if stream.isatty():
        print(one_line(path, 4096), file=stream)
    else:
        stream.flush()
        stream.buffer.write(os.fsencode(path) + b"\n")
        stream.flush()


def show_jobs(jobs: Sequence[Job], as_json: bool) -> None:
    """Show jobs on stdout: one JSON object a line, or a table."""
    if as_json:
        for job in jobs:
            print(json.dumps(job.as_json()))
    else:
        show_rows(JOB_COLUMNS, *_job_rows(jobs))


def say_why(jobs: Sequence[Job]) -> None:
    """The reasons for their states, where there are any; and of sweeps the rows that did not succeed."""
    for job in jobs:
        rows = [task for task in job.tasks if job.tasks[task].state in DID_NOT_SUCCEED] if job.rows else []
        for task in rows[:_MOST_ROWS]:
            say(ended_line(job, task, job.tasks[task]))
        if len(rows) > _MOST_ROWS:
            say(f"and {len(rows) - _MOST_ROWS} more rows of {job.title()} did not succeed; --json has them all")
        if job.outcome.reason:
            ended = ended_line(job, None, job.outcome)
            say(ended if job.state.ended else one_line(f"{job.title()} is {job.state}: {job.outcome.reason}", 1000))


def _job_rows(jobs: Sequence[Job]) -> tuple[list[list[str]], dict[tuple[int, int], str]]:
    return [_row(job) for job in jobs], {(at, 2): style(job.state) for at, job in enumerate(jobs)}


def show_rows(columns: Sequence[str], rows: Cells, styles: Styles = NOTHING) -> None:
    """Show a table on a terminal, with styles by (row, column); in a pipe, lines with tabs."""
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
    before: Cells = ()
    change = Change()
    with Live(auto_refresh=False, vertical_overflow="crop") as live:

        def show(columns: Sequence[str], rows: Cells, styles: Styles) -> None:
            nonlocal before, change
            width, height = live.console.size
            width -= CONTROL_C
            before, change = rows, change_of(columns, before, rows, change)
            live.update(most_urgent(columns, rows, styles, width, height - 1, change), refresh=True)
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
    """The cells of one job. Names come from outside, and must not steer the terminal."""
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
    """The colour of a state."""
    if state is State.SUCCEEDED:
        return "green"
    return "red" if state.ended or state is State.ERROR else "yellow"
