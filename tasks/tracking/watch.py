"""Look at jobs, once or until they have ended: their notes every second there, the scheduler every half minute.

One program looks at all jobs of a cluster together, however many there are (promise 7). When jobs seem to have ended,
one question about all of them tells whether that was their end, or they come back. What is learnt goes into the ledger
at once.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace

from ..login_node import Program, Reply
from ..model.errors import HostKeyRefused, JobFailed, LoginRefused, SchedulerError, StillRunning, Unreachable
from ..model.job import Alike, Job, Outcome, Selected, State
from ..model.notes import MOST_OF_NOTES, Notes
from ..model.repairs import by_origin, later, with_repairs
from ..model.settling import Known, noted_ends, settle
from ..model.wording import number, typed
from ..schedulers.bounds import MOST_OF_A_QUEUE
from ..schedulers.values import Traced
from ..session import back_off
from .cluster_session import ClusterSession
from .error_reasons import Errors
from .matching import MOST_ONE_BY_ONE, by_id, check_enough, records_of, states_of
from .pace import EVERY, Pace

# How long one program goes on looking before a new one begins, in seconds.
_ONE_LOOK = 600
# Of the time while it waits, one part in so many may go into writing down what was learnt.
_STORING = 20
# So many jobs are named one by one in a command to type, where another word means all of them.
_NAMED = 5
# What takes long where the accounting has gigabytes (G27).
_BY_ACCOUNTING = "; of some only the accounting tells, and that is being read"
Told = Callable[[Sequence[Job]], None]


class Watch:
    """The jobs of one cluster, and what is known of them; of those with tasks named, these tasks count.

    Jobs that repeat what did not succeed in these are watched with them.
    """

    def __init__(self, session: ClusterSession, selected: Iterable[Selected]) -> None:
        self.session = session
        chosen = list(selected)
        self.jobs = {job.key: job for job, _ in chosen}
        self._tasks: dict[str, set[int]] = {}
        for job, tasks in chosen:
            named = self._tasks.setdefault(job.key, set(tasks))
            # The whole job beside a task of it is the whole job.
            self._tasks[job.key] = named | set(tasks) if named and tasks else set()
        self._chosen = dict.fromkeys(self.jobs)
        self._repeats = self._find_repeats()
        self.notes = Notes()
        self.trouble = ""
        self._telling = False
        self._now = 0
        self._asked = 0.0
        self._queue: Mapping[str, Mapping[int, Outcome]] = {}
        self._listed_at = 0
        self._looked_for: set[str] = set()
        self._noted_ends: dict[str, set[tuple[int, int]]] = {}
        self._pace = Pace()
        self._stored = dict(self.jobs)
        self._store_again = 0.0
        self._left = MOST_ONE_BY_ONE
        self._errors = Errors()

    def _find_repeats(self) -> dict[str, list[str]]:
        """The keys of the repeats of each job; they are jobs to watch from now on."""
        if all(job.state is State.SUCCEEDED for job in self.jobs.values()):
            return {}
        known = by_origin(self.session.ledger.repeats(self.session.name))
        found: dict[str, list[str]] = {}
        for key in self._chosen:
            for repeat in later(self.jobs[key], known):
                tasks = {task for task in self._tasks[key] if task in repeat.numbers()}
                if repeat.job_id and (tasks or not self._tasks[key]):
                    found.setdefault(key, []).append(repeat.key)
                    self.jobs.setdefault(repeat.key, repeat)
                    self._tasks.setdefault(repeat.key, tasks)
        return found

    def shown(self) -> list[Job]:
        """The jobs, each as far as its named tasks go, and with what later jobs have repaired."""
        return [self._shown(key) for key in self._chosen]

    def _shown(self, key: str) -> Job:
        return with_repairs(self._only(key), [self.jobs[repeat] for repeat in self._repeats.get(key, ())])

    def tasks_of(self, key: str) -> tuple[int, ...]:
        """Those that were named; none: the whole job."""
        return tuple(sorted(self._tasks[key]))

    def watched(self) -> list[Job]:
        """The same, and the jobs that repeat them."""
        return [*self.shown(), *(self._only(key) for key in self.jobs if key not in self._chosen)]

    def with_repeats(self, job: Job) -> list[Job]:
        """The job, and those that count in place of what did not succeed of it, each where its files are."""
        repairs = {each.key for each in self._shown(job.key).repairs.values()}
        return [job, *(self.jobs[key].there() for key in self._repeats.get(job.key, ()) if key in repairs)]

    def _only(self, key: str) -> Job:
        return self.jobs[key].only(sorted(self._tasks[key]))

    def live(self) -> list[Job]:
        """Those with a job ID whose end is not known, repeats among them; what has vanished is looked for once."""
        return [self.jobs[key] for key in self.jobs if (job := self._only(key)).job_id and not self._done_with(job)]

    def _done_with(self, job: Job) -> bool:
        return job.state.final or (job.state is State.VANISHED and job.key in self._looked_for)

    def look(self) -> None:
        """Ask everything once. Raises Unreachable; that a scheduler could not be asked is in `trouble`."""
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
            self._store()

    def wait(self, timeout: float | None, told: Told) -> None:
        """Go on until every job has ended; `told` gets the jobs after each look.

        A connection that breaks is made again, for as long as it takes. Raises StillRunning at the timeout (seconds),
        Unreachable when it is broken then, and HostKeyRefused and LoginRefused, which do not mend themselves.
        """
        deadline = None if timeout is None else time.monotonic() + timeout
        self._telling = True
        told(self.watched())
        try:
            self._wait(deadline, told)
        finally:
            self._store()

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
            if _late(deadline) and self.live():
                raise StillRunning(_still(self.live()) + self._go_on())

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
                        self._store(now_and_then=True)
                    queue, news = None, {}
                    if self._unexplained():
                        break
                    told(self.watched())
                    if not self.live() or self._due() or _late(deadline):
                        break
        if self._unexplained():
            self._explain()
            told(self.watched())
        while self._due() and not _late(deadline):
            self._trace(self._ending())
            told(self.watched())
            if self._ends() and self._pace.pause < 1:  # sooner than another program would look
                _sleep(self._pace.pause, deadline)

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
        """Those that have left the queue, or have noted an end."""
        return [job for job in self.live() if job.absent_since is not None or self._noted(job)]

    def _waits_again(self, job: Job) -> bool:
        """Whether it is to start, and has noted an end: a list that is asked for now tells whether it was one."""
        waits = (State.PENDING, State.HELD)
        return not self.trouble and any(job.of(task).state in waits for task, _ in self._noted(job))

    def _noted(self, job: Job) -> set[tuple[int, int]]:
        """Tasks that have noted an end which is not known to be one, and when."""
        return self._noted_ends.get(job.key, set())

    def _ends(self) -> set[object]:
        absent = {(job.key, job.absent_since) for job in self._absent()}
        return absent.union((job.key, *end) for job in self.live() for end in self._noted(job))

    def _due(self) -> bool:
        """Whether it is time to ask about what seems to have ended."""
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
        """Keep the scheduler's list; False: it could not be asked."""
        self._asked = time.monotonic()
        live = self.live()
        try:
            self._queue = states_of(reply.read(self.session.scheduler.queue().parse), live)
        except SchedulerError as error:
            self._could_not_ask(error)
            return False
        self.trouble, self._listed_at = "", self._now
        with self.session.ledger.leniently():
            self.session.ledger.asked(self.session.name, [job.key for job in live])
        return True

    def _could_not_ask(self, error: SchedulerError) -> None:
        if self._telling and str(error) != self.trouble:
            self.session.listener.say(f"{self.session.name}: could not ask: {error}")
        self.trouble = str(error)

    def _unexplained(self) -> list[str]:
        return self._errors.unexplained(self.live())

    def _explain(self) -> None:
        if job_ids := self._unexplained():
            self._errors.ask(self.session, job_ids)
            self.jobs.update({job.key: self._errors.explain(job) for job in self.live()})
            self._store()

    def _trace(self, jobs: Sequence[Job]) -> None:
        """Ask for the list, and about each of these by its ID: what both leave out has ended, and how is in its notes
        or the accounting."""
        scheduler, ids = self.session.scheduler, [job.job_id or "" for job in jobs]
        silent = [job.job_id or "" for job in jobs if _unfinished(job) > len(self._noted(job))]
        ends = self._ends()
        trace = scheduler.trace(ids, silent)
        commands = {"queue": scheduler.queue().command, "command": trace.command}
        within = {"queue": MOST_OF_A_QUEUE, "answer": MOST_OF_A_QUEUE}
        program = Program(("trace", "ask"), commands, most=3 * MOST_OF_A_QUEUE, within=within)
        still = f"{self.session.name}: still asking how jobs ended{_BY_ACCOUNTING if silent else ''}"
        with self.session.listener.slow(still):
            answer = self.session.ask(program)
        self._begin(answer["now"])
        if self._list(answer["queue"]):
            jobs = self.session.ledger.news(jobs)  # cancelled, perhaps, or requeued, while others looked
            try:
                traced = answer["answer"].read(trace.parse)
            except SchedulerError as error:
                self._could_not_ask(error)
            else:
                of_id = by_id(traced.records)
                for job in jobs:
                    of_it = replace(traced, records=tuple(of_id.get(job.job_id, ())))
                    self._update(job, self._queue.get(job.key), of_it)
                self._looked_for |= {job.key for job in jobs}
                self._store(now_and_then=True)
        self._pace.asked(ends, time.monotonic(), lagging=bool(self._absent()))

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
            records_of(job, traced.records, self._now) if traced else None,
            accounted=traced is None or traced.accounted,
            last_runs=traced is not None and traced.last_runs,
            listed_at=self._listed_at,
            noted=self._noted(job),
            news=news,
        )
        settled = self.jobs[job.key] = self._errors.explain(settle(job, known))
        self._noted_ends[job.key] = noted_ends(settled, known.notes)
        self._left += _one_by_one(job) - _one_by_one(settled)
        check_enough(self._left)

    def _store(self, *, now_and_then: bool = False) -> None:
        """Record what has changed; `now_and_then`: not yet, if it took long lately (an array job of many tasks)."""
        began = time.monotonic()
        if now_and_then and began < self._store_again:
            return
        changed = [job for key, job in self.jobs.items() if self._stored[key] is not job and self._stored[key] != job]
        if changed:
            with self.session.ledger.leniently():
                self.session.ledger.update(*changed)
                self._stored = dict(self.jobs)
            now = time.monotonic()
            self._store_again = now + _STORING * (now - began)


def go_on(watch: Watch, verb: str) -> list[str]:
    """The last word when nobody watches these jobs any more: that they go on, and what watches them again."""
    jobs = watch.live()
    if not jobs:
        return []
    each = {"job": [job.job_id or "" for job in jobs]}
    again = typed(watch.session.name, verb, **({"all": True} if verb != "wait" and len(jobs) > _NAMED else each))
    if len(jobs) == 1:
        return [f"{jobs[0].title()} goes on; watch it again: {again}"]
    return [f"{len(jobs)} jobs on {watch.session.name} go on; watch them again: {again}"]


def complain(session: ClusterSession, jobs: Sequence[Job], *, fetched: bool) -> None:
    """Raise JobFailed unless all succeeded; it says how to fetch what they left behind."""
    for job in jobs:
        if job.repairs and job.in_the_end.state is State.SUCCEEDED:
            session.listener.say(f"{job.title()} has succeeded in the end: {job.tally()}")
    bad = [job for job in jobs if job.in_the_end.state is not State.SUCCEEDED]
    if not bad:
        return
    first, more = bad[0], f" and {len(bad) - 1} more did not succeed" if len(bad) > 1 else ""
    how = "" if fetched else f"; its results: {typed(session.name, 'fetch', job=first.job_id or '')}"
    raise JobFailed(f"{first.title()} {first.state}{more}{how}")


def _unfinished(job: Job) -> int:
    """How many of its tasks are not known to have ended; of what is no array job: 1."""
    return sum(many for state, many in job.counts.items() if not state.final) if job.tasks else 1


def _one_by_one(job: Job) -> int:
    return 0 if isinstance(job.tasks, Alike) else len(job.tasks)


def _late(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _sleep(seconds: float, deadline: float | None) -> None:
    time.sleep(max(0.0, seconds if deadline is None else min(seconds, deadline - time.monotonic())))


def _still(jobs: Sequence[Job]) -> str:
    first = jobs[0]
    more = f" and {len(jobs) - 1} more" if len(jobs) > 1 else ""
    state = "in error state" if first.state is State.ERROR else first.state
    return f"{first.title()} is still {state}{more}; "
