"""Ask several clusters about the jobs that may still change, all at once: a thread for each."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ..model.errors import SubmithostError
from ..model.job import Job
from ..submission.reconcile import confirmed
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch


def refresh(asked: Sequence[tuple[ClusterSession, Sequence[Job]]]) -> tuple[list[Job], list[SubmithostError]]:
    """Ask each cluster about its jobs, and record the answers; return the jobs as they are now, and the failures in
    the order of the clusters.

    Each session logs in from a thread of its own, and may ask for a password there. An exception that only a bug can
    raise is raised here as well.
    """
    known: list[Job] = []
    failures: dict[str, Exception] = {}

    def ask(session: ClusterSession, jobs: Sequence[Job]) -> None:
        try:
            selected, _ = confirmed(session, [(job, ()) for job in jobs])
            watch = Watch(session, selected)
            watch.look()
            known.extend(watch.jobs[job.key] for job, _ in selected)
            if error := watch.error:
                raise error
        except Exception as error:
            failures[session.name] = error

    threads = [threading.Thread(target=ask, args=each, daemon=True) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for failure in failures.values():
        if not isinstance(failure, SubmithostError):
            raise failure
    in_turn = (failures.get(session.name) for session, _ in asked)
    return known, [failure for failure in in_turn if isinstance(failure, SubmithostError)]
