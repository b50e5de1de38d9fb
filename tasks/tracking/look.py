"""One look at jobs: what their notes, the scheduler's list and the accounting say, and what that means.

One program looks at all jobs of a cluster together, however many there are (promise 7). When jobs seem to have ended,
one question about all of them tells whether they have, or will come back. What is learnt is recorded in the ledger at
once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ..login_node import Program, Reply
from ..model.errors import SchedulerError
from ..model.job import Alike, Job, Outcome, Selected, State
from ..model.notes import MOST_OF_NOTES, Notes
from ..model.settling import Known, noted_ends, settle
from ..model.wording import number
from ..schedulers.bounds import MOST_OF_A_QUEUE
from ..schedulers.values import Traced
from . import stderr_ends
from .cluster_session import ClusterSession
from .matching import MOST_ONE_BY_ONE, by_id, check_enough, records_of, states_of
from .pace import EVERY, Pace
from .reasons import Reasons
from .stderr_ends import LastWords, Place
from .stored import Stored
from .swept import read_rows
from .watched import Watched

# Of so many tasks at once the last words are looked at.
_LAST_WORDS = 20
# What takes long where the accounting has gigabytes (G27).
_BY_ACCOUNTING = "; of some only the accounting tells, and that is being read"


class Look(Watched):
    """Finds out the states of the watched jobs, and records them."""

    def __init__(self, session: ClusterSession, selected: Iterable[Selected], *, record: bool = True) -> None:
        """Without `record`, nothing is written to the ledger."""
        super().__init__(session, selected)
        self.notes = Notes()
        self.trouble = ""
        self._telling = False
        self._now = 0
        self._asked = 0.0
        self._queue: Mapping[str, Mapping[int, Outcome]] = {}
        self._listed_at = 0
        self._noted_ends: dict[str, set[tuple[int, int]]] = {}
        self._pace = Pace()
        self._stored = Stored(session.ledger if record else None, self.jobs)
        self._left = MOST_ONE_BY_ONE
        self.reasons = Reasons(session)

    def look(self) -> None:
        """Ask everything once. Raises Unreachable; if the scheduler could not be asked, `trouble` says why."""
        read_rows(self.session, self.jobs.values())
        if not self.live():
            return
        answer = self.session.ask(self._program(0))
        self._begin(answer["now"])
        self.notes.read(answer["notes"].exact)
        try:
            self._take(answer["queue"])
            self._explain()
            if ending := [job for job in self._ending() if job.absent_since is not None or self._waits_again(job)]:
                self._trace(ending)
        finally:
            self._stored.update(self.jobs)

    @property
    def error(self) -> SchedulerError | None:
        """The error of a scheduler that could not be asked; None: it was."""
        return SchedulerError(f"{self.session.name}: could not ask: {self.trouble}") if self.trouble else None

    def must_look(self) -> None:
        """As `look`; raises SchedulerError as well, when the scheduler could not be asked."""
        self.look()
        if error := self.error:
            raise error

    def _program(self, seconds: int) -> Program:
        directories = "".join(f"{job.directory}\n" for job in self.live())
        first = max(0, math.ceil(self._asked + EVERY - time.monotonic())) if self._asked else 0
        return Program(
            ("look",),
            {
                "queue": self.session.scheduler.queue().command,
                "seconds": str(seconds),
                "first": str(first),
                "every": str(EVERY),
                "logs": "",
            },
            data=[directories.encode("utf-8", "surrogateescape")],
            most=MOST_OF_A_QUEUE + 2 * MOST_OF_NOTES,
            within={"queue": MOST_OF_A_QUEUE, "notes": MOST_OF_NOTES},
        )

    def _begin(self, now: Reply) -> None:
        """By the cluster's clock alone (L10)."""
        self._now = number(now.text.strip()) or self._now

    def _absent(self) -> list[Job]:
        return [job for job in self.live() if job.absent_since is not None]

    def _ending(self) -> list[Job]:
        """The jobs that have left the queue, or have noted an end."""
        return [job for job in self.live() if job.absent_since is not None or self._noted(job)]

    def _waits_again(self, job: Job) -> bool:
        """Whether a job is waiting to start but has noted an end: a new list tells whether that was its end."""
        waits = (State.PENDING, State.HELD)
        return not self.trouble and any(job.of(task).state in waits for task, _ in self._noted(job))

    def _noted(self, job: Job) -> set[tuple[int, int]]:
        """Tasks that have noted an end that is not confirmed, and when."""
        return self._noted_ends.get(job.key, set())

    def _ends(self) -> set[object]:
        absent = {(job.key, job.absent_since) for job in self._absent()}
        return absent.union((job.key, *end) for job in self.live() for end in self._noted(job))

    def _due(self) -> bool:
        """Whether it is time to ask about the jobs that seem to have ended."""
        live = self.live()
        nothing_else = all(job.absent_since is not None or _unfinished(job) <= len(self._noted(job)) for job in live)
        return self._pace.due(self._ends(), time.monotonic(), nothing_else=nothing_else)

    def _take(self, queue: Reply | None, news: Mapping[str, set[int]] | None = None) -> None:
        """Settle by the notes, of which these are new (None: any), and by the scheduler's list if it was asked."""
        listed = self._list(queue) if queue and self._now else False
        for job in self.live():
            if listed or news is None or job.key in news:
                new = None if news is None else news.get(job.key, set())
                self._update(job, self._queue[job.key] if listed else None, news=new)

    def _list(self, reply: Reply) -> bool:
        """Keep the scheduler's list; return False if it could not be asked."""
        self._asked = time.monotonic()
        live, ledger = self.live(), self.session.ledger
        try:
            rows = reply.read(self.session.scheduler.queue().parse)
            self._queue = states_of(rows, live, ledger.outlived(self.session.name))
        except SchedulerError as error:
            self._could_not_ask(error)
            return False
        self.trouble, self._listed_at = "", self._now
        with ledger.leniently():
            ledger.asked(self.session.name, [job.key for job in live])
        return True

    def _could_not_ask(self, error: SchedulerError) -> None:
        if self._telling and str(error) != self.trouble:
            self.session.listener.say(f"{self.session.name}: could not ask: {error}")
        self.trouble = str(error)

    def _unexplained(self) -> list[str]:
        return self.reasons.unexplained(self.live(), patient=self._telling)

    def _explain(self) -> None:
        if job_ids := self._unexplained():
            self.reasons.ask(job_ids)
            self.jobs.update({job.key: self.reasons.explain(job) for job in self.live()})
            self._stored.update(self.jobs)

    def _trace(self, jobs: Sequence[Job]) -> None:
        """Ask for the list, and about each of these by its ID. A job that both leave out has ended; its notes or the
        accounting tell how."""
        scheduler, ids = self.session.scheduler, [job.job_id or "" for job in jobs]
        silent = [job.job_id or "" for job in jobs if _unfinished(job) > len(self._noted(job))]
        ends = self._ends()
        trace = scheduler.trace(ids, silent)
        bad = self._bad_ends(jobs)
        commands = {"queue": scheduler.queue().command, "command": trace.command, **stderr_ends.variables(bad)}
        within = {"queue": MOST_OF_A_QUEUE, "answer": MOST_OF_A_QUEUE}
        program = Program(("trace", "last_words", "ask"), commands, most=3 * MOST_OF_A_QUEUE, within=within)
        words = f"{self.session.name}: still asking how jobs ended{_BY_ACCOUNTING if silent else ''}"
        with self.session.listener.slow(words):
            answer = self.session.ask(program)
        self._begin(answer["now"])
        if self._list(answer["queue"]):
            jobs = self.session.ledger.news(jobs)  # another process may have cancelled them, or seen them requeued
            try:
                traced = answer["answer"].read(trace.parse)
            except SchedulerError as error:
                self._could_not_ask(error)
            else:
                of_id = by_id(traced.records)
                for job in jobs:
                    of_it = replace(traced, records=tuple(of_id.get(job.job_id, ())))
                    self._update(job, self._queue.get(job.key), of_it)
                self._read_last_words(bad, stderr_ends.told_in(answer, bad))
                self._looked_for |= {job.key for job in jobs}
                self._stored.update(self.jobs, now_and_then=True)
        self._pace.asked(ends, time.monotonic(), lagging=bool(self._absent()))

    def _bad_ends(self, jobs: Sequence[Job]) -> list[tuple[Job, int]]:
        """A few tasks that noted a failure, and of jobs that left the list, a few that noted no end."""
        noted, silent = list[tuple[Job, int]](), list[tuple[Job, int]]()
        for job in jobs:
            for task, note in self.notes.notes.get(job.key, {}).items():
                if note.exit_status != 0 and not job.of(task).state.final:
                    (silent if note.exit_status is None else noted).append((job, task))
        return [*noted, *((job, task) for job, task in silent if job.absent_since is not None)][:_LAST_WORDS]

    def _read_last_words(self, bad: Sequence[tuple[Job, int]], words: Mapping[Place, LastWords]) -> None:
        """What failed without a reason may have said itself why."""
        by_key: dict[str, list[int]] = {}
        for job, task in bad:
            by_key.setdefault(job.key, []).append(task)
        for key, tasks in by_key.items():
            self.jobs[key] = stderr_ends.explained(self.jobs[key], tasks, words)

    def _update(
        self,
        job: Job,
        queue: Mapping[int, Outcome] | None,
        traced: Traced | None = None,
        *,
        news: set[int] | None = None,
    ) -> None:
        known = Known(
            self._now,
            self.notes.notes.get(job.key, {}),
            queue,
            records_of(job, traced.records, self._now, traced.ids_last) if traced else None,
            accounted=traced is None or traced.accounted,
            last_runs=traced is not None and traced.last_runs,
            listed_at=self._listed_at,
            noted=self._noted(job),
            news=news,
        )
        settled = self.jobs[job.key] = self.reasons.explain(settle(job, known))
        self._noted_ends[job.key] = noted_ends(settled, known.notes)
        self._left += _one_by_one(job) - _one_by_one(settled)
        check_enough(self._left)


def _unfinished(job: Job) -> int:
    """How many of its tasks are not known to have ended; 1 if it is not an array job."""
    return sum(many for state, many in job.counts.items() if not state.final) if job.tasks else 1


def _one_by_one(job: Job) -> int:
    return 0 if isinstance(job.tasks, Alike) else len(job.tasks)
