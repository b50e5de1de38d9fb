"""What one command line has done so far, and what its tasks therefore have in common.

Tasks of one line (`submit wait fetch`) are called one by one, and hand each other nothing. What the earlier ones leave
for the later ones is here, in one object, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .job import Job  # every command line loads this page, and not every one has jobs

Cells = Sequence[Sequence[str]]
Styles = Mapping[tuple[int, int], str]


class Rows(Protocol):
    """Takes the rows of a table; `live` ones replace those before."""

    def __call__(self, columns: Sequence[str], rows: Cells, styles: Styles, *, live: bool) -> None: ...


@dataclass
class CommandLine:
    """The state of a command line; a process that works for one of several clusters has its own."""

    submitted: list[Job] = field(default_factory=list)
    """The jobs submitted so far, in order."""
    laid: dict[Path, str] = field(default_factory=dict)
    """Whose files were put into which local directory."""
    chosen: list[str] = field(default_factory=list)
    """The clusters of the last task for many clusters: `--clusters` counts for the tasks that follow."""
    planned: int = 0
    """How many tasks for many clusters the line has, where its program tells; 0 otherwise."""
    begun: int = 0
    """How many of these have begun."""
    reserved: frozenset[str] = frozenset()
    """The names of tasks and collections, which no cluster can have."""
    rows: Rows | None = None
    """Where rows of tables go instead of stdout."""
    here: Path = field(default_factory=Path)
    """The directory for results when none is named."""
    told: set[str] = field(default_factory=set)
    """Lines that are shown only once."""


current = CommandLine()
