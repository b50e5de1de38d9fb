"""Which part of a job to submit again: all of it, the named tasks, or what did not succeed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from ..model.errors import InvalidInput
from ..model.job import Job
from ..model.outcome import DID_NOT_SUCCEED
from ..model.repairs import by_origin, later
from ..model.resources import TaskRange, ranges_of
from ..submission.reconcile import confirmed, not_known_yet
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .causes import causes

# A job to repeat, and the tasks of it; None: all of a job that is no array job.
Part = tuple[Job, TaskRange | None]


def parts_of(session: ClusterSession, job: Job, tasks: Sequence[int], failed: bool | Collection[str]) -> list[Part]:
    """What to submit again; `failed`: what did not succeed, or not for one of these causes.

    Raises InvalidInput for what has not ended, SchedulerError, Unreachable."""
    if failed:
        begun = [each for each in later(job, by_origin(session.ledger.repeats(session.name))) if not each.job_id]
        _, unknown = confirmed(session, [(each, ()) for each in begun])
        if unknown:
            raise not_known_yet(session, unknown)
    watch = Watch(session, [(job, tuple(tasks))])
    watch.must_look()
    (now,) = watch.shown()
    if failed:
        return list(_failed(session, now, () if isinstance(failed, bool) else failed))
    if not now.state.ended:
        raise InvalidInput(f"{now.title()} is {now.state}: wait for its end, or cancel it")
    if not now.array:
        return [(now, None)]
    return [(now, part) for part in (ranges_of(tasks) if tasks else [now.array])]


def _failed(session: ClusterSession, job: Job, only: Collection[str]) -> Iterator[Part]:
    """The tasks that have not succeeded yet, as far as no repeat of them may still do so; each of the last job that
    ran it."""
    numbers = job.tasks if job.array else (0,)
    sources = {job.key: job, **{each.key: each for each in job.repairs.values()}}
    ended = [(job.repairs.get(task, job), task) for task in numbers]
    ended = [(source, task) for source, task in ended if source.of(task).state in DID_NOT_SUCCEED]
    kinds = causes(session, ended) if only else {}
    parts: dict[str, list[int]] = {}
    for source, task in ended:
        if not only or kinds[source.key, task] in only:
            parts.setdefault(source.key, []).append(task)
    for key, repeat in sources.items():
        if key != job.key and not repeat.state.ended:
            tasks = [task for task, each in job.repairs.items() if each.key == key and not each.of(task).state.ended]
            which = f"tasks {', '.join(map(str, ranges_of(tasks)))}" if job.array else "it"
            session.listener.say(f"{job.title()}: {repeat.title()} is {repeat.state} and runs {which} again already")
    for key, tasks in parts.items():
        yield from ((sources[key], part if job.array else None) for part in ranges_of(tasks))
