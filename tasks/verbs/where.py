"""Which cluster a task is for, by what was typed: `-H`, or the cluster's own collection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fabric.connection import Connection
from invoke.context import Context

from ..model.errors import InvalidInput
from ..model.wording import fab
from ..screen.screen import Screen
from ..session import cluster_of
from ..tracking.cluster_session import ClusterSession, shared


def session_of(context: Context, contact: str | None = None) -> ClusterSession:
    """The session of the cluster that a task is for, which all tasks share (F3): from `-H`, the cluster's own
    collection, or `contact`.

    `contact` is what a job file says. Raises InvalidInput when there is none, or two that contradict each other.
    """
    if context.config.run.dry:  # F6: of Fabric's commands alone, and these tasks run none
        raise InvalidInput(
            "--dry stops nothing that a task of ours does: leave it out (submit --dry-run shows the steps)"
        )
    given = named_cluster(context) or ([contact] if contact else [])
    if not given:
        raise InvalidInput(
            f"this task needs a cluster: {fab()} -H CLUSTER TASK, or {fab()} CLUSTER.TASK for a configured one"
        )
    if len(set(given)) > 1:
        raise InvalidInput(f"-H {given[0]} and the task of {given[1]} contradict each other: name one cluster")
    if contact and contact != given[0]:
        raise InvalidInput(f"the job file is of {contact}, not of {given[0]}")
    cluster = cluster_of(given[0])
    if file := _ssh_config(context):
        cluster = replace(cluster, ssh_config=file)
    identities = tuple(Path(path) for path in context.config.get("authentication", {}).get("identities") or ())
    session = shared(cluster, identities, Screen())
    session.endurance = 0.0  # each task says so for itself
    return session


def _ssh_config(context: Context) -> Path | None:
    """The file that `-S` names. Under plain `fab` only a private attribute of Fabric's tells it."""
    path = context.config.get("ssh_config_path") or getattr(context.config, "_runtime_ssh_path", None)
    return Path(path).expanduser() if path else None


def named_cluster(context: Context) -> list[str]:
    """The clusters that a task was told to be for: by `-H`, and by the collection it was called in."""
    typed = [_typed(context)] if isinstance(context, Connection) else []
    own = context.config.get("submithost", {}).get("cluster")
    return [*typed, *([own] if own else [])]


def _typed(connection: Connection) -> str:
    """What `-H` said, as far as Fabric tells: the alias, and user and port where they are not its own defaults."""
    config = connection.config
    ssh_config: Mapping[str, str] = connection.ssh_config or {}
    users, ports = (config.user, ssh_config.get("user"), None), (str(config.port), ssh_config.get("port"))
    user = "" if connection.user in users else connection.user
    port = "" if str(connection.port) in ports else connection.port
    host = str(connection.original_host)
    if port and ":" in host:
        host = f"[{host}]"
    return f"{user}{'@' if user else ''}{host}{':' if port else ''}{port}"
