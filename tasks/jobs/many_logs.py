"""Several logs at once: both streams of a job, or those of all tasks that failed, their lines told apart by labels."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ..model.ended import ended_line
from ..model.errors import InvalidInput
from ..model.job import Job, Selected, State
from ..submission.reconcile import known_there
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .log import Looks
from .read_log import JobLog, one_of, read

# Each that is followed has a channel of its own, and servers allow ten (MaxSessions).
_MOST_FOLLOWED = 8
# Bytes after which a line is shown, whether it has ended or not.
_LONGEST_LINE = 1 << 16


@dataclass(frozen=True)
class Stream:
    """One of several logs: of this task of a job (0: it is no array job), its stderr or its stdout, as it is called.

    `beside`: its stdout is among them, so that a stderr that goes there is not shown twice.
    """

    job: Job
    task: int
    stderr: bool
    beside: bool = False
    label: str = ""


def streams(
    session: ClusterSession,
    selected: Sequence[Selected],
    task: str = "",
    *,
    failed: bool = False,
    both: bool = False,
    stderr: bool = False,
    follow: bool = False,
) -> list[Stream]:
    """Which logs are meant: of the tasks that failed, or of what `one_of` finds of each job. Raises as that does."""
    if failed and task:
        raise InvalidInput("--failed says which tasks: leave out --task")
    of_each = (one_of(session, [one], task, follow=follow) for one in selected)
    tasks = _failed(session, selected) if failed else list(of_each)
    jobs = {job.key for job, _ in tasks}
    found = [Stream(job, task, err) for job, task in tasks for err in ((False, True) if both else (stderr,))]
    if follow and len(found) > _MOST_FOLLOWED:
        raise InvalidInput(f"{len(found)} logs are too many to follow at once, {_MOST_FOLLOWED} at most: name a task")
    return [
        replace(one, beside=both, label=_label(one, len(jobs), named=failed or len(tasks) > 1, both=both))
        for one in found
    ]


def _failed(session: ClusterSession, selected: Sequence[Selected]) -> list[tuple[Job, int]]:
    """The tasks that have not succeeded in the end, each of the job that ran it last."""
    watch = Watch(session, known_there(session, selected))
    watch.look()
    found = []
    for job in watch.shown():
        ends = [(job.repairs.get(task, job), task) for task in (job.tasks if job.array else (0,))]
        bad = [(run, task) for run, task in ends if run.of(task).state is State.FAILED]
        if not bad:
            session.listener.say(f"{job.title()}: nothing of it has failed")
        found += bad
    return found


def _label(one: Stream, jobs: int, *, named: bool, both: bool) -> str:
    """`x.3 err`: no more than tells these logs apart."""
    name = f"{one.job.name}-{one.job.job_id}" if jobs > 1 else one.job.name
    whose = f"{name}.{one.task}" if one.job.array else name
    return " ".join(([whose] if named else []) + ([("err" if one.stderr else "out")] if both else []))


Write = Callable[[Stream, bytes], None]
"""Takes a whole line of one of the logs, with its end."""


class Lines:
    """Cuts one log into whole lines, for others to come between them."""

    def __init__(self, stream: Stream, write: Write, lock: threading.Lock) -> None:
        self._stream, self._write, self._lock = stream, write, lock
        self._rest = b""

    def take(self, piece: bytes) -> None:
        """The next bytes of it."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            lines.append(self._rest)
            self._rest = b""
        with self._lock:
            for line in lines:
                self._write(self._stream, line + b"\n")

    def close(self) -> None:
        """What is left is a line, too."""
        if self._rest:
            self.take(b"\n")


def read_all(
    session: ClusterSession, streams: Sequence[Stream], write: Write, last: str = "", *, follow: bool = False
) -> None:
    """Pass on all these logs: one after the other, or with `follow` as they are written, until their jobs have ended.

    Raises the first error at the end, when the others have been told and all that could be read is passed on.
    """
    lock, looks = threading.Lock(), Looks(session, [one.job for one in streams])
    done, errors = list[JobLog](), list[Exception]()

    def one(stream: Stream) -> None:
        lines = Lines(stream, write, lock)
        try:
            how = {"stderr": stream.stderr, "beside": stream.beside, "follow": follow}
            done.append(read(session, stream.job, stream.task, lines.take, last, looks=looks, **how))
        except Exception as error:  # it is raised by who waits for all
            errors.append(error)
        finally:
            lines.close()

    if follow:
        threads = [threading.Thread(target=partial(one, stream), daemon=True) for stream in streams]
        for thread in threads:
            thread.start()
        for thread in threads:
            while thread.is_alive():  # so that Ctrl-C is heard
                thread.join(0.2)
    else:
        for stream in streams:
            one(stream)
    _conclude(session, done, follow=follow)
    for error in errors[1:]:
        session.listener.say(str(error))
    if errors:
        raise errors[0]


def _conclude(session: ClusterSession, logs: Sequence[JobLog], *, follow: bool) -> None:
    """Tell which logs have nothing in them, and how what was followed has ended, once for both streams."""
    for log in logs:
        if not log.shown and log.paths.out != log.paths.err:
            which = f"task {log.task} of {log.job.title()}" if log.job.array else log.job.title()
            stream = "stderr" if log.stderr else "stdout"
            session.listener.say(f"{which} wrote nothing on {stream}")
    ended = {(log.job.key, log.task): log for log in logs} if follow else {}
    for log in ended.values():
        session.listener.say(ended_line(log.job, log.task if log.job.array else None, log.job.of(log.task)))
