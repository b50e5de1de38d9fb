"""The verbs for past submissions: jobs shows them, clean removes their directories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import JOB_HELP, JSON, verb

if TYPE_CHECKING:
    from ..jobs.clean import Candidate
    from ..model.job import Job
    from ..model.ledger import Ledger
    from ..model.wanted import Wanted

_SHOWN = 50


@verb(
    selects=True,
    help={
        "job": "only these: a job ID, a key, or a glob of names and keys ('sim-*'); may be repeated",
        "all": f"all of them, not the last {_SHOWN}",
        "refresh": "first ask all clusters about jobs that are not known to have ended",
        "json": JSON,
    },
)
def jobs(c: Context, which: Wanted, refresh: bool = False, json: bool = False) -> None:
    """List what was submitted from here, newest first.

    Without --refresh no cluster is asked: a job is shown as it was known last.

    Example: fab jobs --state running --refresh
    """
    from dataclasses import replace

    from ..jobs.lines import with_lines
    from ..jobs.listing import newest
    from ..model.ledger import Ledger
    from ..screen import output
    from .where import named_cluster, session_of

    only = session_of(c).name if named_cluster(c) else None
    ledger = Ledger()
    asked, failures = _refreshed(c, ledger.jobs(only, live=True)) if refresh else ([], [])
    shown, many = newest(ledger, only, which, asked, None if which.all else _SHOWN)
    if json:
        output.show_jobs([job for job, _ in with_lines(ledger, shown)], as_json=True)
    else:
        _show(ledger, shown, refreshed=refresh)
    if not many:
        narrowed = replace(which, all=False).selects or which.job
        output.say(which.none if narrowed else "no job was submitted from here yet")
    if len(shown) < many:
        output.say(f"the last {len(shown)} of {many}; --all shows all")
    for failure in failures[1:]:
        output.say(str(failure))
    if failures:
        raise failures[0]


def _show(ledger: Ledger, shown: Sequence[Job], *, refreshed: bool) -> None:
    """Show the jobs as a table, and how old the news of those that have not ended is."""
    import time

    from ..jobs.lines import with_lines
    from ..model.wording import age_of, one_line
    from ..screen import output

    now = int(time.time())
    rows = [
        [
            job.cluster,
            job.job_id or job.key,
            f"{job.state} ({line})" if line else str(job.state),
            one_line(job.name),
            "-" if job.submitted_at is None else age_of(now - job.submitted_at),
            job.group or "-",
        ]
        for job, line in with_lines(ledger, shown)
    ]
    styles = {(at, 2): output.style(job.state) for at, job in enumerate(shown)}
    columns = ("cluster", "job", "state", "name", "age", "group")
    last = len(columns) if any(job.group for job in shown) else -1
    output.show_rows(columns[:last], [row[:last] for row in rows], styles)
    if not refreshed:
        _say_when_asked(ledger, shown, now)


def _say_when_asked(ledger: Ledger, shown: Sequence[Job], now: int) -> None:
    """Say how old the news of jobs is that are not known to have ended."""
    from ..model.wording import age_of
    from ..screen import output

    asked = ledger.last_asked()
    for cluster in dict.fromkeys(job.cluster for job in shown):
        live = [job for job in shown if job.cluster == cluster and not job.state.ended]
        times = [asked.get((cluster, job.key)) or job.submitted_at or now for job in live]
        if times:
            ages = dict.fromkeys(age_of(now - at) for at in (min(times), max(times)))
            many = "1 job is" if len(live) == 1 else f"{len(live)} jobs are"
            output.say(f"{cluster}: {many} not known to have ended, as of {' to '.join(ages)} ago; --refresh asks")


def _refreshed(c: Context, live: Sequence[Job]) -> tuple[list[Job], list[Exception]]:
    """Ask these jobs' clusters; return the jobs as they are now, and the failures."""
    from ..jobs.refresh import refresh
    from ..model.errors import InvalidInput
    from ..screen import terminal
    from .where import session_of

    by_cluster: dict[str, list[Job]] = {}
    for job in live:
        by_cluster.setdefault(job.cluster, []).append(job)
    asked, failures = [], list[Exception]()
    for cluster, of_it in by_cluster.items():
        try:
            asked.append((session_of(c, cluster), of_it))
        except InvalidInput as error:
            failures.append(error)
    with terminal.left_as_it_was():
        known, more = refresh(asked)
    return known, [*failures, *more]


@verb(
    at_once=True,
    selects=True,
    help={
        "job": f"{JOB_HELP} (nothing given: every job of the cluster that may go)",
        "unfetched": "also if the results were not fetched after the job ended",
        "older-than": "only jobs that ended longer ago: seconds or [D-]HH:MM[:SS]",
        "dry-run": "show what would be removed, and remove nothing",
        "yes": "remove without asking",
    },
)
def clean(
    c: Context,
    which: Wanted,
    unfetched: bool = False,
    older_than: str = "",
    dry_run: bool = False,
    yes: bool = False,
) -> None:
    """Remove directories of ended, fetched jobs.

    They are shown first, with their sizes. The cluster is asked again whether each job has ended. The ledger keeps the
    jobs.

    Example: fab -H sharc clean --older-than 7-00:00:00
    """
    from ..screen import output
    from .host import host_for_jobs, known_too

    _refuse_unasked(yes or dry_run)
    host = host_for_jobs(c, which)
    found = host.clean(which, unfetched, older_than, dry_run=True)
    output.show_rows(("job", "name", "state", "size", "directory"), [_row(each) for each in found])
    if not found:
        output.say(f"{host.name}: there is nothing to remove")
    elif not dry_run and (yes or _agreed(host.name, found)):
        known_too(lambda: host.remove(found), lambda removed: _say_removed(host.name, removed, found))


def _refuse_unasked(sure: bool) -> None:
    """Raises InvalidInput where nobody can be asked."""
    from ..model.errors import InvalidInput
    from .selecting import nobody_to_ask

    if not sure and nobody_to_ask():
        raise InvalidInput("it removes job directories: where nobody can be asked it needs --yes, or --dry-run to show")


def _agreed(name: str, found: Sequence[Candidate]) -> bool:
    """Whether the person at the terminal wants these to be removed."""
    from ..screen import output, terminal

    if terminal.agrees(f"remove these {_directories(found)}?"):
        return True
    output.say(f"{name}: nothing removed")
    return False


def _say_removed(name: str, removed: Sequence[Candidate], found: Sequence[Candidate]) -> None:
    from ..screen import output

    what = _directories(found)
    output.say(f"{name}: removed {len(removed)} of {what}" if len(removed) < len(found) else f"removed {what}")


def _directories(found: Sequence[Candidate]) -> str:
    from ..model.wording import size_of

    what = f"{len(found)} job director{'y' if len(found) == 1 else 'ies'}"
    return f"{what} ({size_of(sum(each.size for each in found))})"


def _row(found: Candidate) -> list[str]:
    from ..model.wording import one_line, size_of

    job = found.job
    return [job.job_id or "-", one_line(job.name), str(job.state), size_of(found.size), one_line(job.directory, 4096)]
