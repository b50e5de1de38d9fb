"""One job's log: find the job and task that are meant, read the log, and say why if there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..model.ended import ended_line
from ..model.errors import InvalidInput, SchedulerError
from ..model.job import Job, Selected, State
from ..model.notes import Logs
from ..model.resources import parse_count
from ..submission.reconcile import known_there
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .log import Following, LogReader, Looks, noted_logs, path_of

# How many lines of stderr are shown of a job that wrote nothing else; and how many failed tasks are named.
_LAST = 20
_NAMED = 10


@dataclass(frozen=True)
class JobLog:
    """What was read of a job's output: of task `task` (0: it is no array job), by the paths that it noted.

    `shown`: there was something to read, or nothing was asked for; `last` is how many of the last lines were, if not
    all; `stderr` and `follow` are how it was asked for.
    """

    job: Job
    task: int
    paths: Logs
    shown: bool
    last: str
    stderr: bool
    follow: bool


def one_of(
    session: ClusterSession, selected: Sequence[Selected], wanted: str = "", *, follow: bool = False
) -> tuple[Job, int]:
    """The one job that is meant, and which task of it (0: it is no array job).

    Left out, that is the only task that there is, or the only one that failed. What was submitted again is meant as
    it ran last, and with `follow` as it is to run. Raises InvalidInput where it is not clear.
    """
    job, task = _named(session, selected, wanted)
    return _last_run(session, job, task, follow=follow), task


def _last_run(session: ClusterSession, job: Job, task: int, *, follow: bool) -> Job:
    """The job that ran a task last, or with `follow` is to run it; which one is told, where it is another."""
    watch = Watch(session, [(job, (task,) if job.array else ())])
    if len(watch.jobs) == 1:
        return job
    watch.look()
    run = watch.shown()[0].repairs.get(task, job)
    if run is job:
        return job
    begun = run.of(task).started_at is not None
    which = f"task {task} of {job.title()}" if job.array else job.title()
    now = "its log" if begun or follow else f"which is {run.of(task).state}; the log of the run before"
    session.listener.say(f"{which} was submitted again as job {run.job_id}{': ' if begun or follow else ', '}{now}")
    return run if begun or follow else job


def _named(session: ClusterSession, selected: Sequence[Selected], wanted: str) -> tuple[Job, int]:
    number = parse_count(wanted, "task", least=0) if wanted else None
    if len(selected) != 1:
        many = f"{len(selected)} are" if selected else "none is"
        raise InvalidInput(
            f"logs shows one job, and {many} meant: name it with --job; --both and --failed show several"
        )
    ((job, tasks),) = known_there(session, selected)
    number = tasks[0] if number is None and tasks else number
    if number is not None and (not job.array or number not in job.array):
        raise InvalidInput(f"{job.title()} has no task {number}")
    if number is not None or not job.array:
        return job, number or 0
    numbers = job.array.numbers()
    if len(numbers) == 1:
        return job, numbers[0]
    watch = Watch(session, [(job, ())])
    watch.look()
    return _failed_one(session, watch.shown()[0], numbers)


def _failed_one(session: ClusterSession, job: Job, numbers: Sequence[int]) -> tuple[Job, int]:
    failed = [task for task in sorted(job.tasks) if job.repairs.get(task, job).of(task).state is State.FAILED]
    if len(failed) == 1:
        session.listener.say(f"task {failed[0]} of {job.title()} is the one that failed: its log")
        return job, failed[0]
    more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    which = f"; failed are {', '.join(map(str, failed[:_NAMED]))}{more}" if failed else ""
    first, last = numbers[0], numbers[-1]
    raise InvalidInput(f"{job.title()} is an array job: name a task with --task, {first} to {last}{which}")


def last_lines(text: str) -> str:
    """Parse `--lines`, the number of last lines to show (empty: all). Raises InvalidInput."""
    return str(parse_count(text, "lines", least=0)) if text else ""


def read(
    session: ClusterSession,
    job: Job,
    task: int,
    write: Callable[[bytes], None],
    lines: str = "",
    *,
    stderr: bool = False,
    follow: bool = False,
    beside: bool = False,
    looks: Looks | None = None,
) -> JobLog:
    """Pass on a log, or the last `lines` of it; `follow`: until the job has ended. Raises as `Following.to_the_end`.

    Several that are followed share `looks`; `beside`: its stdout is one of them.
    """
    last = last_lines(lines)
    reader = LogReader(session, write, last)
    if follow:
        following = Following(session, job, task, reader, looks or Looks(session, [job]), stderr=stderr, beside=beside)
        paths = following.to_the_end()
        job = following.job
    elif noted := noted_logs(session, job, task):
        paths = noted
        reader.read(path_of(paths, stderr=stderr, beside=beside))
    else:
        raise SchedulerError(f"{job.title()} has not started: there is no log of it yet (--follow waits for it)")
    return JobLog(job, task, paths, bool(reader.at) or last == "0", last, stderr, follow)


def conclude(session: ClusterSession, log: JobLog, write: Callable[[bytes], None]) -> None:
    """Pass on the end of the job's stderr where it failed, or wrote nothing else: that is what a person looks for then.

    And tell how it ended, to whoever followed it, or why there is nothing to see.
    """
    job, outcome, shown = log.job, log.job.of(log.task), log.shown
    if not log.stderr and (not shown or outcome.state is State.FAILED):
        shown = _end_of_stderr(session, log, write) or shown
    if not shown and (log.paths.err if log.stderr else log.paths.out) == "/dev/null":
        stream = "stderr" if log.stderr else "stdout"
        session.listener.say(f"{job.title()} sends its {stream} to /dev/null, as its script or a flag says")
    elif not shown:
        session.listener.say(f"{job.title()} wrote nothing{'' if outcome.state.ended else ' so far'}")
    if log.follow:
        session.listener.say(ended_line(job, log.task if job.array else None, outcome))


def _end_of_stderr(session: ClusterSession, log: JobLog, write: Callable[[bytes], None]) -> bool:
    """Pass on the last lines; return whether there were any."""
    if log.paths.err == log.paths.out:
        return False
    begun = False

    def passed(piece: bytes) -> None:
        nonlocal begun
        if not begun:
            cut = ", the last lines of it (--stderr shows all)" if reader.at else ""
            session.listener.say(f"{log.job.title()} wrote on stderr{cut}:")
        begun = True
        write(piece)

    reader = LogReader(session, passed, log.last or str(_LAST))
    reader.read(log.paths.err)
    return begun
