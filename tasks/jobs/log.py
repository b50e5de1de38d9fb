"""A job's log: where the job itself noted that it goes, read as it is, or followed until the job has ended."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterable

from ..login_node import Program, job_directory, quote
from ..model.ended import ended_line
from ..model.errors import HostKeyRefused, InvalidInput, JobFailed, LoginRefused, SchedulerError, Unreachable
from ..model.job import Job, State
from ..model.notes import Logs, Notes
from ..model.wording import number, one_line, typed
from ..session import back_off
from ..tracking.cluster_session import ClusterSession
from ..tracking.pace import EVERY
from ..tracking.watch import Watch

# For so many seconds what a cluster said of jobs counts for whoever asks next.
_FRESH = 1.0


def noted_logs(session: ClusterSession, job: Job, task: int) -> Logs | None:
    """The paths of both logs, from the note of the start; None before that. Raises InvalidInput, SchedulerError, and
    JobFailed when the job ended without one.
    """
    job.there()
    if job.by_hand:
        raise InvalidInput(f"{job.title()} was submitted by hand and noted no log; fetch brings those where it ran")
    answer = session.ask(Program(("ask",), {"command": f"cat {quote(_note(job, task, 'start'))}"}))["answer"]
    notes = Notes()
    notes.read(answer.exact)
    logs = notes.logs.get(job.key, {}).get(task)
    if not logs and job.bare:
        raise SchedulerError(f"{job.title()} was submitted --bare and noted no log; fetch brings those that it left")
    if not logs and (outcome := job.of(task)).state.ended:
        ended = ended_line(job, task if job.array else None, outcome)
        raise JobFailed(f"{ended}: it noted no start, and so there is no log")
    return logs


def path_of(logs: Logs, *, stderr: bool, beside: bool) -> str:
    """Which of both is meant; empty: none, where its stderr goes into the stdout that is shown `beside`."""
    if not stderr:
        return logs.out
    return "" if beside and logs.err == logs.out else logs.err


def _note(job: Job, task: int, kind: str) -> str:
    return job_directory.note(job.directory or "", task, kind)


class LogReader:
    """Reads one log and knows how far it has got; `lines`: begins with only so many of the last ones."""

    def __init__(self, session: ClusterSession, write: Callable[[bytes], None], lines: str = "") -> None:
        self._session = session
        self._write = write
        self._lines = lines
        self._path = ""
        self.at = 0

    def read(self, path: str, *, seconds: int = 0, until: str = "", regardless: bool = False) -> bool:
        """Pass on what there is of the log, and what comes in so many seconds or until that file is there.

        Returns whether it is there; `regardless` of that the seconds pass.
        Raises SchedulerError when the log cannot be read, and ConnectionLost; the next `read` goes on from there.
        """
        path = "" if path == "/dev/null" else path
        if path != self._path:  # a requeued job may have another log
            self.at, first = 0, self._lines
        else:
            first = ""
        which = {"path": path, "from": str(self.at), "lines": first}
        how_long = {"seconds": str(seconds), "until": until, "regardless": "1" if regardless else ""}
        begins, there = b"", False
        for name, piece in self._session.pieces(Program(("log",), which | how_long, most=None, within={"at": 1024})):
            if name == "at":
                begins = begins + piece if piece else b""
            elif name == "log" and not piece:
                at = number(begins.decode("ascii", "replace"))
                if at is None:
                    raise SchedulerError(f"{self._session.name}: the answer is not understood: its log begins nowhere")
                self._path, self.at = path, at
            elif name == "log":
                self._write(piece)
                self.at += len(piece)
            there = there or name == "there"
        return there


class Looks:
    """Asks how jobs are for all who follow logs of theirs: one question for several who ask at once."""

    def __init__(self, session: ClusterSession, jobs: Iterable[Job]) -> None:
        """`jobs` has a job for each log that is followed."""
        asking = list(jobs)
        self._session = session
        self._jobs = {job.key: job for job in asking}
        self._fresh = _FRESH if len(asking) > 1 else 0.0
        self._said: dict[tuple[str, int], str] = {}
        self._trouble = ""
        self._at = -math.inf
        self._lock = threading.Lock()

    def at(self, job: Job) -> Job:
        """The job as it is now, or was a moment ago. Raises Unreachable."""
        with self._lock:
            if time.monotonic() - self._at >= self._fresh:
                began = time.monotonic()
                self._look()
                self._at = began
            return self._jobs[job.key]

    def _look(self) -> None:
        jobs = self._session.ledger.news(list(self._jobs.values()))  # where others note that one is to be cancelled
        watch = Watch(self._session, [(job, ()) for job in jobs])
        watch.look()
        if watch.error and watch.trouble != self._trouble:
            self._session.listener.say(str(watch.error))
        self._trouble = watch.trouble
        self._jobs.update({key: watch.jobs[key] for key in self._jobs})

    def say(self, job: Job, task: int, line: str) -> None:
        """Tell what a task waits for, if that is new and not only its place in the line."""
        what = re.sub(r"\d+(st|nd|rd|th)?", "", line)
        with self._lock:
            if self._said.get((job.key, task)) != what:
                self._session.listener.say(one_line(line, 1000))
            self._said[job.key, task] = what


class Following:
    """The log of a job, or of a task of it, and what is known of the job meanwhile."""

    def __init__(
        self,
        session: ClusterSession,
        job: Job,
        task: int,
        reader: LogReader,
        looks: Looks,
        *,
        stderr: bool,
        beside: bool = False,
    ) -> None:
        self.job = job
        self._session = session
        self._task = task
        self._reader = reader
        self._looks = looks
        self._stderr, self._beside = stderr, beside
        self._noted = 0  # for how many rounds there has been the note of an end

    def to_the_end(self) -> Logs:
        """Show the log until the job has ended; return where both logs are.

        A connection that breaks is made again, for as long as it takes.

        Raises as `noted_logs` and `LogReader.read`, and Unreachable when the cluster could not be reached at all.
        """
        failures = 0
        while True:
            try:
                logs, ended = self._round()
                if logs and ended:
                    return logs
                failures = 0
            except (HostKeyRefused, LoginRefused):
                raise
            except Unreachable as error:
                if not self._session.reached:
                    raise
                failures += 1
                pause = back_off(failures)
                self._session.listener.say(f"{error}; trying again in {pause:.0f} s")
                time.sleep(pause)

    def _round(self) -> tuple[Logs | None, bool]:
        """Ask about the job, then show its log until it is time to ask again.

        Returns where the logs are, and whether the job had ended.
        """
        self.job = self._looks.at(self.job)
        ended = self.job.of(self._task).state.ended
        logs = noted_logs(self._session, self.job, self._task)
        if not logs:
            self._say_what_it_waits_for()
        path = path_of(logs, stderr=self._stderr, beside=self._beside) if logs else ""
        until = _note(self.job, self._task, "end" if logs else "start")
        # An end that is noted need not be one: the scheduler may be late to know of it, or have the job run once more.
        pause = min(EVERY, 2**self._noted // 2) if self._noted else EVERY
        there = self._reader.read(path, seconds=0 if ended else pause, until=until, regardless=bool(self._noted))
        self._noted = self._noted + 1 if there and logs else 0
        return logs, ended

    def _say_what_it_waits_for(self) -> None:
        outcome = self.job.of(self._task)
        if outcome.state in (State.UNKNOWN, State.RUNNING):  # its note is on its way
            return
        state = "in error state" if outcome.state is State.ERROR else outcome.state
        how = "its log is shown as soon as it starts"
        if outcome.state is State.HELD:
            how += f"; {typed(self._session.name, 'release', job=self.job.job_id or '')} releases it"
        line = f"{self.job.title()} is {state}{f' ({outcome.reason})' if outcome.reason else ''}: {how}"
        self._looks.say(self.job, self._task, line)
