"""The verb clusters: which are configured."""

from __future__ import annotations

from invoke.context import Context

from .verb import verb


@verb(help={"json": "one JSON object per cluster and line on stdout"})
def clusters(c: Context, json: bool = False) -> None:  # noqa: ARG001  # every task takes a context
    """List the configured clusters; no connection

    fab clusters
    """
    import json as json_

    from .model import configuration

    for cluster in configuration.load().clusters.values():
        facts = {"cluster": cluster.name, "host": cluster.host, "user": cluster.user, "scheduler": cluster.scheduler}
        print(json_.dumps(facts) if json else "\t".join(value or "-" for value in facts.values()))
