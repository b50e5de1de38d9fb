"""The verbs put and get: files and directories, changed ones only, each verified.

What they need is imported where it is used: every command line loads this module.
"""

from __future__ import annotations

from invoke.context import Context

from .verb import verb


@verb(
    help={
        "source": "a file or directory here",
        "target": "the directory on the cluster that it goes into; default: the home directory",
        "dry-run": "say what would be sent, and send nothing",
    }
)
def put(c: Context, source: str = "", target: str = "", dry_run: bool = False) -> None:
    """Send a file or directory, changed files only.

    It keeps its name, below the target: fab -H sharc put --source=data --target=/fastdata/te1st

    Modes are kept, and links that stay inside the directory are links over there too. Links that lead out of it are
    followed to a file, and left out else: each is named. The same command again goes on with what was interrupted.
    """
    from pathlib import Path

    from ..files import send
    from ..files.tree import all_files, local, summary, tell
    from ..model.errors import InvalidInput
    from ..model.wording import typed
    from ..screen import output
    from ..session import GIVE_UP
    from .where import session_of

    here = Path(source).expanduser()
    if not source:
        raise InvalidInput("put what? --source=PATH here")
    with output.transfer(f"looking at {here}", None):
        mine, said = local(here)
    session = session_of(c)
    session.endurance = GIVE_UP
    name = here.name if here.name not in ("", "..") else here.resolve().name
    place = f"{target.rstrip('/')}/{name}" if target else name
    plan = send.plan(session, here, name, place, mine)
    tell(session.name, said)
    if not plan.changed:
        there = all_files(sum(entry.kind != "d" for entry in mine))
        output.say(f"{session.name}: nothing to send: {there} in {plan.there.path} already")
        return
    if dry_run:
        for entry in plan.changed:
            output.show_path(Path(name, entry.path))
        output.say(f"{session.name}: {summary(plan.changed)} would go into {plan.there.path}")
        return
    again = typed(session.name, "put", source=source, target=target)
    with output.last_word(lambda: [f"{session.name}: what has arrived is kept; this goes on with the rest: {again}"]):
        send.send(session, plan, mine, place)
    output.say(f"{session.name}: {summary(plan.changed)} into {plan.there.path}")


@verb(
    help={
        "source": "a file or directory on the cluster; relative to the home directory there",
        "target": "the directory here that it goes into; default: this one",
        "force": "overwrite local files that are newer",
        "dry-run": "say what would be brought, and bring nothing",
    }
)
def get(c: Context, source: str = "", target: str = ".", force: bool = False, dry_run: bool = False) -> None:
    """Bring a file or directory, changed files only.

    It keeps its name, below the target: fab -H sharc get --source=/fastdata/te1st/results --target=here

    Modes are kept, and links that stay inside the directory are links here too. Other links and special files are left
    there: each is named. The same command again goes on with what was interrupted.
    """
    from pathlib import Path, PurePosixPath

    from ..files.bring import Changes, Found, bring, refuse_newer
    from ..files.tree import all_files, inside, look, stays_inside, summary, tell, what
    from ..model import command_line
    from ..model.errors import InvalidInput, SchedulerError
    from ..model.wording import typed
    from ..screen import output
    from ..session import GIVE_UP
    from .where import session_of

    if not source:
        raise InvalidInput("get what? --source=PATH on the cluster")
    session = session_of(c)
    session.endurance = GIVE_UP
    there = look(session, source)
    if there.kind == "nothing":
        raise InvalidInput(f"{session.name}: there is no {there.path}")
    name = PurePosixPath(there.path).name
    asked = PurePosixPath(source).name
    if name != asked and (asked not in ("", "..", "~") or name.startswith(".")):
        # A login node that names what comes could have it replace anything in the target.
        raise SchedulerError(f"{session.name}: asked for {source!r}, it answers with {there.path!r}")
    place = Path(target) / name
    if first := command_line.current.first_there(place, session.name):  # `-H a,b get` would mix their files
        raise InvalidInput(f"{place} has come from {first}: get that of {session.name} with a --target of its own")
    found = [
        Found(entry.path or there.path, inside(f"{name}/{entry.path}" if entry.path else name, session), entry)
        for entry in there.entries
        if entry.kind in "fd" or (entry.kind == "l" and stays_inside(entry.path, entry.link))
    ]
    kept = {file.path for file in found}
    tell(session.name, [f"{there.path}/{entry.path} is left there: {what(entry)}"
                        for entry in there.entries if (entry.path or there.path) not in kept])  # fmt: skip
    changes = Changes.between(found, Path(target), force=force)
    if not dry_run:
        directory = there.path if there.kind == "directory" else str(PurePosixPath(there.path).parent)
        again = typed(session.name, "get", source=source, target=target if target != "." else "", force=force)
        with output.last_word(lambda: [f"{session.name}: what has come is kept; this goes on with the rest: {again}"]):
            bring(session, directory, Path(target), changes.wanted)
    for file in changes.wanted:
        if file.entry.kind != "d":
            output.show_path(Path(target) / file.name)
    would = "would go" if dry_run else "came"
    said = f"{summary([file.entry for file in changes.wanted])} {would} into {target}, {changes.unchanged} unchanged"
    if not (changes.wanted or changes.newer):
        said = f"nothing to bring: {all_files(changes.unchanged)} in {target} already"
    output.say(f"{session.name}: {said}")
    refuse_newer(changes.newer)
