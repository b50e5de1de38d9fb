"""Bringing clusters up, taking them down, and saying how they are."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ..model.errors import InvalidInput, SchedulerError, nearest
from . import daemons, packages, register, sshd
from .cell import MOST_SLOTS, STOCK_FLUSH, Cell, load, new, relink
from .files import HOST
from .processes import end_all

DEFAULT_CLUSTERS = ("sandbox", "sandbox2")
DEFAULT_SLOTS = 16

Say = Callable[[str], None]


@dataclass(frozen=True)
class Health:
    """What lives of a cluster: its daemons by name, and how many slots are (used, free) if qmaster says."""

    cell: Cell
    daemons: dict[str, bool]
    slots: tuple[int, int] | None

    @property
    def dead(self) -> list[str]:
        """The daemons that do not live, or do not answer."""
        return [name for name, alive in self.daemons.items() if not alive]


def up(
    names: Sequence[str] = DEFAULT_CLUSTERS,
    slots: int | None = None,
    accounting_flush: str = STOCK_FLUSH,
    say: Say = lambda _: None,
    reserved: Collection[str] = (),
) -> list[Cell]:
    """Make these clusters be up and registered; a healthy one is left alone but for its number of slots.

    `slots` None keeps what a cluster has (16 for a new one); `accounting_flush` is for new ones;
    `reserved` names are refused, as those of tasks must be. Raises InvalidInput and SchedulerError.
    """
    check_names(names)
    if taken := [name for name in names if name in reserved]:
        raise InvalidInput(f"'{taken[0]}' cannot be the name of a cluster: it is that of a task")
    if slots is not None and not 1 <= slots <= MOST_SLOTS:
        raise InvalidInput(f"a cluster of the testbed has 1 to {MOST_SLOTS} slots, not {slots}")
    packages.ensure(say)
    with register.locked():
        with ThreadPoolExecutor(len(names)) as pool:
            ready = list(pool.map(lambda name: _up_one(name, slots, accounting_flush, say), names))
        register.publish()
    return ready


def down(names: Sequence[str] = (), say: Say = lambda _: None) -> list[str]:
    """Take these clusters down, all of them when none is named: no process, no file. Returns their names."""
    directory = register.state_directory()
    if not directory.is_dir():
        check_names(names)
        return []
    with register.locked():
        there = [folder.name for folder in sorted(directory.iterdir()) if folder.is_dir()]
        for name in names:
            if name not in there:
                known = f"there are {', '.join(there)}" if there else "none is up"
                raise InvalidInput(f"the testbed has no cluster '{name}': {known}{nearest(name, there)}")
        gone = list(dict.fromkeys(names)) or there
        for name in gone:
            _remove(directory / name, say)
        register.publish()
    return gone


def health(cell: Cell) -> Health:
    """How a cluster is, now."""
    qmaster = daemons.qmaster_answers(cell)
    alive = {
        "sshd": sshd.answers(sshd.main_door(cell)),
        "qmaster": qmaster,
        "execd": daemons.execd_lives(cell),
    }
    return Health(cell, alive, _slots(cell) if qmaster else None)


def check_names(names: Sequence[str]) -> None:
    """Raise InvalidInput for a name that cannot be a cluster's, or is there twice."""
    for name in names:
        # It becomes a directory, an SSH alias, a collection of tasks, and a word of a comma list.
        if not re.fullmatch(r"[a-z][a-z0-9-]{0,31}", name):
            raise InvalidInput(
                f"'{name}' cannot be the name of a cluster: "
                "it takes small letters, digits and -, a letter first, 32 at most"
            )
    if len(set(names)) < len(names):
        raise InvalidInput(f"a cluster is named twice: {', '.join(names)}")


def _up_one(name: str, slots: int | None, accounting_flush: str, say: Say) -> Cell:
    directory = register.state_directory() / name
    cell = load(directory)
    if cell:
        relink(cell)
        try:
            return _mend(cell, slots, say)
        except SchedulerError as error:
            say(f"{error}; making the cluster anew")
    if directory.exists():
        _remove(directory, say)
    return _make(directory, slots or (cell.slots if cell else DEFAULT_SLOTS), accounting_flush, say)


def _make(directory: Path, slots: int, accounting_flush: str, say: Say) -> Cell:
    say(f"{directory.name}: making a Grid Engine cell with {slots} slots in {directory}")
    for attempt in range(3):
        cell = new(directory, slots, accounting_flush)
        try:
            daemons.make(cell)
            sshd.furnish(sshd.main_door(cell))
            sshd.start_sshd(sshd.main_door(cell))
            break
        except SchedulerError:
            # Somebody else may have taken a port since we looked, or the machine was too busy for Grid Engine.
            end_all(directory)
            if attempt == 2:
                raise
            _remove(directory, say)
    ports = f"{cell.qmaster_port} to {cell.sshd_port}"
    say(f"{cell.name}: sge_qmaster, sge_execd and sshd are up on ports {ports}")
    return cell


def _mend(cell: Cell, slots: int | None, say: Say) -> Cell:
    dead = health(cell).dead
    if not dead:
        say(f"{cell.name}: is up")
    else:
        say(f"{cell.name}: starting {', '.join(dead)} again")
        if "qmaster" in dead:
            daemons.kill_qmaster(cell)
        daemons.start_qmaster(cell)
        daemons.start_execd(cell)
        sshd.start_sshd(sshd.main_door(cell))
    if slots and slots != cell.slots:
        say(f"{cell.name}: {slots} slots instead of {cell.slots}")
        cell = replace(cell, slots=slots)
        daemons.set_slots(cell)
        cell.save()
    return cell


def _remove(directory: Path, say: Say) -> None:
    if stubborn := end_all(directory):
        first = stubborn[0]
        raise SchedulerError(f"{directory.name}: process {first.pid} does not end: {first.command!r}")
    if cell := load(directory):
        sshd.remove_privsep_directory(cell)
        cell.forget()
    else:
        shutil.rmtree(directory)
    say(f"{directory.name}: processes ended, files removed")


def _slots(cell: Cell) -> tuple[int, int] | None:
    """Used and free slots, from `all.q@localhost BIP 0/2/16 0.08 lx-amd64` (reserved/used/all)."""
    found = re.search(rf"^all\.q@{HOST}\s+\S+\s+\d+/(\d+)/(\d+)", cell.run("qstat", "-f").stdout, re.M)
    return (int(found[1]), int(found[2]) - int(found[1])) if found else None
