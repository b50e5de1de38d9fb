"""put and get against `scp`: the same files, over the same sshd, in turns. Seconds of whole commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tasks.testbed.cell import Cell
from tasks.testbed.sshd import main_door
from tests.conftest import Person, move_in
from tests.proxy import Proxy, ssh_config_through

from .measure import Pair

ROUND_TRIP = 0.02
Seconds = tuple[list[float], list[float]]


def small_files(cell: Cell, runs: int, count: int = 5000) -> Pair:
    """A directory of `count` files of 1 to 3 KB in 50 directories, at 20 ms round trip: `put` and `scp -r`."""
    door = main_door(cell)
    with tempfile.TemporaryDirectory() as folder, Proxy(door.port, delay=ROUND_TRIP / 2) as proxy:
        config = ssh_config_through(proxy, door, Path(folder, "ssh_config"))
        person = _person(Path(folder), cell, config)
        for number in range(count):
            path = person.work / "many" / f"part {number % 50}" / f"file {number}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(os.urandom(1000 + number % 2000))
        what = f"`put` of {count:,} small files, 20 ms round trip, against `scp -r`"
        return Pair(what, *_puts(person, cell, config, "many", runs), bound=1 / 5)


def one_file(cell: Cell, runs: int, size: int = 1 << 30) -> Pair:
    """One file of `size` bytes: `put` and `scp`."""
    with tempfile.TemporaryDirectory() as folder:
        config = main_door(cell).ssh_config
        person = _person(Path(folder), cell, config)
        _random(person.work / "large", size)
        what = f"`put` of one file of {size >> 20:,} MiB, against `scp`"
        return Pair(what, *_puts(person, cell, config, "large", runs), bound=1 / 0.8)


def one_file_back(cell: Cell, runs: int, size: int = 1 << 30) -> Pair:
    """One file of `size` bytes: `get` and `scp`."""
    with tempfile.TemporaryDirectory() as folder:
        config = main_door(cell).ssh_config
        person = _person(Path(folder), cell, config)
        there = Path(folder, "there")
        there.mkdir()
        _random(there / "large", size)

        def ours() -> None:
            _run(_fab(cell, "get", f"--source={there}/large", "--target=ours"), person)

        def theirs() -> None:
            (person.work / "theirs").mkdir()
            _run(["scp", "-q", "-F", str(config), f"{cell.name}:{there}/large", "theirs/large"], person)

        what = f"`get` of one file of {size >> 20:,} MiB, against `scp`"
        results = [person.work / "ours", person.work / "theirs"]
        return Pair(what, *_in_turns(runs, ours, theirs, results), bound=1 / 0.8)


def _puts(person: Person, cell: Cell, config: Path, name: str, runs: int) -> Seconds:
    there = person.home / "there"

    def ours() -> None:
        _run(_fab(cell, "put", f"--source={name}", f"--target={there}/ours"), person)

    def theirs() -> None:
        (there / "theirs").mkdir(parents=True)
        _run(["scp", "-q", "-r", "-F", str(config), name, f"{cell.name}:{there}/theirs/"], person)

    return _in_turns(runs, ours, theirs, [there])


def _in_turns(runs: int, ours: Callable[[], None], theirs: Callable[[], None], results: list[Path]) -> Seconds:
    """Each result is removed before the next begins, and what is to be written to disk is written by then."""
    seconds: Seconds = ([], [])
    for _ in range(runs):
        for command, times in zip((ours, theirs), seconds, strict=True):
            os.sync()
            began = time.monotonic()
            command()
            times.append(time.monotonic() - began)
            for result in results:
                shutil.rmtree(result, ignore_errors=True)
    return seconds


def _person(folder: Path, cell: Cell, config: Path) -> Person:
    return move_in(folder / "home", f"clusters:\n  {cell.name}:\n    ssh_config: {config}\n    scheduler: gridengine\n")


def _fab(cell: Cell, *words: str) -> list[str]:
    return [sys.executable, "-m", "fabric", "-H", cell.name, *words]


def _run(command: list[str], person: Person) -> None:
    done = subprocess.run(
        command, cwd=person.work, env=person.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr.strip()}")


def _random(path: Path, size: int) -> None:
    """What no compression on the way makes small; one megabyte of chance, again and again."""
    block = os.urandom(1 << 20)
    with path.open("wb") as file:
        while size:
            size -= file.write(block[:size])
