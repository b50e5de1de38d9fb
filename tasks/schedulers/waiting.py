"""Why jobs do not run, as a scheduler's list tells it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ..model.job import State
from ..model.reason import Reason
from .values import Row

Reasons = Mapping[tuple[str, State], Reason]
"""Why jobs, by their IDs, are in a state that is not running: of an array job those of its tasks that are in it."""
_KINDS = {State.ERROR: "error", State.HELD: "held", State.PENDING: "after"}


def listed_reasons(rows: Iterable[Row], job_ids: Iterable[str]) -> dict[tuple[str, State], Reason]:
    """What the rows of a list tell of these jobs."""
    wanted = set(job_ids)
    return {
        (row.job_id, row.state): Reason("never" if row.reason.startswith("never ") else _KINDS[row.state], row.reason)
        for row in rows
        if row.job_id in wanted and row.reason and row.state in _KINDS
    }


def in_line(text: str, place: int | None, waiting: int | None) -> str:
    """`text`, and where it is in the line: `2nd of the 14 jobs that wait`, if somebody told."""
    if not place or not waiting or place > waiting:
        return text
    ending = "th" if place % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{text} ({f'{place}{ending} of the {waiting} jobs that wait' if waiting > 1 else 'no other job waits'})"
