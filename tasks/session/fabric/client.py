"""A Fabric Connection that takes nothing from Fabric's configuration, over a paramiko Transport that is set up as
ssh_config says.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fabric.config
import fabric.connection
import paramiko
from paramiko.auth_handler import AuthHandler

from ...model.errors import ConnectionLost
from . import algorithms, alive, host_key, known_hosts
from .destination import Destination
from .login import Login, Place

# Without a handler Python prints paramiko's tracebacks of broken connections on stderr. They come as our errors.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class KeyAtOnce(AuthHandler):
    """Asks to log in and shows the key at once, without waiting for the answer to the first (RFC 4253, 10)."""

    def _request_auth(self) -> None:
        super()._request_auth()  # type: ignore[misc]  # not in the published types
        granted = paramiko.Message()
        granted.add_string("ssh-userauth")
        granted.rewind()
        super()._parse_service_accept(granted)  # type: ignore[misc]  # the same

    def _parse_service_accept(self, _: paramiko.Message) -> None:
        """The server accepts the request; the key was shown with it already."""


class OpenSSHLikeTransport(alive.SteadyTransport):
    """Logs in one round trip faster. `signatures` are the algorithms to sign with, best first (None: any)."""

    signatures: algorithms.Names | None = None

    @property
    def preferred_pubkeys(self) -> tuple[str, ...]:
        ours = tuple(super().preferred_pubkeys)
        if self.signatures is None:
            return ours
        plain = [name.replace(algorithms.CERTIFICATE, "") for name in self.signatures]
        return tuple(dict.fromkeys(name for name in plain if name in ours))

    def auth_publickey(self, username: str, key: paramiko.PKey, event: threading.Event | None = None) -> list[str]:
        event = event or threading.Event()
        self.auth_handler = KeyAtOnce(self)
        self.auth_handler.auth_publickey(username, key, event)
        return self.auth_handler.wait_for_response(event)


class Connection(fabric.connection.Connection):
    """Fabric's Connection, opened once only: another login would prompt again (L5), and must not come by itself."""

    client: paramiko.SSHClient
    transport: Any  # a paramiko.Transport once it is open
    _over: Connection | None = None  # the jump host's
    _opened = False
    _sock: Any = None

    def open(self) -> None:
        """Open it, unless it is open. Raises ConnectionLost when it was open before."""
        if self.is_connected:
            return
        if self._opened:
            raise ConnectionLost(f"{self.original_host}: the connection is closed: run the task again")
        super().open()  # type: ignore[no-untyped-call]  # Fabric is not typed
        self._opened = True

    def close(self) -> None:
        """Close it, its files and its jump hosts, whatever their state."""
        transport = self.client.get_transport()
        if self._sftp is not None:
            _quietly(self._sftp.close)
            self._sftp = None
        if isinstance(self._sock, socket.socket):
            # Wakes paramiko's thread, which looks every 0.1 s only.
            _quietly(lambda: self._sock.shutdown(socket.SHUT_RDWR))
        _quietly(super().close)
        self.client.close()
        if transport and transport.is_alive():
            transport.join(1)
        if self._sock is not None:
            _quietly(self._sock.close)
        if self._over:
            self._over.close()


def _quietly(close: Callable[[], object]) -> None:
    """Ignore errors: what is broken already need not be closed properly."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        close()


def prepare(
    place: Place, there: Destination, identities: list[Path], sock: Any, timeout: int, lines: Sequence[known_hosts.Line]
) -> Connection:
    """A Connection that takes nothing from Fabric's configuration (F21) and shares no settings (F2)."""
    known = host_key.types(there, (*lines, *host_key.asked(there, place.say)))

    def transport_factory(sock: Any, **options: Any) -> paramiko.Transport:
        transport = OpenSSHLikeTransport(sock, **options)
        algorithms.restrict(transport, there.algorithms, known, place.where)
        # OpenSSH's own limit for AES. paramiko's, 512 MB, makes it negotiate keys while data are under way, and when
        # the end of a channel comes then, it waits for itself: 30 s until the connection breaks.
        transport.packetizer.REKEY_BYTES = 1 << 36
        transport.handshake_timeout = timeout
        transport.stay_awake(there.server_alive_interval or alive.INTERVAL, there.server_alive_count_max or alive.COUNT)
        return transport

    config = fabric.config.Config(  # type: ignore[no-untyped-call]  # the same
        overrides={"load_ssh_configs": False}, lazy=True
    )
    connection = Connection(  # type: ignore[no-untyped-call]  # the same
        there.hostname,
        user=there.user,
        port=there.port,
        config=config,
        forward_agent=there.forward_agent,
        connect_kwargs={
            "sock": sock,
            "transport_factory": transport_factory,
            "auth_strategy": Login(place, there, identities),
            "banner_timeout": timeout,
            "timeout": 2 * timeout,  # until keys are exchanged: paramiko's own limit ends with the first packet
            "channel_timeout": 60,
        },
    )
    connection.original_host = place.name
    connection._sock = sock
    connection.client.set_missing_host_key_policy(host_key.Check(place, there, lines))
    return connection
