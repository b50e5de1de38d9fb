"""What was submitted from here, to any cluster: the newest jobs of the ledger, as they are known."""

from __future__ import annotations

from collections.abc import Sequence

from ..model.job import Job
from ..model.ledger import Ledger
from ..model.wanted import Wanted


def newest(
    ledger: Ledger, cluster: str | None, wanted: Wanted, asked: Sequence[Job], most: int | None
) -> tuple[list[Job], int]:
    """The newest of the wanted jobs of `cluster` (None: of all clusters), and the number of all of these.

    `most`: no more than so many (None: all). `asked` are jobs that the clusters have just told of, which are recorded
    too, where that can be.
    """
    if not (asked or wanted.job or wanted.group or wanted.since is not None):
        stored = ledger.jobs(cluster, wanted.state, last=most)
        return stored[::-1], len(stored) if most is None else ledger.count(cluster, wanted.state)
    now_known = {(job.cluster, job.key): job for job in asked}
    stored = ledger.matching(cluster, wanted, () if asked else wanted.state)
    found = [now_known.get((job.cluster, job.key), job) for job in reversed(stored)]
    if wanted.state:
        found = [job for job in found if job.state in wanted.state]
    return found[:most], len(found)
