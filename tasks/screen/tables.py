"""Tables that fit the terminal: the least important columns go first, and no state or ID is ever cut."""

from __future__ import annotations

import re
from collections.abc import Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..model.command_line import Cells, Styles
from ..model.job import State
from .watched import Change, summary

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

JOB_COLUMNS = ("job", "name", "state", "exit", "submitted (UTC)", "started (UTC)", "ended (UTC)")
QUEUE_COLUMNS = ("cluster", "queue", "used", "free", "down", "waiting")
NOTHING: Styles = MappingProxyType({})

_GAP = 2
# Columns are left out in this order: the first three before any name is cut, the others only after that.
_FIRST = ("submitted (UTC)", "ended (UTC)", "started (UTC)")
_THEN = (
    "exit",
    "group",
    "age",
    "size",
    "user",
    "down",
    "CPU",
    "memory/asked",
    "task",
    "idle h",
    "cancelled",
    "waited",
    "tasks",
    "failed h",
    "project",
)
# Columns that may be cut, and the least that is kept; a directory wraps instead. The column `job` has the key of a job
# without an ID: a key may be cut, an ID never.
_CUT = ("cluster", "job", "name", "host", "queue", "directory", "next time")
_FOLDED = ("directory", "next time")
_ROOMY, _LEAST = 16, 6
_PLACES = {"cluster": 16, "directory": 16, "next time": 14}
_TIME = re.compile(r"\d{4}-(\d\d-\d\d)T(\d\d:\d\d:\d\d)Z", re.ASCII)
# On a smaller screen every line is needed for a row.
_ROOM_FOR_NEWS = 15
# Which rows are shown when there is no room for all: those that need attention, then those that go on.
_URGENT = (
    State.ERROR, State.FAILED, State.VANISHED, State.UNKNOWN, State.SUSPENDED, State.RUNNING, State.CANCELLED,
    State.HELD, State.PENDING, State.SUCCEEDED,
)  # fmt: skip


def table(columns: Sequence[str], rows: Cells, styles: Styles, width: int) -> Table:
    """A table without a frame, at most so many columns wide."""
    from rich.table import Table
    from rich.text import Text

    shown, cells, widths = fitted(columns, rows, width)
    made = Table(box=None, header_style="bold", pad_edge=False, padding=(0, _GAP, 0, 0))
    for place, room in zip(shown, widths, strict=True):
        fold = columns[place] in _FOLDED
        made.add_column(columns[place], no_wrap=not fold, overflow="fold" if fold else "ellipsis", width=room)
    for at, row in enumerate(cells):
        made.add_row(*(Text(row[place], style=styles.get((at, place), "")) for place in shown))
    return made


def fitted(columns: Sequence[str], rows: Cells, width: int) -> tuple[list[int], list[list[str]], list[int]]:
    """Which columns are shown, the cells of all columns, and the widths of those that are shown."""
    from rich.cells import cell_len

    shown = list(range(len(columns)))
    cells = [[_short(cell) for cell in row] for row in rows]

    def floor(place: int, least: int) -> int:
        ids = [len(row[place]) for row in cells if row[place].isdigit()] if columns[place] == "job" else ()
        return max(least, _PLACES.get(columns[place], 0), *ids)

    def widths(least: int) -> list[int]:
        natural = [max(map(cell_len, [columns[place], *(row[place] for row in cells)])) for place in shown]
        return [
            min(own, floor(place, least)) if columns[place] in _CUT else own
            for own, place in zip(natural, shown, strict=True)
        ]

    def too_wide(least: int) -> bool:
        return sum(widths(least)) + _GAP * (len(shown) - 1) > width

    def leave_out(names: Sequence[str], least: int) -> None:
        for name in names:
            if name in columns and too_wide(least):
                shown.remove(columns.index(name))

    leave_out(_FIRST, _ROOMY)
    if "state" in columns and too_wide(_ROOMY):
        at = columns.index("state")
        cells = [[cell.partition(" (")[0] if place == at else cell for place, cell in enumerate(row)] for row in cells]
    leave_out(_THEN, _LEAST)
    least, most = widths(_LEAST), widths(10_000)
    spare = max(0, width - sum(least) - _GAP * (len(shown) - 1))
    for at, (small, large) in enumerate(zip(least, most, strict=True)):
        more = min(spare, large - small)
        least[at], spare = small + more, spare - more
    return shown, cells, least


def most_urgent(columns: Sequence[str], rows: Cells, styles: Styles, width: int, height: int, change: Change) -> Group:
    """A table of jobs that is redrawn, in so many lines: all rows, or the most urgent ones; below it how many are in
    which state, and what changed last."""
    from rich.console import Group
    from rich.text import Text

    at = columns.index("state")
    cells = [row[at] for row in rows]
    news = change.lines(width) if change.news and height >= _ROOM_FOR_NEWS else []

    def below(kept: int) -> list[str]:
        return [*news, *summary(kept, cells, _URGENT, width)]

    lines, shown, marks = below(len(rows)), rows, styles
    if len(rows) + 1 + len(lines) > height:
        kept = _urgent(cells, max(1, height - 1 - len(below(0))))
        lines, shown = below(len(kept)), [rows[row] for row in kept]
        places = {old: new for new, old in enumerate(kept)}
        marks = {(places[row], place): style for (row, place), style in styles.items() if row in places}
    said = (Text(line, no_wrap=True, overflow="ellipsis") for line in lines)
    return Group(table(columns, shown, marks, width), *said)


def _urgent(cells: Sequence[str], most: int) -> list[int]:
    """The most urgent rows, so many of them, by their states."""
    order = {state.value: place for place, state in enumerate(_URGENT)}
    states = [cell.partition(" (")[0] for cell in cells]
    return sorted(sorted(range(len(cells)), key=lambda row: (order.get(states[row], len(order)), row))[:most])


def _short(cell: str) -> str:
    """A cell; a time loses its year."""
    time = _TIME.fullmatch(cell)
    return f"{time[1]} {time[2]}" if time else cell
