"""Notice that the other end is dead, as ServerAliveInterval and ServerAliveCountMax of ssh_config(5) mean it.

paramiko's own keepalive wants no reply, so nobody learns from it that there is none: a login node that froze, or a
firewall that forgot the connection, would be waited for as for one that works and has nothing to say (L7).
"""

from __future__ import annotations

import time
from typing import Any

import paramiko
from paramiko.common import cMSG_GLOBAL_REQUEST
from paramiko.message import Message
from paramiko.packet import Packetizer

# Seconds of silence until a sign of life is asked for, and how many requests may go unanswered.
INTERVAL, COUNT = 15, 3


class _Ear(Packetizer):
    """Notes when the last packet came, of whatever kind."""

    heard = 0.0

    def read_message(self) -> Any:
        message = super().read_message()
        self.heard = time.monotonic()
        return message


class SteadyTransport(paramiko.Transport):
    """paramiko's Transport, asking for replies; after `patience` seconds without one the other end is dead."""

    patience = INTERVAL * COUNT

    def __init__(self, sock: Any, **options: Any) -> None:
        super().__init__(sock, packetizer_class=_Ear, **options)

    @property
    def heard(self) -> float:
        """When the other end was last heard of, by the monotonic clock."""
        return float(getattr(self.packetizer, "heard", 0.0))

    def stay_awake(self, interval: int, count: int) -> None:
        """From now on, ask for a sign of life whenever nothing was sent for `interval` seconds."""
        self.patience = interval * count
        self.packetizer.set_keepalive(interval, self._ask)

    def _ask(self) -> None:
        """Called by the thread that reads: it must not wait for the reply, since it has to read it."""
        message = Message()
        message.add_byte(cMSG_GLOBAL_REQUEST)
        message.add_string("keepalive@openssh.com")
        message.add_boolean(True)
        self._send_user_message(message)  # type: ignore[attr-defined]  # `global_request` either waits or wants none
