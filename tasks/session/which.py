"""Which cluster is meant."""

from __future__ import annotations

from dataclasses import replace

from ..model import configuration
from ..model.cluster import Cluster


def cluster_of(contact: str) -> Cluster:
    """The cluster for `sharc` or `me@sharc:2222`; with another user or port it is another cluster, of that name."""
    user, host, port = configuration.parse_host(contact)
    cluster = configuration.load().cluster(host)
    if user is None and port is None:
        return cluster
    return replace(cluster, name=contact, user=user or cluster.user, port=port or cluster.port)
