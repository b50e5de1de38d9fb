"""Why a job failed: from what it noted, what its scheduler tells, what it used, and its last words. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from .amounts import span
from .exit_status import killed_by, meaning
from .job import Job, Outcome, State
from .reason import Reason
from .usage import Usage
from .wording import one_line, size_of, typed

UNMET = 96
"""The exit status of a job that leaves since a job that had to succeed before it did not."""
# So much of what was asked for counts as all of it: the peak is measured now and then.
_NEARLY = 0.95
_PEAK = re.compile(r"exceeded (?:job )?memory limit \((\d{1,18}) > (\d{1,18})\)", re.ASCII)
# What is looked for in the last lines of stderr, by the kind of reason; the first that is found counts.
_LAST_WORDS = (
    ("script", re.compile(r"(\^M|\\r|\r)'?: (bad interpreter|(command )?not found)|bad interpreter.*(\^M|\\r|\r)")),
    ("shell", re.compile(r"bad interpreter|cannot execute: required file not found")),
    ("memory", re.compile(r"exceeded (job )?memory limit|oom[-_ ]?kill|out of memory|Killed process", re.I)),
    ("memory", re.compile(r"\bMemoryError\b|Cannot allocate memory|std::bad_alloc|OutOfMemoryError|cannot allocate")),
    ("quota", re.compile(r"No space left on device|Disk quota exceeded", re.I)),
    ("time", re.compile(r"DUE TO TIME LIMIT")),
)  # fmt: skip
_IN_WORDS = MappingProxyType({
    "script": "lines end in CR LF, as on Windows",
    "shell": "a first line names an interpreter that is not there, or that ends in CR LF, as on Windows",
    "quota": "there was no space left to write to",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Cause:
    """What the scheduler itself says of an end: the `kind` of a Reason, or empty, and its own words.

    `request` is the name of the limit that was passed, and `limit` what it was, in seconds or bytes for all its cores;
    `ours`: a flag of submithost asks for it. `signal` is what ended it, `by` who cancelled it.
    """

    kind: str = ""
    said: str = ""
    request: str = ""
    limit: int | None = None
    ours: bool = True
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


def _cancelled(facts: Facts) -> str:
    if facts.from_here:
        return "cancelled from here"
    why = f" ({facts.cause.said})" if facts.cause.said and facts.cause.kind else ""
    return f"cancelled by {facts.cause.by}{why}" if facts.cause.by else f"cancelled{why}"


def _over(kind: str, facts: Facts) -> str:
    """What it used of a limit, as far as that is known."""
    usage, name = facts.usage, facts.cause.request or "its limit"
    if kind == "time":
        limit = facts.cause.limit or usage.asked.time
        used = usage.cpu if facts.cause.request.endswith("cpu") else usage.wall
        did = "used" if facts.cause.request.endswith("cpu") else "ran"
        if used is None:
            return f"out of time{f' ({name})' if facts.cause.request else ''}"
        return f"out of time: {did} {span(used)}{'' if limit is None else f', and {name} was {span(limit)}'}"
    peak, limit = usage.memory, facts.cause.limit or usage.asked.memory_in_all
    if found := _PEAK.search(facts.last_words):
        peak, limit = int(found[1]), int(found[2])
    if peak is None or limit is None or peak < limit / 2:  # a peak between two measurements is not seen
        return f"out of memory{'' if limit is None else f': {name} was {size_of(limit // 1024)}'}"
    return f"out of memory: used {size_of(peak // 1024)}, and {name} was {size_of(limit // 1024)}"


def _by_last_words(facts: Facts) -> Reason | None:
    for kind, pattern in _LAST_WORDS:
        for line in reversed(facts.last_words.splitlines()):
            if found := pattern.search(line):
                text = _over(kind, facts) if kind in ("memory", "time") else _IN_WORDS[kind]
                return Reason(kind, f'{text}; its stderr says "{one_line(line[found.start() :].strip(), 60)}"')
    return None


def _by_status(facts: Facts) -> Reason:
    status, signal = facts.outcome.exit_status, facts.cause.signal
    used = facts.usage.memory_efficiency
    if 9 in (signal, (status or 0) - 128) and used is not None and used >= _NEARLY:
        return Reason("memory", _over("memory", facts))
    if signal:
        return Reason("signal", killed_by(signal))
    if status is None:
        return Reason("unknown", facts.outcome.reason or "nothing tells why")
    what = meaning(status)
    kind = "signal" if status > 128 and what else "exit"
    return Reason(kind, f"exit status {status}{f': {what}' if what else ''}")


def in_short(facts: Facts) -> str:
    """Why it failed, beside its exit status."""
    reason = reason_of(facts)
    return meaning(facts.outcome.exit_status) if reason.kind in ("exit", "signal") else reason.text


def advised(reason: Reason, job: Job, cause: Cause, task: int = 0) -> Reason:
    """The reason with what to do about it: `job` is the one that failed, or `task` of it and others like that."""
    if reason.kind in ("time", "memory") and not cause.ours:
        return replace(reason, advice=f"it asks for {cause.request} itself: submit it again with more of that")
    return replace(reason, advice=_advice(reason.kind, job, task))


def _advice(kind: str, job: Job, task: int) -> str:
    cluster, which = job.cluster, job.job_id or job.key
    some = kind if job.array else ""
    log = typed(cluster, "logs", job=f"{which}.{task}" if job.array else which, stderr=True)

    def repair(**flags: str) -> str:
        return typed(cluster, "resubmit", job=which, failed=some, **flags)

    if kind in ("time", "memory"):
        amount = "time" if kind == "time" else "memory"
        return f"to ask for twice as much: {repair(**{amount: 'x2'})}"
    if kind == "after":
        return f"when that has been repaired: {repair()}"
    if kind == "place":
        return f"make it on the cluster, or leave out the flag or directive that names it; then: {repair()}"
    if kind == "quota":
        return f"make room on the cluster ({typed(cluster, 'clean')} removes what was fetched); then: {repair()}"
    if kind in ("script", "shell"):
        how = "run dos2unix over it" if kind == "script" else "correct it (dos2unix makes LF of CR LF)"
        return f"{how}, and submit it again; all it wrote: {log}"
    if kind in ("node", "start", "cancelled"):
        return f"to run it again: {repair()}"
    return f"all it wrote: {log}"
