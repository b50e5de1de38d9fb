"""What every cluster of the testbed is: a name, a directory, ports of its own, and commands run against it."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import socket
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..model.errors import InvalidInput, SchedulerError

MOST_SLOTS = 256
# Ports below those that the kernel gives to outgoing connections: three in a row, and one from the row behind all.
# Having them makes a cluster the only one here with its number, and so with whatever else goes by the number.
_FIRST_PORT, _ROW, _CLUSTERS = 21000, 3, 100

# Stands where mail(1) would: what a scheduler wanted to send lies in `mail/`, one file each, arguments first.
_MAILER = """\
#!/bin/sh
umask 077
new=$(mktemp {mail}/.new.XXXXXX) || exit 1
{{ printf '%s\\n' "$@"; echo; cat; }} > "$new" && mv "$new" "{mail}/mail.${{new##*.}}"
"""


@dataclass(frozen=True)
class PrivateCluster:
    """A cluster of the testbed. `directory` holds everything; `root` is the same under a plain, short path.

    `sh` is the program that /bin/sh is on the login node; empty for this machine's own.
    """

    name: str
    directory: Path
    root: Path
    number: int
    slots: int
    sh: str = ""

    @property
    def sshd_port(self) -> int:
        return self.port(2)

    @property
    def home(self) -> Path:
        """The home directory there: login shells read nothing of the user's own, and `down` takes it along."""
        return self.root / "home"

    @property
    def mail(self) -> Path:
        """Where mail ends that the scheduler would have sent: `mail.*`, arguments, an empty line, the text."""
        return self.directory / "mail"

    @property
    def mailer(self) -> Path:
        """The program that the scheduler takes for mail(1)."""
        return self.root / "mailer"

    def port(self, nth: int) -> int:
        """One of its four ports, from 0; the last of three in a row is sshd's."""
        return _ports(self.number)[nth]

    def settings(self) -> dict[str, str]:
        """The variables that every process needs which talks to this cluster's scheduler."""
        raise NotImplementedError

    def program(self, name: str) -> str:
        """Where a program of the scheduler's is."""
        return name

    def env(self) -> dict[str, str]:
        """The environment for running the scheduler's programs on this machine, without SSH."""
        return {**os.environ, **self.settings()}

    def run(self, program: str, *arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run a program of the scheduler's, whatever its exit status; raises SchedulerError when it hangs."""
        try:
            return subprocess.run(
                [self.program(program), *arguments],
                env=self.env(), stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace",
                timeout=timeout,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise SchedulerError(f"{self.name}: {program} gave no answer within {timeout:g} s") from None

    def must(self, program: str, *arguments: str) -> str:
        """The output of a command that has to succeed; raises SchedulerError with what it said."""
        done = self.run(program, *arguments)
        if done.returncode != 0:
            said = " ".join((done.stderr + done.stdout).split()) or f"exit status {done.returncode}"
            raise SchedulerError(f"{self.name}: {program} {' '.join(arguments)}: {said}")
        return done.stdout

    def save(self) -> None:
        """Remember this cluster in its directory."""
        values = {name: str(value) if isinstance(value, Path) else value for name, value in asdict(self).items()}
        write(self.directory / "cluster.json", json.dumps({"kind": type(self).__name__, **values}, indent=1) + "\n")

    def forget(self) -> None:
        """Remove its files, the link to them included."""
        if self.root != self.directory:
            shutil.rmtree(self.root.parent, ignore_errors=True)
        shutil.rmtree(self.directory)

    def relink(self) -> None:
        """Make the plain path again when a reboot has emptied /tmp."""
        if self.root != self.directory and not self.root.is_symlink():
            self.root.parent.mkdir(mode=0o700)
            self.root.symlink_to(self.directory)

    def make_mailer(self) -> None:
        """Write the program that keeps mail."""
        self.mail.mkdir(exist_ok=True)
        write(self.mailer, _MAILER.format(mail=self.root / "mail"), 0o700)


def remembered(directory: Path) -> dict[str, Any]:
    """What `save` wrote there. Raises OSError, ValueError and KeyError when there is none, or it was cut short."""
    values = json.loads((directory / "cluster.json").read_text())
    return {**values, "directory": directory, "root": Path(values["root"])}


def place(directory: Path, slots: int, sh: str) -> dict[str, Any]:
    """The fields of a new cluster with ports that are free now; only its directory is made."""
    number = _free_number()
    directory.mkdir(mode=0o700)
    return {
        "name": directory.name, "directory": directory, "root": _plain_path(directory),
        "number": number, "slots": slots, "sh": sh,
    }  # fmt: skip


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file as a whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new.")
    with os.fdopen(handle, "w", errors="surrogateescape") as file:
        file.write(text)
    os.chmod(temporary, mode)
    os.replace(temporary, path)


def _plain_path(directory: Path) -> Path:
    """`directory` itself, or a link to it: configuration is split at spaces, and the path of a socket is short."""
    if re.fullmatch(r"[\w./+-]{1,90}", str(directory), re.ASCII):
        return directory
    link = Path(tempfile.mkdtemp(prefix="submithost-", dir="/tmp")) / "cell"
    link.symlink_to(directory)
    return link


def _ports(number: int) -> list[int]:
    first = _FIRST_PORT + _ROW * number
    return [*range(first, first + _ROW), _FIRST_PORT + _ROW * _CLUSTERS + number]


def _free_number() -> int:
    for number in random.sample(range(_CLUSTERS), _CLUSTERS):  # so that two `up` rarely meet
        if all(map(_is_free, _ports(number))):
            return number
    last = _ports(_CLUSTERS - 1)[-1]
    raise InvalidInput(f"no four ports of a cluster are free from {_FIRST_PORT} to {last}: take a testbed down first")


def free_port() -> int:
    """A port for a server: below those that the kernel hands out to whoever connects, or one of them may take it."""
    while not _is_free(port := random.randrange(_FIRST_PORT // 2, _FIRST_PORT)):  # noqa: S311  # no secret
        pass
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True
