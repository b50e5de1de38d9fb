"""Ask several clusters about the jobs that may still change, all at once: a thread for each."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from .model.errors import SchedulerError, SubmithostError
from .model.job import Job
from .reconciling import confirmed
from .session import Session, terminal
from .watching import Watch


def refresh(asked: Sequence[tuple[Session, Sequence[Job]]]) -> list[SubmithostError]:
    """Ask each cluster about its jobs, and record what it says; returns what went wrong, of each in its turn.

    Sessions share nothing but the terminal, and that asks one question at a time.
    """
    failures: dict[str, SubmithostError] = {}

    def ask(session: Session, jobs: Sequence[Job]) -> None:
        try:
            known, _ = confirmed(session, [(job, ()) for job in jobs])
            watch = Watch(session, known)
            watch.look()
            if watch.trouble:
                raise SchedulerError(f"{session.name}: could not ask: {watch.trouble}")
        except SubmithostError as error:
            failures[session.name] = error

    threads = [threading.Thread(target=ask, args=each, daemon=True) for each in asked]
    with terminal.left_as_it_was():
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return [failures[session.name] for session, _ in asked if session.name in failures]
