"""What all answers have in common: tasks, numbers, and errors instead of an answer."""

from __future__ import annotations

import re

from ...model.errors import SchedulerError
from ...model.resources import TaskRange
from .. import wording

_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", re.ASCII)


def ranges(text: str) -> tuple[TaskRange, ...]:
    """Parse `3`, `1-5:2` or `1,4`: the tasks of one row. If a part is not understood, the row counts for all tasks."""
    ranges = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if not match:
            return ()
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        try:
            ranges.append(TaskRange(first, last, step or 1))
        except ValueError:  # more tasks than there can be
            return ()
    return tuple(ranges)


def leading_number(text: str) -> int | None:
    match = re.match(r"\d{1,9}(?!\d)", text.strip(), re.ASCII)
    return int(match[0]) if match else None


def failed(err: str, out: str = "") -> SchedulerError:
    """The error for a scheduler that could not be asked, in its own words."""
    return wording.failed("Grid Engine", err, out)
