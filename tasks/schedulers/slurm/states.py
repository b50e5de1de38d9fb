"""Slurm's words for states, by squeue(1) and sacct(1), and why a job is in one."""

from __future__ import annotations

import re

from ...model.dates import seconds_of
from ...model.job import Outcome, State
from ..wording import waited_for

_ALIVE = {
    "PENDING": State.PENDING,
    "CONFIGURING": State.PENDING,
    "REQUEUED": State.PENDING,
    "REQUEUE_FED": State.PENDING,
    "REQUEUE_HOLD": State.HELD,
    "RESV_DEL_HOLD": State.HELD,
    "SPECIAL_EXIT": State.ERROR,
    "RUNNING": State.RUNNING,
    "COMPLETING": State.RUNNING,
    "STAGE_OUT": State.RUNNING,
    "SIGNALING": State.RUNNING,
    "RESIZING": State.RUNNING,
    "REVOKED": State.UNKNOWN,  # of a federation, in which another cluster has the job
    "SUSPENDED": State.SUSPENDED,
    "STOPPED": State.SUSPENDED,
}
# Of no process's: slurmstepd could not set the job up (`Reason=JobLaunchFailure`), mostly for want of its logs.
NOT_LAUNCHED = "0:53"
_ENDED = {
    "COMPLETED": State.SUCCEEDED,
    "CANCELLED": State.CANCELLED,
    "FAILED": State.FAILED,
    "TIMEOUT": State.FAILED,
    "DEADLINE": State.FAILED,
    "NODE_FAIL": State.FAILED,
    "BOOT_FAIL": State.FAILED,
    "OUT_OF_MEMORY": State.FAILED,
    "PREEMPTED": State.FAILED,
}
_NEVER = "DependencyNeverSatisfied"
_HELD = {
    "JobHeldUser": "held by its user; release lets it start",
    "JobHeldAdmin": "held by an administrator, who can release it",
}


def state_of(word: str, reason: str = "", priority: str = "") -> State | None:
    """The state that squeue's word tells; None: not alive any more; an unheard-of word is unknown.

    A priority of 0 is how Slurm holds a job, for whatever reason.
    """
    if word in _ENDED:
        return None
    if word == "PENDING" and (reason in _HELD or priority == "0"):
        return State.HELD
    if word == "PENDING" and reason == _NEVER:
        return State.ERROR
    return _ALIVE.get(word, State.UNKNOWN)


def why(state: State | None, reason: str, dependency: str) -> str:
    """In words, why a job is held, never starts, or waits for others."""
    if state is State.HELD:
        return _HELD.get(reason, f"held by Slurm ({reason}); release lets it start again")
    if state is State.ERROR:
        return f"never starts, since {dependency} cannot be met any more" if reason == _NEVER else reason
    if state is State.PENDING and (reason == "Dependency" or "unfulfilled" in dependency):
        ids = re.findall(r":(\d+(?:_\d+)?)", dependency)
        return f"waits for {waited_for(ids)}" if ids else "waits for jobs of the same name"
    return ""


def outcome_of(state: str, exit_code: str, _: str, start: str, end: str) -> Outcome:
    """How it ended. S4: `CANCELLED by 1001`; `ExitCode` is STATUS:SIGNAL."""
    word = state.partition(" ")[0].rstrip("+")
    if (word, exit_code) == ("FAILED", NOT_LAUNCHED):
        reason = "Slurm could not start it: is there a place for its --output and --error?"
        return Outcome(State.FAILED, None, seconds_of(start), seconds_of(end), reason)
    code = re.fullmatch(r"(\d{1,6}):(\d{1,3})", exit_code)
    status = (int(code[1]) or (128 + int(code[2]) if int(code[2]) else 0)) if code else None
    if word in _ENDED:
        reason = "" if word in ("COMPLETED", "FAILED", "CANCELLED") else word.lower().replace("_", " ")
        return Outcome(_ENDED[word], status, seconds_of(start), seconds_of(end), reason)
    return Outcome(_ALIVE.get(word, State.UNKNOWN), None, seconds_of(start))
