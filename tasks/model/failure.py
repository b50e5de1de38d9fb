"""Why a job failed: from what it noted, what its scheduler tells, what it used, and its last words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType

from .amounts import span
from .job import Outcome, State
from .reason import Reason
from .usage import Usage
from .wording import one_line, size_of

UNMET = 96
"""The exit status of a job that leaves since a job that had to succeed before it did not."""
_SIGNALS = MappingProxyType({
    1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 10: "USR1",
    11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS",
})  # fmt: skip
_MEANINGS = MappingProxyType({
    126: "a command could not be executed (no permission, or no program)",
    127: "a command was not found",
})  # fmt: skip
_OF_SIGNALS = MappingProxyType({
    1: "it was told to hang up", 2: "it was interrupted", 4: "an instruction that this CPU does not have",
    6: "it aborted itself", 7: "a bus error", 8: "an arithmetic error", 9: "by somebody, or for want of memory",
    10: "a warning before a limit, as a rule", 11: "a segmentation fault", 12: "a warning before a limit, as a rule",
    15: "it was told to end", 24: "its limit of CPU time", 25: "its limit of a file's size",
})  # fmt: skip
# So much of what was asked for counts as all of it: the peak is measured now and then.
_NEARLY = 0.95
_PEAK = re.compile(r"exceeded (?:job )?memory limit \((\d{1,18}) > (\d{1,18})\)", re.ASCII)
# What is looked for in the last lines of stderr, the first that is found counts: (kind, whether it is so for sure).
_LAST_WORDS = (
    ("script", re.compile(r"bad interpreter.*(\^M|\\r|\r)|(\\r|\r)'?: (command )?not found|\$'\\r'|interpreter.*\\r")),
    ("shell", re.compile(r"bad interpreter")),
    ("memory", re.compile(r"exceeded (job )?memory limit|oom[-_ ]?kill|out of memory|Killed process", re.I)),
    ("memory", re.compile(r"\bMemoryError\b|Cannot allocate memory|std::bad_alloc|OutOfMemoryError|cannot allocate")),
    ("quota", re.compile(r"No space left on device|Disk quota exceeded", re.I)),
    ("time", re.compile(r"DUE TO TIME LIMIT")),
)  # fmt: skip
_IN_WORDS = MappingProxyType({
    "script": "its lines end in CR LF, as on Windows",
    "shell": "the interpreter that its first line names is not there",
    "quota": "there was no space left to write to",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """What the scheduler itself says of an end: the `kind` of a Reason, or empty, and its own words.

    `request` is the name of the limit that was passed, `signal` what ended it, `by` who cancelled it.
    """

    kind: str = ""
    said: str = ""
    request: str = ""
    signal: int | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of an end. `last_words` are the last lines of stderr; `from_here`: that is where it was
    cancelled."""

    outcome: Outcome
    cause: Cause = field(default_factory=Cause)
    usage: Usage = field(default_factory=Usage)
    last_words: str = ""
    from_here: bool = False


def reason_of(facts: Facts) -> Reason:
    """Why it ended as it did, without advice; `unknown` for what succeeded, and for what has not ended."""
    outcome, cause = facts.outcome, facts.cause
    if outcome.state is State.CANCELLED or cause.kind == "cancelled":
        return Reason("cancelled", _cancelled(facts))
    if outcome.state is not State.FAILED:
        return Reason("unknown", outcome.reason or f"it is {outcome.state}")
    if outcome.exit_status == UNMET and outcome.reason:
        return Reason("after", f"it left without running its script: {outcome.reason}")
    if cause.kind in ("time", "memory"):
        return Reason(cause.kind, _over(cause.kind, facts))
    if cause.kind:
        return Reason(cause.kind, cause.said)
    return _by_last_words(facts) or _by_status(facts)


def meaning(status: int | None) -> str:
    """What an exit status usually means; empty: nothing in particular."""
    if status is None:
        return ""
    if status in _MEANINGS:
        return _MEANINGS[status]
    return _signal(status - 128) if status - 128 in _SIGNALS else ""


def _signal(number: int) -> str:
    what = f": {_OF_SIGNALS[number]}" if number in _OF_SIGNALS else ""
    return f"killed by signal {number}{f' ({_SIGNALS[number]})' if number in _SIGNALS else ''}{what}"


def _cancelled(facts: Facts) -> str:
    if facts.from_here:
        return "cancelled from here"
    why = f" ({facts.cause.said})" if facts.cause.said else ""
    return f"cancelled by {facts.cause.by}{why}" if facts.cause.by else f"cancelled{why}"


def _over(kind: str, facts: Facts) -> str:
    """What it used of a limit, as far as that is known."""
    usage, name = facts.usage, facts.cause.request or "its limit"
    if kind == "time":
        limit = usage.asked.time
        used = usage.cpu if facts.cause.request.endswith("cpu") else usage.wall
        did = "used" if facts.cause.request.endswith("cpu") else "ran"
        if used is None:
            return f"out of time{f' ({name})' if facts.cause.request else ''}"
        return f"out of time: {did} {span(used)}{'' if limit is None else f', and {name} was {span(limit)}'}"
    peak, limit = usage.memory, usage.asked.memory_in_all
    if found := _PEAK.search(facts.last_words):
        peak, limit = int(found[1]), int(found[2])
    if peak is None or limit is None or peak < limit / 2:  # a peak between two measurements is not seen
        return f"out of memory{'' if limit is None else f': {name} was {size_of(limit // 1024)}'}"
    return f"out of memory: used {size_of(peak // 1024)}, and {name} was {size_of(limit // 1024)}"


def _by_last_words(facts: Facts) -> Reason | None:
    for kind, pattern in _LAST_WORDS:
        for line in reversed(facts.last_words.splitlines()):
            if pattern.search(line):
                text = _over(kind, facts) if kind in ("memory", "time") else _IN_WORDS[kind]
                return Reason(kind, f'{text} (its stderr says "{one_line(line.strip(), 100)}")')
    return None


def _by_status(facts: Facts) -> Reason:
    status, signal = facts.outcome.exit_status, facts.cause.signal
    used = facts.usage.memory_efficiency
    if 9 in (signal, (status or 0) - 128) and used is not None and used >= _NEARLY:
        return Reason("memory", _over("memory", facts))
    if signal:
        return Reason("signal", _signal(signal))
    if status is None:
        return Reason("unknown", facts.outcome.reason or "nothing tells why")
    what = meaning(status)
    kind = "signal" if status > 128 and what else "exit"
    return Reason(kind, f"exit status {status}{f': {what}' if what else ''}")
