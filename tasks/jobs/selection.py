"""Which jobs are meant: `--job`, or the last one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ..model.errors import InvalidInput, nearest
from ..model.job import Job, Selected
from ..model.wording import one_line
from ..submission.job_file import job_noted, read_job_file
from ..tracking.cluster_session import ClusterSession

# So many of the last jobs are looked through for one whose name or key is near to one that is not known.
_MEANT = 1000


def choose(session: ClusterSession, wanted: Sequence[str | Job | Selected]) -> list[Selected]:
    """The jobs that are named, each with the tasks that are named with it; none named: the last one.

    Raises InvalidInput when one is not known here.
    """
    if not wanted:
        last = session.ledger.last(session.name)
        if not last:
            raise InvalidInput(f"no job was submitted to {session.name} from here yet")
        return [(last, ())]
    return [_chosen(session, one) for one in wanted]


def _chosen(session: ClusterSession, one: str | Job | Selected) -> Selected:
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


def live(session: ClusterSession) -> list[Selected]:
    """Every job of the cluster that is not known to have ended."""
    return [(job, ()) for job in session.ledger.jobs(session.name, live=True)]


def check_target(text: str) -> None:
    """Raises InvalidInput, before a job is submitted or a cluster asked, where results cannot go."""
    for place in (Path(text), *Path(text).parents) if text else ():
        if place.exists():
            if not place.is_dir():
                raise InvalidInput(f"{place} is a file, and results go into a directory")
            break


def named(selected: Sequence[Selected]) -> list[tuple[str, int | None]]:
    """Job ID and task of all that was selected; None: the whole job."""
    return [(job.job_id or "", task) for job, tasks in selected for task in tasks or (None,)]


def is_file(text: str) -> bool:
    """Whether `--job` means a file by this."""
    return text != "last" and not _numbered(text) and os.path.isfile(text)


def _numbered(text: str) -> bool:
    head, _, tail = text.partition(".")
    return text.isascii() and head.isdigit() and (tail.isdigit() or not tail)


def resolve(session: ClusterSession, text: str) -> Selected:
    """`last`, a job ID or task, a job file, a key: in that order. Raises InvalidInput."""
    ledger, name = session.ledger, session.name
    found: Job | None
    if text == "last":
        found = ledger.last(name)
    elif _numbered(text):
        job_id, _, task = text.partition(".")
        found = ledger.by_id(name, job_id)
        if found and task:
            if not found.array or int(task) not in found.array.numbers():
                raise InvalidInput(f"{found.title()} has no task {task}")
            return found, (int(task),)
    elif os.path.isfile(text):
        noted = read_job_file(Path(text))
        if noted.cluster != name:
            raise InvalidInput(f"the job file {text} is of {noted.cluster}, not of {name}")
        found = ledger.by_key(name, noted.key) or noted
    else:
        found = ledger.by_key(name, text)
    if not found:
        what = f"{name}: no job '{one_line(text)}' was submitted from here"
        raise InvalidInput(f"{what}{_meant(session, text) or ' (--job takes last, a job ID, a job file, or a key)'}")
    return found, ()


def _meant(session: ClusterSession, text: str) -> str:
    """The job of late that somebody may have meant: the last one of that name, or one whose key is near."""
    if text.isdigit():
        return ""
    jobs = session.ledger.jobs(session.name, last=_MEANT)
    if of_name := [job for job in jobs if job.name == text and job.job_id]:
        return f"; job {of_name[-1].job_id} has that name: --job {of_name[-1].job_id}"
    return nearest(text, ["last", *(job.key for job in jobs)])
