"""One private Grid Engine cell: where its files are, and what its processes need to know."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .cluster import PrivateCluster, place
from .files import BINARIES

STOCK_FLUSH = "00:00:15"
# Grid Engine ends a job by killing whatever carries the job's group ID: two cells with one range would kill
# each other's jobs.
_FIRST_GID, _GIDS = 20000, 400


@dataclass(frozen=True)
class Cell(PrivateCluster):
    """A Grid Engine cluster of the testbed."""

    accounting_flush: str = STOCK_FLUSH

    @property
    def sge_root(self) -> Path:
        return self.root

    @property
    def qmaster_port(self) -> int:
        return self.port(0)

    @property
    def execd_port(self) -> int:
        return self.port(1)

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

    def settings(self) -> dict[str, str]:
        return {
            "SGE_ROOT": str(self.sge_root),
            "SGE_CELL": "default",
            "SGE_QMASTER_PORT": str(self.qmaster_port),
            "SGE_EXECD_PORT": str(self.execd_port),
        }

    def program(self, name: str) -> str:
        return str(BINARIES / name)


def new(directory: Path, slots: int, accounting_flush: str = STOCK_FLUSH, sh: str = "") -> Cell:
    """A cell with ports that are free now; nothing is started and nothing written but its directory."""
    cell = Cell(**place(directory, slots, sh), accounting_flush=accounting_flush)
    cell.save()
    return cell
