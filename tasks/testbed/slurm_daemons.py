"""Making a Slurm cluster, and starting and stopping its daemons: munged, slurmctld, slurmd; mariadbd and slurmdbd."""

from __future__ import annotations

import getpass
import re
import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

from ..model.errors import SchedulerError
from . import services, slurm
from .slurm import SlurmCluster

_SBIN = Path("/usr/sbin")
_MARIADB_SYSTEM_TABLES = Path("/usr/share/mysql/mysql_system_tables.sql")


def make(cluster: SlurmCluster) -> None:
    """Write the cluster's files and bring its daemons up for the first time. Raises SchedulerError."""
    slurm.lay_out(cluster)
    if cluster.accounting:
        _make_database(cluster)
    start_all(cluster)


def start_all(cluster: SlurmCluster) -> None:
    """Start whatever of it does not live, or does not answer. Raises SchedulerError."""
    start_munged(cluster)
    if cluster.accounting:
        start_mariadbd(cluster)
        start_slurmdbd(cluster)
    if services.lives(cluster, "slurmctld") and not slurmctld_answers(cluster):
        kill_slurmctld(cluster)
    start_slurmctld(cluster)
    start_slurmd(cluster)


def alive(cluster: SlurmCluster) -> dict[str, bool]:
    """What lives."""
    found = {
        "munged": services.lives(cluster, "munged"),
        "slurmctld": slurmctld_answers(cluster),
        "slurmd": services.lives(cluster, "slurmd"),
    }
    if cluster.accounting:
        found["mariadbd"] = services.lives(cluster, "mariadbd")
        found["slurmdbd"] = services.lives(cluster, "slurmdbd")
    return found


def used_and_free(cluster: SlurmCluster) -> tuple[int, int] | None:
    """CPUs, from sinfo's allocated/idle/other/total; None when slurmctld does not say."""
    found = re.match(r"(\d+)/(\d+)/", cluster.run("sinfo", "-h", "-p", "main", "-o", "%C").stdout)
    return (int(found[1]), int(found[2])) if found else None


def set_slots(cluster: SlurmCluster) -> None:
    """Give the running cluster as many CPUs, and memory for them, as it now says; jobs run on."""
    slurm.configure(cluster)
    # A node's size is read at a start only.
    stop_slurmctld(cluster)
    stop_slurmd(cluster)
    start_slurmctld(cluster)
    start_slurmd(cluster)


def start_munged(cluster: SlurmCluster) -> None:
    """Start munged unless it lives. Raises SchedulerError."""
    root = cluster.root
    arguments = [
        f"--{option}={root / file}"
        for option, file in {
            "key-file": "munge.key", "socket": "munge.sock", "pid-file": "munged.pid", "log-file": "munged.messages",
            "seed-file": "munged.seed",
        }.items()
    ]  # fmt: skip
    # Forced, it takes a directory that others may read, and a socket that a killed one has left behind.
    _start(cluster, "munged", "--foreground", "--force", *arguments, answers=lambda: _listens(cluster.munge_socket))


def start_slurmctld(cluster: SlurmCluster) -> None:
    """Start slurmctld unless it lives, and return when it answers. Raises SchedulerError."""
    _start(cluster, "slurmctld", "-D", answers=lambda: slurmctld_answers(cluster))


def start_slurmd(cluster: SlurmCluster) -> None:
    """Start slurmd unless it lives, and return when its node takes jobs. Raises SchedulerError."""
    _start(cluster, "slurmd", "-D", answers=lambda: slurmd_answers(cluster))


def start_mariadbd(cluster: SlurmCluster) -> None:
    """Start the database unless it lives, and return when it can be asked. Raises SchedulerError."""
    # Whoever can reach the socket owns the directory that it is in: there is no need of passwords.
    options = [f"--socket={cluster.database_socket}", "--skip-networking", "--skip-grant-tables"]
    _start(
        cluster, "mariadbd", *_mariadb_options(cluster), *options, answers=lambda: _listens(cluster.database_socket)
    )  # fmt: skip


def start_slurmdbd(cluster: SlurmCluster) -> None:
    """Start slurmdbd unless it lives, and return when it answers and knows the cluster. Raises SchedulerError."""
    database = str(cluster.database_socket)
    _start(cluster, "slurmdbd", "-D", answers=lambda: slurmdbd_answers(cluster), MYSQL_UNIX_PORT=database)
    if cluster.name not in cluster.must("sacctmgr", "-n", "-P", "list", "cluster", "format=cluster").split():
        cluster.must("sacctmgr", "-i", "add", "cluster", cluster.name)


def stop_slurmctld(cluster: SlurmCluster) -> None:
    """End slurmctld in good order; jobs run on. Raises SchedulerError when it stays."""
    services.stop(cluster, "slurmctld", signal.SIGTERM)


def kill_slurmctld(cluster: SlurmCluster) -> None:
    """Kill slurmctld: what it had not yet written is lost."""
    services.stop(cluster, "slurmctld", signal.SIGKILL)


def stop_slurmd(cluster: SlurmCluster) -> None:
    """End slurmd alone; its jobs run on under their slurmstepd. Raises SchedulerError when it stays."""
    services.stop(cluster, "slurmd", signal.SIGTERM)


def kill_slurmd(cluster: SlurmCluster) -> None:
    """Kill slurmd alone; its jobs run on under their slurmstepd."""
    services.stop(cluster, "slurmd", signal.SIGKILL)


def stop_slurmdbd(cluster: SlurmCluster) -> None:
    """End slurmdbd in good order; slurmctld keeps for it what it has to say. Raises SchedulerError when it stays."""
    services.stop(cluster, "slurmdbd", signal.SIGTERM)


def slurmctld_answers(cluster: SlurmCluster) -> bool:
    """Whether slurmctld lives and answers."""
    return services.lives(cluster, "slurmctld") and _says(cluster, "scontrol", "ping", expected=" is UP")


def slurmd_answers(cluster: SlurmCluster) -> bool:
    """Whether slurmd lives, and slurmctld gives its node jobs."""
    if not services.lives(cluster, "slurmd"):
        return False
    # `idle`, `mix`, `alloc`: a mark after it (`idle*`) means that it does not answer.
    states = cluster.run("sinfo", "-h", "-p", "main", "-o", "%t").stdout.split()
    return bool(states) and all(state in ("idle", "mix", "alloc", "comp") for state in states)


def slurmdbd_answers(cluster: SlurmCluster) -> bool:
    """Whether slurmdbd lives and answers."""
    return services.lives(cluster, "slurmdbd") and _says(cluster, "sacctmgr", "-n", "list", "cluster")


def _start(
    cluster: SlurmCluster, program: str, *arguments: str, answers: Callable[[], bool], **environment: str
) -> None:
    if not services.lives(cluster, program):
        services.start(cluster, str(_SBIN / program), *arguments, **environment)
    if not services.comes_up(cluster, program, answers):
        raise SchedulerError(f"{cluster.name}: {program} does not answer: see {services.log(cluster, program)}")


def _says(cluster: SlurmCluster, program: str, *arguments: str, expected: str = "") -> bool:
    try:
        done = cluster.run(program, *arguments, timeout=5)
    except SchedulerError:
        return False
    return done.returncode == 0 and expected in done.stdout


def _listens(path: Path) -> bool:
    """Whether somebody is behind this socket: a killed one leaves the file."""
    with socket.socket(socket.AF_UNIX) as probe:
        return probe.connect_ex(str(path)) == 0


def _make_database(cluster: SlurmCluster) -> None:
    """Fill MariaDB's directory, without the client programs that mariadb-install-db wants."""
    cluster.database.mkdir()
    # Bootstrapping, it takes one statement a line.
    statements = f"create database mysql;\nuse mysql;\n{_MARIADB_SYSTEM_TABLES.read_text()}"
    done = subprocess.run(
        [str(_SBIN / "mariadbd"), *_mariadb_options(cluster), "--bootstrap"],
        input=statements, capture_output=True, text=True, errors="replace", timeout=120,
    )  # fmt: skip
    if done.returncode != 0:
        said = next((line for line in done.stderr.splitlines() if "ERROR" in line), "no message")
        raise SchedulerError(f"{cluster.name}: making the database failed: {said}")


def _mariadb_options(cluster: SlurmCluster) -> list[str]:
    """Small: the defaults are for a server that has the machine to itself."""
    return [
        "--no-defaults",  # has to be the first
        f"--datadir={cluster.database}",
        f"--user={getpass.getuser()}",  # as root it wants to be told
        f"--pid-file={cluster.root / 'mariadbd.pid'}",
        "--innodb-buffer-pool-size=32M",
        "--innodb-log-file-size=8M",
        "--innodb-flush-log-at-trx-commit=0",
    ]
