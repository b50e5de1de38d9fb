"""Private clusters on this machine.

What they need is imported where it is used: every command line loads this module, few use it.
"""

from __future__ import annotations

import shlex
import sys

from invoke.context import Context

from ..model.errors import InvalidInput
from ..model.wording import fab
from .verb import verb


@verb(
    help={
        "clusters": "names, with commas between (sandbox,sandbox2; with --slurm: sandbox-slurm)",
        "slots": "slots of each cluster (16 for a new one)",
        "slurm": "Slurm instead of Grid Engine",
        "accounting": "a new Slurm cluster gets slurmdbd and a database, for sacct",
    }
)
def up(_: Context, clusters: str = "", slots: str = "", slurm: bool = False, accounting: bool = False) -> None:
    """Bring up private clusters on this machine.

    They are Grid Engine cells, or Slurm clusters, with an sshd each; a healthy one is left alone.

    Example: fab testbed.up --clusters=sandbox,sandbox2
    Example: fab testbed.up --slurm --accounting
    """
    from ..model import command_line
    from ..model.resources import parse_count
    from ..testbed import bed

    if accounting and not slurm:
        raise InvalidInput("--accounting is for Slurm clusters: add --slurm")
    many = parse_count(slots, "slots") if slots else None
    names = _names(clusters) if clusters else bed.DEFAULT_SLURM_CLUSTERS if slurm else bed.DEFAULT_CLUSTERS
    if slurm:
        ready = bed.up_slurm(names, many, accounting=accounting, say=_say, reserved=command_line.current.reserved)
    else:
        ready = bed.up(names, many, say=_say, reserved=command_line.current.reserved)
    for each in ready:
        print(f"{each.name}: {fab()} -H {each.name} submit --script=x    by hand: {_by_hand(each.name)}")


@verb(help={"clusters": "names, with commas between (all of them)"})
def down(_: Context, clusters: str = "") -> None:
    """Take them down, with all their processes and files.

    Example: fab testbed.down --clusters=sandbox2
    """
    from ..testbed import bed

    if not bed.down(_names(clusters) if clusters else (), say=_say):
        _say("nothing is up")


@verb(help={})
def status(_: Context) -> None:
    """Show what is running, and how to reach it by hand.

    Example: fab testbed.status
    """
    from ..testbed import bed, register

    found = register.clusters()
    if not found:
        _say(f"nothing is up; `{fab()} testbed.up` makes " + " and ".join(bed.DEFAULT_CLUSTERS))
    for cluster in found:
        now = bed.health(cluster)
        parts = [f"{name} {'up' if alive else 'DOWN'}" for name, alive in now.daemons.items()]
        slots = "slots unknown" if now.slots is None else "slots {} used, {} free".format(*now.slots)
        print(f"{cluster.name}: {', '.join(parts)}; {slots}; {_by_hand(cluster.name)}")


def _by_hand(name: str) -> str:
    from ..testbed import register

    return f"ssh -F {shlex.quote(str(register.ssh_config()))} {name}"


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise InvalidInput(f"'{text}' is not a list of cluster names with commas between")
    return names


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")  # at once: two clusters speak at the same time
    sys.stderr.flush()
