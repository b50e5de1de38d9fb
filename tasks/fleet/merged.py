"""The output of several clusters as one: one table, lines with the cluster's name in front, JSON lines as they are."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from ..model.command_line import Styles
from ..model.job import Job, State
from ..model.wording import one_line
from ..screen import output, terminal
from ..screen.tables import JOB_COLUMNS, QUEUE_COLUMNS
from .worker import Stream

# The verbs that show rows for each cluster, with their columns: a cluster that cannot be asked gets a row, too.
_ROWS: Mapping[str, Sequence[str]] = {"status": ("cluster", *JOB_COLUMNS), "queues": QUEUE_COLUMNS}
Cells = list[str]
Marks = dict[int, str]


class Merged:
    """Merges what the workers of these clusters say while a verb runs; their tables become one, in that order.

    `live`: rows are shown when they change, not at the end.
    """

    def __init__(self, verb: str, names: Iterable[str], *, as_json: bool, live: bool) -> None:
        self._verb = verb
        self._tables: dict[str, list[tuple[Cells, Marks]]] = {name: [] for name in names}
        self._columns = list(_ROWS.get(verb, ()))
        self._json = as_json
        self._live = live
        self._screen = ExitStack()
        self._draw: Callable[[Sequence[str], Sequence[Cells], Styles], None] | None = None
        self._spoke: set[str] = set()
        self._interrupted = False
        self._last_words: set[str] = set()
        self._person = sys.stdout.isatty()

    def interrupted(self) -> None:
        """After Ctrl-C each cluster has a last word."""
        self._interrupted = True

    def line(self, name: str, stream: Stream, line: bytes) -> None:
        """Show a line with the cluster's name."""
        if stream == "err":
            self._say(name, line.decode("utf-8", "replace"))
            return
        self._spoke.add(name)
        if self._json:
            self._print(line)
        elif self._person:
            self._print(os.fsencode(f"{name}: {one_line(os.fsdecode(line), 4096)}"))
        else:
            self._print(os.fsencode(name) + b"\t" + line)

    def rows(self, name: str, columns: list[str], rows: list[Cells], styles: list[Any], live: bool) -> None:
        """Keep rows for the table; show `live` ones now, if they are new."""
        if columns[0] != "cluster":
            columns, rows = ["cluster", *columns], [[name, *cells] for cells in rows]
            styles = [(row, column + 1, style) for row, column, style in styles]
        marks: list[Marks] = [{} for _ in rows]
        for row, column, style in styles:
            marks[row][column] = style
        before, new = self._tables[name], list(zip(rows, marks, strict=True))
        self._columns, self._tables[name] = columns, new if live else before + new
        if live and self._person:
            self._redraw()
        elif live:
            for cells, _ in (row for row in new if row not in before):
                self._print(os.fsencode("\t".join(cells)))

    def ended(self, name: str, status: int, said: str) -> None:
        """Show the error, if any; a cluster that could not be asked gets its row."""
        if said:
            self._say(name, said)
        if self._interrupted and name not in self._last_words:
            self._say(name, f"{self._verb} was interrupted")
        if not status or self._verb not in _ROWS or self._tables[name] or name in self._spoke:
            return
        known = {"cluster": name, "state": str(State.UNKNOWN)}
        if self._json:
            keys = Job("", "").as_json() if self._verb == "status" else self._columns
            self._print(json.dumps({key: known.get(key) for key in keys}).encode())
        else:
            cells = [known.get(column, "-") for column in self._columns]
            self.rows(name, self._columns, [cells], [(0, place, "red") for place in range(len(cells))], self._live)

    def show(self) -> None:
        """Show the table, unless it was shown live."""
        self._screen.close()
        if not self._live and any(self._tables.values()):
            with terminal.turn():
                output.show_rows(*self._table())
                sys.stdout.flush()

    def _table(self) -> tuple[Sequence[str], Sequence[Cells], Styles]:
        rows = [row for rows in self._tables.values() for row in rows]
        styles = {(at, place): style for at, (_, marks) in enumerate(rows) for place, style in marks.items()}
        return self._columns, [cells for cells, _ in rows], styles

    def _redraw(self) -> None:
        with terminal.turn():
            if not self._draw:
                self._draw = self._screen.enter_context(output.redrawn())
            self._draw(*self._table())

    def _say(self, name: str, line: str) -> None:
        if self._interrupted:
            self._last_words.add(name)
        with terminal.turn():
            output.say(line if line.startswith((f"{name}: ", f"{name} (")) else f"{name}: {line}")

    def _print(self, line: bytes) -> None:
        with terminal.turn():
            sys.stdout.flush()
            sys.stdout.buffer.write(line + b"\n")
            sys.stdout.buffer.flush()
