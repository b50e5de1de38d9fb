"""Another way to the login node is one file (tests/session/local_shell.py), and a cluster is used over it as ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.checks.steps import Step, check_cluster
from tasks.model.cluster import Cluster
from tasks.testbed.cell import Cell
from tasks.tracking.cluster_session import ClusterSession
from tests.session.local_shell import LocalShell, logged_in


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
