"""Bringing clusters up, taking them down, and saying how they are."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..model.errors import InvalidInput, SchedulerError, nearest
from . import cell, packages, register, shell, slurm, sshd
from .cluster import MOST_SLOTS, PrivateCluster
from .kinds import GRID_ENGINE, SLURM, Kind, kind_of, load
from .processes import end_all

DEFAULT_CLUSTERS = ("sandbox", "sandbox2")
DEFAULT_SLURM_CLUSTERS = ("sandbox-slurm",)
DEFAULT_SLOTS = 16

Say = Callable[[str], None]
New = Callable[[Path, int], PrivateCluster]


@dataclass(frozen=True)
class Health:
    """What lives of a cluster: its daemons by name, and how many slots are (used, free) if the scheduler says."""

    cluster: PrivateCluster
    daemons: dict[str, bool]
    slots: tuple[int, int] | None

    @property
    def dead(self) -> list[str]:
        """The daemons that do not live, or do not answer."""
        return [name for name, alive in self.daemons.items() if not alive]


def up(
    names: Sequence[str] = DEFAULT_CLUSTERS,
    slots: int | None = None,
    accounting_flush: str = cell.STOCK_FLUSH,
    sh: str = "",
    say: Say = lambda _: None,
    reserved: Collection[str] = (),
) -> list[PrivateCluster]:
    """Make these Grid Engine clusters be up and registered; a healthy one is left alone but for its number of slots.

    `slots` None keeps what a cluster has (16 for a new one); `accounting_flush` is for new ones, and so is `sh`, the
    path of the program that /bin/sh is there (empty: this machine's own). `reserved` names are refused, as those
    of tasks must be. Raises InvalidInput and SchedulerError.
    """

    def new(directory: Path, slots: int) -> PrivateCluster:
        return cell.new(directory, slots, accounting_flush, sh)

    shell.must_work(sh)
    return _up(names, GRID_ENGINE, new, slots, say, reserved)


def up_slurm(
    names: Sequence[str] = DEFAULT_SLURM_CLUSTERS,
    slots: int | None = None,
    *,
    accounting: bool = False,
    min_job_age: int = slurm.STOCK_MIN_JOB_AGE,
    sh: str = "",
    say: Say = lambda _: None,
    reserved: Collection[str] = (),
) -> list[PrivateCluster]:
    """The same for Slurm clusters.

    New ones have `accounting` (slurmdbd) or not, and forget jobs `min_job_age` seconds after their end.
    """

    def new(directory: Path, slots: int) -> PrivateCluster:
        return slurm.new(directory, slots, accounting=accounting, min_job_age=min_job_age, sh=sh)

    shell.must_work(sh)
    groups = ("slurm", "accounting") if accounting else ("slurm",)
    return _up(names, SLURM, new, slots, say, reserved, groups)


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


def health(cluster: PrivateCluster) -> Health:
    """How a cluster is, now."""
    kind = kind_of(cluster)
    alive = {"sshd": sshd.answers(sshd.main_door(cluster)), **kind.alive(cluster)}
    return Health(cluster, alive, kind.used_and_free(cluster) if alive[kind.master] else None)


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


def _up(
    names: Sequence[str],
    kind: Kind[Any],
    new: New,
    slots: int | None,
    say: Say,
    reserved: Collection[str],
    groups: Sequence[str] = (),
) -> list[PrivateCluster]:
    check_names(names)
    if taken := [name for name in names if name in reserved]:
        raise InvalidInput(f"'{taken[0]}' cannot be the name of a cluster: it is that of a task")
    if slots is not None and not 1 <= slots <= MOST_SLOTS:
        raise InvalidInput(f"a cluster of the testbed has 1 to {MOST_SLOTS} slots, not {slots}")
    packages.ensure(say, *groups)
    with register.locked():
        with ThreadPoolExecutor(len(names)) as pool:
            ready = list(pool.map(lambda name: _up_one(name, kind, new, slots, say), names))
        register.publish()
    return ready


def _up_one(name: str, kind: Kind[Any], new: New, slots: int | None, say: Say) -> PrivateCluster:
    directory = register.state_directory() / name
    cluster = load(directory)
    if cluster and kind_of(cluster) is not kind:
        raise InvalidInput(f"'{name}' is a {kind_of(cluster).word} cluster: take it down first, or choose another name")
    # The last file to be written: an `up` that was cut short has not come so far.
    if cluster and sshd.main_door(cluster).config.exists():
        cluster.relink()
        try:
            return _mend(cluster, slots, say)
        except SchedulerError as error:
            say(f"{error}; making the cluster anew")
    if directory.exists():
        _remove(directory, say)
    return _make(directory, kind, new, slots or (cluster.slots if cluster else DEFAULT_SLOTS), say)


def _make(directory: Path, kind: Kind[Any], new: New, slots: int, say: Say) -> PrivateCluster:
    say(f"{directory.name}: making a {kind.word} cluster with {slots} slots in {directory}")
    for attempt in range(3):
        cluster = new(directory, slots)
        try:
            kind.make(cluster)
            sshd.furnish(sshd.main_door(cluster))
            sshd.start_sshd(sshd.main_door(cluster))
            break
        except SchedulerError as error:
            # Somebody else may have taken a port since we looked, or the machine was too busy for the scheduler.
            end_all(directory)
            if attempt == 2:
                raise
            say(f"{error}; trying again")
            _remove(directory, say)
    say(f"{cluster.name}: {', '.join(health(cluster).daemons)} are up; sshd listens on port {cluster.sshd_port}")
    return cluster


def _mend(cluster: PrivateCluster, slots: int | None, say: Say) -> PrivateCluster:
    dead = health(cluster).dead
    if not dead:
        say(f"{cluster.name}: is up")
    else:
        say(f"{cluster.name}: starting {', '.join(dead)} again")
        kind_of(cluster).start_all(cluster)
        sshd.start_sshd(sshd.main_door(cluster))
    if slots and slots != cluster.slots:
        say(f"{cluster.name}: {slots} slots instead of {cluster.slots}")
        cluster = replace(cluster, slots=slots)
        kind_of(cluster).set_slots(cluster)
        cluster.save()
    return cluster


def _remove(directory: Path, say: Say) -> None:
    if stubborn := end_all(directory):
        first = stubborn[0]
        raise SchedulerError(f"{directory.name}: process {first.pid} does not end: {first.command!r}")
    if cluster := load(directory):
        sshd.remove_privsep_directory(cluster)
        cluster.forget()
    else:
        shutil.rmtree(directory)
    say(f"{directory.name}: processes ended, files removed")
