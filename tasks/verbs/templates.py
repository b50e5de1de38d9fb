"""The verbs for templates: render, templates. Neither connects to anything."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from json import dumps as as_json  # `json` is a flag
from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import verb

if TYPE_CHECKING:
    from .. import rendering
    from ..model.resources import Resources
    from ..schedulers.dialect import Dialect


@verb(
    iterable=("set_",),
    help={
        "script": "a template's name, a template file (*.j2), or any job script",
        "set": "a template variable, K=V; may be repeated",
        "vars": "a YAML or JSON file of template variables",
        "time": "for the directives: seconds or [D-]HH:MM[:SS]",
        "memory": "for the directives: memory per core",
        "cores": "for the directives: cores on one node",
        "gpus": "for the directives: GPUs",
        "array": "for the directives: an array job's tasks",
    },
)
def render(
    c: Context,
    script: str = "",
    set_: Sequence[str] | None = None,
    vars: str = "",
    time: str = "",
    memory: str = "",
    cores: str = "",
    gpus: str = "",
    array: str = "",
) -> None:
    """Show the job script, without a connection.

    Example: fab render --script=serial --set command=hostname
    """
    from .. import rendering
    from ..model.errors import InvalidInput
    from ..model.resources import parse_resources
    from ..model.wording import fab
    from ..screen.output import say

    if not script:
        raise InvalidInput(f"which script? --script=PATH, or the name of a template (`{fab()} templates` lists them)")
    asked = parse_resources(time=time, memory=memory, cores=cores, gpus=gpus, array=array)
    dialect, defaults = _words(c)
    variables = rendering.read_variables(set_ or (), vars or None)
    rendered = rendering.render(script, variables, asked, dialect, defaults=defaults)
    for warning in rendering.unused(script, variables):
        say(warning)
    sys.stdout.flush()
    sys.stdout.buffer.write(rendered.text)


def _words(c: Context) -> tuple[Dialect, Resources]:
    """The dialect and the defaults of the cluster that is named; if none is, an assumed dialect and no defaults."""
    from ..model.resources import Resources
    from ..schedulers import assumed
    from ..schedulers.dialect import Dialect
    from .where import named_cluster, session_of

    if not named_cluster(c):
        return Dialect(assumed(), {}), Resources()
    session = session_of(c)
    return Dialect(session.scheduler_unasked(), session.cluster.names), session.cluster.resources


@verb(
    help={
        "new": "write a starting point into ./job_templates/NAME.sh.j2, and list nothing",
        "json": "one JSON object for each template, one a line",
    }
)
def templates(c: Context, new: str = "", json: bool = False) -> None:  # noqa: ARG001  # every task takes a context
    """List the templates with their purpose and variables.

    Example: fab templates
    """
    from .. import rendering

    if new:
        _create(new)
    elif json:
        for template in rendering.available():
            print(as_json(template.as_json()))
    elif sys.stdout.isatty():
        _show(rendering.available())
    else:
        for template in rendering.available():
            print(template.line())


def _create(name: str) -> None:
    from .. import rendering
    from ..model.wording import one_line
    from ..screen.output import say, show_path

    before = rendering.available()
    path = rendering.create(name)
    show_path(path)
    for template in before:
        if template.name == rendering.describe(path).name:
            say(f"it stands before the template of this name in {one_line(template.path.parent)}")


def _show(templates: Sequence[rendering.TemplateInfo]) -> None:
    """Show each template, with a line for each variable, as wide as the terminal."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from ..model.wording import one_line

    table = Table.grid(padding=(0, 2, 0, 0))
    for template in templates:
        problem = one_line(f"cannot be used: {template.problem}", 1000)
        what = Text(problem, "red") if template.problem else Text(template.purpose)
        table.add_row(Text(one_line(template.name), "bold"), what)
        for variable in template.variables:
            about = Text.assemble((str(variable), "cyan"), f"  {variable.about}")
            table.add_row("", about)
    Console().print(table)
