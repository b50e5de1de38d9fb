"""What many jobs came to: how they ended, what they kept busy, what of that was wasted, and why they failed. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from .job import Job, State, iso
from .outcome import DID_NOT_SUCCEED
from .usage import JobUsage, Usage


@dataclass(frozen=True)
class Reported:
    """One job: what it used, the project that it was submitted for, and why it or its tasks failed.

    `reasons` has the kind of each reason, by task (0: it has none), and `because` the text of one of them. `accounted`:
    the scheduler told of it, and not its own notes alone.
    """

    used: JobUsage
    project: str = ""
    reasons: Mapping[int, str] = field(default_factory=dict)
    because: str = ""
    accounted: bool = True

    @property
    def job(self) -> Job:
        """The job itself."""
        return self.used.job

    @property
    def states(self) -> Mapping[State, int]:
        """How many of its tasks are in which state; of a job without tasks it is one."""
        return self.job.counts if self.job.array and self.job.counts else {self.job.state: len(self.job.numbers())}

    @property
    def waited(self) -> int | None:
        """Seconds from its submission to the first start."""
        begun = min((each.started_at for each in self.used.tasks.values() if each.started_at), default=None)
        begun = self.job.outcome.started_at if begun is None else begun
        known = begun is not None and self.job.submitted_at is not None
        return max(0, begun - self.job.submitted_at) if known else None  # type: ignore[operator]  # both are known

    def core_seconds(self, of: Callable[[State], bool] = lambda _: True) -> int:
        """Seconds times cores, of its tasks in such a state."""
        return sum(usage.core_seconds or 0 for task, usage in self.used.tasks.items() if of(self.job.of(task).state))

    @property
    def in_vain(self) -> int:
        """Core seconds of what did not succeed: they were for nothing, for all that is known here."""
        return self.core_seconds(lambda state: state in DID_NOT_SUCCEED)

    @property
    def idle(self) -> float:
        """Core seconds that what succeeded kept busy and did not use, as far as its CPU time is known."""
        good = [each for task, each in self.used.tasks.items() if self.job.of(task).state is State.SUCCEEDED]
        return sum(max(0.0, (each.core_seconds or 0) - each.cpu) for each in good if each.cpu is not None)


@dataclass(frozen=True)
class Line:
    """What several jobs came to. Amounts are core seconds; `waits` are seconds, one for each job that began.

    `states` counts tasks, a job without tasks as one; `outcomes` counts jobs.
    """

    jobs: int
    outcomes: Mapping[State, int]
    states: Mapping[State, int]
    core_seconds: int
    in_vain: int
    idle: float
    waits: Sequence[int]

    @property
    def tasks(self) -> int:
        """How many tasks these jobs have."""
        return sum(self.states.values())

    @property
    def wasted(self) -> float:
        """Core seconds of what did not succeed, and of cores that were asked for and idle."""
        return self.in_vain + self.idle

    @property
    def waited(self) -> float | None:
        """The median of the waits; None: no job began."""
        return median(self.waits) if self.waits else None

    def as_json(self) -> dict[str, object]:
        """Its values for `--json`; amounts of cores in hours."""
        hours = {"core_hours": self.core_seconds, "wasted_core_hours": self.wasted, "failed_core_hours": self.in_vain}
        return {
            "jobs": self.jobs,
            "tasks": self.tasks,
            "outcomes": {str(state): many for state, many in self.states.items() if many},
            **{name: round(seconds / 3600, 4) for name, seconds in (hours | {"idle_core_hours": self.idle}).items()},
            "waited": None if self.waited is None else round(self.waited),
            "waited_at_most": max(self.waits, default=None),
        }


@dataclass(frozen=True)
class Cause:
    """Why some failed: the kind of reason, how many jobs and tasks, their core seconds, and the newest as example."""

    kind: str
    jobs: int
    tasks: int
    core_seconds: int
    example: Reported


@dataclass(frozen=True)
class Report:
    """Many jobs, oldest first; `troubles` has a line for each cluster that could not be asked, or not about all."""

    jobs: Sequence[Reported] = ()
    troubles: Sequence[str] = ()

    def __add__(self, other: Report) -> Report:
        jobs = sorted((*self.jobs, *other.jobs), key=lambda each: each.job.submitted_at or 0)
        return Report(jobs, (*self.troubles, *other.troubles))

    def only(self, states: Sequence[State]) -> Report:
        """The report on jobs in one of these states; none: on all."""
        return replace(self, jobs=[each for each in self.jobs if each.job.state in states]) if states else self

    @property
    def lines(self) -> dict[tuple[str, str], Line]:
        """By cluster and project."""
        return {place: line_of(jobs) for place, jobs in self._places()}

    def _places(self) -> list[tuple[tuple[str, str], list[Reported]]]:
        """The jobs by cluster and project."""
        found: dict[tuple[str, str], list[Reported]] = {}
        for each in self.jobs:
            found.setdefault((each.job.cluster, each.project), []).append(each)
        return sorted(found.items(), key=lambda item: item[0])

    @property
    def whole(self) -> Line:
        """All of it."""
        return line_of(self.jobs)

    @property
    def causes(self) -> list[Cause]:
        """Why jobs and tasks failed, the cause that took most core hours first."""
        return causes_of(self.jobs)

    def as_json(self) -> list[dict[str, object]]:
        """An object for each cluster and project."""
        shown = []
        for (cluster, project), jobs in self._places():
            failures = {cause.kind: cause.tasks for cause in causes_of(jobs)}
            times = [each.job.submitted_at for each in jobs if each.job.submitted_at is not None]
            first, last = iso(min(times, default=None)), iso(max(times, default=None))
            span = {"first_submitted_at": first, "last_submitted_at": last}
            own: dict[str, object] = {"cluster": cluster, "project": project or None, **line_of(jobs).as_json()}
            without = sum(not each.accounted for each in jobs)
            shown.append(own | {"failures": failures, "jobs_without_accounting": without, **span})
        return shown


def line_of(jobs: Sequence[Reported]) -> Line:
    """What these jobs came to."""
    states = Counter[State]()
    for each in jobs:
        states.update(each.states)
    return Line(
        len(jobs),
        Counter(each.job.state for each in jobs),
        states,
        sum(each.core_seconds() for each in jobs),
        sum(each.in_vain for each in jobs),
        sum(each.idle for each in jobs),
        [wait for each in jobs if (wait := each.waited) is not None],
    )


def causes_of(jobs: Iterable[Reported]) -> list[Cause]:
    """Why these failed, by the kind of the reason."""
    found: dict[str, list[tuple[Reported, int]]] = {}
    for each in jobs:
        for task, kind in each.reasons.items():
            found.setdefault(kind, []).append((each, task))
    causes = []
    for kind, places in found.items():
        lost = sum(each.used.tasks.get(task, Usage()).core_seconds or 0 for each, task in places)
        causes.append(Cause(kind, len({each.job.key for each, _ in places}), len(places), lost, places[-1][0]))
    return sorted(causes, key=lambda cause: (-cause.core_seconds, -cause.tasks, cause.kind))
