"""The jobs that are meant: those that `--job` names, those that other flags select, or the last one."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ..model.errors import InvalidInput, closest, nearest
from ..model.job import Job, Selected, State
from ..model.wanted import Named, Wanted
from ..model.wording import one_line
from ..submission.job_file import job_noted, read_job_file
from ..submission.reconcile import confirmed
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch
from .status import say_nothing

# Among how many of the last jobs a similar name or key is looked for.
_MEANT = 1000
# How many groups are named if one is not known.
_SHOWN = 10
# And so many rows where one is meant.
_NAMED = 5


def last(session: ClusterSession) -> list[Selected]:
    """The job that was submitted last. Raises InvalidInput when there is none."""
    found = session.ledger.last(session.name)
    if not found:
        raise InvalidInput(f"no job was submitted to {session.name} from here yet")
    return [(found, ())]


def choose(session: ClusterSession, wanted: Wanted, *, live: bool = False, asked: bool = False) -> list[Selected]:
    """The jobs that are wanted, each with the tasks that are named with it; of none a line is told.

    `live`: of those that are not named, only what is not known to have ended, unless their state is wanted; `asked`:
    the cluster is asked which have, as it is for a state. Raises InvalidInput when one that is named, or a group, is
    not known here, and SchedulerError, Unreachable.
    """
    selected = known_here(session, wanted, live=live)
    if wanted.state:
        now = _as_they_are(session, selected)
        selected = [(job, tasks) for job, tasks in now if job.only(tasks).state in wanted.state]
    elif asked and wanted.selects:
        selected = [(job, tasks) for job, tasks in _as_they_are(session, selected) if not job.state.final]
    if not selected and wanted == Wanted(all=True):
        say_nothing(session)
    elif not selected:
        session.listener.say(f"{session.name}: {wanted.none}")
    return selected


def known_here(session: ClusterSession, wanted: Wanted, *, live: bool = False) -> list[Selected]:
    """The same without a question to the cluster: those that may have come into a wanted state are among them."""
    globs = tuple(glob for glob in wanted.globs if not is_file(glob))
    named = [_chosen(session, one) for one in wanted.job if one not in globs]
    if not wanted.selects:
        return named
    check_groups(session, wanted.group)
    found: list[Job] = []
    if globs or not wanted.job:
        what = replace(wanted, job=globs)
        found = session.ledger.matching(session.name, what, wanted.state, live=live or bool(wanted.state))
        for glob in globs:
            _check_glob(session, glob, found)
    keys = {job.key for job in found}
    apart = [(job, tasks) for job, tasks in named if job.key not in keys and wanted.admits(job.group, job.submitted_at)]
    return [*apart, *((job, ()) for job in found)]


def not_succeeded(selected: Sequence[Selected]) -> list[Selected]:
    """These, without those known to have succeeded."""
    return [(job, tasks) for job, tasks in selected if job.only(tasks).state is not State.SUCCEEDED]


def _as_they_are(session: ClusterSession, selected: Sequence[Selected]) -> list[Selected]:
    """These jobs, of which those that may have changed are asked about. Raises SchedulerError, Unreachable."""
    watch = Watch(session, confirmed(session, [(job, ()) for job, _ in selected if not job.state.final])[0])
    watch.must_look()
    return [(watch.jobs.get(job.key, job), tasks) for job, tasks in selected]


def _check_glob(session: ClusterSession, glob: str, found: Sequence[Job]) -> None:
    """Raises InvalidInput for a glob that matches nothing at all; what would be one that does is told."""
    if any(Wanted((glob,)).matches(job) for job in found) or session.ledger.matching(session.name, Wanted((glob,))):
        return
    stem, rest = re.split(r"(?=[*?\[])", glob, maxsplit=1)
    jobs = session.ledger.jobs(session.name, last=_MEANT)
    beginnings = {name[: len(stem)] for job in jobs for name in (job.name, job.key)}
    near = closest(stem, beginnings - {stem}) if stem else None
    meant = f"; did you mean '{near}{rest}'?" if near else ""
    raise InvalidInput(
        f"{session.name}: no job whose name or key matches '{one_line(glob)}' was submitted from here{meant}"
    )


def check_groups(session: ClusterSession, groups: Sequence[str]) -> None:
    """Raises InvalidInput for a group that no job is in; the nearest, or those that there are, are told."""
    there = session.ledger.groups(session.name) if groups else []
    for group in groups:
        wanted = Wanted(group=(group,))
        if not any(wanted.admits(each, None) for each in there):
            few = f"; there are {', '.join(there[-_SHOWN:])}" if there else " (submit --group makes one)"
            what = f"{session.name}: no job was submitted from here with --group {one_line(group)}"
            raise InvalidInput(f"{what}{nearest(group, there) or few}")


def _chosen(session: ClusterSession, one: Named) -> Selected:
    if isinstance(one, str):
        return resolve(session, one)
    return (session.ledger.by_key(session.name, one.key) or one, ()) if isinstance(one, Job) else one


def job_files(wanted: Sequence[str], named: str | None) -> list[str]:
    """The job file, if any (else empty), of each job that `--job` names: itself one, or the one that is `named` for it.

    Raises InvalidInput when one is named for several jobs, or is something else.
    """
    if named is None:
        return [text if is_file(text) else "" for text in wanted] or [""]
    if not named or len(wanted) > 1:
        raise InvalidInput("--job-file needs a name, and goes with one --job")
    job_noted(Path(named))
    return [named]


def check_target(text: str) -> None:
    """Raises InvalidInput, before a job is submitted or a cluster asked, where results cannot go."""
    for place in (Path(text), *Path(text).parents) if text else ():
        if place.exists():
            if not place.is_dir():
                raise InvalidInput(f"{place} is a file, and results go into a directory")
            break


def named(selected: Sequence[Selected]) -> list[tuple[str, int | None]]:
    """The job ID and task (None: the whole job) of everything that was selected."""
    return [(job.job_id or "", task) for job, tasks in selected for task in tasks or (None,)]


def is_file(text: str) -> bool:
    """Whether this value of `--job` means a file."""
    return text != "last" and not _numbered(text) and os.path.isfile(text)


def _numbered(text: str) -> bool:
    head, _, tail = text.partition(".")
    return text.isascii() and head.isdigit() and (tail.isdigit() or not tail)


def resolve(session: ClusterSession, text: str) -> Selected:
    """`last`, a job ID, a job file, a key, or a task of a job by its ID or key: in that order. Raises InvalidInput."""
    ledger, name = session.ledger, session.name
    head, _, tail = text.rpartition(".")
    found: Job | None
    if text == "last":
        found = ledger.last(name)
    elif text.isascii() and text.isdigit():
        found = ledger.by_id(name, text)
    elif _numbered(text):
        found = ledger.by_id(name, head)
        if found and tail:
            return _task_of(found, tail)
    elif os.path.isfile(text):
        noted = read_job_file(Path(text))
        if noted.cluster != name:
            raise InvalidInput(f"the job file {text} is of {noted.cluster}, not of {name}")
        found = ledger.by_key(name, noted.key) or noted
    else:
        found = ledger.by_key(name, text)
        if not found and tail.isascii() and tail.isdigit() and (whole := ledger.by_key(name, head)):
            return _task_of(whole, tail)
    if not found:
        what = f"{name}: no job '{one_line(text)}' was submitted from here"
        raise InvalidInput(f"{what}{_meant(session, text) or ' (--job takes last, a job ID, a job file, or a key)'}")
    return found, ()


def _task_of(job: Job, task: str) -> Selected:
    """That task of a job. Raises InvalidInput when it has none of that number."""
    if not job.array or int(task) not in job.array.numbers():
        raise InvalidInput(f"{job.title()} has no task {task}")
    return job, (int(task),)


def _meant(session: ClusterSession, text: str) -> str:
    """The job of late that somebody may have meant: the last one of that name, or one whose key is near."""
    if text.isdigit():
        return ""
    jobs = session.ledger.jobs(session.name, last=_MEANT)
    if of_name := [job for job in jobs if job.name == text and job.job_id]:
        return f"; job {of_name[-1].job_id} has that name: --job {of_name[-1].job_id}"
    return nearest(text, ["last", *(job.key for job in jobs)])


def of_row(selected: Sequence[Selected], row: str) -> Selected:
    """The one task that has this row. Raises InvalidInput where there is none, or there are several."""
    found = [(job, task) for job, tasks in selected for task in job.rows.matching(row) if not tasks or task in tasks]
    if len(found) != 1:
        several = ", ".join(job.rows.called(task) for job, task in found[:_NAMED])
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        which = f"{len(found)} rows have these values: {several}{more}" if found else "no row has these values"
        raise InvalidInput(f"--row {one_line(row)}: {which}")
    ((job, task),) = found
    return job, (task,) if job.array else ()
