"""The jobs that have to succeed before another one runs: the file that tells `run`, and what is known of them now."""

from __future__ import annotations

from collections.abc import Sequence

from ..files.wire import Upload
from ..login_node import job_directory
from ..model.errors import InvalidInput, SchedulerError
from ..model.job import State
from ..model.repairs import counted
from ..model.resources import TaskRange, ranges_of
from ..model.wording import fab
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .digest import Before


def upload(after: Sequence[Before], *, bare: bool) -> list[Upload]:
    """The file that tells `run` which jobs have to have succeeded: the scheduler only waits for their ends (G10).

    It has two lines for each range of tasks: `FIRST LAST STEP JOBID`, and the job directory. Raises InvalidInput for a
    job that writes no notes.
    """
    lines = []
    for job, tasks in after:
        if job.bare or bare:
            raise InvalidInput(f"--after: without notes of start and end nobody knows whether {job.title()} succeeded")
        ranges = list(ranges_of(tasks)) or (job.array or TaskRange(0, 0)).parts()
        lines += [f"{r.first} {r.last} {r.step} {job.job_id}\n{job.directory}\n" for r in ranges]
    return [Upload(job_directory.own("after"), "".join(lines).encode("utf-8", "surrogateescape"))] if lines else []


def not_yet_met(after: Sequence[Before]) -> list[Before]:
    """Those not known to have succeeded: for the others there is no need to wait, nor to look at their notes."""
    return [(job, tasks) for job, tasks in after if job.only(tasks).state is not State.SUCCEEDED]


def as_repaired(session: ClusterSession, before: Sequence[Before]) -> list[Before]:
    """The jobs that count instead of these, as far as is known here: for what did not succeed, its repairs."""
    watch = Watch(session, before)
    return [part for job in watch.shown() for part in counted(job, watch.tasks_of(job.key))]


def now(session: ClusterSession, text: str) -> dict[str, list[Before]]:
    """The same for the jobs in an earlier job's file of conditions, by key, after asking the cluster.

    Raises InvalidInput for a job that is not known here, SchedulerError, Unreachable.
    """
    watch = Watch(session, _read(session, text))
    watch.must_look()
    return {job.key: counted(job, watch.tasks_of(job.key)) for job in watch.shown()}


def _read(session: ClusterSession, text: str) -> list[Before]:
    lines = text.split("\n")
    found: dict[str, set[int]] = {}
    for head, directory in zip(lines[0::2], lines[1::2], strict=False):
        try:
            first, last, step = map(int, head.split(" ")[:3])
            found.setdefault(directory, set()).update(TaskRange(first, last, step).numbers())
        except ValueError:
            raise SchedulerError(f"{session.name}: the conditions of the earlier job are not understood") from None
    before = []
    for directory, numbers in found.items():
        job = session.ledger.by_key(session.name, directory.rpartition("/")[2])
        if not job:
            adopt = f"{fab()} -H {session.name} adopt"
            raise InvalidInput(f"{session.name}: what has to succeed first ({directory}) is not known here: {adopt}")
        before.append((job, () if numbers == set(job.numbers()) else tuple(sorted(numbers))))
    return before
