"""An open, verified connection to a cluster: the host key is checked before anything of ours is shown or sent.

F1: Fabric checks no host key. F2: it offers one host's keys to the next. F14: it reads ssh_config differently from
ssh. So nothing of that is left to it: `ssh -G` says where and how, the sockets and the checks are made here, and Fabric
gets a connection that is its own in everything else.
"""

from __future__ import annotations

import random
import shlex
import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import paramiko

from ...model import configuration
from ...model.cluster import Cluster
from ...model.errors import InvalidInput, SubmithostError, Unreachable, nearest
from ..transport import Passed
from . import failure, known_hosts
from .client import Connection, prepare
from .destination import Destination
from .login import Place
from .proxy import Proxy, dial
from .ssh_config import command, destination
from .turn import turn

_TIMEOUT = 20  # seconds to connect, and for each step of the handshake
_TRIES = 3
_HOPS = 8


def connect(
    cluster: Cluster,
    identities: Sequence[Path] = (),
    passed: Passed = lambda *_: None,
    say: Callable[[str], None] = lambda _: None,
) -> Connection:
    """Log in to a cluster; `identities` are key files given by `-i`. The connection is open, the caller closes it.

    `passed` is told each step: name (what ssh_config makes of it, and its address), port, host key, login; `say` what
    a person should know of (a host that was added to known_hosts).

    Raises HostKeyRefused, LoginRefused, Unreachable, and InvalidInput for ssh_config's or a key file's sake.
    """
    for path in identities:
        if not path.expanduser().is_file():
            raise InvalidInput(f"{cluster.name}: there is no key file {path} (-i)")
    there = destination(cluster.host, user=cluster.user, port=cluster.port, ssh_config=cluster.ssh_config)
    place = replace(_place(cluster.name, there, cluster.user, cluster.port, cluster.ssh_config), passed=passed, say=say)
    return _reach(place, there, cluster.ssh_config, [path.expanduser() for path in identities], there.proxy_jump, 0)


def _place(name: str, there: Destination, user: str | None, port: int | None, ssh_config: Path | None) -> Place:
    by_hand = command(there.host, user=user, port=port, ssh_config=ssh_config)
    return Place(name, f"{name} ({there.hostname}:{there.port})", shlex.join(["ssh", *by_hand]))


def _reach(
    place: Place, there: Destination, ssh_config: Path | None, identities: list[Path], jumps: Sequence[str], depth: int
) -> Connection:
    """Log in, over jump hosts if there are any, each of them verified in the same way."""
    over = _jump(place, there, ssh_config, jumps, depth)
    try:
        connection = _patiently(place, there, identities, over)
    except BaseException:
        if over:
            over.close()
        raise
    connection._over = over
    return connection


def _jump(
    place: Place, there: Destination, ssh_config: Path | None, jumps: Sequence[str], depth: int
) -> Connection | None:
    """The connection to the last jump host. As with ssh, ssh_config counts for jump hosts, but `-i` does not."""
    if not jumps:
        return None
    if depth == _HOPS:
        raise InvalidInput(f"{place.where}: ProxyJump in ssh_config goes over more than {_HOPS} hosts, or in a circle")
    *before, last = jumps
    user, host, port = _spec(last)
    hop = destination(host, user=user, port=port, ssh_config=ssh_config)
    if not before and host in (there.host, there.hostname) and hop.port == there.port:
        return None  # `Host *` with a ProxyJump means the jump host too; ssh leaves itself out
    name = f"{place.name}'s jump host {host}"
    its = replace(_place(name, hop, user, port, ssh_config), say=place.say)
    return _reach(its, hop, ssh_config, [], before or hop.proxy_jump, depth + 1)


def _spec(text: str) -> tuple[str | None, str, int | None]:
    """User, host and port of `[ssh://][user@]host[:port]`, IPv6 addresses in brackets. Raises InvalidInput."""
    user, at, address = text.removeprefix("ssh://").rstrip("/").rpartition("@")
    host, colon, port = address.rpartition(":") if not address.endswith("]") else (address, "", "")
    if not colon:
        host, port = address, ""
    elif host.count(":") and not host.startswith("["):
        host, port = address, ""  # a bare IPv6 address
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise InvalidInput(f"ssh_config: ProxyJump '{text}' has no port in '{port}'")
    return (user if at else None), host.strip("[]"), int(port) if port else None


def _patiently(place: Place, there: Destination, identities: list[Path], over: Connection | None) -> Connection:
    """Log in; try again only when the server hangs up before it says anything (L3: MaxStartups)."""
    for tries in range(1, _TRIES + 1):
        try:
            with turn(there.hostname, there.port, _TIMEOUT):
                return _log_in(place, there, identities, over)
        except failure.Dropped as drop:
            if tries == _TRIES:
                raise Unreachable(
                    f"{place.where} {drop}, {_TRIES} times: it may be overloaded; try again later"
                ) from None
            time.sleep(random.uniform(0.5, 1.5) * tries)  # noqa: S311  # spreads the load, protects nothing
    raise AssertionError  # the last try returned or raised


def _log_in(place: Place, there: Destination, identities: list[Path], over: Connection | None) -> Connection:
    timeout = there.connect_timeout or _TIMEOUT
    lines = known_hosts.read(there.known_hosts_files)
    sock = _socket(place, there, over, timeout)
    place.passed("port", f"{there.port}{' from its jump host' if over else ''}")
    connection = None
    try:
        connection = prepare(place, there, identities, sock, timeout, lines)
        connection.open()
    except BaseException as error:
        transport = connection.client.get_transport() if connection else None
        complaint = sock.complaint() if isinstance(sock, Proxy) else ""
        said = failure.said(error, transport, timeout)
        if connection:
            connection.close()
        if transport:
            transport.packetizer.complete_handshake()  # else its timer's thread keeps the process waiting
        sock.close()
        if isinstance(error, Exception) and not isinstance(error, SubmithostError):
            # Any exception: what a server sends can make paramiko's thread raise anything.
            raise failure.meant(place, transport, error, said, timeout, complaint) from None
        raise
    return connection


def _socket(place: Place, there: Destination, over: Connection | None, timeout: int) -> Any:
    """What paramiko is to talk over: a socket, or a channel of the jump host's."""
    try:
        if over:
            return over.transport.open_channel(
                "direct-tcpip", (there.hostname, there.port), ("127.0.0.1", 0), timeout=timeout
            )
        if there.proxy_command:
            return Proxy(there.proxy_command)
        return dial(there, timeout, lambda address: place.passed("name", f"{there.hostname}, address {address}"))
    except socket.gaierror as error:
        known = configuration.load().clusters
        near = "" if place.name in known else nearest(place.name, known)
        raise Unreachable(
            f"{place.where}: no such host is known here ({error.strerror}): check its name{near}"
        ) from None
    except TimeoutError:
        raise Unreachable(
            f"{place.where} does not answer within {timeout} s: is it up, and reachable from here?"
        ) from None
    except paramiko.ChannelException as error:
        raise Unreachable(f"{place.where} cannot be reached from its jump host: {error.text}") from None
    except (paramiko.SSHException, OSError, EOFError, UnicodeError) as error:
        what = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise Unreachable(f"{place.where} cannot be reached: {what}: is it up, and is the port right?") from None
