"""The rows of sweeps that the ledger does not have, since it was lost: read from their job directories."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from ..login_node import Program, job_directory, quote
from ..model.job import Job
from .cluster_session import ClusterSession

# Of so many sweeps at once the rows are read; those of others when they are asked about.
_AT_ONCE = 20
# Bytes of all rows of one.
_MOST = 256 << 20


def read_rows(session: ClusterSession, jobs: Iterable[Job]) -> None:
    """Keep the rows of these jobs that are not known here. Raises Unreachable."""
    unread = (job for job in jobs if job.sweep and not job.cleaned_at and not session.ledger.rows.known(job))
    for job in islice(unread, _AT_ONCE):
        command = f"cat {quote(job.directory or '')}/{job_directory.own('rows')}"
        answer = session.ask(Program(("ask",), {"command": command}, most=_MOST))["answer"]
        if answer.status == 0:
            with session.ledger.leniently():
                session.ledger.rows.keep(job, answer.exact)
