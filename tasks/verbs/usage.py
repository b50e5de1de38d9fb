"""The verb usage: what jobs asked for and what they used."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import JSON, verb

if TYPE_CHECKING:
    from ..model.wanted import Wanted


@verb(
    at_once=True,
    selects=True,
    help={
        "tasks": "of an array job a line for each task, not the least, median and most",
        "json": JSON,
    },
)
def usage(c: Context, which: Wanted, tasks: bool = False, json: bool = False) -> None:
    """Show what jobs asked for and used.

    Time, CPU time and the peak of memory, by the scheduler's accounting; by the job's own notes where it has none. What
    is not known is shown as `-`. The last column is what to ask for next time: what was used and a quarter more.

    Example: fab -H sharc usage --job 816720
    """
    from ..screen.used import show_usage
    from .host import chosen

    host, selected = chosen(c, which)
    show_usage(host.usage(selected), as_json=json, each={found.key for found, named in selected if named or tasks})
