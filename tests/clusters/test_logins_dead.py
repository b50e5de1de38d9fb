"""A login node that is dead, or silent, or lives and has nothing to say: told apart, in bounded time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.login_node import Program
from tasks.model.cluster import Cluster
from tasks.model.errors import ConnectionLost
from tasks.session.fabric.ssh_config import parse_g
from tasks.testbed.cell import Cell
from tasks.testbed.processes import wait_until
from tasks.testbed.sshd import Door, extra_sshd
from tasks.tracking.cluster_session import ClusterSession
from tests.clusters.hostile import LINE, at
from tests.conftest import Person, until_there
from tests.proxy import Proxy, ssh_config_through

ALIVE = "    ServerAliveInterval 1\n    ServerAliveCountMax 3\n    ConnectTimeout 2\n"


TASKS = ["submit --script=x", "status", "wait --timeout=15", "fetch"]


@contextmanager
def dying(door: Door, tmp_path: Path) -> Iterator[tuple[Person, Proxy]]:
    """A login node behind a proxy that can freeze, and somebody whose ssh_config asks for signs of life."""
    with Proxy(door.port) as proxy:
        config = ssh_config_through(proxy, door, tmp_path / "config")
        config.write_text(config.read_text() + ALIVE)
        yield at(door, tmp_path, "    scheduler: gridengine\n", ssh_config=config), proxy


def frozen(door: Door, tmp_path: Path, task: str, packets: int) -> tuple[int, list[str]]:
    """Let so many packets of a task come back, then none: exit status, and what was said."""
    tmp_path.mkdir()
    with dying(door, tmp_path) as (person, proxy):
        if task != TASKS[0]:
            assert person.fab(*LINE[:4], "--hold").returncode == 0
        before = proxy.counted["down"] + packets
        begun = person.start("-H", "hpc", *task.split())
        assert wait_until(lambda: proxy.counted["down"] >= before or begun.poll() is not None, 60)
        proxy.frozen = True
        out, err = begun.communicate(timeout=400)  # TCP by itself would go on for a quarter of an hour
        assert "job" not in out, out
        return begun.returncode, err.splitlines()


@pytest.mark.parametrize(("moment", "packets"), [("login", 3), ("program", 9)])
def test_l7_a_peer_that_goes_dead_ends_every_task_with_a_line(
    cells: dict[str, Cell], tmp_path: Path, moment: str, packets: int
) -> None:
    with extra_sshd(cells["sandbox"], f"dying-{moment}") as door, ThreadPoolExecutor(len(TASKS)) as pool:
        ends = pool.map(lambda task: frozen(door, tmp_path / task.split()[0], task, packets), TASKS)
        for task, (status, said) in zip(TASKS, ends, strict=True):
            *progress, last = said
            assert last.startswith(f"{task.split()[0]}: "), said
            # Whoever waits with a time limit waits until then, for what was there before.
            assert status == (6 if "is still" in last else 4), said
            assert "let" not in last, said
            # What came before it froze: that a job waits, and perhaps why.
            waits = re.compile(r" is (still )?(pending|held)(: .*)?$")
            assert all(line.endswith(" s") or waits.search(line) for line in progress), said


def test_a_wait_over_a_peer_that_froze_goes_on_when_it_is_back(cells: dict[str, Cell], tmp_path: Path) -> None:
    with extra_sshd(cells["sandbox"], "thawing") as door, dying(door, tmp_path) as (person, proxy):
        go = person.work / "go"
        person.script("x", f"#!/bin/sh\n{until_there(go)}\nexit 7\n")
        assert person.fab(*LINE[:4]).returncode == 0
        before = door.logins()
        waiting = person.start("-H", "hpc", "wait")
        assert wait_until(lambda: door.logins() > before, 60)
        time.sleep(2)
        proxy.frozen = True
        assert waiting.stderr
        assert any("no sign of life" in line for line in waiting.stderr)
        proxy.frozen = False
        go.touch()
        _, err = waiting.communicate(timeout=60)
        assert waiting.returncode == 3, err


def test_a_peer_that_lives_and_has_nothing_to_say_is_waited_for_and_a_frozen_one_is_not(
    cells: dict[str, Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with extra_sshd(cells["sandbox"], "silent") as door, dying(door, tmp_path) as (_, proxy):
        session = ClusterSession(Cluster(name="hpc", host=door.name, ssh_config=tmp_path / "config"))
        assert session.ask(Program(("ask",), {"command": "sleep 9; echo yes"})).text("answer") == "yes"
        begun = session.follow(Program(("ask",), {"command": "sleep 30"}))
        assert next(begun)[0] == "now"
        proxy.frozen = True
        with pytest.raises(ConnectionLost, match="no sign of life for 4 s"):
            next(begun)
        session.close()


def test_signs_of_life_are_asked_for_as_ssh_config_says() -> None:
    said = "hostname h\nserveraliveinterval {}\nserveralivecountmax {}\n"
    for interval, count in ((7, 2), (0, 3)):
        there = parse_g(said.format(interval, count))
        assert (there.server_alive_interval, there.server_alive_count_max) == (interval or None, count)
