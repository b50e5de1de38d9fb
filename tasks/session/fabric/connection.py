"""An open, verified connection to a cluster: the host key is checked before anything of ours is shown or sent.

F1: Fabric checks no host key. F2: it offers one host's keys to the next. F14: it reads ssh_config differently from
ssh. So nothing of that is left to it: `ssh -G` says where and how, the sockets and the checks are made here, and Fabric
gets a connection that is its own in everything else.
"""

from __future__ import annotations

import contextlib
import logging
import random
import shlex
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import fabric.config
import fabric.connection
import paramiko
from paramiko.auth_handler import AuthHandler
from paramiko.ssh_exception import IncompatiblePeer

from ...model import configuration
from ...model.cluster import Cluster
from ...model.errors import ConnectionLost, InvalidInput, LoginRefused, SubmithostError, Unreachable, nearest
from ...screen import terminal
from ..transport import Passed
from . import algorithms, alive, host_key, known_hosts
from .login import Login, Place
from .proxy import Proxy, dial
from .ssh_config import Destination, command, destination
from .turn import turn

_TIMEOUT = 20  # seconds to connect, and for each step of the handshake
_TRIES = 3
_HOPS = 8

# Without a handler Python prints paramiko's tracebacks of broken connections on stderr. They come as our errors.
logging.getLogger("paramiko").addHandler(logging.NullHandler())


class _Key(AuthHandler):
    """Asks to log in and shows the key at once: what the server says to the first is not waited for (RFC 4253, 10)."""

    def _request_auth(self) -> None:
        super()._request_auth()  # type: ignore[misc]  # not in the published types
        granted = paramiko.Message()
        granted.add_string("ssh-userauth")
        granted.rewind()
        super()._parse_service_accept(granted)  # type: ignore[misc]  # the same

    def _parse_service_accept(self, _: paramiko.Message) -> None:
        """Here it is; there is nothing left to do about it."""


class _Transport(alive.Transport):
    """A round trip faster; and `signatures` are those that may be made with a key, best first (None: any)."""

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
        self.auth_handler = _Key(self)
        self.auth_handler.auth_publickey(username, key, event)
        return self.auth_handler.wait_for_response(event)


class Connection(fabric.connection.Connection):
    """Fabric's, once open and never again: a second login would be a second prompt (L5), so it is asked for aloud."""

    client: paramiko.SSHClient
    transport: Any  # a paramiko.Transport once it is open
    _over: Connection | None = None  # the jump host's
    _opened = False
    _sock: Any = None

    def open(self) -> None:
        """Nothing while it is open. Raises ConnectionLost when it was and is not."""
        if self.is_connected:
            return
        if self._opened:
            raise ConnectionLost(f"{self.original_host}: the connection is closed: run the task again")
        super().open()  # type: ignore[no-untyped-call]  # Fabric is not typed
        self._opened = True

    def close(self) -> None:
        """Close it, its files and its jump hosts, whatever state they are in."""
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
    """What is broken already need not be closed well."""
    with contextlib.suppress(OSError, EOFError, paramiko.SSHException):
        close()


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
    """The connection to the last jump host. As with ssh, `-i` is not for jump hosts, ssh_config is."""
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
    """Log in; try again when the server hangs up before it has said anything (L3: MaxStartups), but nothing else."""
    for tries in range(1, _TRIES + 1):
        try:
            with turn(there.hostname, there.port, _TIMEOUT):
                return _log_in(place, there, identities, over)
        except _Dropped as drop:
            if tries == _TRIES:
                raise Unreachable(
                    f"{place.where} {drop}, {_TRIES} times: it may be overloaded; try again later"
                ) from None
            time.sleep(random.uniform(0.5, 1.5) * tries)  # noqa: S311  # spreads the load, protects nothing
    raise AssertionError  # the last try returned or raised


class _Dropped(Exception):
    """The server closed the connection before it said who it is."""


def _log_in(place: Place, there: Destination, identities: list[Path], over: Connection | None) -> Connection:
    timeout = there.connect_timeout or _TIMEOUT
    lines = known_hosts.read(there.known_hosts_files)
    sock = _socket(place, there, over, timeout)
    place.passed("port", f"{there.port}{' from its jump host' if over else ''}")
    connection = None
    try:
        connection = _fabric(place, there, identities, sock, timeout, lines)
        connection.open()
    except BaseException as error:
        transport = connection.client.get_transport() if connection else None
        complaint = sock.complaint() if isinstance(sock, Proxy) else ""
        said = _said(error, transport, timeout)
        if connection:
            connection.close()
        if transport:
            transport.packetizer.complete_handshake()  # else its timer's thread keeps the process waiting
        sock.close()
        if isinstance(error, Exception) and not isinstance(error, SubmithostError):
            # Whatever it is: what a server sends can make paramiko's thread raise anything.
            raise _failure(place, transport, error, said, timeout, complaint) from None
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


def _fabric(
    place: Place, there: Destination, identities: list[Path], sock: Any, timeout: int, lines: Sequence[known_hosts.Line]
) -> Connection:
    """A Connection that takes nothing from Fabric's configuration (F21), and whose settings are its own (F2)."""
    known = host_key.types(there, (*lines, *host_key.asked(there, place.say)))

    def transport_factory(sock: Any, **options: Any) -> paramiko.Transport:
        transport = _Transport(sock, **options)
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


def _said(error: BaseException, transport: paramiko.Transport | None, timeout: int) -> str:
    """An error of paramiko's in words; to be asked for while its transport is open."""
    said = str(error) if isinstance(error, (paramiko.SSHException, OSError)) else repr(error)
    if said == "No existing session":  # keys were not exchanged in time
        return f"no answer for {2 * timeout} s"
    if isinstance(error, EOFError):
        silent = transport is not None and transport.packetizer.handshake_timed_out()
        return f"no answer for {timeout} s" if silent else "the other end closed it"
    return terminal.printable(" ".join(said.split())) or type(error).__name__


def _failure(
    place: Place, transport: paramiko.Transport | None, error: Exception, said: str, timeout: int, complaint: str
) -> Exception:
    """What an error of paramiko's means to the user; `said` is what it says itself."""
    if complaint:
        return Unreachable(f"{place.where} cannot be reached by ssh_config's ProxyCommand: {complaint}")
    if transport is None or not transport.remote_version:
        if isinstance(error.__context__, TimeoutError):
            return Unreachable(f"{place.where} was reached and says nothing for {timeout} s: is that an SSH server?")
        if "Indecipherable" in said or "Incompatible" in said or "Invalid SSH banner" in said:
            return Unreachable(f"{place.where} is no SSH server that is understood here: is the port right?")
        return _Dropped("closes the connection before it says anything")
    if isinstance(error, IncompatiblePeer):
        return Unreachable(f"{place.where} has no algorithm in common with this client: {said}")
    if isinstance(error, paramiko.AuthenticationException):
        return LoginRefused(f"{place.where}: the login failed: {said}: see whether `{place.by_hand}` does better")
    return Unreachable(f"{place.where}: the connection broke while logging in ({said}): try again")
