"""The transport over Fabric and paramiko."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import paramiko

from ...model.cluster import Cluster
from ...model.listener import Listener
from ..transport import Passed, Running, Transport, lost
from . import alive, sftp
from .channel import Sender, begin, receive
from .client import Connection
from .connection import connect

# L3: with MaxSessions 1 a channel is often refused right after another has closed.
_TRIES = 40


class FabricTransport(Transport):
    """One connection to a cluster; `identities` are key files given by `-i`."""

    def __init__(self, cluster: Cluster, identities: Sequence[Path], listener: Listener) -> None:
        self._cluster = cluster
        self._identities = identities
        self._listener = listener
        self._connection: Connection | None = None

    @property
    def alive(self) -> bool:
        return bool(self._connection and self._connection.is_connected)

    def log_in(self, passed: Passed = lambda *_: None) -> None:
        self.log_out()
        with _told(self._cluster.name):
            self._connection = connect(self._cluster, self._identities, passed, self._listener.say)

    def log_out(self) -> None:
        if self._connection:
            connection, self._connection = self._connection, None
            connection.close()

    def run(self, command: str, stdin: Iterable[bytes]) -> Running:
        with _told(self._cluster.name):
            channel = self._channel()
            try:
                begin(channel, command)
            except BaseException:
                channel.close()
                raise
        return _Program(self._cluster.name, channel, stdin)

    def sftp_trouble(self) -> str:
        with _told(self._cluster.name):
            return sftp.trouble(self._channel())

    def _channel(self) -> paramiko.Channel:
        transport = self._connection.transport if self._connection else None
        if not isinstance(transport, alive.SteadyTransport):
            raise EOFError
        for tries in range(_TRIES - 1):
            try:
                return transport.open_session(timeout=transport.patience)
            except paramiko.ChannelException:
                time.sleep(0.05 + 0.01 * tries)
        return transport.open_session(timeout=transport.patience)


class _Program(Running):
    """A command in its channel, whose stdin is written by a thread."""

    def __init__(self, cluster: str, channel: paramiko.Channel, stdin: Iterable[bytes]) -> None:
        self._cluster = cluster
        self._channel = channel
        self._sender = Sender(channel, stdin)
        self._sender.start()

    def pieces(self, silence: float) -> Iterator[tuple[bytes, bytes]]:
        with _told(self._cluster):
            yield from receive(self._channel, self._sender, silence)

    def exit_status(self) -> int | None:
        self._channel.status_event.wait(5)  # the status may come after the end of stdout
        return None if self._channel.exit_status == -1 else self._channel.exit_status

    def close(self) -> None:
        with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
            self._channel.close()


@contextmanager
def _told(cluster: str) -> Iterator[None]:
    """Raise our errors for paramiko's."""
    try:
        yield
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise lost(cluster, error) from None
