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
        (row.job_id, row.state): Reason(_KINDS[row.state], row.reason)
        for row in rows
        if row.job_id in wanted and row.reason and row.state in _KINDS
    }
