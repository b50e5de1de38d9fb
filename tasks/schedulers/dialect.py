"""What rendering needs of a scheduler on one cluster: the words of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..model.resources import Resources
from .seam import Scheduler


@dataclass(frozen=True)
class Dialect:
    """A scheduler's words for what is asked of it, and a site's names for resources."""

    scheduler: Scheduler
    names: Mapping[str, str]

    @property
    def name(self) -> str:
        """The scheduler's."""
        return self.scheduler.name

    @property
    def variables(self) -> Mapping[str, str]:
        """The shell expressions for a job's own facts."""
        cannot = f"echo 'the scheduler {self.name} cannot start a job again' >&2; exit 1"
        return {"task_id": "0", "cores": "1", "requeue": cannot, **self.scheduler.variables}

    def directives(self, resources: Resources) -> list[str]:
        """The directive lines that ask for `resources` on this cluster."""
        return self.scheduler.directives(resources, self.names)
