"""Why jobs do not run: asked beside the list, of a few at a time and not often, and kept until they run."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from ..model.errors import SchedulerError
from ..model.job import Alike, Job, Outcome, State
from ..model.reason import Reason
from .advice import advised
from .cluster_session import ClusterSession
from .pace import EVERY

# In these states a job does not run, and the list does not always tell why.
_WAITING = (State.PENDING, State.HELD, State.ERROR)
# So many jobs are asked about at once: each costs the scheduler as much as a look at all of them.
_AT_ONCE = 20
_MOST = 100
# Seconds until one is asked about again while somebody waits, and before the first time: most start at once.
_AGAIN = 300.0
_PATIENCE = 3.0


class Reasons:
    """The reasons, by job ID and state; there is none where the scheduler did not say."""

    def __init__(self, session: ClusterSession) -> None:
        self._session = session
        self._found: dict[tuple[str, State], Reason] = {}
        self._asked: dict[str, float] = {}
        self._seen: dict[str, float] = {}

    def unexplained(self, jobs: Iterable[Job], *, patient: bool = False) -> list[str]:
        """The IDs of those in error state and of some that wait, if the list does not tell why and nobody has asked.

        `patient`: of what only waits for its turn, what has done so for some seconds, and a few at each look at most.
        """
        now, waiting, errors = time.monotonic(), list[str](), list[str]()
        for job in jobs:
            if not job.job_id or self._asked.get(job.job_id, now - _AGAIN) + _AGAIN > now or not (mute := _mute(job)):
                continue
            seen = self._seen.setdefault(job.job_id, now)
            if State.ERROR in mute:
                errors.append(job.job_id)
            elif not patient or seen + _PATIENCE <= now:
                waiting.append(job.job_id)
        lately = patient and max(self._asked.values(), default=-math.inf) + EVERY > now
        return [*errors, *(waiting[:_AT_ONCE] if errors or not lately else [])]

    def learn(self, jobs: Iterable[Job]) -> int:
        """Ask about all of these that wait, for somebody who wants to know of each; return how many are too many."""
        wanted = [job.job_id for job in jobs if job.job_id and _waiting(job) and job.job_id not in self._asked]
        for at in range(0, min(len(wanted), _MOST), _AT_ONCE):
            self.ask(wanted[at : at + _AT_ONCE])
        return max(0, len(wanted) - _MOST)

    def ask(self, job_ids: list[str]) -> None:
        """Ask once, whatever comes of it: that the reason is not known changes nothing."""
        self._asked.update(dict.fromkeys(job_ids, time.monotonic()))
        with contextlib.suppress(SchedulerError):
            found = self._session.query(self._session.scheduler.reasons(job_ids))
            self._found.update(found)

    def of(self, job: Job, state: State) -> Reason | None:
        """Why it, or its tasks in this state, are in it, and what to do; None: nobody said."""
        found = self._found.get((job.job_id or "", state))
        return advised(self._session, job, found) if found else None

    def stuck(self, job: Job) -> bool:
        """Whether it never starts, or not before somebody acts, as far as all of it goes that has not ended."""
        alive = [state for state in job.counts or (job.state,) if not state.ended]
        never = (state is State.ERROR or self._never(job, state) for state in alive)
        return bool(alive) and all(never)

    def _never(self, job: Job, state: State) -> bool:
        found = self._found.get((job.job_id or "", state))
        return found is not None and found.kind == "never"

    def explain(self, job: Job) -> Job:
        """The job with the reasons of those states in which it waits, as far as they are known."""
        if not (states := _waiting(job)):
            self._forget(job.job_id or "")
            return job
        known = {state: _said(reason) for state in states if (reason := self.of(job, state))}
        if not known:
            return job

        def explained(outcome: Outcome) -> Outcome:
            return replace(outcome, reason=outcome.reason or known.get(outcome.state, ""))

        return replace(job, outcome=explained(job.outcome), tasks=_each(job.tasks, explained))

    def _forget(self, job_id: str) -> None:
        """It waits for nothing any more: should it do so again, that has another reason."""
        if job_id in self._asked or job_id in self._seen:
            self._asked.pop(job_id, None)
            self._seen.pop(job_id, None)
            for state in _WAITING:
                self._found.pop((job_id, state), None)


def _said(reason: Reason) -> str:
    """What is said of it beside a job's state, where many jobs may be shown: nothing that holds for all of its kind."""
    return reason.text if reason.kind in ("busy", "held", "error") else reason.sentence


def _waiting(job: Job) -> set[State]:
    """The states of the job, or of tasks of it, in which it does not run."""
    return {job.state, *job.counts} & set(_WAITING)


def _mute(job: Job) -> set[State]:
    """Those of these states of which the list did not tell why."""
    each = [job.outcome] if not job.tasks else _outcomes(job.tasks)
    return {one.state for one in each if one.state in _WAITING and not one.reason} if _waiting(job) else set()


def _outcomes(tasks: Mapping[int, Outcome]) -> Iterable[Outcome]:
    return [tasks.outcome] if isinstance(tasks, Alike) else tasks.values()


def _each(tasks: Mapping[int, Outcome], change: Callable[[Outcome], Outcome]) -> Mapping[int, Outcome]:
    if isinstance(tasks, Alike):
        return Alike(tasks.tasks, change(tasks.outcome))
    return {number: change(task) for number, task in tasks.items()}
