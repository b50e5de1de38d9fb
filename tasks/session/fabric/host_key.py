"""Whether a server's key is the known one: what known_hosts says, and what StrictHostKeyChecking makes of it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import socket
import subprocess
from collections.abc import Callable, Sequence

import paramiko

from ...model.errors import HostKeyRefused
from ...screen import terminal
from . import known_hosts, tokens
from .destination import Destination
from .known_hosts import KeyStatus, KnownKey, Line
from .login import Place


def names(there: Destination) -> tuple[str, ...]:
    """What a destination is called in known_hosts."""
    return known_hosts.names_of(there.hostname, there.port, there.host_key_alias)


def types(there: Destination, lines: Sequence[Line]) -> tuple[str, ...]:
    """The types of the keys by which a destination is known."""
    return known_hosts.key_types(lines, names(there))


def asked(
    there: Destination, say: Callable[[str], None], key: paramiko.PKey | None = None, address: str = ""
) -> tuple[Line, ...]:
    """The lines that ssh_config's KnownHostsCommand prints, if there is one: about a key of the host or of its address,
    or, before there is a key, about the host.

    As with ssh, a program that is missing prints nothing; the user is told. Raises HostKeyRefused when it fails.
    """
    if not there.known_hosts_command:
        return ()
    stand_for = {"%": "%", "H": names(there)[-1], "I": "ORDER", "f": "NONE", "K": "NONE", "t": "NONE"}
    if key:
        about = {"f": fingerprint(key.asbytes()), "K": key.get_base64(), "t": key.get_name()}
        stand_for |= {"H": address or names(there)[0], "I": "ADDRESS" if address else "HOSTNAME", **about}
    words = [tokens.expand(word, stand_for) for word in there.known_hosts_command]
    if not os.path.isabs(words[0]) or not os.path.exists(words[0]):
        say(f"ssh_config: there is no KnownHostsCommand {words[0]}; its path has to be absolute")
        return ()
    try:
        done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60, check=True)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise HostKeyRefused(f"{there.host}: ssh_config's KnownHostsCommand failed: {error}") from None
    lines = enumerate(done.stdout.decode(errors="surrogateescape").split("\n"), 1)
    return tuple(Line(line, "KnownHostsCommand", number) for number, line in lines if line)


def _peer(sock: object) -> str:
    """The address at the other end of a direct connection; empty behind a proxy, where it cannot be known."""
    if isinstance(sock, socket.socket) and sock.family in (socket.AF_INET, socket.AF_INET6):
        return str(sock.getpeername()[0])
    return ""


def _loopback(address: str) -> bool:
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
        address = _peer(transport.sock) if transport else ""
        if isinstance(key, paramiko.RSAKey) and key.get_bits() < self.there.required_rsa_size:
            raise HostKeyRefused(
                f"{self.place.where} shows an RSA key of {key.get_bits()} bits, and ssh_config's RequiredRSASize asks "
                f"for {self.there.required_rsa_size}: ask its administrators for a longer one"
            )
        if self._revoked(blob):
            raise self._is_revoked(self.there.revoked_host_keys)
        if self.there.no_check_of_loopback and _loopback(address):
            return  # NoHostAuthenticationForLocalhost
        finding = known_hosts.status_of(self.lines, names(self.there), blob, asked(self.there, self.place.say, key))
        if finding.verdict is KeyStatus.REVOKED:
            raise self._is_revoked(finding.line)
        if finding.verdict is not KeyStatus.KNOWN:
            self._not_known(finding, key.get_name(), blob)
        if self.there.check_host_ip and address not in ("", self.there.hostname) and not _loopback(address):
            self._check_address(known_hosts.host_name(address, self.there.port), key)
        if finding.verdict is not KeyStatus.KNOWN:
            self._remember(key.get_name(), blob)

    def _check_address(self, name: str, key: paramiko.PKey) -> None:
        """CheckHostIP: an address that is known with another key is refused."""
        finding = known_hosts.status_of(
            self.lines, (name,), key.asbytes(), asked(self.there, self.place.say, key, name)
        )
        if finding.verdict is KeyStatus.CHANGED:
            raise HostKeyRefused(
                f"{self.place.where} shows another host key than the known one of its address {name} "
                f"({finding.line}): somebody may have changed where its name leads; ask its administrators"
            )

    def _is_revoked(self, where: object) -> HostKeyRefused:
        return HostKeyRefused(
            f"{self.place.where} shows a key that is revoked ({where}): do not trust it, ask its administrators"
        )

    def _not_known(self, finding: KnownKey, kind: str, blob: bytes) -> None:
        """Return if a new key may be accepted. Raises HostKeyRefused."""
        where, by_hand, strict = self.place.where, self.place.by_hand, self.there.strict_host_key_checking
        shown = f"{kind.removeprefix('ssh-')} key {fingerprint(blob)}"
        if finding.verdict is KeyStatus.CHANGED:
            # Even with StrictHostKeyChecking no, where ssh goes on without passwords: we send jobs over this.
            raise HostKeyRefused(
                f"{where} shows another host key than the known one of {finding.line}: someone may be listening in; "
                f"ask its administrators, and if {shown} is right, remove that line"
            )
        if finding.verdict is KeyStatus.CA_ONLY:
            raise HostKeyRefused(
                f"{where} is known by a certificate authority alone ({finding.line}), which is not supported here: "
                f"add its own key to known_hosts ({shown})"
            )
        if not self.there.user_known_hosts_files:
            raise HostKeyRefused(
                f"{where} is not known, and ssh_config's UserKnownHostsFile names no file to remember its {shown} in: "
                f"name one"
            )
        if strict == "ask" and not self.there.batch_mode and terminal.present():
            with terminal.turn():
                self._ask(shown)
        elif strict in ("yes", "ask"):
            raise HostKeyRefused(
                f"{where} is not known, its {shown} is new: log in once by hand with `{by_hand}`, then try again"
            )

    def _ask(self, shown: str) -> None:
        """Ask as ssh does: yes, no, or the fingerprint. Raises HostKeyRefused."""
        host = names(self.there)[0]
        terminal.show(f"The authenticity of host '{host}' can't be established.\nIt shows the {shown}.")
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
            self.place.say(f"Could not add {host} to {files[0]}: {error.strerror}")
        else:
            self.place.say(f"Warning: Permanently added '{host}' ({kind}) to {files[0]}.")

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
