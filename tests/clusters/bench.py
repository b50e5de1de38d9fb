"""What the tests of the testbed share: running programs, and looking at the daemons of a cell."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tasks.testbed import processes, register, sshd
from tasks.testbed.cell import Cell

ROOT = Path(__file__).parents[2]
DAEMONS = ("sge_qmaster", "sge_execd")


def fab(*words: str) -> subprocess.CompletedProcess[str]:
    """A whole command line, its output in pipes: it would hang if a daemon kept them open."""
    program = [sys.executable, "-m", "fabric", "-r", str(ROOT), *words]
    return subprocess.run(program, capture_output=True, text=True, timeout=60)


def ssh(name: str, command: str, config: Path | None = None, script: str = "") -> str:
    """What a command prints on the cluster; it has to succeed."""
    words = ["ssh", "-F", str(config or register.ssh_config()), name, command]
    done = subprocess.run(words, input=script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def qsub(cell: Cell, script: str, *options: str) -> str:
    """The ID of a job that was submitted here, without SSH."""
    words = ["/usr/lib/gridengine/qsub", "-terse", "-S", "/bin/sh", "-o", "/dev/null", "-j", "y", *options]
    done = subprocess.run(words, env=cell.env(), input=script, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def qacct_records(said: str) -> list[dict[str, str]]:
    """What `qacct -j` says, oldest first: each record as its lines `name value`."""
    records = (dict(re.findall(r"^(\S+) +(.*?) *$", record, re.M)) for record in re.split(r"^=+$", said, flags=re.M))
    return [record for record in records if "jobname" in record]  # there may be a sum of all


def marks(cell: Cell, key: str) -> int:
    """How many jobs of this key qmaster has."""
    return cell.must("qstat", "-j", "*").count(f"submithost={key}\n")


def asked(mine: Path) -> Path:
    """The attempt that has asked the scheduler, or will be; `mine` is `.submithost` on the login node."""
    return next(iter(mine.glob("attempt/asked.*")), mine / "attempt" / "asked")


def lose_the_answer(mine: Path) -> None:
    """As after a cut in which the submit command died before it said anything; `mine` is `.submithost` there."""
    for name in ("receipt", "receipt.err"):
        (mine / name).unlink(missing_ok=True)
    for name in ("status", "out", "err"):
        (asked(mine) / name).unlink(missing_ok=True)


def until(condition: Callable[[], object], within: float = 90) -> None:
    assert processes.wait_until(condition, within), "did not happen in time"


def pids(cell: Cell) -> dict[str, int | None]:
    """The daemons of a cell."""
    door = sshd.main_door(cell)
    found = {name: processes.daemon(cell.directory, name) for name in DAEMONS}
    found["sshd"] = processes.listener(cell.directory, door.config)
    return {name: process and process.pid for name, process in found.items()}


def kill(cell: Cell, *names: str) -> None:
    for name in names:
        pid = pids(cell)[name]
        assert pid
        os.kill(pid, signal.SIGKILL)
        until(lambda name=name: pids(cell)[name] is None)


def sbatch(script: str, *options: str, cluster: str = "sandbox-slurm") -> str:
    """The ID of a job that was submitted by plain ssh."""
    words = shlex.join(["sbatch", "--parsable", *options])
    return ssh(cluster, words, script=f"#!/bin/sh\n{script}\n").strip()


def ended(job: str, cluster: str = "sandbox-slurm") -> str:
    """The state of this job, once it has ended."""
    found: list[str] = []

    def has_ended() -> bool:
        found[:] = re.findall(r"JobState=(\w+)", ssh(cluster, f"scontrol -o show job {job}"))
        return not {"PENDING", "RUNNING", "COMPLETING"}.intersection(found)

    until(has_ended)
    return " ".join(sorted(found))
