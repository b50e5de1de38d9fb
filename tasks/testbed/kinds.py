"""The kinds of clusters that the testbed has: what differs between them is looked up here, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from . import daemons, slurm_daemons
from .cell import Cell
from .cluster import PrivateCluster, remembered
from .slurm import SlurmCluster

C = TypeVar("C", bound=PrivateCluster)


@dataclass(frozen=True)
class Kind(Generic[C]):
    """What is done with the clusters of one scheduler.

    `master` is the daemon that knows the jobs, `registered` what fabric.yml would say of such a cluster.
    """

    word: str
    type: type[C]
    master: str
    registered: dict[str, Any]
    make: Callable[[C], None]
    start_all: Callable[[C], None]
    alive: Callable[[C], dict[str, bool]]
    used_and_free: Callable[[C], tuple[int, int] | None]
    set_slots: Callable[[C], None]


GRID_ENGINE = Kind(
    "Grid Engine", Cell, "qmaster", {"scheduler": "gridengine", "names": {"memory": "rmem", "gpus": "gpu"}},
    daemons.make, daemons.start_all, daemons.alive, daemons.used_and_free, daemons.set_slots,
)  # fmt: skip
SLURM = Kind(
    "Slurm", SlurmCluster, "slurmctld", {"scheduler": "slurm"},
    slurm_daemons.make, slurm_daemons.start_all, slurm_daemons.alive,
    slurm_daemons.used_and_free, slurm_daemons.set_slots,
)  # fmt: skip
_KINDS: tuple[Kind[Any], ...] = (GRID_ENGINE, SLURM)


def kind_of(cluster: PrivateCluster) -> Kind[Any]:
    """What is done with this cluster."""
    return next(kind for kind in _KINDS if kind.type is type(cluster))


def load(directory: Path) -> PrivateCluster | None:
    """The cluster in `directory`; None when there is none, or what is there was cut short."""
    try:
        values = remembered(directory)
        named = {kind.type.__name__: kind.type for kind in _KINDS}
        cluster: PrivateCluster = named[values.pop("kind")](**values)
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return cluster
