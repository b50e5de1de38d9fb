"""When to ask the scheduler about jobs that seem to have ended: soon, then less and less often. Pure."""

from __future__ import annotations

from collections.abc import Set

# Seconds between questions to the scheduler while waiting: a polite guest asks no more often.
EVERY = 30
# How many more questions may be asked in that time because jobs have noted their ends.
_EARLY = 4
# Seconds between questions about jobs that have left the queue, while the accounting lags.
_LAGGING = 5
# Seconds before the second question: Grid Engine learns of a job's end a second later.
_SOON = 0.4


class Pace:
    """The pace of one watch. `ends` are jobs or tasks that seem to have ended, in any form; times are in seconds.

    `pause` is the one that follows the last question.
    """

    def __init__(self) -> None:
        self._known: frozenset[object] = frozenset()
        self.pause = _SOON
        self._again = 0.0
        self._asked: list[float] = []

    def due(self, ends: Set[object], now: float, *, nothing_else: bool) -> bool:
        """Whether to ask now: about what is new at once, if that was not done a few times lately or there is
        `nothing_else` to wait for; about the rest after a pause that grows."""
        if ends & self._known and now >= self._again:
            return True
        lately = [at for at in self._asked if at > now - EVERY]
        return bool(ends - self._known) and (nothing_else or len(lately) < _EARLY)

    def asked(self, ends: Set[object], now: float, *, lagging: bool) -> None:
        """It was asked about these; `lagging`: what some wait for is the accounting."""
        self.pause = _SOON if ends - self._known else min(2 * self.pause, _LAGGING if lagging else EVERY)
        self._known = frozenset(ends)
        self._again = now + self.pause
        self._asked = [*self._asked[-_EARLY:], now]
