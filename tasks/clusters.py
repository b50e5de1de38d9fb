"""The verb clusters: which are configured."""

from __future__ import annotations

from invoke.context import Context

from .verb import verb


@verb(help={"json": "one JSON object per cluster and line on stdout"})
def clusters(c: Context, json: bool = False) -> None:  # noqa: ARG001  # every task takes a context
    """List the configured clusters, without a connection.

    Example: fab clusters
    """
    import json as json_

    from . import output
    from .model import configuration
    from .model.wording import fab

    found = configuration.load().clusters.values()
    if not found:
        output.say(f"none is configured, and none needs to be: {fab()} -H ALIAS submit ... takes any SSH alias")
    rows = [{"cluster": o.name, "host": o.host, "user": o.user, "scheduler": o.scheduler} for o in found]
    if json:
        for row in rows:
            print(json_.dumps(row))
    elif rows:
        output.show_rows(list(rows[0]), [[value or "-" for value in row.values()] for row in rows])
