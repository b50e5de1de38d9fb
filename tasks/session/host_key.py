"""Whether a server's key is the known one: known_hosts' verdict, and what StrictHostKeyChecking makes of it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import socket
import subprocess
import sys
from collections.abc import Sequence

import paramiko

from ..model.errors import HostKeyRefused
from . import known_hosts, openssh, terminal
from .authentication import Place
from .known_hosts import Finding, Line, Verdict
from .openssh import Destination

_RSA = ("rsa-sha2-512", "rsa-sha2-256")


def names(there: Destination) -> tuple[str, ...]:
    """What a destination is called in known_hosts."""
    return known_hosts.names_of(there.hostname, there.port, there.host_key_alias)


def preferred(there: Destination, lines: Sequence[Line], possible: Sequence[str]) -> tuple[str, ...]:
    """The host key algorithms to ask for, known ones first: paramiko would ask for Ed25519 where RSA is known."""
    wanted = [name for name in there.host_key_algorithms if name in possible] or list(possible)
    first: list[str] = []
    for kind in known_hosts.key_types(lines, names(there)):
        first += _RSA if kind == "ssh-rsa" else [kind]
    return tuple(dict.fromkeys([name for name in first if name in wanted] + wanted))


def asked(there: Destination, key: paramiko.PKey | None = None) -> tuple[Line, ...]:
    """What ssh_config's KnownHostsCommand says, if there is one: of a host's key, or before there is one, of the host.

    As with ssh a program that is not there says nothing. Raises HostKeyRefused when it fails.
    """
    if not there.known_hosts_command:
        return ()
    tokens = {"%": "%", "H": names(there)[-1], "I": "ORDER", "f": "NONE", "K": "NONE", "t": "NONE"}
    if key:
        about = {"f": fingerprint(key.asbytes()), "K": key.get_base64(), "t": key.get_name()}
        tokens |= {"H": names(there)[0], "I": "HOSTNAME", **about}
    words = [openssh.expand(word, tokens) for word in there.known_hosts_command]
    if not os.path.isabs(words[0]) or not os.path.exists(words[0]):
        print(f"ssh_config: there is no KnownHostsCommand {words[0]}; its path has to be absolute", file=sys.stderr)
        return ()
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=True)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise HostKeyRefused(f"{there.host}: ssh_config's KnownHostsCommand failed: {error}") from None
    lines = enumerate(done.stdout.decode(errors="surrogateescape").split("\n"), 1)
    return tuple(Line(line, "KnownHostsCommand", number) for number, line in lines if line)


def _loopback(sock: object) -> bool:
    """Whether a connection goes straight to an address of this machine's own: through a proxy nobody can know."""
    if not isinstance(sock, socket.socket):
        return False
    address = str(sock.getpeername()[0]) if sock.family in (socket.AF_INET, socket.AF_INET6) else ""
    return address.startswith("127.") or address == "::1"


class Check(paramiko.MissingHostKeyPolicy):
    """paramiko is given no known hosts, so it asks this about every key, before it logs in."""

    def __init__(self, place: Place, there: Destination, lines: Sequence[Line]) -> None:
        self.place = place
        self.there = there
        self.lines = lines

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:  # noqa: ARG002  # paramiko's signature
        """Return if the key is the host's. Raises HostKeyRefused."""
        blob = key.asbytes()
        transport = client.get_transport()
        if self.there.no_check_of_loopback and transport and _loopback(transport.sock) and not self._revoked(blob):
            return  # NoHostAuthenticationForLocalhost
        finding = known_hosts.strongest(
            known_hosts.check(self.lines, names(self.there), blob),
            known_hosts.check(asked(self.there, key), names(self.there)[:1], blob),
        )
        if finding.verdict is Verdict.REVOKED or self._revoked(blob):
            where = finding.line if finding.verdict is Verdict.REVOKED else self.there.revoked_host_keys
            raise HostKeyRefused(
                f"{self.place.where} shows a key that is revoked ({where}): do not trust it, ask its administrators"
            )
        if finding.verdict is not Verdict.KNOWN:
            self._not_known(finding, key.get_name(), blob)

    def _not_known(self, finding: Finding, kind: str, blob: bytes) -> None:
        where, by_hand, strict = self.place.where, self.place.by_hand, self.there.strict_host_key_checking
        shown = f"{kind.removeprefix('ssh-')} key {fingerprint(blob)}"
        if finding.verdict is Verdict.CHANGED:
            # Also with StrictHostKeyChecking no, where ssh goes on without passwords: jobs are sent over this.
            raise HostKeyRefused(
                f"{where} shows another host key than the known one of {finding.line}: someone may be listening in; "
                f"ask its administrators, and if {shown} is right, remove that line"
            )
        if finding.verdict is Verdict.CA_ONLY:
            raise HostKeyRefused(
                f"{where} is known by a certificate authority alone ({finding.line}), which is not supported here: "
                f"add its own key to known_hosts ({shown})"
            )
        if strict == "ask" and not self.there.batch_mode and terminal.present():
            with terminal.turn():
                self._ask(finding, shown)
        elif strict in ("yes", "ask") or finding.verdict is Verdict.OTHER_TYPE:
            # Known by keys of other types: ssh would take the new one when it takes new ones at all. But known types
            # are asked for first, so the server claims to have lost them: a person should look at that.
            known = f"known by other keys only ({finding.line})" if finding.line else "not known"
            raise HostKeyRefused(
                f"{where} is {known}, its {shown} is new: log in once by hand with `{by_hand}`, then try again"
            )
        self._remember(kind, blob)

    def _ask(self, finding: Finding, shown: str) -> None:
        """As ssh does: yes, no, or the fingerprint. Raises HostKeyRefused."""
        host = names(self.there)[0]
        terminal.show(f"The authenticity of host '{host}' can't be established.\nIt shows the {shown}.")
        if finding.line:
            terminal.show(f"It is known by keys of other types: {finding.line}")
        prompt = f"{self.place.name}: are you sure you want to continue (yes/no/[fingerprint])? "
        while (answer := terminal.ask(prompt, echo=True).strip()) not in ("yes", shown.split()[-1]):
            if answer in ("no", ""):
                raise HostKeyRefused(f"{self.place.where} is not known, and its {shown} was not accepted")
            prompt = "Please type 'yes', 'no' or the fingerprint: "

    def _remember(self, kind: str, blob: bytes) -> None:
        files = [file for file in self.there.user_known_hosts_files if str(file) != os.devnull]
        if not files:
            return
        host = names(self.there)[0]
        salt = os.urandom(20) if self.there.hash_known_hosts else None
        try:
            known_hosts.append(files[0], known_hosts.new_line(host, blob, salt=salt))
        except OSError as error:
            print(f"Could not add {host} to {files[0]}: {error.strerror}", file=sys.stderr)
        else:
            print(f"Warning: Permanently added '{host}' ({kind}) to {files[0]}.", file=sys.stderr)

    def _revoked(self, blob: bytes) -> bool:
        """RevokedHostKeys may be a binary list, which ssh-keygen reads. Unreadable, it revokes all, as in ssh."""
        if not self.there.revoked_host_keys:
            return False
        line = known_hosts.new_line("", blob).strip()
        with contextlib.suppress(OSError):
            asked = subprocess.run(
                ["ssh-keygen", "-Q", "-f", str(self.there.revoked_host_keys), "/dev/stdin"],
                input=line.encode(), capture_output=True, check=False,
            )  # fmt: skip
            return asked.returncode != 0
        return True


def fingerprint(blob: bytes) -> str:
    """As `ssh-keygen -l` prints it."""
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode("ascii").rstrip("=")
