"""The rows of a sweep that become one job, and what is laid into its job directory for them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..files.wire import Upload
from ..login_node import job_directory
from ..model.cluster import Cluster
from ..model.errors import InvalidInput
from ..model.resources import Resources
from ..model.rows import Row, line_of
from ..rendering import JobScript, render_rows
from ..rendering.table import Table
from ..schedulers.dialect import Dialect
from ..schedulers.seam import Scheduler

# What a row may ask for where each is a job of its own, by the names of the flags.
FLAGS = ("time", "memory", "cores", "gpus", "name", "queue", "project")


@dataclass(frozen=True)
class Part:
    """Rows `first`, `first + 1`, ... of a table; `sweep` is the key of all of it (empty: that of this job).

    `separate`: its one row is a job, else the rows are the tasks of an array job.
    """

    table: Table
    first: int
    size: int
    sweep: str = ""
    separate: bool = False

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows, one for each task."""
        return self.table.rows[self.first - 1 : self.first - 1 + self.size]

    @property
    def variables(self) -> tuple[Row, ...]:
        """What a template gets of each: all but what becomes a flag."""
        taken = FLAGS if self.separate else ()
        return tuple({name: value for name, value in row.items() if name not in taken} for row in self.rows)

    @property
    def places(self) -> tuple[str, ...]:
        """Where each was given, for messages."""
        first = self.first - 1
        places = self.table.places[first : first + self.size]
        if not self.table.columns:
            return places
        return tuple(place or f"row {number}" for number, place in enumerate(places, self.first))


ALONE = Part(Table((), ({},), ("",), ""), 1, 1)
"""What is no sweep."""


@dataclass(frozen=True)
class Laid:
    """The scripts of a submission, and of a sweep the text of its rows; else that is empty."""

    scripts: Sequence[JobScript]
    rows: str

    def uploads(self) -> Iterator[Upload]:
        """What lies in the job directory of a sweep, beside what lies in every one."""
        if self.rows:
            yield Upload(job_directory.own("rows"), self.rows.encode("utf-8", "surrogateescape"))
        if len(self.scripts) > 1:
            yield Upload(job_directory.own("scripts"), b"".join(script.text for script in self.scripts))

    def digest(self) -> str:
        """Of all rows, and of what was made of them; empty where there are none."""
        hashed = hashlib.sha256(self.rows.encode("utf-8", "surrogateescape"))
        for script in self.scripts:
            hashed.update(script.text)
        return hashed.hexdigest() if self.rows else ""


def render(
    part: Part,
    script: str,
    variables: Mapping[str, object],
    asked: Resources,
    cluster: Cluster,
    seed: str,
    scheduler: Scheduler,
) -> Laid:
    """The script, or of a template one for each row. What that leaves to chance is drawn by the seed.

    Raises InvalidInput, also unless all scripts ask the scheduler for the same: they are tasks of one job.
    """
    dialect = Dialect(scheduler, cluster.names)
    scripts = render_rows(script, variables, part.variables, part.places, asked, dialect, cluster.resources, seed)
    check_alike(part, scripts, scheduler.directive)
    return Laid(scripts, _text(part, scripts) if part is not ALONE else "")


def _text(part: Part, scripts: Sequence[JobScript]) -> str:
    """The lines of the rows; where there is a script for each, they say where it is among all."""
    lines, start = [], 0
    sizes = [len(script.text) for script in scripts] if len(scripts) > 1 else [0] * part.size
    for number, (row, size) in enumerate(zip(part.rows, sizes, strict=True), part.first):
        lines.append(f"{line_of(number, row, start, size)}\n")
        start += size
    return "".join(lines)


def check_alike(part: Part, scripts: Sequence[JobScript], directive: bytes) -> None:
    """Raises InvalidInput unless all scripts ask the scheduler for the same: they are tasks of one job."""
    first: list[bytes] = []
    for script, place in zip(scripts, part.places, strict=False):
        lines = [line for line in script.text.split(b"\n") if directive and line.startswith((directive, b"#!"))]
        if lines != (first := first or lines):
            pair = zip([*lines, b""], [*first, b""], strict=False)
            line = next((one or b"(nothing)" for one, other in pair if one != other), b"").decode("utf-8", "replace")
            raise InvalidInput(
                f"{place}: the directives of one array job are the same for all rows, and here it is {line}; "
                "--separate makes each row a job of its own"
            )
