"""The errors of submithost, named by whose move it is, each with the exit status that a Makefile sees.

    SubmithostError
    ├── InvalidInput      2  configuration, arguments, template, local file: the user's to mend
    ├── JobFailed         3  a job failed, was cancelled or vanished
    ├── Unreachable       4  the cluster could not be reached or logged in to
    │   ├── HostKeyRefused      its host key is not the known one
    │   ├── LoginRefused        it does not let us in
    │   └── ConnectionLost      it was reached, and the connection broke
    ├── SchedulerError    5  the scheduler refused, or its answer was not understood
    │   └── NotSubmitted        it is known that no job was made
    │       └── OnlyAsked   0  nor was one asked for: the scheduler was to verify, or to show its help
    └── StillRunning      6  not over at the `--timeout`

A message is one line that says what happened, where, and what to do.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SubmithostError(Exception):
    """Base of all; `str(error)` is the line for the user, `exit_status` that of the command line."""

    exit_status = 1


class InvalidInput(SubmithostError):
    """Configuration, arguments, a template or a local file is not usable."""

    exit_status = 2


class JobFailed(SubmithostError):
    """A job failed, was cancelled or vanished."""

    exit_status = 3


class Unreachable(SubmithostError):
    """The cluster could not be reached."""

    exit_status = 4


class HostKeyRefused(Unreachable):
    """The host key is not the known one (changed, revoked, or unknown)."""


class LoginRefused(Unreachable):
    """The login node answered and does not let us in."""


class ConnectionLost(Unreachable):
    """The connection broke, or its answer came incomplete: nothing is known of what was asked."""


class SchedulerError(SubmithostError):
    """The scheduler refused, could not be asked, or its answer was not understood."""

    exit_status = 5


class NotSubmitted(SchedulerError):
    """A submission was refused, here or there, and it is known that no job was made."""


class OnlyAsked(NotSubmitted):
    """The scheduler did what it was asked for, and that was not a job: it verified, or showed its help."""

    exit_status = 0

    def __init__(self, message: str, out: str, err: str) -> None:
        super().__init__(message)
        self.out, self.err = out, err


class StillRunning(SubmithostError):
    """Jobs were not over when the time given by `--timeout` was."""

    exit_status = 6


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ``; did you mean 'X'?`` for the nearest of `known`, or an empty string when none is near."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean '{found[0]}'?" if found else ""
