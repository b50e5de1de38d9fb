"""What a job or a task asked for and what it used, and what to ask for next time. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, astuple, dataclass, field

from .job import Job, iso

# Ask next time for what was used, and this part of it more.
_MARGIN = 1.25
# Times are rounded up to multiples of a step, in seconds: the first step for times up to the first bound, and so on.
_STEPS_OF_TIME = ((600, 60), (7200, 600), (86400, 3600), (math.inf, 4 * 3600))
_MIB = 1024**2
_STEPS_OF_MEMORY = ((1024, 100), (10 * 1024, 512), (math.inf, 1024))  # the same in MiB
_LEAST_MEMORY = 100


@dataclass(frozen=True, slots=True)
class Asked:
    """What was asked for, in seconds, bytes per core, and cores. None: nothing, or not known."""

    time: int | None = None
    memory: int | None = None
    cores: int | None = None

    @property
    def memory_in_all(self) -> int | None:
        """Bytes for all cores together."""
        return None if self.memory is None else self.memory * (self.cores or 1)

    def over(self, other: Asked) -> Asked:
        """These amounts, completed by those of `other`."""
        return Asked(*(more if own is None else own for own, more in zip(astuple(self), astuple(other), strict=True)))


@dataclass(frozen=True, slots=True)
class Usage:
    """What one job, or one task of an array job, used so far or until its end. None: that is not known.

    `wall` and `cpu` are seconds, `memory` is its peak in bytes over all its cores; times are seconds since 1970, the
    cluster's.
    """

    task: int | None = None
    asked: Asked = field(default_factory=Asked)
    wall: int | None = None
    cpu: float | None = None
    memory: int | None = None
    cores: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    host: str = ""

    @property
    def cpu_efficiency(self) -> float | None:
        """The part of the cores' time that was used, from 0 to 1; more where it used more cores than it asked for."""
        return self.cpu / (self.wall * (self.cores or 1)) if self.cpu is not None and self.wall else None

    @property
    def memory_efficiency(self) -> float | None:
        """The part of the memory asked for that was used."""
        asked = self.asked.memory_in_all
        return self.memory / asked if self.memory is not None and asked else None

    @property
    def core_seconds(self) -> int | None:
        """Seconds times the cores that it occupied."""
        return None if self.wall is None else self.wall * (self.cores or 1)


def next_time(usages: Iterable[Usage]) -> Asked:
    """What to ask for so that the longest and the largest of these fit: a quarter more than they used, rounded up.

    What none of them tells stays None.
    """
    known = list(usages)
    wall = max((each.wall for each in known if each.wall is not None), default=None)
    memory = max((-(-each.memory // (each.cores or 1)) for each in known if each.memory), default=None)
    return Asked(
        None if wall is None else _up(wall * _MARGIN, _STEPS_OF_TIME, 60),
        None if memory is None else _MIB * _up(memory / _MIB * _MARGIN, _STEPS_OF_MEMORY, _LEAST_MEMORY),
    )


def _up(amount: float, steps: Iterable[tuple[float, int]], least: int) -> int:
    step = next(step for bound, step in steps if amount <= bound)
    return max(least, math.ceil(amount / step) * step)


@dataclass(frozen=True)
class JobUsage:
    """What one job used, by task; 0 where it is no array job. Of an array job that has what began and is known."""

    job: Job
    tasks: Mapping[int, Usage] = field(default_factory=dict)

    @property
    def next_time(self) -> Asked:
        """What to ask for next time: a quarter more than what has ended used at most; nothing where nothing has."""
        return next_time(each for each in self.tasks.values() if each.ended_at is not None)

    def as_json(self) -> dict[str, object]:
        """The object that `--json` prints: times in seconds, memory in bytes, asked for per core."""
        job, wanted = self.job, self.next_time
        shown: dict[str, object] = {
            "cluster": job.cluster, "job_id": job.job_id, "key": job.key, "name": job.name, "state": str(job.state),
            "next_time": {"time": wanted.time, "memory": wanted.memory},
        }  # fmt: skip
        if not job.array:
            return shown | _as_json(self.tasks.get(0, Usage()))
        return shown | {"tasks": {str(task): _as_json(usage) for task, usage in sorted(self.tasks.items())}}


def _as_json(usage: Usage) -> dict[str, object]:
    shown = asdict(usage)
    del shown["task"]
    shown |= {"started_at": iso(usage.started_at), "ended_at": iso(usage.ended_at), "host": usage.host or None}
    for name in ("cpu_efficiency", "memory_efficiency"):
        part = getattr(usage, name)
        shown[name] = None if part is None else round(part, 4)
    return shown
