"""What was submitted from here, to anywhere: the newest jobs of the ledger, as they are known."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.errors import InvalidInput, nearest
from ..model.job import Job, State
from ..model.ledger import Ledger


def states_of(texts: Sequence[str]) -> list[State]:
    """The states that these words name. Raises InvalidInput for one that is none."""
    known = [each.value for each in State]
    for text in texts:
        if text not in known:
            near = nearest(text, known) or f"; states are {', '.join(known)}"
            raise InvalidInput(f"--state {text}: no such state{near}")
    return [State(text) for text in texts]


def newest(
    ledger: Ledger, cluster: str | None, wanted: Sequence[State], asked: Sequence[Job], most: int | None
) -> tuple[list[Job], int]:
    """The newest jobs of `cluster` (None: of all clusters) in the `wanted` states (none: in any), and their number.

    `most`: no more than so many (None: all). `asked` are jobs that the clusters have just told of, which are recorded
    too, where that can be.
    """
    now_known = {(job.cluster, job.key): job for job in asked}
    last = None if asked else most
    stored = ledger.jobs(cluster, () if asked else wanted, last=last)
    listed = [now_known.get((job.cluster, job.key), job) for job in reversed(stored)]
    found = [job for job in listed if not wanted or job.state in wanted]
    return found[:most], len(found) if last is None else ledger.count(cluster, wanted)
