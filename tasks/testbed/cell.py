"""One private Grid Engine cell: where its files are, which ports it has, and running commands against it."""

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

from ..model.errors import InvalidInput, SchedulerError
from .files import BINARIES

STOCK_FLUSH = "00:00:15"
MOST_SLOTS = 256
# A cell has three ports in a row, below those that the kernel gives to outgoing connections. Having them
# makes it the only one here with its number, and so the only one with its group IDs: Grid Engine ends a job
# by killing whatever carries the job's group ID, and two cells with one range would kill each other's jobs.
_FIRST_PORT, _CELLS = 21000, 100
_FIRST_GID, _GIDS = 20000, 400


@dataclass(frozen=True)
class Cell:
    """A cluster of the testbed. `directory` holds everything; `sge_root` is the same under a plain path."""

    name: str
    directory: Path
    sge_root: Path
    number: int
    slots: int
    accounting_flush: str = STOCK_FLUSH

    @property
    def qmaster_port(self) -> int:
        return _FIRST_PORT + 3 * self.number

    @property
    def execd_port(self) -> int:
        return self.qmaster_port + 1

    @property
    def sshd_port(self) -> int:
        return self.qmaster_port + 2

    @property
    def gid_range(self) -> str:
        first = _FIRST_GID + _GIDS * self.number
        return f"{first}-{first + _GIDS - 1}"

    @property
    def common(self) -> Path:
        return self.sge_root / "default" / "common"

    @property
    def spool(self) -> Path:
        """What qmaster keeps; sge_execd's own part is beside it, named by the host."""
        return self.sge_root / "default" / "spool" / "qmaster"

    @property
    def home(self) -> Path:
        """The home directory over there: login shells read nothing of the user's own, and `down` takes it along."""
        return self.sge_root / "home"

    @property
    def mail(self) -> Path:
        """Where mail ends that Grid Engine would have sent: `mail.*`, arguments, an empty line, the text."""
        return self.directory / "mail"

    def settings(self) -> dict[str, str]:
        """The variables that every process needs which talks to this cell."""
        return {
            "SGE_ROOT": str(self.sge_root),
            "SGE_CELL": "default",
            "SGE_QMASTER_PORT": str(self.qmaster_port),
            "SGE_EXECD_PORT": str(self.execd_port),
        }

    def env(self) -> dict[str, str]:
        """The environment for running qsub, qstat, qconf, ... on this machine, without SSH."""
        return {**os.environ, **self.settings()}

    def run(self, program: str, *arguments: str, timeout: float = 30) -> subprocess.CompletedProcess[str]:
        """Run a program of Grid Engine's, whatever its exit status; raises SchedulerError when it hangs."""
        try:
            return subprocess.run(
                [str(BINARIES / program), *arguments],
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
        """Remember this cell in its directory."""
        values = {**asdict(self), "directory": str(self.directory), "sge_root": str(self.sge_root)}
        write(self.directory / "cell.json", json.dumps(values, indent=1) + "\n")

    def forget(self) -> None:
        """Remove its files, the link to them included."""
        if self.sge_root != self.directory:
            shutil.rmtree(self.sge_root.parent, ignore_errors=True)
        shutil.rmtree(self.directory)


def load(directory: Path) -> Cell | None:
    """The cell in `directory`; None when there is none, or what is there was cut short."""
    try:
        values = json.loads((directory / "cell.json").read_text())
        return Cell(**{**values, "directory": directory, "sge_root": Path(values["sge_root"])})
    except (OSError, ValueError, KeyError, TypeError):
        return None


def new(directory: Path, slots: int, accounting_flush: str = STOCK_FLUSH) -> Cell:
    """A cell with ports that are free now; nothing is started and nothing written but its directories."""
    number = _free_number()
    directory.mkdir(mode=0o700)
    cell = Cell(directory.name, directory, _plain_path(directory), number, slots, accounting_flush)
    cell.mail.mkdir()
    cell.save()
    return cell


def write(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file as a whole or not at all."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".new.")
    with os.fdopen(handle, "w", errors="surrogateescape") as file:
        file.write(text)
    os.chmod(temporary, mode)
    os.replace(temporary, path)


def relink(cell: Cell) -> None:
    """Make the plain path again when a reboot has emptied /tmp."""
    if cell.sge_root != cell.directory and not cell.sge_root.is_symlink():
        cell.sge_root.parent.mkdir(mode=0o700)
        cell.sge_root.symlink_to(cell.directory)


def _plain_path(directory: Path) -> Path:
    """`directory` itself, or a link to it: Grid Engine splits its own configuration at spaces."""
    if re.fullmatch(r"[\w./+-]+", str(directory), re.ASCII):
        return directory
    link = Path(tempfile.mkdtemp(prefix="submithost-", dir="/tmp")) / "cell"
    link.symlink_to(directory)
    return link


def _free_number() -> int:
    for number in random.sample(range(_CELLS), _CELLS):  # so that two `up` rarely meet
        if all(_is_free(_FIRST_PORT + 3 * number + offset) for offset in range(3)):
            return number
    last = _FIRST_PORT + 3 * _CELLS - 1
    raise InvalidInput(f"no three ports are free from {_FIRST_PORT} to {last}: take a testbed down first")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("", port))
        except OSError:
            return False
        return True
