"""The verbs for jobs: status, wait, fetch.

What they need is imported where it is used: every command line loads this module, `--list` too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .selecting import LIVE
from .verb import JSON, NOTIFY, verb

if TYPE_CHECKING:
    from ..model.wanted import Wanted


@verb(
    at_once=True,
    selects=True,
    help={
        **LIVE,
        "watch": "go on until all have ended: redrawn on a terminal, a line for each change elsewhere",
        "json": JSON,
        **NOTIFY,
    },
)
def status(
    c: Context,
    which: Wanted,
    watch: bool = False,
    json: bool = False,
    notify: bool = False,
    notify_command: str = "",
) -> None:
    """Show the state of jobs, by one question to the cluster.

    Example: fab -H sharc status --all
    """
    from functools import partial

    from ..model.command_line import current
    from .host import chosen, host_of, known_too
    from .showing import notice_of, show_states, watch_states

    notice = notice_of(notify, notify_command, watch, "--watch")
    if current.rows and which.all:  # one of several clusters: being in the table means that it can be reached
        host_of(c).reach()
    host, selected = chosen(c, which, live=which.all)
    if watch:
        watch_states(host.watch(selected), json, notice)
    else:
        known_too(lambda: host.status(selected, all=which.all), partial(show_states, as_json=json))


@verb(
    at_once=True,
    selects=True,
    help={
        **LIVE,
        "timeout": "not longer than this: seconds, [D-]HH:MM[:SS] or 1h30m",
        "give-up": "not for what can never start, or is in error state: leave it, with exit status 3",
        "json": JSON,
        **NOTIFY,
    },
)
def wait(
    c: Context,
    which: Wanted,
    timeout: str = "",
    give_up: bool = False,
    json: bool = False,
    notify: bool = False,
    notify_command: str = "",
) -> None:
    """Wait until jobs have ended, and say how.

    Example: fab -H sharc wait --timeout 2:00:00
    """
    from ..model.resources import parse_time
    from ..screen.output import show_jobs
    from ..tracking.last_words import complain
    from .host import chosen
    from .showing import notice_of, to_the_end

    limit = parse_time(timeout) if timeout else None
    host, selected = chosen(c, which, live=which.all)
    watch = host.watch(host.known(selected))
    try:
        to_the_end(watch, limit, notice_of(notify, notify_command), give_up=give_up)
    finally:
        if json:
            show_jobs(watch.shown(), as_json=True)
    complain(watch.session, watch.shown(), fetched=False)


@verb(
    at_once=True,
    selects=True,
    iterable=("only",),
    help={
        "to": "the directory for the results; default: ./NAME-JOBID",
        "only": "only files that match this pattern (*.csv); may be repeated",
        "force": "overwrite local files that are newer",
        "table": "and write one table of a sweep's rows: CSV, or by its suffix TSV or JSON lines; - is stdout",
        "collect": "with --table: the small file that each row left (result.json), whose values are columns, too",
    },
)
def fetch(
    c: Context,
    which: Wanted,
    to: str = "",
    only: Sequence[str] | None = None,
    force: bool = False,
    table: str = "",
    collect: str = "",
) -> None:
    """Bring what jobs left behind, changed files only.

    Example: fab -H sharc fetch --to=results --only='*.csv'
    """
    from ..jobs.collect import check_flags
    from ..jobs.selection import check_target
    from .host import chosen
    from .showing import fetch_and_show, show_table

    check_target(to)
    check_flags(table, collect)
    host, selected = chosen(c, which)
    fetched = fetch_and_show(host, selected, to, only or (), force=force, quiet=table == "-")
    if table:
        show_table(host.table(fetched, collect), table)
