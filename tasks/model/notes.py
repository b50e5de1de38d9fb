"""What jobs write down about themselves: start, logs and end, read from the notes in their directories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from .errors import SchedulerError
from .resources import MOST_FOLLOWED
from .wording import number

# Bytes of the notes of all jobs that are looked at together, and how many notes of tasks.
MOST_OF_NOTES = 32 << 20
_MOST_NOTES = MOST_FOLLOWED
_TIME = re.compile(r"(\d{1,9})m(\d{1,9}[.,]\d{1,9})s", re.ASCII)


@dataclass(frozen=True, slots=True)
class Note:
    """What one job or task wrote down itself: its latest start, and its latest end."""

    job_id: str
    started_at: int | None = None
    ended_at: int | None = None
    status: int | None = None
    reason: str = ""

    @property
    def exit_status(self) -> int | None:
        """How it ended; None while it runs. An end before the start is that of a run before a requeue."""
        return self.status if (self.ended_at or 0) >= (self.started_at or 0) else None


@dataclass(frozen=True, slots=True)
class Logs:
    """Where a job or task says that its output goes."""

    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Used:
    """What a job or task says that it used: seconds of CPU time, and its peak of memory in bytes, if it could tell."""

    cpu: float | None
    memory: int | None


@dataclass
class Notes:
    """The notes of many jobs, by key and then by task (0: not an array job), as they are read."""

    notes: dict[str, dict[int, Note]] = field(default_factory=dict)
    logs: dict[str, dict[int, Logs]] = field(default_factory=dict)
    used: dict[str, dict[int, Used]] = field(default_factory=dict)
    _many: int = 0

    def read(self, text: str) -> dict[str, set[int]]:
        """Take in notes as `run` writes them: `start KEY JOB TASK TIME HOST RESTARTS`, `out PATH`, `err PATH`, and
        `end KEY JOB TASK TIME STATUS REASON`, where there is a reason, and after it `used TIMES BYTES`. The order of
        the files is any; lines that are not understood are passed over. Returns of which tasks there was news, by key.
        Raises SchedulerError for notes of more tasks than can be followed.
        """
        place: tuple[str, int] | None = None
        news: dict[str, set[int]] = {}
        for line in _lines(text):
            words = line.split(" ", 6)
            kind = words[0]
            if kind == "out" and place:
                self.logs.setdefault(place[0], {})[place[1]] = Logs(line[4:], line[4:])
            elif kind == "err" and place and place[1] in self.logs.get(place[0], {}):
                self.logs[place[0]][place[1]] = Logs(self.logs[place[0]][place[1]].out, line[4:])
            elif kind == "used" and place:
                self.used.setdefault(place[0], {})[place[1]] = _used(words[1:])
            elif len(words) >= 6 and kind in ("start", "end") and (task := number(words[3])) is not None:
                key = words[1]
                place = key, task
                if key not in news:
                    news[key] = set()
                    self.notes.setdefault(key, {})
                news[key].add(task)
                self._many += _take(self.notes[key], task, words)
                if self._many > _MOST_NOTES:
                    raise SchedulerError(f"the answer is not understood: it has notes of more than {_MOST_NOTES} tasks")
            else:
                place = None
        return news


def _used(words: list[str]) -> Used:
    """Of `0m0.1s 0m0.0s 1m2.3s 0m0.4s 1024`: what `times` told before and after, and the peak, if any."""
    times = [_TIME.fullmatch(word) for word in words[:4]]
    told = [int(found[1]) * 60 + float(found[2].replace(",", ".")) for found in times if found]
    cpu = round(told[2] + told[3] - told[0] - told[1], 3) if len(told) == 4 else None
    return Used(cpu, next(filter(None, map(number, words[4:])), None))


def _lines(text: str) -> Iterator[str]:
    """The lines, one at a time. At nothing but newlines: a path may hold what splitlines() takes for an end."""
    start = 0
    while (end := text.find("\n", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _take(notes: dict[int, Note], task: int, words: list[str]) -> bool:
    """Take in one note; whether it is the first of its task."""
    known, when = notes.get(task), number(words[4])
    note = known if known and known.job_id == words[2] else Note(words[2])
    if when is None:
        pass
    elif words[0] == "start":
        note = Note(note.job_id, max(when, note.started_at or 0), note.ended_at, note.status, note.reason)
    elif (status := number(words[5])) is not None and when >= (note.ended_at or 0):
        note = Note(note.job_id, note.started_at, when, status, words[6] if len(words) > 6 else "")
    notes[task] = note
    return known is None
