"""The verbs reconcile and adopt: when answers, or the ledger itself, were lost."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import JSON, verb

if TYPE_CHECKING:
    from ..submission.verdict import Found
    from ..tracking.cluster_session import ClusterSession


@verb(help={"json": JSON})
def reconcile(c: Context, json: bool = False) -> None:
    """Find out what became of submissions that were cut.

    Nothing is submitted. Those that are jobs are jobs from now on; those that made none are forgotten.

    Example: fab -H sharc reconcile
    """
    from ..submission import reconcile
    from .where import session_of

    session = session_of(c)
    with session.ledger.at_last():
        unknown = _reconcile(session, json)
        if unknown:
            raise reconcile.not_known_yet(session, unknown)


def _reconcile(session: ClusterSession, json: bool) -> list[Found]:
    """Look up and show; return those of which it is not known yet."""
    from ..screen import output
    from ..submission import reconcile
    from ..submission.verdict import Verdict

    begun = session.ledger.begun(session.name)
    if not begun:
        output.say(f"{session.name}: every submission from here has its answer")
    looked = reconcile.reconcile(session, begun)
    found_again = reconcile.turned_up(session)
    for found in looked:
        if found.verdict is Verdict.NONE:
            with session.ledger.leniently():
                session.ledger.forget(found.job)
    known = [found.job for found in looked if found.verdict is not Verdict.NONE]
    output.show_jobs([*known, *found_again], json)
    return [found for found in looked if found.verdict is Verdict.UNKNOWN]


@verb(
    iterable=("job",),
    help={"job": "the ID of a job that was submitted by hand; may be repeated", "json": JSON},
)
def adopt(c: Context, job: Sequence[str] | None = None, json: bool = False) -> None:
    """Take in jobs that are not known here.

    Those of the job directories over there, after a lost ledger or from another machine; --job: one submitted by hand.

    Example: fab -H sharc adopt
    """
    from ..screen import output
    from ..submission.adopt import adopt_all, adopt_by_hand
    from ..submission.reconcile import confirmed, not_known_yet, turned_up
    from ..tracking.watch import Watch
    from .where import session_of

    session = session_of(c)
    with session.ledger.at_last():
        new = [adopt_by_hand(session, job_id) for job_id in job] if job else adopt_all(session)
        if not new:
            output.say(f"{session.name}: every job directory there is known here")
        found_again = [] if job else turned_up(session)
        selected, unknown = confirmed(session, [(found, ()) for found in new])
        watch = Watch(session, selected)
        watch.look()
        output.show_jobs([*watch.shown(), *found_again], json)
        if unknown:
            raise not_known_yet(session, unknown)
