"""A task's way to its cluster. Nothing outside this folder touches a Fabric Connection."""

from .session import Answer, Session, back_off
from .which import named_cluster, session_of

__all__ = ["Answer", "Session", "back_off", "named_cluster", "session_of"]
