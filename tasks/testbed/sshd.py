"""The way in: an sshd of our own on 127.0.0.1, and the ssh_config, key and known_hosts that reach it.

A `Door` is one sshd. Every cluster has one under its own name; tests open more, hostile ones with `extra_sshd`.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ..model.errors import SchedulerError
from .accounts import other_user, own_pam
from .cluster import PrivateCluster, free_port, write
from .processes import MARK, any_sshd, end, listener, sshd_processes, wait_until
from .shell import with_programs

_KEY_TYPES = ("ed25519", "ecdsa")
_PRIVSEP = Path("/run/sshd")  # sshd as root will not start without it


@dataclass(frozen=True)
class Door:
    """One sshd: `folder` holds its configuration, host keys, known_hosts, ssh_config and log."""

    name: str
    port: int
    folder: Path
    cluster: PrivateCluster
    client_key: Path

    @property
    def config(self) -> Path:
        return self.folder / "sshd_config"

    @property
    def ssh_config(self) -> Path:
        """For `ssh -F`."""
        return self.folder / "ssh_config"

    @property
    def known_hosts(self) -> Path:
        return self.folder / "known_hosts"

    @property
    def log(self) -> Path:
        """What sshd logged at level VERBOSE: one line "Accepted publickey" for each login."""
        return self.folder / "sshd.log"

    def logins(self) -> int:
        """How many logins there were."""
        return self.log.read_text(errors="replace").count("Accepted publickey")

    def host_block(self) -> str:
        """Its lines of an ssh_config."""
        return (
            f"Host {self.name}\n"
            "    HostName 127.0.0.1\n"
            f"    Port {self.port}\n"
            f"    User {getpass.getuser()}\n"
            f"    IdentityFile {_quoted(self.client_key, tokens=True)}\n"
            "    IdentitiesOnly yes\n"
            f"    UserKnownHostsFile {_quoted(self.known_hosts, tokens=True)}\n"
            "    GlobalKnownHostsFile /dev/null\n"
            "    StrictHostKeyChecking yes\n"
            "    LogLevel ERROR\n"
        )


def main_door(cluster: PrivateCluster) -> Door:
    """The sshd that every cluster has."""
    folder = cluster.directory / "sshd"
    return Door(cluster.name, cluster.sshd_port, folder, cluster, folder / "client_key")


def furnish(door: Door, options: Sequence[str] = (), *, set_env: bool = True, sftp: bool = True) -> None:
    """Make keys and configuration files; `options` are sshd_config lines, which win over ours."""
    door.folder.mkdir(mode=0o700)
    for kind in _KEY_TYPES:
        _make_key(door.folder / f"host_key_{kind}", kind)
    if not door.client_key.exists():
        _make_key(door.client_key, "ed25519")
    host_keys = [(door.folder / f"host_key_{kind}.pub").read_text().split()[:2] for kind in _KEY_TYPES]
    write(door.known_hosts, "".join(f"[127.0.0.1]:{door.port} {kind} {key}\n" for kind, key in host_keys))
    write(door.ssh_config, door.host_block())
    variables = {MARK: str(door.cluster.directory), **(door.cluster.settings() if set_env else {})}
    lines = [
        *options,  # sshd takes the first value that it reads
        f"Port {door.port}",
        "ListenAddress 127.0.0.1",
        *(f"HostKey {_quoted(door.folder / f'host_key_{kind}')}" for kind in _KEY_TYPES),
        f"AuthorizedKeysFile {_quoted(door.client_key.with_suffix('.pub'), tokens=True)}",
        f"AllowUsers {getpass.getuser()}",
        "PermitRootLogin prohibit-password",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "UsePAM no",
        "StrictModes no",
        "PidFile none",
        "PrintMotd no",
        "LogLevel VERBOSE",
        "SetEnv " + " ".join(_quoted(f"{name}={value}") for name, value in variables.items()),
    ]
    if sftp:
        lines.append("Subsystem sftp /usr/lib/openssh/sftp-server")
    write(door.config, "\n".join(lines) + "\n")


def start_sshd(
    door: Door, environment: Mapping[str, str] | None = None, programs: Mapping[str, str] | None = None
) -> None:
    """Start this sshd unless it lives, and return when it answers. Raises SchedulerError.

    `programs` are others than this machine's, by the paths that they cover, beside the cluster's /bin/sh.
    """
    covering = {**({"/bin/sh": door.cluster.sh} if door.cluster.sh else {}), **(programs or {})}
    if answers(door):
        return
    if alive := listener(door.cluster.directory, door.config):
        end(alive)
    _privsep_directory(door.cluster)
    with open(door.folder / "start.log", "wb") as output:
        done = subprocess.run(
            with_programs(covering, "/usr/sbin/sshd", "-f", str(door.config), "-E", str(door.log)),
            env={"PATH": "/usr/bin:/bin", **(environment or other_user(door.folder, door.cluster.home))}, cwd="/",
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    if done.returncode != 0 or not wait_until(lambda: answers(door), 30):
        raise SchedulerError(f"{door.name}: sshd did not start: {_last_line(door)}")


def stop_sshd(door: Door) -> None:
    """Kill this sshd, the listening one and those of its sessions: for clients the login node is gone."""
    for process in sshd_processes(door.log):
        end(process)
    if not wait_until(lambda: not sshd_processes(door.log), 5):
        raise SchedulerError(f"{door.name}: sshd does not stop")


def answers(door: Door) -> bool:
    """Whether its own sshd listens and says its name."""
    if not listener(door.cluster.directory, door.config):
        return False
    try:
        with socket.create_connection(("127.0.0.1", door.port), timeout=5) as connection:
            return connection.recv(64).startswith(b"SSH-")
    except OSError:
        return False


@contextmanager
def extra_sshd(
    cluster: PrivateCluster,
    name: str,
    options: Sequence[str] = (),
    *,
    login_shell: str | None = None,
    home: Path | None = None,
    set_env: bool = True,
    sftp: bool = True,
    pam: str = "",
    programs: Mapping[str, str] | None = None,
) -> Iterator[Door]:
    """Another login node of a running cluster, for as long as the `with` lasts.

    `options` are sshd_config lines that win over ours; `login_shell` and `home` are the user's as this sshd
    knows them; without `set_env` remote commands know nothing of the scheduler; `sftp` is the Subsystem line. `pam` is
    a command that reads what was typed as a password or a code, on stdin, and whose exit status accepts it. `programs`
    are as for `start_sshd`.
    """
    folder = cluster.directory / f"sshd-{name}"
    door = Door(name, free_port(), folder, cluster, folder / "client_key")
    try:
        furnish(door, [*options, "UsePAM yes"] if pam else options, set_env=set_env, sftp=sftp)
        environment = other_user(folder, home or cluster.home, login_shell)
        if pam:
            environment |= own_pam(folder, pam, environment["LD_PRELOAD"])
        start_sshd(door, environment, programs)
        yield door
    finally:
        stop_sshd(door)
        if pam:  # what was killed has left its copies of the service
            for copy in Path("/tmp").glob("pam.?"):  # noqa: S108  # its own choice
                with contextlib.suppress(OSError):
                    if pam in (copy / "sshd").read_text():
                        shutil.rmtree(copy)
        shutil.rmtree(folder, ignore_errors=True)


def remove_privsep_directory(cluster: PrivateCluster) -> None:
    """Remove /run/sshd again when this cluster made it and no sshd of anybody is left to use it."""
    if (cluster.directory / "made-run-sshd").exists() and not any_sshd():
        with contextlib.suppress(OSError):
            _PRIVSEP.rmdir()


def _privsep_directory(cluster: PrivateCluster) -> None:
    if os.geteuid() == 0 and not _PRIVSEP.is_dir():
        _PRIVSEP.mkdir(mode=0o755, exist_ok=True)
        (cluster.directory / "made-run-sshd").touch()


def _make_key(path: Path, kind: str) -> None:
    for old in (path, path.with_suffix(".pub")):
        old.unlink(missing_ok=True)
    comment = f"submithost testbed {path.parent.name}"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", comment, "-f", str(path)],
        check=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def _quoted(value: object, *, tokens: bool = False) -> str:
    """As one word of ssh_config(5) or sshd_config(5); `tokens` where these expand %h and the like."""
    text = str(value).replace("%", "%%") if tokens else str(value)
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _last_line(door: Door) -> str:
    for path in (door.log, door.folder / "start.log"):
        if path.exists() and (lines := path.read_text(errors="replace").split("\n")[:-1]):
            return lines[-1].strip()
    return f"no message in {door.log}"
