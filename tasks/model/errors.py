"""The errors of submithost, named by who has to act, each with the exit status that a Makefile sees.

    SubmithostError
    ├── InvalidInput      2  configuration, arguments, template, local file: the user has to act
    │   └── NotRecorded         the ledger, a job file or stdout could not be written
    ├── JobFailed         3  a job failed, was cancelled or vanished
    ├── Unreachable       4  the cluster could not be reached or logged in to
    │   ├── HostKeyRefused      its host key is not the known one
    │   ├── LoginRefused        it does not let us in
    │   └── ConnectionLost      it was reached, but the connection broke
    ├── SchedulerError    5  the scheduler refused, or its answer was not understood
    │   └── NotSubmitted        it is known that no job was made
    │       └── OnlyAsked   0  and none was asked for: the scheduler only verified, or showed its help
    └── StillRunning      6  not over at the `--timeout`

A message is one line that says what happened, where, and what to do.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class SubmithostError(Exception):
    """The base class: `str(error)` is the line for the user, `exit_status` that of the command line.

    `known` is as much of the return value as is known, or was done, all the same; None: nothing.
    """

    exit_status = 1
    known: Any = None


class InvalidInput(SubmithostError):
    """The configuration, an argument, a template or a local file cannot be used."""

    exit_status = 2


class NotRecorded(InvalidInput):
    """The ledger, a job file or stdout could not be written; what was done on the login node stays done."""


class JobFailed(SubmithostError):
    """A job failed, was cancelled or vanished."""

    exit_status = 3


class Unreachable(SubmithostError):
    """The cluster could not be reached."""

    exit_status = 4


class HostKeyRefused(Unreachable):
    """The host key is not the known one (changed, revoked, or unknown)."""


class LoginRefused(Unreachable):
    """The login node answered, but did not let us in."""


class ConnectionLost(Unreachable):
    """The connection broke, or the answer was incomplete: what was asked may or may not have been done."""


class SchedulerError(SubmithostError):
    """The scheduler refused, could not be asked, or its answer was not understood."""

    exit_status = 5


class NotSubmitted(SchedulerError):
    """A submission was refused, here or on the cluster; it is certain that no job was made."""


class OnlyAsked(NotSubmitted):
    """The scheduler did as it was told, and that was not to make a job: it verified, or showed its help."""

    exit_status = 0

    def __init__(self, message: str, out: str, err: str) -> None:
        super().__init__(message)
        self.out, self.err = out, err


class StillRunning(SubmithostError):
    """Jobs had not ended when the time given by `--timeout` was over."""

    exit_status = 6


def nearest(word: str, known: Iterable[str], show: str = "{}") -> str:
    """Return ``; did you mean 'X'?`` for the nearest of `known`, or an empty string if none is near.

    `show` turns X into what is to be typed.
    """
    found = closest(word, known)
    return f"; did you mean '{show.format(found)}'?" if found else ""


def closest(word: str, known: Iterable[str]) -> str | None:
    """The one of `known` that was most likely meant; None if none is near."""
    found = [(distance, name) for name in known if (distance := _distance(_plain(word), _plain(name))) is not None]
    return min(found, key=lambda one: one[0])[1] if found else None


def _distance(typed: str, meant: str) -> int | None:
    """One slip of the fingers, or two in a longer word that begins right; or one word is the beginning of the other."""
    short = min(len(typed), len(meant))
    slips = _slips(typed, meant)
    most = 0 if short < 3 else 2 if short > 4 and typed[0] == meant[0] else 1
    if slips <= most:
        return slips
    begun = (len(typed) > 2 and meant.startswith(typed)) or (len(meant) > 3 and typed.startswith(meant))
    return 3 if begun else None


def _plain(word: str) -> str:
    return word.lstrip("-").casefold().replace("_", "-")


def _slips(one: str, other: str) -> int:
    """How many letters are missing, added or wrong, or are two exchanged ones (3: so many or more)."""
    if abs(len(one) - len(other)) > 2:
        return 3
    before, row = list[int](), list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        last, before, row = before, row, [at]
        for there, meant in enumerate(other, 1):
            slips = min(before[there] + 1, row[-1] + 1, before[there - 1] + (letter != meant))
            if at > 1 and there > 1 and (letter, one[at - 2]) == (other[there - 2], meant):
                slips = min(slips, last[there - 2] + 1)
            row.append(slips)
    return min(3, row[-1])
