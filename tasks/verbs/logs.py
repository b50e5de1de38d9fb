"""The verb logs: a job's output, where the job itself noted that it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import ONE_JOB_HELP, verb

if TYPE_CHECKING:
    from ..model.job import Job
    from ..model.settling import Logs
    from ..tracking.cluster_session import ClusterSession

# So many lines of stderr are shown of a job that wrote nothing else, and so many failed tasks are named.
_LAST = 20
_NAMED = 10


@verb(
    iterable=("job",),
    help={
        "job": ONE_JOB_HELP,
        "task": "which task of an array job",
        "stderr": "its stderr instead of its stdout",
        "follow": "wait for its start if need be, and go on until the job has ended",
        "lines": "only the last N lines",
    },
)
def logs(
    c: Context,
    job: Sequence[str] | None = None,
    task: str = "",
    stderr: bool = False,
    follow: bool = False,
    lines: str = "",
) -> None:
    """Show a job's output.

    Of an array job, --task says which task; without it, the only one that failed. A job that wrote nothing on stdout
    has its stderr shown.

    Example: fab -H sharc logs --follow
    """
    from contextlib import closing

    from ..jobs.log import Following, LogReader, noted_logs
    from ..model.errors import InvalidInput, SchedulerError
    from ..model.job import State
    from ..model.resources import parse_count
    from ..model.wording import typed
    from ..screen import output
    from ..screen.log_text import Log
    from ..submission.reconcile import known_there
    from .where import select

    last = str(parse_count(lines, "lines", least=0)) if lines else ""
    wanted = parse_count(task, "task", least=0) if task else None
    session, selected = select(c, job or ())
    if len(selected) > 1:
        raise InvalidInput("logs shows one job: name it with --job")
    ((found, tasks),) = known_there(session, selected)
    found, number = _task_of(session, found, tasks[0] if wanted is None and tasks else wanted)
    with closing(Log()) as log:
        reader = LogReader(session, log.write, last)
        if follow:
            following = Following(session, found, number, reader, stderr=stderr)
            called = f"{found.job_id}.{number}" if found.array else str(found.job_id)
            again = typed(session.name, "logs", job=called, stderr=stderr, follow=True)
            with output.last_word(lambda: [f"{following.job.title()} goes on; follow it again: {again}"]):
                paths = following.to_the_end()
            found = following.job
        elif noted := noted_logs(session, found, number):
            paths = noted
            reader.read(paths.err if stderr else paths.out)
        else:
            raise SchedulerError(f"{found.title()} has not started: there is no log of it yet (--follow waits for it)")
    outcome = found.of(number)
    shown = bool(reader.at) or last == "0"
    if not stderr and (not shown or outcome.state is State.FAILED):
        shown = _show_stderr(session, found, paths, last) or shown
    if not shown and (paths.err if stderr else paths.out) == "/dev/null":
        stream = "stderr" if stderr else "stdout"
        output.say(f"{found.title()} sends its {stream} to /dev/null, as its script or a flag says")
    elif not shown:
        output.say(f"{found.title()} wrote nothing{'' if outcome.state.ended else ' so far'}")
    if follow:
        output.say(output.ended_line(found, number if found.array else None, outcome))


def _task_of(session: ClusterSession, job: Job, wanted: int | None) -> tuple[Job, int]:
    """The job, and which task of it is meant (0: it is no array job). Raises InvalidInput where that is not clear.

    Left out, it is the only task that there is, or the only one that failed.
    """
    from ..model.errors import InvalidInput
    from ..model.job import State
    from ..screen.output import say
    from ..tracking.watch import Watch

    if wanted is not None and (not job.array or wanted not in job.array):
        raise InvalidInput(f"{job.title()} has no task {wanted}")
    if wanted is not None or not job.array:
        return job, wanted or 0
    numbers = job.array.numbers()
    if len(numbers) == 1:
        return job, numbers[0]
    watch = Watch(session, [(job, ())])
    watch.look()
    job = watch.jobs[job.key]
    failed = [number for number, outcome in sorted(job.tasks.items()) if outcome.state is State.FAILED]
    if len(failed) == 1:
        say(f"task {failed[0]} of {job.title()} is the one that failed: its log")
        return job, failed[0]
    more = f" and {len(failed) - _NAMED} more" if len(failed) > _NAMED else ""
    which = f"; failed are {', '.join(map(str, failed[:_NAMED]))}{more}" if failed else ""
    first, last = numbers[0], numbers[-1]
    raise InvalidInput(f"{job.title()} is an array job: name a task with --task, {first} to {last}{which}")


def _show_stderr(session: ClusterSession, job: Job, paths: Logs, lines: str) -> bool:
    """Show the end of the job's stderr, on ours; whether there was any.

    That is what a person looks for in a job that failed, or wrote nothing else.
    """
    import sys
    from contextlib import closing

    from ..jobs.log import LogReader
    from ..screen.log_text import Log
    from ..screen.output import say

    if paths.err == paths.out:
        return False
    with closing(Log(sys.stderr)) as log:

        def write(piece: bytes) -> None:
            if not log.begun:
                cut = ", the last lines of it (--stderr shows all)" if reader.at else ""
                say(f"{job.title()} wrote on stderr{cut}:")
            log.write(piece)

        reader = LogReader(session, write, lines or str(_LAST))
        reader.read(paths.err)
        return log.begun
