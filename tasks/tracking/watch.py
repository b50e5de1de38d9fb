"""Watch jobs until they have ended: their notes every second, the scheduler's list every half minute."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing

from ..model.errors import HostKeyRefused, JobFailed, LoginRefused, StillRunning, Unreachable
from ..model.job import Job
from ..model.wording import typed
from ..session import back_off
from .last_words import hopeless, still
from .look import Look
from .swept import read_rows

# How long one program goes on looking before a new one is started, in seconds.
_ONE_LOOK = 600
Told = Callable[[Sequence[Job]], None]


class Watch(Look):
    """Looks once (`look`), or until all jobs have ended (`wait`)."""

    _give_up = False

    def wait(self, timeout: float | None, told: Told, *, give_up: bool = False) -> None:
        """Go on until every job has ended; `told` gets the jobs after each look.

        A connection that breaks is made again, for as long as it takes. Raises StillRunning at the timeout (seconds),
        Unreachable when it is broken then, and HostKeyRefused and LoginRefused, which do not mend themselves. With
        `give_up` it raises JobFailed as soon as those that are left can never start, or not before somebody acts.
        """
        self._give_up = give_up
        deadline = None if timeout is None else time.monotonic() + timeout
        self._telling = True
        read_rows(self.session, self.jobs.values())
        told(self.watched())
        try:
            self._wait(deadline, told)
        finally:
            self._stored.update(self.jobs)

    def _wait(self, deadline: float | None, told: Told) -> None:
        failures = 0
        while self.live():
            try:
                self._follow(deadline, told)
                failures = 0
            except (HostKeyRefused, LoginRefused) as refusal:
                if self._now:  # it was there before
                    raise type(refusal)(f"{refusal}; then {self._go_on()}") from None
                raise
            except Unreachable as error:
                failures += 1
                pause = back_off(failures)
                if not self.session.reached:
                    raise
                self.session.listener.say(f"{error}; trying again in {pause:.0f} s")
                _sleep(pause, deadline)
                if _late(deadline):  # whether they are still running nobody can know
                    raise Unreachable(f"{error}; {self._go_on()}") from None
            if self._hopeless():
                raise JobFailed(hopeless(self.session, self.live(), self.reasons))
            if _late(deadline) and self.live():
                raise StillRunning(still(self.live()) + self._go_on())

    def _hopeless(self) -> bool:
        """Whether there is nothing left to wait for but what never starts, if that is a reason to give up."""
        live = self.live() if self._give_up else []
        return bool(live) and all(self.reasons.stuck(job) for job in live)

    def _go_on(self) -> str:
        return f"go on with: {typed(self.session.name, 'wait', job=self.live()[0].job_id or '')}"

    def _follow(self, deadline: float | None, told: Told) -> None:
        """One program, for as long as nothing else is to be asked. It says something every second."""
        with closing(self.session.follow(self._program(_ONE_LOOK))) as sections:
            queue, news = None, dict[str, set[int]]()
            for name, reply in sections:
                if name == "now":
                    self._begin(reply)
                elif name == "notes":
                    news = self.notes.read(reply.exact)
                elif name == "queue":
                    queue = reply
                elif name == "looked":
                    if news or queue:
                        self._take(queue, news)
                        self._stored.update(self.jobs, now_and_then=True)
                    queue, news = None, {}
                    if self._unexplained():
                        break
                    told(self.watched())
                    if not self.live() or self._due() or _late(deadline) or self._hopeless():
                        break
        if self._unexplained():
            self._explain()
            told(self.watched())
        while self._due() and not _late(deadline):
            self._trace(self._ending())
            told(self.watched())
            if self._ends() and self._pace.pause < 1:  # sooner than another program would look
                _sleep(self._pace.pause, deadline)


def _late(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _sleep(seconds: float, deadline: float | None) -> None:
    time.sleep(max(0.0, seconds if deadline is None else min(seconds, deadline - time.monotonic())))
