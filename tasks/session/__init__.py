"""The way to the login node of a cluster: sessions, their answers, and the login environment.

A session uses a transport (see transport.py), by default the one in `fabric/`. Nothing here knows jobs or schedulers.
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
    """The transport that is used unless another is named; `identities` are key files given by `-i`."""
    from .fabric.transport import FabricTransport

    return FabricTransport(cluster, identities, listener or Quiet())
