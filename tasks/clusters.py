"""The verb clusters: which are configured."""

from __future__ import annotations

import json as json_

from invoke.context import Context

from .model import configuration
from .verb import verb


@verb(help={"json": "one JSON object per cluster and line on stdout"})
def clusters(c: Context, json: bool = False) -> None:  # noqa: ARG001  # every task takes a context
    """List the configured clusters; no connection

    fab clusters
    """
    for cluster in configuration.load().clusters.values():
        facts = {"cluster": cluster.name, "host": cluster.host, "user": cluster.user, "scheduler": cluster.scheduler}
        print(json_.dumps(facts) if json else "\t".join(value or "-" for value in facts.values()))
