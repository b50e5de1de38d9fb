"""The verb report: what many jobs came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import verb

if TYPE_CHECKING:
    from ..model.report import Report
    from ..model.wanted import Wanted


@verb(
    at_once=True,
    selects=True,
    help={
        "all": "every job, not those of the last week",
        "html": "write a page with tables and pictures into this file, too",
        "json": "one JSON object per cluster and project and line on stdout",
    },
)
def report(c: Context, which: Wanted, html: str = "", json: bool = False) -> None:
    """Show what many jobs came to.

    Outcomes, core hours, which of them were wasted (by what failed, and by cores that idled), and why jobs failed: by
    cluster and project, of one cluster or, without -H, of all that jobs were submitted to. By itself it is about the
    last week.

    Example: fab report --since 1w --html report.html
    """
    import json as json_

    from ..screen import output
    from ..screen.reported import show_report, write_page

    which, found = _of_all(c, which)
    if json:
        for line in found.as_json():
            print(json_.dumps(line))
    else:
        show_report(found)
    for trouble in found.troubles:
        output.say(trouble)
    if not found.jobs:
        output.say(which.none)
    if html:
        write_page(html, found, str(which))


def _of_all(c: Context, which: Wanted) -> tuple[Wanted, Report]:
    """What is wanted, and the report on it, of the cluster that is named, or of each that has such a job."""
    import time
    from dataclasses import replace

    from ..api.submit_host import SubmitHost
    from ..model.ledger import Ledger
    from ..model.report import Report
    from .host import chosen
    from .where import named_cluster, session_of

    if not (which.job or which.selects):
        which = replace(which, since=int(time.time()) - 7 * 86400)
    if named_cluster(c):
        host, selected = chosen(c, which)
        return which, host.report(selected).only(which.state)
    jobs = Ledger().matching(None, which, which.state, live=bool(which.state))
    found = Report()
    for cluster in dict.fromkeys(job.cluster for job in jobs):
        host = SubmitHost.of(session_of(c, cluster))
        found += host.report([job for job in jobs if job.cluster == cluster])
    return which, found.only(which.state)
