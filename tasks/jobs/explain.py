"""Why jobs wait, are in error state, or failed, and what to do: of an array job a word for each kind of reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..model.job import Job, Outcome, Selected, State
from ..model.reason import Reason
from ..model.repairs import counted
from ..submission.reconcile import known_there
from ..tracking.advice import others
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .failed import Failure, failures
from .status import not_asked

_FAILED = (State.FAILED, State.CANCELLED)


@dataclass(frozen=True)
class Explanation:
    """Why a job is as it is; of an array job, why these `tasks` are (none: the job has no tasks).

    `stderr` are the last lines of what it wrote there, and `file` is where that is, on the cluster; of tasks that
    failed alike, those of the first.
    """

    job: Job
    tasks: tuple[int, ...]
    state: State
    reason: Reason
    stderr: tuple[str, ...] = ()
    file: str = ""

    @property
    def task(self) -> int | None:
        """The first of its tasks; None: the job has none."""
        return self.tasks[0] if self.tasks else None


def explain(session: ClusterSession, selected: Sequence[Selected]) -> list[Explanation]:
    """Look at these jobs, and say of each why it does not run, or did not succeed.

    Raises Unreachable, and SchedulerError when the scheduler could not be asked: what is known is in its `known`.
    """
    watch = Watch(session, known_there(session, selected))
    watch.look()
    runs = [run for job in watch.shown() for run in counted(job, watch.tasks_of(job.key))]
    shown = [job.only(tasks) for job, tasks in runs]  # each task as it ran last
    if watch.trouble:
        shown = not_asked(shown)
    else:
        if more := watch.reasons.learn(shown):
            session.listener.say(f"{session.name}: why {more} more wait was not asked: name them with --job")
        _look_at_others(watch, shown)
    failed = failures(
        session, [(job, task) for job in shown for task, one in sorted(job.parts()) if one.state in _FAILED]
    )
    found = [found for job in shown for found in _of(watch, job, failed)]
    if error := watch.error:
        error.known = found
        raise error
    return found


def _look_at_others(watch: Watch, shown: Sequence[Job]) -> None:
    """Ask how the jobs are that these wait for: that is part of the reason."""
    session, known = watch.session, {job.key for job in shown}
    texts = [job.outcome.reason for job in shown if job.state is State.PENDING]
    before = [job for text in texts if text.startswith("waits for ") for job in others(session, text)]
    if asked := {job.key: job for job in before if job.key not in known and not job.state.final}:
        Watch(session, [(job, ()) for job in asked.values()]).look()


def _of(watch: Watch, job: Job, failed: Mapping[tuple[str, int], Failure]) -> Iterator[Explanation]:
    """One for each kind of reason that its tasks have."""
    alike: dict[tuple[State, Reason], list[int]] = {}
    for task, outcome in sorted(job.parts()):
        failure = failed.get((job.key, task))
        reason = failure.reason if failure else _reason(watch, job, outcome)
        known = outcome.state.final or not watch.trouble
        alike.setdefault((outcome.state if known else State.UNKNOWN, reason), []).append(task)
    for (state, reason), tasks in alike.items():
        failure = failed.get((job.key, tasks[0]), Failure(reason))
        numbers = tuple(tasks) if job.array and job.tasks else ()
        yield Explanation(job, numbers, state, reason, failure.stderr, failure.file)


def _reason(watch: Watch, job: Job, outcome: Outcome) -> Reason:
    """Why one that did not fail is as it is."""
    if watch.trouble and not outcome.state.final:
        return Reason("unknown", "the scheduler could not be asked")
    if found := watch.reasons.of(job, outcome.state):
        return found
    return Reason("" if not outcome.reason else "unknown", outcome.reason)
