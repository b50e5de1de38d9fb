"""A report on the terminal, and as a page in a file."""

from __future__ import annotations

import time
from pathlib import Path

from ..model import command_line
from ..model.amounts import span
from ..model.errors import NotRecorded
from ..model.job import State
from ..model.report import Line, Report
from ..model.wording import one_line
from . import output
from .report_page import hours, page

_COLUMNS = (
    "cluster", "project", "jobs", "tasks", "succeeded", "failed", "cancelled", "core h", "failed h", "idle h", "waited",
)  # fmt: skip
_CAUSES = ("cause", "jobs", "tasks", "core h", "newest", "name")


def show_report(report: Report) -> None:
    """Two tables on stdout: by cluster and project, and failures by cause."""
    rows = [[cluster, project or "-", *_cells(line)] for (cluster, project), line in report.lines.items()]
    if len(rows) > 1:
        rows.append(["(all)", "-", *_cells(report.whole)])
    if rows:
        output.show_rows(_COLUMNS, rows)
    causes = [
        [
            cause.kind, str(cause.jobs), str(cause.tasks), hours(cause.core_seconds),
            str(cause.example.job.job_id), one_line(cause.example.job.name),
        ]
        for cause in report.causes
    ]  # fmt: skip
    if causes and not command_line.current.rows:  # several clusters make one table, which is the first
        output.show_rows(_CAUSES, causes)


def _cells(line: Line) -> list[str]:
    states = [str(line.states.get(state, 0)) for state in (State.SUCCEEDED, State.FAILED, State.CANCELLED)]
    waited = "-" if line.waited is None else span(line.waited)
    return [
        str(line.jobs), str(line.tasks), *states,
        *map(hours, (line.core_seconds, line.in_vain, line.idle)), waited,
    ]  # fmt: skip


def write_page(file: str, report: Report, scope: str) -> None:
    """Write the page, and say where it is. Raises NotRecorded."""
    path = Path(file).expanduser()
    try:
        path.write_text(page(report, int(time.time()), scope), "utf-8")
    except OSError as error:
        raise NotRecorded(f"--html {file}: cannot be written: {error.strerror}") from None
    output.say(f"{file}: a page about {len(report.jobs)} job{'' if len(report.jobs) == 1 else 's'}")
