"""The verb put: send a file or directory to a cluster, only changed files, each verified."""

from __future__ import annotations

from pathlib import Path

from ..model.errors import InvalidInput
from ..session import GIVE_UP, Session
from . import send
from .transferred import Transferred
from .tree import all_files, local, summary, tell


def put(session: Session, source: str, target: str = "", *, dry_run: bool = False) -> Transferred:
    """Send a file or directory into a directory of the cluster (empty: the home directory); it keeps its name.

    Raises InvalidInput for files that cannot be read, or for something in the way; SchedulerError, Unreachable.
    """
    if not source:
        raise InvalidInput("put what? --source=PATH here")
    here = Path(source).expanduser()
    with session.listener.transfer(f"looking at {here}", None):
        mine, said = local(here)
    session.endurance = GIVE_UP
    name = here.name if here.name not in ("", "..") else here.resolve().name
    place = f"{target.rstrip('/')}/{name}" if target else name
    plan = send.plan(session, here, name, place, mine)
    tell(session.listener, session.name, said)
    changed = plan.changed
    if changed and not dry_run:
        send.send(session, plan, mine, place)
    if changed:
        words = f"{summary(changed)} {'would go into' if dry_run else 'into'} {plan.there.path}"
    else:
        words = f"nothing to send: {all_files(sum(entry.kind != 'd' for entry in mine))} in {plan.there.path} already"
    files = tuple(Path(name, entry.path) for entry in changed)
    return Transferred(plan.there.path, files, len(mine) - len(changed), (), f"{session.name}: {words}")
