"""`fab all.status` over several clusters and a dead one, against `fab SLOWEST.status` alone."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from tasks.testbed import bed
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import main_door
from tests.proxy import Proxy, ssh_config_through

from .measure import Pair, fab, in_turns, timed, user

_DEAD = "  dead: {host: 127.0.0.1, port: 1}\n"


@dataclass(frozen=True)
class Place:
    """A cluster for the configuration: the name is that of the host in `ssh_config` too."""

    name: str
    ssh_config: Path
    scheduler: str = "gridengine"

    def section(self) -> str:
        return f"  {self.name}: {{host: {self.name}, ssh_config: '{self.ssh_config}', scheduler: {self.scheduler}}}\n"


def all_status(places: Sequence[Place], slowest: str, runs: int, bound: float) -> Pair:
    """These clusters, with a held job each, and one where nothing listens: its row is part of the table."""
    with tempfile.TemporaryDirectory() as directory:
        person = user(Path(directory) / "home", "clusters:\n" + "".join(p.section() for p in places) + _DEAD)
        person.script("job.sh", "#!/bin/sh\n")
        alive = f"--clusters={','.join(place.name for place in places)}"
        timed([fab(), "all.submit", "--script=job.sh", "--hold", alive], person.work, person.environment)
        shown = person.fab("all.status").stdout.splitlines()
        assert [line.split("\t")[0] for line in shown] == [*(place.name for place in places), "dead"], shown
        try:
            return in_turns(
                f"`all.status` of {len(places) + 1} clusters, one 200 ms away and one dead, against the slowest alone",
                lambda: timed([fab(), "all.status"], person.work, person.environment, status=4),
                lambda: timed([fab(), f"{slowest}.status"], person.work, person.environment),
                runs,
                bound,
            )
        finally:
            timed([fab(), "all.cancel", alive], person.work, person.environment)


def far_and_near(cell: Cell, runs: int, bound: float) -> Pair:
    """Two Grid Engine cells, the second one behind a round trip of 200 ms."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (other,) = bed.up(["sandbox2"])
        proxy = stack.enter_context(Proxy(main_door(other).port, delay=0.1))
        far = ssh_config_through(proxy, main_door(other), folder / "ssh_config")
        places = [Place(cell.name, main_door(cell).ssh_config), Place(other.name, far)]
        return all_status(places, other.name, runs, bound)
