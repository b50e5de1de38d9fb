"""The processes of a cell: found by a mark that they carry, ended after a second look at the same mark.

Pid files are stale after a crash or a reboot, and the children of jobs are in none. So every daemon starts
with `SUBMITHOST_TESTBED=<directory of the cell>` in its environment; sge_execd hands it down to shepherds and
jobs, and sshd's SetEnv gives it to remote commands. sshd and slurmstepd write their titles over their environment
and are known by the files that they have open in the cell's directory.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

MARK = "SUBMITHOST_TESTBED"
_TITLED = (b"sshd: ", b"slurmstepd: ")


@dataclass(frozen=True)
class Process:
    """A process as it was seen; `started` (ticks after boot) tells it from a later one with its number."""

    pid: int
    parent: int
    started: int
    command: bytes


def look(pid: int) -> Process | None:
    """The process `pid` as it is now; None when it is gone, or dead and not yet collected by its parent."""
    # proc(5): the second field is the program's name in parentheses, and may hold some itself.
    state, parent, *rest = _read(pid, "stat").rpartition(b")")[2].split()[:20] or [b"X", b"0"]
    if state in b"ZX":
        return None
    return Process(pid, int(parent), int(rest[17]), _read(pid, "cmdline").replace(b"\0", b" "))


def belonging_to(directory: Path) -> list[Process]:
    """Every process of the cell in `directory`, with all children; never this process or those above it."""
    everyone = {process.pid: process for process in map(look, _pids()) if process}

    def above(pid: int) -> Iterable[int]:
        while pid in everyone:
            pid = everyone[pid].parent
            yield pid

    marked = {pid for pid in everyone if _is_marked(everyone[pid], directory)}
    ours = marked | {pid for pid in everyone if marked.intersection(above(pid))}
    return [everyone[pid] for pid in ours - {os.getpid(), *above(os.getpid())}]


def daemon(directory: Path, program: str) -> Process | None:
    """The cell's `sge_qmaster` or `sge_execd`, if it lives."""
    return _first(directory, lambda process: _program(process) == program)


def listener(directory: Path, config: Path) -> Process | None:
    """The sshd of the cell that listens as its configuration file says, if it lives."""
    wanted = f" -f {config} ".encode()
    return _first(directory, lambda process: wanted in process.command and b"[listener]" in process.command)


def sshd_processes(log: Path) -> list[Process]:
    """The sshd processes that write to this log: the listening one, and two for each session."""
    return [process for process in any_sshd() if str(log) in _open_files(process.pid)]


def any_sshd() -> list[Process]:
    """Every sshd on this machine, whoever's."""
    return [process for process in map(look, _pids()) if process and process.command.startswith(b"sshd: ")]


def end(process: Process, how: signal.Signals = signal.SIGKILL) -> None:
    """Signal this very process: nothing happens when it is gone and its number belongs to another."""
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        now = look(process.pid)
        if now and now.started == process.started:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(handle, how)
    finally:
        os.close(handle)


def end_all(directory: Path, within: float = 10.0) -> list[Process]:
    """Kill every process of the cell, and what they start meanwhile; returns those that would not go."""
    deadline = time.monotonic() + within
    while (left := belonging_to(directory)) and time.monotonic() < deadline:
        for process in left:
            end(process)
        time.sleep(0.02)
    return left


def wait_until(condition: Callable[[], object], within: float) -> bool:
    """Whether `condition` becomes true within so many seconds."""
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _first(directory: Path, fits: Callable[[Process], bool]) -> Process | None:
    found = (process for process in map(look, _pids()) if process and fits(process))
    return next((process for process in found if _is_marked(process, directory)), None)


def _program(process: Process) -> str:
    return os.path.basename(os.fsdecode(process.command.split(b" ")[0]))


def _is_marked(process: Process, directory: Path) -> bool:
    if f"{MARK}={directory}".encode() in _read(process.pid, "environ").split(b"\0"):
        return True
    return process.command.startswith(_TITLED) and any(
        file.startswith(f"{directory}/") for file in _open_files(process.pid)
    )


def _open_files(pid: int) -> Iterable[str]:
    with contextlib.suppress(OSError):
        for number in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(OSError):
                yield os.readlink(f"/proc/{pid}/fd/{number}")


def _pids() -> Iterable[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())


def _read(pid: int, name: str) -> bytes:
    """A file of /proc/PID, empty when the process is gone or somebody else's."""
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
