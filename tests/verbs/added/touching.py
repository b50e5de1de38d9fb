"""A verb in one file: it goes into `tasks/verbs/`, and nothing else knows of it."""

from __future__ import annotations

from collections.abc import Sequence

from invoke.context import Context

from .verb import JOB_HELP, verb


@verb(at_once=True, iterable=("job",), help={"job": JOB_HELP, "file": "its name in the job directory"})
def touch(c: Context, job: Sequence[str] | None = None, file: str = "") -> None:
    """Make an empty file in job directories.

    Example: fab -H sharc touch --file=mark
    """
    from ..login_node import Program, quote
    from ..model.errors import InvalidInput
    from .host import chosen

    if not file:
        raise InvalidInput("touch what? --file=NAME")
    host, selected = chosen(c, job)
    for found, _ in selected:
        place = f"{found.there().directory}/{file}"
        host.session.must(Program(("ask",), {"command": f"touch -- {quote(place)}"}))
        print(place)
