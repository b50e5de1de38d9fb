"""The verb logs: a job's output, where the job itself noted that it goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context

from .selecting import ONE_HELP
from .verb import verb

if TYPE_CHECKING:
    from ..model.wanted import Wanted


@verb(
    at_once=True,
    selects=True,
    help={
        **ONE_HELP,
        "task": "which task of an array job",
        "row": "which row of a sweep, by its values (alpha=0.1,seed=3) or its number",
        "stderr": "its stderr instead of its stdout",
        "both": "its stdout and its stderr, each line behind a label",
        "failed": "of all tasks that have failed, each line behind a label",
        "follow": "wait for its start if need be, and go on until the job has ended",
        "lines": "only the last N lines",
    },
)
def logs(
    c: Context,
    which: Wanted,
    task: str = "",
    row: str = "",
    stderr: bool = False,
    both: bool = False,
    failed: bool = False,
    follow: bool = False,
    lines: str = "",
) -> None:
    """Show a job's output.

    Of an array job, --task says which task; without it, the only one that failed. A job that wrote nothing on stdout
    has its stderr shown.

    Example: fab -H sharc logs --follow --both
    """
    import sys
    from contextlib import closing

    from ..jobs.read_log import last_lines
    from ..model.wording import typed
    from ..screen.log_text import Log
    from ..screen.output import last_word
    from .host import chosen
    from .showing import show_logs

    last_lines(lines)
    host, selected = chosen(c, which)
    selected = host.of_row(selected, row) if row else selected
    if both or failed:
        show_logs(host, host.streams(selected, task, failed, both, stderr, follow), lines, follow)
        return
    found, number = host.one_log(selected, task, follow)
    called = f"{found.job_id}.{number}" if found.array else str(found.job_id)
    again = typed(host.name, "logs", job=called, stderr=stderr, follow=True)
    goes_on = [f"{found.title()} goes on; follow it again: {again}"]
    with closing(Log()) as out, last_word(lambda: goes_on if follow else []):
        log = host.read_log(found, number, out.write, stderr, lines, follow)
    with closing(Log(sys.stderr)) as err:
        host.conclude(log, err.write)
