"""The verbs for templates: render, templates. Neither connects to anything."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from invoke.context import Context

from . import rendering
from .model.errors import InvalidInput
from .model.resources import Resources, parse_resources
from .schedulers import Dialect, assumed
from .session import named_cluster, session_of
from .verb import verb


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
    """Show the job script that would be submitted; no connection: fab render --script=serial --set command=hostname"""
    if not script:
        raise InvalidInput("which script? --script=PATH, or the name of a template (`fab templates` lists them)")
    asked, defaults = (
        parse_resources(time=time, memory=memory, cores=cores, gpus=gpus, array=array),
        Resources(),
    )
    if named_cluster(c):
        session = session_of(c)
        defaults = session.cluster.resources
        dialect = Dialect(session.scheduler_unasked(), session.cluster.names)
    else:
        dialect = Dialect(assumed(), {})
    variables = rendering.read_variables(set_ or (), vars or None)
    rendered = rendering.render(script, variables, asked, dialect, defaults=defaults)
    for warning in rendering.unused(script, variables):
        print(warning, file=sys.stderr)
    sys.stdout.flush()
    sys.stdout.buffer.write(rendered.text)


@verb(help={})
def templates(c: Context) -> None:  # noqa: ARG001  # every task takes a context
    """List the templates with their purpose and variables: fab templates"""
    for template in rendering.available():
        print(template.line())
