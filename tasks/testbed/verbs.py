"""testbed.up, testbed.down, testbed.status: private Grid Engine clusters on this machine."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from invoke import Context, task
from invoke.exceptions import Exit

from ..model.errors import InvalidInput, SubmithostError
from ..model.resources import parse_count
from . import bed, register


@task(
    auto_shortflags=False,
    help={"clusters": "names, with commas between (sandbox,sandbox2)", "slots": "slots of each cluster (16)"},
)
def up(_: Context, clusters: str = ",".join(bed.DEFAULT_CLUSTERS), slots: str = "") -> None:
    """Bring up private Grid Engine clusters on this machine; a healthy one is left alone."""
    with _one_line_errors():
        ready = bed.up(_names(clusters), parse_count(slots, "slots") if slots else None, say=_say)
        for cell in ready:
            print(f"{cell.name}: fab -H {cell.name} submit --script=x    by hand: {_by_hand(cell.name)}")


@task(auto_shortflags=False, help={"clusters": "names, with commas between (all of them)"})
def down(_: Context, clusters: str = "") -> None:
    """Take the private clusters down: no process and no file stays."""
    with _one_line_errors():
        if not bed.down(_names(clusters) if clusters else (), say=_say):
            _say("nothing is up")


@task(auto_shortflags=False)
def status(_: Context) -> None:
    """Say what lives of the private clusters, and how to reach them by hand."""
    with _one_line_errors():
        found = register.cells()
        if not found:
            _say("nothing is up; `fab testbed.up` makes " + " and ".join(bed.DEFAULT_CLUSTERS))
        for cell in found:
            now = bed.health(cell)
            parts = [f"{name} {'up' if getattr(now, name) else 'DOWN'}" for name in ("sshd", "qmaster", "execd")]
            used = now.slots_used
            free = None if used is None or now.slots_total is None else now.slots_total - used
            slots = "slots unknown" if free is None else f"slots {used} used, {free} free"
            print(f"{cell.name}: {', '.join(parts)}; {slots}; {_by_hand(cell.name)}")


def _by_hand(name: str) -> str:
    return f"ssh -F {shlex.quote(str(register.ssh_config()))} {name}"


def _names(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",")]
    if not all(names):
        raise InvalidInput(f"'{text}' is not a list of cluster names with commas between")
    return names


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


@contextmanager
def _one_line_errors() -> Iterator[None]:
    try:
        yield
    except SubmithostError as error:
        raise Exit(str(error), error.exit_status) from error
