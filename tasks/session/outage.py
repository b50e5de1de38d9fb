"""When the network goes away in the middle of a long transfer: when to try again, and when to give up."""

from __future__ import annotations

import time

from ..model.errors import HostKeyRefused, LoginRefused, Unreachable
from ..model.wording import one_line
from .session import GIVE_UP, LONGEST_PAUSE, Session, back_off


class Outage:
    """The breaks of one piece of work over `session`. They may be any number, as long as there is progress between."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._done = -1
        self._since = 0.0
        self._tries = 0

    def survive(self, error: Unreachable, done: int) -> None:
        """Wait before the next try. `done` is how much of the work is done, in any unit.

        Raises `error` when trying again cannot help (a refusal, a cluster that was never reached), or after `GIVE_UP`
        seconds without progress.
        """
        if isinstance(error, HostKeyRefused | LoginRefused) or not self._session.reached:
            raise error
        if done > self._done:
            self._done, self._since, self._tries = done, time.monotonic(), 0
        elif time.monotonic() - self._since > GIVE_UP:
            raise error
        self._tries += 1
        pause = min(back_off(self._tries), LONGEST_PAUSE)
        self._session.listener.say(one_line(f"{error}; going on with what is left in {pause:.0f} s", 1000))
        time.sleep(pause)
