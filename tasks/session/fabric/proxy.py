"""A socket to the login node: direct, or through the program that ProxyCommand names."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import tempfile
import threading
from collections.abc import Callable

from ...screen.terminal import printable
from .destination import Destination

_SMALL = 4096  # bytes
_DEAD = 30_000  # milliseconds without an acknowledgement after which a connection is given up


class Prompt(socket.socket):
    """A socket whose small arrivals are acknowledged at once.

    sshd sends its small packets through Nagle's algorithm, and the kernel here holds an acknowledgement back for 40 ms.
    """

    _before = 0

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = super().recv(size, flags)
        if len(data) + self._before < _SMALL:  # the head of a large packet is small too
            with contextlib.suppress(OSError):  # one that has been closed meanwhile
                self.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)  # the kernel forgets it each time
        self._before = len(data)
        return data


def dial(there: Destination, timeout: float, found: Callable[[str], None] = lambda _: None) -> socket.socket:
    """Connect to the first of the host's addresses that answers. Raises the OSError of the last one.

    `found` is told the first of the addresses.
    """
    failure: OSError = OSError("no address")
    addresses = socket.getaddrinfo(there.hostname, there.port, there.address_family, socket.SOCK_STREAM)
    found(str(addresses[0][4][0]))
    for family, kind, protocol, _, address in addresses:
        try:
            connection = (Prompt if hasattr(socket, "TCP_QUICKACK") else socket.socket)(family, kind, protocol)
        except OSError as error:
            failure = error
            continue
        try:
            connection.settimeout(timeout)
            if there.bind_address:
                source = socket.getaddrinfo(there.bind_address, None, family, socket.SOCK_STREAM, 0, socket.AI_PASSIVE)
                connection.bind(source[0][4])
            connection.connect(address)
            # Many small packets each way: Nagle's algorithm would hold them back.
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if hasattr(socket, "TCP_USER_TIMEOUT"):
                # L7: with keepalive this is how a dead peer is noticed; the kernel's own patience is 15 minutes.
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD)
        except OSError as error:
            connection.close()
            failure = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise failure


class Proxy(socket.socket):
    """Our end of a pair of sockets whose other end is a program's stdin and stdout.

    paramiko's ProxyCommand does not notice the program's end, runs no shell, and leaves a zombie behind.
    """

    def __init__(self, command: str) -> None:
        """Start the command as ssh does. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            super().__init__(ours.family, ours.type, ours.proto, ours.detach())
            self._lock = threading.Lock()  # paramiko's thread closes it too
            self._said = ""
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the socket
            shell = os.environ.get("SHELL") or "/bin/sh"
            try:
                self._program = subprocess.Popen(
                    [shell, "-c", f"exec {command}"], stdin=theirs.fileno(), stdout=theirs.fileno(), stderr=self._errors
                )
            except BaseException:
                self._errors.close()
                super().close()
                raise

    def complaint(self) -> str:
        """Close it, and return the last line that the program wrote to stderr."""
        self.close()
        return self._said

    def close(self) -> None:
        """Close our end, stop the program, and wait for it."""
        with self._lock:
            super().close()
            if self._errors.closed:
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._program.wait(0.2)  # its stdin has ended
            if self._program.poll() is None:
                self._program.terminate()
            try:
                self._program.wait(2)
            except subprocess.TimeoutExpired:
                self._program.kill()
                self._program.wait()
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").split("\n")
            self._said = next((printable(line.strip()) for line in reversed(lines) if line.strip()), "")
            self._errors.close()
