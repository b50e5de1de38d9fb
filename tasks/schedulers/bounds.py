"""Bounds on a scheduler's answers: one with more rows than can exist is not understood."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TypeVar

from ..model.errors import SchedulerError

T = TypeVar("T")
# Bounds of what a scheduler may say: bytes about all jobs of one user (tens of thousands), rows or records in one
# answer, and ranges of tasks in all of these.
MOST_OF_A_QUEUE = 24 << 20
MOST_RECORDS = 250_000
MOST_RANGES = 100_000
_LINE = re.compile("[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029]+")  # ends where splitlines() ends one


def bounded(told: Iterable[T]) -> Iterator[T]:
    """Pass these on, up to the most that can exist. Raises SchedulerError beyond that."""
    for number, each in enumerate(told, 1):
        check_many(number)
        yield each


def check_many(number: int) -> None:
    """Raises SchedulerError for more rows or records than can exist."""
    if number > MOST_RECORDS:
        raise SchedulerError(f"the answer is not understood: it is about more than {MOST_RECORDS} jobs and tasks")


def lines_of(text: str) -> Iterator[str]:
    """Yield the lines that are not empty; there may be millions. Raises SchedulerError for too many."""
    return bounded(found[0] for found in _LINE.finditer(text))


def check_ranges(texts: Iterable[str]) -> None:
    """Raises SchedulerError when these name more ranges of tasks than can exist."""
    if sum(text.count(",") for text in texts) > MOST_RANGES:
        raise SchedulerError(f"the answer is not understood: it names more than {MOST_RANGES} ranges of tasks")
