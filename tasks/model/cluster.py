"""What a cluster is, as configured: a name, a login node to SSH to, and a scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .resources import Resources


@dataclass(frozen=True)
class Cluster:
    """The settings of one cluster; None if `ssh_config` or the first contact decides.

    `host` is what is given to ssh: an alias or a host name. `directory` is where job directories go on the
    cluster. `resources` and `options` are defaults that a script's own directives win over. `source` is the file
    that the settings come from (None: not configured, any SSH alias will do).
    """

    name: str
    host: str
    user: str | None = None
    port: int | None = None
    ssh_config: Path | None = None
    scheduler: str | None = None
    directory: str | None = None
    setup: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    names: Mapping[str, str] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    mail: str | None = None
    source: Path | None = None

    def line(self) -> str:
        """Its line in `--list`: me@login.sharc.ac.uk:2222, and the scheduler."""
        user, port = f"{self.user}@" if self.user else "", f":{self.port}" if self.port else ""
        scheduler = f", {self.scheduler}" if self.scheduler else ""
        return f"{user}{self.host}{port}{scheduler}"
