"""For what causes tasks failed, and which of these `--failed=CAUSES` names."""

from __future__ import annotations

from ..model.errors import InvalidInput, nearest
from ..model.job import Outcome, State

CAUSES = (
    "memory", "time", "signal", "exit", "shell", "script", "place", "quota", "after", "node", "cancelled", "start",
    "unknown",
)  # fmt: skip
# What `run` leaves with when a job that had to succeed first did not.
_NOT_MET = 96


def causes_of(text: str) -> tuple[str, ...]:
    """The causes in `memory,time`. Raises InvalidInput for what is none."""
    words = tuple(dict.fromkeys(word.strip() for word in text.split(",")))
    for word in words:
        if word not in CAUSES:
            near = nearest(word, CAUSES) or f"; causes are {', '.join(CAUSES)}"
            raise InvalidInput(f"--failed={text}: no such cause as '{word}'{near}")
    return words


def cause_of(outcome: Outcome) -> str:
    """For which of CAUSES a task with this outcome did not succeed, as far as the outcome tells."""
    reason, status = outcome.reason.lower(), outcome.exit_status
    if outcome.state is State.CANCELLED:
        return "cancelled"
    if outcome.state is not State.FAILED:
        return "unknown"
    for cause, words in (("memory", ("memory",)), ("time", ("h_rt", "timeout", "time limit")), ("node", ("node",))):
        if any(word in reason for word in words):
            return cause
    if status == _NOT_MET:
        return "after"
    if status is None:
        return "start"
    return "signal" if status > 128 else "exit"
