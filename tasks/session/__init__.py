"""A task's way to its cluster. Nothing outside this folder touches a Fabric Connection."""

from .session import GIVE_UP, LONGEST_PAUSE, SILENCE, Answer, Session, back_off
from .which import close_all, cluster_of, named_cluster, session_of

__all__ = [
    "GIVE_UP",
    "LONGEST_PAUSE",
    "SILENCE",
    "Answer",
    "Session",
    "back_off",
    "close_all",
    "cluster_of",
    "named_cluster",
    "session_of",
]
