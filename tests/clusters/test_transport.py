"""Another way to the login node is one file (tests/session/local_shell.py), and a cluster is used over it as ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.checks.steps import Step, check_cluster
from tasks.model.cluster import Cluster
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import main_door
from tasks.tracking.cluster_session import ClusterSession
from tests.conftest import Person
from tests.session.local_shell import LocalShell, logged_in

FABFILE = """
from tasks import namespace
from tasks.session import cluster_of
from tasks.tracking.cluster_session import ClusterSession, use
from tests.conftest import Person
from tests.session.local_shell import LocalShell

ns = namespace()
use(ClusterSession(cluster_of("sandbox"), transport=LocalShell({environment})))
"""


@pytest.fixture
def way(cells: dict[str, Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalShell:
    """The way to `sandbox`, whose scheduler runs on this machine."""
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "cluster").mkdir()
    return LocalShell(logged_in(tmp_path / "cluster", **cells["sandbox"].settings()))


def test_the_whole_way_is_tested_without_what_a_transport_cannot_tell(way: LocalShell) -> None:
    steps: list[Step] = []
    check_cluster(ClusterSession(Cluster("sandbox", "sandbox"), transport=way), steps.append, 100)
    results = {step.name: step.result for step in steps}
    assert [name for name, result in results.items() if result == "-"] == ["name", "port", "host key", "login", "sftp"]
    assert results["scheduler"] == results["job"] == "ok"
    assert way.logins == 1


def test_submit_wait_and_fetch_run_over_it(person: Person, cells: dict[str, Cell], tmp_path: Path) -> None:
    home = tmp_path / "cluster"
    home.mkdir()
    environment = logged_in(home, **cells["sandbox"].settings())
    (person.work / "fabfile.py").write_text(FABFILE.format(environment=environment))
    (person.work / "input.csv").write_text("1,2\n")
    person.script("x", "#!/bin/sh\nwc -l <input.csv >lines.txt; exit 7\n")
    before = main_door(cells["sandbox"]).logins()
    done = person.fab("-H", "sandbox", "submit", "--script=x", "--put=input.csv")
    assert done.returncode == 0, done.stderr
    assert person.fab("-H", "sandbox", "wait").returncode == 3
    fetched = person.fab("-H", "sandbox", "fetch", "--to=out")
    assert fetched.returncode == 0, fetched.stderr
    assert (person.work / "out" / "lines.txt").read_text() == "1\n"
    assert main_door(cells["sandbox"]).logins() == before
    assert list(home.glob(".submithost/jobs/*"))
