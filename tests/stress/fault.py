"""What a fault is: a name, the cases of it, and how one attempt at a case goes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

from .story import Place, Story

C = TypeVar("C")


class Lane(Enum):
    """Faults of one lane come after one another, and the lanes are side by side."""

    BUSY = "busy"  # each attempt keeps the machine busy
    PATIENT = "patient"  # attempts that mostly wait, many at a time
    SHAKING = "shaking"  # these stop what others need, so they have a cluster of their own


@dataclass(frozen=True)
class Tried:
    """What one attempt was about, and how many faults really happened in it: one that did not is not counted."""

    stories: Sequence[Story]
    happened: int = 1


@dataclass(frozen=True)
class Fault(Generic[C]):
    """`cases` gives them when they are needed; `short` says how many of them the short form takes, spread out."""

    name: str
    cases: Callable[[Place], Sequence[C]]
    attempt: Callable[[Place, C], Tried]
    lane: Lane = Lane.BUSY
    at_once: int = 3
    short: int = 0

    def chosen(self, place: Place, *, short: bool, every: int = 1) -> Sequence[C]:
        """The cases to try: all, each so many-th, or those of the short form."""
        cases = self.cases(place)[::every]
        if not short or len(cases) <= self.short:
            return cases
        return [cases[(2 * number + 1) * len(cases) // (2 * self.short)] for number in range(self.short)]
