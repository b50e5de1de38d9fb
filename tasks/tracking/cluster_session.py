"""A session with a login node, together with the ledger and the cluster's scheduler."""

from __future__ import annotations

import atexit
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from ..login_node import Program
from ..model.cluster import Cluster
from ..model.errors import SchedulerError
from ..model.ledger import Ledger
from ..model.listener import Listener
from ..schedulers import assumed, by_rank, clients, known, scheduler
from ..schedulers.bounds import MOST_OF_A_QUEUE
from ..schedulers.seam import Question, Scheduler
from ..session import Session, Transport, default_transport

T = TypeVar("T")

_shared: dict[str, ClusterSession] = {}


class ClusterSession(Session):
    """A session that has the ledger, and can ask the cluster's scheduler.

    `transport` replaces the default way to the login node, for which `identities` are key files (`-i`).
    """

    def __init__(
        self,
        cluster: Cluster,
        identities: Sequence[Path] = (),
        listener: Listener | None = None,
        ledger: Ledger | None = None,
        transport: Transport | None = None,
    ) -> None:
        super().__init__(cluster, transport or default_transport(cluster, identities, listener), listener)
        self.ledger = ledger or Ledger()
        self.ledger.told = self.listener.say
        self._scheduler: Scheduler | None = None

    def query(self, question: Question[T], most: int = MOST_OF_A_QUEUE) -> T:
        """Ask the scheduler; return its parsed answer, which may have `most` bytes. Raises as `ask`, and
        SchedulerError."""
        return self.ask(Program(("ask",), {"command": question.command}, most=most))["answer"].read(question.parse)

    @property
    def scheduler(self) -> Scheduler:
        """The cluster's scheduler: configured, remembered, or found out now (and reported)."""
        if not self._scheduler:
            self._scheduler = scheduler(self._known_scheduler() or self._find_out())
        return self._scheduler

    def scheduler_unasked(self) -> Scheduler:
        """The scheduler, without asking the cluster: if it is not known, one is assumed, with a warning."""
        if not self._known_scheduler():
            self.listener.say(f"{self.name}: scheduler not known yet, {assumed().name} assumed")
            return assumed()
        return self.scheduler

    def clients(self) -> Mapping[str, str]:
        """What describe.sh needs to know of the scheduler's commands; of all schedulers' while it is not known."""
        return clients(self._known_scheduler())

    def _known_scheduler(self) -> str | None:
        return self.cluster.scheduler or self.ledger.scheduler(self.name)

    def _find_out(self) -> str:
        probes = "; ".join(f"{{ {each.probe}; }} >/dev/null 2>&1 && echo {each.name}" for each in by_rank())
        said = self.ask(Program(("ask",), {"command": probes})).text("answer").split()
        found = [each.name for each in by_rank() if each.name in said]
        if not found:
            raise SchedulerError(
                f"{self.name}: no scheduler found in the login environment on the login node "
                f"(looked for {', '.join(known())}); configure 'setup' or 'scheduler'"
            )
        self.listener.say(f"{self.name}: found {found[0]}; remembered")
        with self.ledger.leniently():
            self.ledger.remember_scheduler(self.name, found[0])
        return found[0]


def shared(cluster: Cluster, identities: Sequence[Path], listener: Listener) -> ClusterSession:
    """The one session that all tasks of a command line share for a cluster (F3: else each would log in)."""
    if cluster.name not in _shared:
        _shared[cluster.name] = ClusterSession(cluster, identities, listener)
    return _shared[cluster.name]


def use(session: ClusterSession) -> None:
    """Have the tasks of this command line use `session`: for a fabfile with a transport of its own."""
    _shared[session.name] = session


@atexit.register
def close_all() -> None:
    """Log out everywhere; a later task logs in again."""
    for session in _shared.values():
        session.close()
