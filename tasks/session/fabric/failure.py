"""What paramiko's errors mean, while a connection is being made."""

from __future__ import annotations

import paramiko
from paramiko.ssh_exception import IncompatiblePeer

from ...model.errors import LoginRefused, Unreachable
from ...screen import terminal
from .login import Place


class Dropped(Exception):
    """The server closed the connection before it identified itself."""


def said(error: BaseException, transport: paramiko.Transport | None, timeout: int) -> str:
    """What an error of paramiko's says; call this while its transport is open."""
    said = str(error) if isinstance(error, (paramiko.SSHException, OSError)) else repr(error)
    if said == "No existing session":  # keys were not exchanged in time
        return f"no answer for {2 * timeout} s"
    if isinstance(error, EOFError):
        silent = transport is not None and transport.packetizer.handshake_timed_out()
        return f"no answer for {timeout} s" if silent else "the other end closed it"
    return terminal.printable(" ".join(said.split())) or type(error).__name__


def meant(
    place: Place, transport: paramiko.Transport | None, error: Exception, said: str, timeout: int, complaint: str
) -> Exception:
    """The error that the user gets for one of paramiko's; `said` is that one's text."""
    if complaint:
        return Unreachable(f"{place.where} cannot be reached by ssh_config's ProxyCommand: {complaint}")
    if transport is None or not transport.remote_version:
        if isinstance(error.__context__, TimeoutError):
            return Unreachable(f"{place.where} was reached and says nothing for {timeout} s: is that an SSH server?")
        if "Indecipherable" in said or "Incompatible" in said or "Invalid SSH banner" in said:
            return Unreachable(f"{place.where} is no SSH server that is understood here: is the port right?")
        return Dropped("closes the connection before it says anything")
    if isinstance(error, IncompatiblePeer):
        return Unreachable(f"{place.where} has no algorithm in common with this client: {said}")
    if isinstance(error, paramiko.AuthenticationException):
        return LoginRefused(f"{place.where}: the login failed: {said}: see whether `{place.by_hand}` does better")
    return Unreachable(f"{place.where}: the connection broke while logging in ({said}): try again")
