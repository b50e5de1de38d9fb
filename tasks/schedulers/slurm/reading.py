"""What all answers have in common: tasks, keys, and errors instead of an answer."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...login_node.job_directory import SUBMITTED
from ...model.errors import InvalidInput, SchedulerError
from ...model.resources import MOST_TASKS, TaskRange
from .. import wording


def ranges(text: str) -> tuple[TaskRange, ...]:
    """`3`, `1-5:2%2`, `[1,4]`: the tasks of one row. None for what is not understood, as `N/A` and `_REST`."""
    try:
        return TaskRange.parse(text.strip("[]").partition("%")[0]).parts()
    except InvalidInput:
        return ()


def together(texts: Sequence[str]) -> TaskRange | None:
    """The tasks of all these rows. Raises SchedulerError for more than there can be."""
    parts = [part for text in texts for part in ranges(text)]
    if sum(map(len, parts)) > MOST_TASKS:
        raise SchedulerError(f"Slurm: an array job of more than {MOST_TASKS} tasks")
    return TaskRange.of(number for part in parts for number in part.numbers())


def key_of(command: str) -> str:
    """The key whose job file a command is; empty: of none."""
    found = SUBMITTED.search(command)
    return found[1] if found else ""


def directory_of(command: str) -> str:
    """The job directory that a command is in, which its key names; empty: in none."""
    found = SUBMITTED.search(command)
    return command[: found.end(1)] if found else ""


def facts_of(line: str) -> dict[str, str]:
    """The words `NAME=VALUE` of `scontrol -o show job`."""
    return dict(re.findall(r"(?:^| )([A-Za-z:/]+)=(.*?)(?= [A-Za-z:/]+=|$)", line))


def failed(err: str, out: str = "") -> SchedulerError:
    """The error for a scheduler that could not be asked, in its own words."""
    return wording.failed("Slurm", err, out)
