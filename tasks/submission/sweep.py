"""A sweep: one submission over the rows of a table. By default it is one array job, with a task for each row; several,
where a site takes no array job that large; or a job for each row, which may ask for resources of its own.

Several jobs have keys that follow from the key of the sweep: who submits it again continues each of them. That key is
their group as well, unless another one is given.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from ..login_node import job_directory
from ..model.errors import InvalidInput, SchedulerError
from ..model.job import Job
from ..model.key import check_key, new_key
from ..model.resources import Resources, TaskRange, parse_resources
from ..rendering import called
from ..rendering.table import Table, read_table
from ..schedulers import by_rank
from ..session import GIVE_UP
from ..tracking.cluster_session import ClusterSession
from .job_file import clock_of
from .part import FLAGS, Part, render
from .prepare import Prepared, Wanted, prepare
from .request import Request, submit_wanted, wanted
from .submit import Heard, ignore

Share = tuple[Wanted, "int | None"]
"""What is asked for one part, and the number of the earlier part whose end it waits for, if any."""


def submit(session: ClusterSession, request: Request, heard: Heard = ignore) -> list[Job]:
    """Submit a job for each part of the sweep, or continue what was begun; return the jobs.

    `heard` is given what the scheduler said of each. Raises as `request.submit`.
    """
    file = Path(request.job_file) if request.job_file else None
    began = clock_of(file) if file else 0
    noted = request.noted()
    session.endurance = GIVE_UP
    try:
        table, asked = _read(session, request)
        parts = list(_each(asked, list(cut(table, None, separate=request.separate))))
        for one, _ in parts:  # before the cluster is asked, and before any of them is submitted
            render(
                one.part, one.script, one.variables, one.resources, session.cluster, one.key or "", session.scheduler
            )
        if not request.separate and (most := _limit(session)) and most < len(table.rows):
            parts = list(_each(asked, list(cut(table, most))))
        if len(parts) > 1 and file:
            raise InvalidInput(
                f"--job-file {file}: it is that of one job, and these {len(table.rows)} rows become {len(parts)}: "
                "--key names all of them"
            )
        session.listener.say(f"{session.name}: {_told(table, parts)}")
        jobs: list[Job] = []
        for one, behind in parts:
            if behind is not None and not jobs[behind].state.ended:
                one = replace(one, behind=jobs[behind].job_id or "")
            jobs.append(submit_wanted(session, one, file, noted, began, heard))
        return jobs
    finally:
        session.endurance = 0.0


def steps(session: ClusterSession, request: Request) -> Prepared:
    """What submitting the first part of it would send, without contact to the cluster. Raises InvalidInput."""
    table, asked = _read(session, request)
    parts = list(_each(asked, list(cut(table, None, separate=request.separate))))
    session.listener.say(f"{session.name}: {_told(table, parts)}")
    return prepare(parts[0][0], session.cluster, session.scheduler_unasked(), session.listener)


def _read(session: ClusterSession, request: Request) -> tuple[Table, Wanted]:
    """The rows, and what is asked for all of them. Raises InvalidInput."""
    table, asked = read_table(request.over, request.grid), wanted(session, request)
    if twice := [name for name in table.columns if name in asked.variables]:
        raise InvalidInput(f"variable '{twice[0]}' is a column of the rows, and given by --set or --vars as well")
    for name in table.columns:
        if any(each.clients.ambient and re.fullmatch(each.clients.ambient, name, re.I) for each in by_rank()):
            raise InvalidInput(f"column '{name}' would change how the job runs: choose another name")
    flags = [name for name in table.columns if name in FLAGS]
    if flags and not request.separate:
        session.listener.say(
            f"column '{flags[0]}' is a variable like the others; --separate makes it what each row asks for"
        )
    if any(Path(put).name == job_directory.ROWS for put in request.put):
        raise InvalidInput(f"--put: the name {job_directory.ROWS} is submithost's own in the job directory of a sweep")
    return table, asked


def _limit(session: ClusterSession) -> int | None:
    """How many tasks an array job may have there. One that does not tell will say itself what is too much."""
    try:
        return session.query(session.scheduler.most_tasks())
    except SchedulerError as error:
        session.listener.say(f"{session.name}: could not ask how many tasks a job may have: {error}")
        return None


def cut(table: Table, most: int | None, *, separate: bool = False) -> Iterator[Part]:
    """The parts of a table that become one job each, of at most so many rows."""
    total = len(table.rows)
    size = 1 if separate else min(most or total, total)
    for first in range(1, total + 1, size):
        yield Part(table, first, min(size, total - first + 1), separate=separate)


def shares(at_once: int, parts: int) -> list[tuple[int, int | None]]:
    """For each part how many of its tasks may run at once, and the earlier part whose end it waits for, if any: all
    together no more than `at_once`."""
    rows = min(at_once, parts)  # as many parts run beside each other
    return [(at_once // rows + (at % rows < at_once % rows), at - rows if at >= rows else None) for at in range(parts)]


def _told(table: Table, parts: list[Share]) -> str:
    rows = f"{len(table.rows)} row{'s' if len(table.rows) > 1 else ''}{f' of {table.source}' if table.source else ''}"
    first = parts[0][0].part
    if first.separate:
        return f"{rows}, each a job of its own"
    if len(parts) == 1:
        return f"{rows}, the tasks of one array job"
    return f"{rows}, the tasks of {len(parts)} array jobs: {first.size} is the most for one there"


def _each(asked: Wanted, parts: list[Part]) -> Iterator[Share]:
    """What is asked for each part, and which earlier part it waits for. Raises InvalidInput for values of a row."""
    at_once = asked.resources.at_once
    share = shares(at_once, len(parts)) if at_once else [(None, None)] * len(parts)
    fresh = not asked.key and len(parts) > 1
    key = new_key(asked.resources.name or Path(called(asked.script)).stem) if fresh else asked.key
    for part, (many, behind) in zip(parts, share, strict=True):
        own = _key_of(key, part, alone=len(parts) == 1)
        part = replace(part, sweep=key or "")
        resources = asked.resources
        if part.separate:
            resources = replace(_asked_by(part), at_once=None).over(replace(resources, at_once=None))
        else:
            resources = replace(resources, array=TaskRange(1, part.size), at_once=many)
        group = asked.group or (key if key and len(parts) > 1 else "")
        yield replace(asked, key=own, part=part, resources=resources, group=group, fresh=fresh), behind


def _key_of(key: str | None, part: Part, *, alone: bool) -> str | None:
    if key is None or (alone and not part.separate):
        return key
    if part.separate:
        return check_key(f"{key}.row{part.first}")
    return key if part.first == 1 else check_key(f"{key}.rows{part.first}-{part.first + part.size - 1}")


def _asked_by(part: Part) -> Resources:
    """What its one row asks for."""
    (row,), (place,) = part.rows, part.places
    try:
        return parse_resources(**{name: row[name] for name in FLAGS if row.get(name)})
    except InvalidInput as error:
        raise InvalidInput(f"{place}: {error}") from None
