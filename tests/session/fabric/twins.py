"""What comes of a login, by ssh itself and by ours, under the same ssh_config and known_hosts: twins to be compared."""

from __future__ import annotations

import contextlib
import io
import ipaddress
import re
import socket
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tasks.model.cluster import Cluster
from tasks.model.errors import SubmithostError
from tasks.session.fabric.connection import connect
from tasks.session.fabric.known_hosts import new_line
from tests.conftest import program

from .sshd import ME, Sshd, keygen, public

# A login: what was said, and what was seen taken by those that got in.
Way = Callable[[Cluster], tuple[str, tuple[str, ...]]]
# What each of them says, and what that comes to.
Words = dict[str, str]
BY_SSH = {
    r"^ssh: connect to host": "not reached",
    r"REMOTE HOST IDENTIFICATION HAS CHANGED|differs from the key for the IP address": "changed",
    r"REVOKED HOST KEY DETECTED|revoked (by|keys) file": "revoked",
    r"Invalid key length": "too short",
    r"Unable to negotiate": "nothing in common",
    r"KnownHostsCommand failed|exited with status|exited on signal": "the command failed",
    r"Host key verification failed": "not known",
    r"Permission denied|Too many authentication failures": "not let in",
}
BY_US = {
    r" cannot be reached": "not reached",
    r"shows another host key than the known one": "changed",
    r"shows a key that is revoked": "revoked",
    r"RequiredRSASize asks for": "too short",
    r"not supported here": "not supported",
    r"no algorithm in common": "nothing in common",
    r"KnownHostsCommand failed": "the command failed",
    r" is not known, ": "not known",
    r" does not let ": "not let in",
}


@dataclass(frozen=True)
class Outcome:
    """What came of a login: `in`, or why not; then the type of the host's key and the user's key; known_hosts after."""

    what: str
    seen: tuple[str, ...]
    known: str
    said: str = field(compare=False)


class Pair:
    """One sshd with host keys of three types, and what both sides know of it.

    Words in capitals stand for things: HOST is its name in known_hosts (`[127.0.0.1]:PORT`), BARE the one without the
    port, HASHED the first one hashed; ED, EC and RSA are its keys, ED2, RSA2 and CA2 others; BODY is RSA without its
    type. ADDRESS is one of this machine that is no loopback address, where it has any, and NUMBER is a host name that
    leads there. In DIR are `known`, the
    known_hosts file, and the key files of a user: `ed`, `ec`, `rsa` (which are let in) and `other` (which is not).
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        address = own_address()
        listen = {f"ListenAddress {each}" for each in ("::1", address) if each != "127.0.0.1"}
        self.sshd = Sshd(directory / "sshd", *listen, host_keys=("ed25519", "ecdsa", "rsa"))
        for name, kind in {"ed": "ed25519", "ec": "ecdsa", "rsa": "rsa", "other": "ed25519"}.items():
            keygen(directory / name, kind)
        self.sshd.authorized.write_text("".join(public(directory / name) + "\n" for name in ("ed", "ec", "rsa")))
        wrong = {"ED2": "ed25519", "RSA2": "rsa", "CA2": "ed25519"}
        keys = {word: keygen(directory / word, kind) for word, kind in wrong.items()}
        keys |= dict(zip(("ED", "EC", "RSA"), self.sshd.host_keys, strict=True))
        self.words = {word: public(key) for word, key in keys.items()}
        self.words |= {"HOST": self.sshd.name, "BARE": "127.0.0.1", "PORT": str(self.sshd.port), "DIR": str(directory)}
        self.words |= {"BODY": self.words["RSA"].split()[1], "ADDRESS": address}
        self.words["NUMBER"] = str(int(ipaddress.IPv4Address(address)))
        hashed = new_line(self.sshd.name, b"", salt=bytes(range(20)))
        self.words["HASHED"] = hashed.split()[0]
        # When ssh ends, both ends of it do: one that stayed would hold the connection, and ssh's stderr, for ever.
        through = "trap : HUP\nexec 3<>/dev/tcp/127.0.0.1/$1\ncat <&3 &\nexec >&3\ncat\nkill $!\n"
        program(directory / "through", f"#!/bin/bash\n{through}")
        (directory / "revoked").write_text(self.words["ED"] + "\n")

    def fill(self, text: str) -> str:
        """The text with what its words in capitals stand for."""
        return re.sub(r"\b[A-Z]+2?\b", lambda word: self.words.get(word[0], word[0]), text)

    def write(self, known: str, settings: str) -> Cluster:
        """Write both files; the settings win over what is set here."""
        lines = [
            "Host sharc",
            *settings.split("; "),
            "HostName 127.0.0.1",
            f"Port {self.sshd.port}",
            f"User {ME}",
            f"UserKnownHostsFile {self.directory}/known",
            "GlobalKnownHostsFile none",
            "StrictHostKeyChecking yes",
            f"IdentityFile {self.directory}/ed",
            "IdentityAgent none",
            "BatchMode yes",
        ]
        config = self.directory / "config"
        config.write_text(self.fill("\n".join(lines)) + "\n")
        (self.directory / "known.before").write_text(self.fill(known).replace("; ", "\n") + "\n")
        return Cluster(name="sharc", host="sharc", ssh_config=config)

    def outcomes(self, known: str, settings: str) -> tuple[Outcome, Outcome]:
        """By ssh, and by ours."""
        cluster = self.write(known, settings)
        return self._outcome(_by_ssh, BY_SSH, cluster), self.by_us(known, settings)

    def by_us(self, known: str, settings: str) -> Outcome:
        """By ours alone."""
        return self._outcome(_by_us, BY_US, self.write(known, settings))

    def _outcome(
        self, way: Callable[[Cluster], tuple[str, tuple[str, ...]]], words: Words, cluster: Cluster
    ) -> Outcome:
        file = self.directory / "known"
        text = (self.directory / "known.before").read_text()
        file.write_text(text)
        said, seen = way(cluster)
        what = next((meaning for pattern, meaning in words.items() if re.search(pattern, said, re.M)), said)
        if what in ("changed", "revoked"):
            # ssh says so and goes on, with StrictHostKeyChecking no; we do not.
            return Outcome(what, (), text if seen else file.read_text(), said)
        return Outcome("in" if seen else what, seen, file.read_text(), said)


def own_address() -> str:
    """An address of this machine by which others would see it; the loopback address where there is no network."""
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return str(probe.getsockname()[0])
    return "127.0.0.1"


def _by_ssh(cluster: Cluster) -> tuple[str, tuple[str, ...]]:
    words = ["ssh", "-v", "-F", str(cluster.ssh_config), cluster.host, "true"]
    done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    seen = re.findall(r"(?:Server host key:|Server accepts key:) (\S+)", done.stderr)
    return done.stderr, tuple(seen) if done.returncode == 0 else ()


def _by_us(cluster: Cluster) -> tuple[str, tuple[str, ...]]:
    said, seen = io.StringIO(), {}
    with contextlib.redirect_stderr(said):
        try:
            connect(cluster, passed=seen.__setitem__).close()
        except SubmithostError as error:
            return str(error), ()
    return said.getvalue(), (seen["host key"], seen["login"].partition(" key ")[2])
