"""The line from a job to its last repeat, as a list of jobs shows it: `12 -> 15, 16 -> 19`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..model.job import Job, State
from ..model.ledger import Ledger
from ..model.repairs import by_origin, later, with_repairs
from .repeat_keys import generation


def with_lines(ledger: Ledger, jobs: Iterable[Job]) -> list[tuple[Job, str]]:
    """Each job with what later ones have repaired of it, and the line that it belongs to; empty: it is of none."""
    families: dict[str, dict[str, list[Job]]] = {}
    shown = []
    for job in jobs:
        if job.cluster not in families:
            families[job.cluster] = by_origin(ledger.repeats(job.cluster))
        family = families[job.cluster].get(job.origin or job.key, [])
        first = ledger.by_key(job.cluster, job.origin) if family and job.origin else job
        line = _line([*([first] if first else []), *family]) if family else ""
        repaired = with_repairs(job, later(job, families[job.cluster])) if line else job
        if repaired.repairs and repaired.in_the_end.state is State.SUCCEEDED:
            line = f"repaired: {line}"
        shown.append((repaired, line))
    return shown


def _line(family: Sequence[Job]) -> str:
    """Jobs of one resubmit with commas between: several ranges of tasks are several jobs."""
    generations: dict[int, list[str]] = {}
    for job in family:
        if job.job_id:
            generations.setdefault(generation(job), []).append(job.job_id)
    return " -> ".join(", ".join(ids) for _, ids in sorted(generations.items()))
