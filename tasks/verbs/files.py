"""The verbs put and get: files and directories, only changed ones, each verified.

What they need is imported where it is used: every command line loads this module.
"""

from __future__ import annotations

from invoke.context import Context

from .verb import verb


@verb(
    at_once=True,
    help={
        "source": "a file or directory here",
        "target": "the directory on the cluster that it goes into; default: the home directory",
        "dry-run": "say what would be sent, and send nothing",
    },
)
def put(c: Context, source: str = "", target: str = "", dry_run: bool = False) -> None:
    """Send a file or directory, changed files only.

    It keeps its name, below the target: fab -H sharc put --source=data --target=/fastdata/te1st

    Modes are kept, and links that stay inside the directory stay links. Links that lead out of it are sent as files,
    or skipped; each is reported. After an interruption the same command resumes.
    """
    from ..model.wording import typed
    from ..screen.output import last_word, say
    from .host import host_of
    from .showing import show_files

    host = host_of(c)
    again = typed(host.name, "put", source=source, target=target)
    kept = [f"{host.name}: what has arrived is kept; this goes on with the rest: {again}"]
    with last_word(lambda: [] if dry_run else kept):
        sent = host.put(source, target, dry_run)
    if dry_run:
        show_files(sent)
    say(sent.said)


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

    Modes are kept, and links that stay inside the directory stay links. Other links and special files are skipped; each
    is reported. After an interruption the same command resumes.
    """
    from ..files.transferred import Transferred
    from ..model.wording import typed
    from ..screen.output import last_word, say
    from .host import host_of, known_too
    from .showing import show_files

    host = host_of(c)
    again = typed(host.name, "get", source=source, target=target if target != "." else "", force=force)
    kept = [f"{host.name}: what has come is kept; this goes on with the rest: {again}"]

    def show(got: Transferred) -> None:
        show_files(got)
        say(got.said)

    with last_word(lambda: [] if dry_run else kept):
        known_too(lambda: host.get(source, target, force, dry_run), show)
