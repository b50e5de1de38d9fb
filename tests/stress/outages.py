"""The daemons that faults end, whichever scheduler they are of."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from tasks.model.errors import SchedulerError
from tasks.testbed import daemons, slurm_daemons
from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import NODE, SlurmCluster

C = TypeVar("C", bound=PrivateCluster)


@dataclass(frozen=True)
class Daemon(Generic[C]):
    """How one is killed, ended in good order, and started again."""

    program: str
    kill: Callable[[C], None]
    stop: Callable[[C], None]
    start: Callable[[C], None]


@dataclass(frozen=True)
class Outage:
    """How a daemon ends, and for how long (seconds) it is away; `after` more until then."""

    killed: bool
    away: float
    after: float = 0.0

    def begin(self, daemon: Daemon[Any], cluster: PrivateCluster) -> None:
        """End it."""
        (daemon.kill if self.killed else daemon.stop)(cluster)


def _start_slurmctld(cluster: SlurmCluster) -> None:
    """With its node, which then tells at once what runs on it; by itself it is asked minutes later."""
    slurm_daemons.start_slurmctld(cluster)
    slurm_daemons.stop_slurmd(cluster)
    slurm_daemons.start_slurmd(cluster)


_CONTROLLERS: dict[type[PrivateCluster], Daemon[Any]] = {
    Cell: Daemon[Cell]("sge_qmaster", daemons.kill_qmaster, daemons.stop_qmaster, daemons.start_qmaster),
    SlurmCluster: Daemon[SlurmCluster](
        "slurmctld", slurm_daemons.kill_slurmctld, slurm_daemons.stop_slurmctld, _start_slurmctld
    ),
}
_NODES: dict[type[PrivateCluster], Daemon[Any]] = {
    Cell: Daemon[Cell]("sge_execd", daemons.kill_execd, daemons.stop_execd, daemons.start_execd),
    SlurmCluster: Daemon[SlurmCluster](
        "slurmd", slurm_daemons.kill_slurmd, slurm_daemons.stop_slurmd, slurm_daemons.start_slurmd
    ),
}


def attend(cluster: PrivateCluster) -> None:
    """What an administrator does: a controller that was killed finds its own jobs at work, drains their node for that
    and holds those jobs for good, also new ones that have got the number of one that it forgot."""
    if not isinstance(cluster, SlurmCluster):
        return
    with contextlib.suppress(SchedulerError):  # it is away
        if re.search("drain|drng", cluster.run("sinfo", "-h", "-p", "main", "-o", "%T", timeout=5).stdout):
            cluster.run("scontrol", "update", f"NodeName={NODE}", "State=RESUME", timeout=5)
        waiting = cluster.run("squeue", "-h", "-o", "%i|%r", timeout=5).stdout
        held = re.findall(r"^(\S+)\|launch failed requeued held$", waiting, re.M)
        if held:
            cluster.run("scontrol", "release", *held, timeout=5)


def controller(cluster: PrivateCluster) -> Daemon[Any]:
    """The daemon that knows the jobs: qmaster, slurmctld."""
    return _CONTROLLERS[type(cluster)]


def node(cluster: PrivateCluster) -> Daemon[Any]:
    """The daemon that runs the jobs: execd, slurmd."""
    return _NODES[type(cluster)]
