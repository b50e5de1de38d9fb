"""Which jobs are watched: those that were named (with tasks: only these), and the jobs that repeat them."""

from __future__ import annotations

from collections.abc import Iterable

from ..model.job import Job, Selected, State
from ..model.repairs import by_origin, later, with_repairs
from .cluster_session import ClusterSession


class Watched:
    """The jobs of one cluster, and what is known of them; if tasks were named, only these count.

    Jobs that repeat what did not succeed are watched as well.
    """

    def __init__(self, session: ClusterSession, selected: Iterable[Selected]) -> None:
        self.session = session
        chosen = list(selected)
        self.jobs = {job.key: job for job, _ in chosen}
        self._tasks: dict[str, set[int]] = {}
        for job, tasks in chosen:
            named = self._tasks.setdefault(job.key, set(tasks))
            # The whole job, and a task of it, is the whole job.
            self._tasks[job.key] = named | set(tasks) if named and tasks else set()
        self._chosen = dict.fromkeys(self.jobs)
        self._repeats = self._find_repeats()
        self._looked_for: set[str] = set()

    def _find_repeats(self) -> dict[str, list[str]]:
        """Find the repeats of each job, and watch them from now on."""
        if all(job.state is State.SUCCEEDED for job in self.jobs.values()):
            return {}
        known = by_origin(self.session.ledger.repeats(self.session.name))
        found: dict[str, list[str]] = {}
        for key in self._chosen:
            for repeat in later(self.jobs[key], known):
                tasks = {task for task in self._tasks[key] if task in repeat.numbers()}
                if repeat.job_id and (tasks or not self._tasks[key]):
                    found.setdefault(key, []).append(repeat.key)
                    self.jobs.setdefault(repeat.key, repeat)
                    self._tasks.setdefault(repeat.key, tasks)
        return found

    def shown(self) -> list[Job]:
        """The jobs, reduced to their named tasks, and with what later jobs have repaired."""
        return [self._shown(key) for key in self._chosen]

    def _shown(self, key: str) -> Job:
        return with_repairs(self._only(key), [self.jobs[repeat] for repeat in self._repeats.get(key, ())])

    def tasks_of(self, key: str) -> tuple[int, ...]:
        """The tasks that were named; none: the whole job."""
        return tuple(sorted(self._tasks[key]))

    def watched(self) -> list[Job]:
        """The jobs, and those that repeat them."""
        return [*self.shown(), *(self._only(key) for key in self.jobs if key not in self._chosen)]

    def with_repeats(self, job: Job) -> list[Job]:
        """The job, and the jobs that count for what did not succeed of it: their files are in different places."""
        repairs = {each.key for each in self._shown(job.key).repairs.values()}
        return [job, *(self.jobs[key].there() for key in self._repeats.get(job.key, ()) if key in repairs)]

    def _only(self, key: str) -> Job:
        return self.jobs[key].only(sorted(self._tasks[key]))

    def live(self) -> list[Job]:
        """Jobs with an ID that are not known to have ended, repeats among them; a vanished job is looked for once."""
        return [self.jobs[key] for key in self.jobs if (job := self._only(key)).job_id and not self._done_with(job)]

    def _done_with(self, job: Job) -> bool:
        return job.state.final or (job.state is State.VANISHED and job.key in self._looked_for)
