"""Conditions for jobs: globs of names and keys, groups, states, and when they were submitted. Pure.

All conditions have to be met; of the values of one condition, any.
"""

from __future__ import annotations

import fnmatch
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import cached_property

from .errors import InvalidInput, nearest
from .job import Job, Selected, State, iso
from .resources import parse_time

Named = str | Job | Selected
SELECTING = ("job", "group", "state", "since", "all")
"""The flags that select jobs."""
_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:Z|[+-]\d\d:\d\d)?)?", re.ASCII)


def is_glob(text: object) -> bool:
    """Whether this is a glob: no key has such a character."""
    return isinstance(text, str) and any(letter in text for letter in "*?[")


@dataclass(frozen=True)
class Wanted:
    """What the flags that select jobs ask for. `job` has what `--job` names, or jobs themselves; `since` is a time in
    seconds since 1970.
    """

    job: tuple[Named, ...] = ()
    group: tuple[str, ...] = ()
    state: tuple[State, ...] = ()
    since: int | None = None
    all: bool = False

    @classmethod
    def read(
        cls,
        job: Iterable[Named] | None = (),
        group: str | Iterable[str] | None = (),
        state: str | Iterable[str] | None = (),
        since: str | None = "",
        all: bool = False,
    ) -> Wanted:
        """The flags as they are typed, or the parameters of the same names. Raises InvalidInput."""
        if "" in _texts(group):  # a variable of make that is not set must not mean every job without a group
            raise InvalidInput("--group needs a value")
        begin = moment(since, int(time.time())) if since else None
        return cls(tuple(job or ()), _texts(group), states_of(_texts(state)), begin, all)

    @property
    def selects(self) -> bool:
        """Whether other jobs may be meant than those that are named."""
        return bool(self.all or self.globs or self.group or self.state or self.since is not None)

    @property
    def globs(self) -> list[str]:
        """The globs in `job`."""
        return [one for one in self.job if isinstance(one, str) and is_glob(one)]

    def matches(self, job: Job) -> bool:
        """Whether a job meets every condition, that of its state as it is known included."""
        known = self.means(job.key, job.job_id or "", job.name) and self.admits(job.group, job.submitted_at)
        return known and (not self.state or job.state in self.state)

    def means(self, key: str, job_id: str, name: str) -> bool:
        """Whether `job` has the key or the ID, or a glob that matches key or name; none there: every job is meant."""
        if not self.job or key in self.job or job_id in self.job:
            return True
        return bool(self._called and (self._called.fullmatch(key) or self._called.fullmatch(name)))

    def admits(self, group: str, submitted_at: int | None) -> bool:
        """Whether group and time are those that are wanted. A time that is not known yet is that of a new job."""
        recent = self.since is None or submitted_at is None or submitted_at >= self.since
        return recent and (not self._grouped or bool(self._grouped.fullmatch(group)))

    @cached_property
    def _called(self) -> re.Pattern[str] | None:
        return any_of(self.globs)

    @cached_property
    def _grouped(self) -> re.Pattern[str] | None:
        return any_of(self.group)

    @property
    def none(self) -> str:
        """A line that says that there is no such job."""
        if self.state and self in (Wanted(state=self.state), Wanted(state=self.state, all=True)):
            return f"no job is {','.join(self.state)}"
        return f"no job matches {self}"

    def __str__(self) -> str:
        """As flags: `--group sim --state failed`."""
        given = [("job", one if isinstance(one, str) else "...") for one in self.job]
        given += [("group", one) for one in self.group] + [("state", one.value) for one in self.state]
        given += [("since", iso(self.since) or "")] if self.since is not None else []
        return " ".join([f"--{name} {value}" for name, value in given] + ["--all"] * self.all)


def any_of(globs: Sequence[str]) -> re.Pattern[str] | None:
    """What matches any of these globs; None where there are none."""
    return re.compile("|".join(map(fnmatch.translate, globs))) if globs else None


def states_of(texts: Iterable[str]) -> tuple[State, ...]:
    """The states that these words name, some with commas between. Raises InvalidInput for one that is none."""
    words = [word.strip() for text in texts for word in str(text).split(",")]
    known = [each.value for each in State]
    for word in words:
        if word not in known:
            near = nearest(word, known) or f"; states are {', '.join(known)}"
            raise InvalidInput(f"--state {word}: no such state{near}")
    return tuple(State(word) for word in words)


def moment(text: str, now: int) -> int:
    """Seconds since 1970: of `2026-11-20` or `2026-11-20T13:00` (UTC), or as long before `now` as `3d`, `2h` or `1w`
    says. Raises InvalidInput.
    """
    text = text.strip()
    try:
        if not _DATE.fullmatch(text):
            return now - parse_time(text)
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except (InvalidInput, ValueError):
        raise InvalidInput(
            f"--since {text!r} is neither how long ago (3d, 2h, 1w) nor a date (2026-11-20, 2026-11-20T13:00)"
        ) from None
    return int((found if found.tzinfo else found.replace(tzinfo=timezone.utc)).timestamp())


def _texts(given: str | Iterable[str] | None) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given or ())
