"""How a job, or a task of an array job, is: its state, and what is known beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum


class State(str, Enum):
    """The states of DESIGN.md, whatever the scheduler calls them."""

    PENDING = "pending"
    HELD = "held"
    RUNNING = "running"
    SUSPENDED = "suspended"
    ERROR = "error"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    VANISHED = "vanished"
    UNKNOWN = "unknown"

    def __str__(self) -> str:
        return self.value

    @property
    def final(self) -> bool:
        """Whether its end is known: nobody has to be asked about such a job any more."""
        return self in (State.SUCCEEDED, State.FAILED, State.CANCELLED)

    @property
    def ended(self) -> bool:
        """Whether there is nothing to wait for, as far as is known: a vanished job may still turn up."""
        return self.final or self is State.VANISHED


DID_NOT_SUCCEED = (State.FAILED, State.CANCELLED, State.VANISHED)
"""The states of what has ended, or is gone, without success."""
# What an array job as a whole is, when its tasks differ: the first of these that any task is in.
_AS_A_WHOLE = (
    State.RUNNING, State.ERROR, State.SUSPENDED, State.PENDING, State.HELD, State.UNKNOWN,
    State.FAILED, State.CANCELLED, State.VANISHED, State.SUCCEEDED,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is known of one job, or of one task of an array job. Times are seconds since 1970, the cluster's."""

    state: State
    exit_status: int | None = None
    started_at: int | None = None
    ended_at: int | None = None
    reason: str = ""


class Alike(Mapping[int, Outcome]):
    """The outcomes of tasks that all have the same one: of a million tasks it needs no more room than of two."""

    def __init__(self, tasks: Sequence[int], outcome: Outcome) -> None:
        self.tasks, self.outcome = tasks, outcome
        self._known = frozenset(tasks) if isinstance(tasks, list) else tasks

    def __getitem__(self, task: int) -> Outcome:
        if task not in self._known:
            raise KeyError(task)
        return self.outcome

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Alike):
            return (self.tasks, self.outcome) == (other.tasks, other.outcome)
        return super().__eq__(other)

    __hash__ = None  # type: ignore[assignment]  # as of any mapping

    def __iter__(self) -> Iterator[int]:
        return iter(self.tasks)

    def __len__(self) -> int:
        return len(self.tasks)


def together(outcomes: Mapping[int, Outcome]) -> Outcome:
    """One outcome for an array job: its most urgent state, first failing exit status, first start, last end."""
    if not outcomes:
        return Outcome(State.UNKNOWN)
    each = [outcomes.outcome] if isinstance(outcomes, Alike) else list(outcomes.values())
    states = {outcome.state for outcome in each}
    state = next(state for state in _AS_A_WHOLE if state in states)
    of_that = [outcome for outcome in each if outcome.state is state]
    started = [o.started_at for o in each if o.started_at is not None]
    ended = [o.ended_at for o in each if o.ended_at is not None]
    return Outcome(
        state,
        next((o.exit_status for o in of_that if o.exit_status is not None), None) if state.ended else None,
        min(started, default=None),
        max(ended, default=None) if state.ended else None,
        next((o.reason for o in of_that if o.reason), ""),
    )
