"""What a repeat asks for: what the job had asked for, with new values in place of old ones, or multiples of them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from fractions import Fraction
from typing import Any

from ..model.changes import Changes, times
from ..model.errors import InvalidInput, SchedulerError
from ..model.job import Job
from ..model.resources import clock, size
from ..schedulers.values import Amount, Submission
from ..tracking.cluster_session import ClusterSession
from .original import Original
from .told import ask


def changed(session: ClusterSession, job: Job, original: Original, changes: Changes) -> Submission:
    """The submission of `job` with these changes. Raises InvalidInput where it is not known what is to be multiplied.

    As with `submit`, what flags and options ask for beats the script, and that the cluster's defaults.
    """
    submission = original.submission
    for what, factor in changes.factors.items():
        submission = _multiplied(session, job, replace(original, submission=submission), what, factor)
    options = submission.options
    for what in ("time", "memory"):
        if getattr(changes.values, what) is not None:
            options = session.scheduler.without(options, what, session.cluster.names)
    resources = changes.values.over(submission.resources)
    return replace(submission, resources=resources, options=(*options, *changes.options))


def _multiplied(session: ClusterSession, job: Job, original: Original, what: str, factor: Fraction) -> Submission:
    """Whatever asked for it asks for so many times as much; options say so where that was the script."""
    scheduler, names, submission = session.scheduler, session.cluster.names, original.submission
    resources, defaults = submission.resources, session.cluster.resources

    def asked(script: bytes, options: Sequence[str]) -> list[Amount]:
        return [amount for amount in scheduler.amounts(script, options, names) if amount.what == what]

    flag, options = getattr(resources, what), asked(b"", submission.options)
    if not (flag or options):
        flag = None if (options := asked(original.script, ())) else getattr(defaults, what)
    if not (flag or options):
        options = asked(b"", [word for line in session.cluster.options for word in shlex.split(line)])
    if not (flag or options):
        flag = _recorded(session, job, what)
    if not (flag or options):
        raise _not_known(job, what, f"no flag, no directive and no default of the cluster asks for {what}")
    more = [replace(each, amount=_more(session, job, each, factor)) for each in options]
    words = [word for each in more for word in scheduler.asking(each)]
    if flag:
        new: dict[str, Any] = {what: _more(session, job, Amount(what, what, flag), factor)}
        resources = replace(resources, **new)
    kept = scheduler.without(submission.options, what, names)
    return replace(submission, resources=resources, options=(*kept, *words))


def _recorded(session: ClusterSession, job: Job, what: str) -> int | None:
    """What the scheduler says that was asked for: a default of the queue or of the site, perhaps."""
    with suppress(SchedulerError):
        usages = ask(session, [job]).usages(job).values()
        return next((asked for usage in usages if (asked := getattr(usage.asked, what))), None)
    return None


def _more(session: ClusterSession, job: Job, asked: Amount, factor: Fraction) -> int:
    if asked.amount is None:
        raise _not_known(job, asked.what, f"its {asked.name} is not understood")
    new = times(asked.what, asked.amount, factor)
    name = asked.what if asked.name in (asked.what, "h_rt") else f"{asked.what} ({asked.name})"
    show = clock if asked.what == "time" else size
    session.listener.say(f"{job.title()}: {name} {show(asked.amount)} before, {show(new)} now")
    return new


def _not_known(job: Job, what: str, why: str) -> InvalidInput:
    instead = f"--{what}={'2:00:00' if what == 'time' else '4G'}"
    return InvalidInput(f"{job.title()}: what to multiply is not known, since {why}; give an amount, such as {instead}")
