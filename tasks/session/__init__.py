"""The way to the login node of a cluster: sessions, their answers, and the login environment.

A session goes over a transport (transport.py says what one is); `fabric/` is the one that is taken when nobody names
another. Nothing in here knows jobs or schedulers.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..model.cluster import Cluster
from ..model.listener import Listener, Quiet
from .answers import Answer
from .session import GIVE_UP, LONGEST_PAUSE, SILENCE, Session, back_off
from .transport import Transport
from .which import cluster_of

__all__ = [
    "GIVE_UP",
    "LONGEST_PAUSE",
    "SILENCE",
    "Answer",
    "Session",
    "Transport",
    "back_off",
    "cluster_of",
    "default_transport",
]


def default_transport(cluster: Cluster, identities: Sequence[Path] = (), listener: Listener | None = None) -> Transport:
    """The transport to a cluster when nobody names another; `identities` are key files given by `-i`."""
    from .fabric.transport import FabricTransport

    return FabricTransport(cluster, identities, listener or Quiet())
