"""A real sshd on a high port of 127.0.0.1, with its own keys, for one test."""

from __future__ import annotations

import os
import pwd
import subprocess
import time
from pathlib import Path

from tasks.model.cluster import Cluster
from tasks.testbed.cluster import free_port

ME = pwd.getpwuid(os.getuid()).pw_name
SSHD = "/usr/sbin/sshd"
NO_KEY = Path("none")


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "") -> Path:
    """Make a key pair; return the private key's path."""
    size = ["-b", "2048"] if kind == "rsa" else []  # the default takes seconds
    command = ["ssh-keygen", "-q", "-t", kind, *size, "-N", passphrase, "-C", path.name, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


def public(path: Path) -> str:
    """Type and key of a key file's public half, without the comment."""
    return " ".join(Path(f"{path}.pub").read_text().split()[:2])


class Sshd:
    """One sshd; `settings` are further lines of sshd_config, `host_keys` the types of its keys."""

    def __init__(self, directory: Path, *settings: str, host_keys: tuple[str, ...] = ("ed25519",)) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.host_keys = [keygen(directory / f"host_{kind}", kind) for kind in host_keys]
        self.user_key = keygen(directory / "user_key")
        self.authorized = directory / "authorized_keys"
        self.authorized.write_text(public(self.user_key) + "\n")
        self.log = directory / "log"
        lines = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            *(f"HostKey {key}" for key in self.host_keys),
            f"AuthorizedKeysFile {self.authorized}",
            f"PidFile {directory}/pid",
            "UsePAM no",
            "StrictModes no",
            "LogLevel DEBUG1",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            f"SetEnv HOME={directory}",  # bash reads ~/.bashrc under sshd: not the developer's
            *settings,
        ]
        (directory / "sshd_config").write_text("\n".join(lines) + "\n")
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(exist_ok=True)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [SSHD, "-D", "-f", str(self.directory / "sshd_config"), "-E", str(self.log)], stdin=subprocess.DEVNULL
        )
        end = time.monotonic() + 60
        while "Server listening" not in (self.log.read_text() if self.log.exists() else ""):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end
            time.sleep(0.01)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait()

    @property
    def name(self) -> str:
        """Its name in known_hosts."""
        return f"[127.0.0.1]:{self.port}"

    def known(self, key: Path | None = None) -> str:
        """A line of known_hosts for it."""
        return f"{self.name} {public(key or self.host_keys[0])}\n"

    def said(self) -> str:
        return self.log.read_text()


class Home:
    """A user's side: an ssh_config with absolute paths (ssh itself takes `~` from the password database)."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        self.known_hosts = directory / "known_hosts"
        self.known_hosts.write_text("")
        self.config = directory / "config"
        self.config.write_text("")

    def host(
        self, name: str, sshd: Sshd | int, *settings: str, key: Path | None = None, strict: str = "yes"
    ) -> Cluster:
        """Add a host to ssh_config, and return the cluster of that name. `settings` win over what is added here."""
        port = sshd if isinstance(sshd, int) else sshd.port
        if key is None and not isinstance(sshd, int):
            key = sshd.user_key
        lines = [
            f"Host {name}",
            *settings,
            "HostName 127.0.0.1",
            f"Port {port}",
            f"User {ME}",
            f"UserKnownHostsFile {self.known_hosts}",
            "GlobalKnownHostsFile none",
            f"StrictHostKeyChecking {strict}",
            f"IdentityFile {key or NO_KEY}",
        ]
        with self.config.open("a") as config:
            config.write("\n".join(lines) + "\n")
        return Cluster(name=name, host=name, ssh_config=self.config)
