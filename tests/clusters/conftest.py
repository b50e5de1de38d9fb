"""What the tests of the testbed itself share: a testbed of the test's own, gone with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.testbed import bed
from tasks.testbed.cluster import PrivateCluster


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory of the test's own; whatever it brought up is taken down."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield tmp_path / "state"
    bed.down()


@pytest.fixture
def cell(state: Path) -> PrivateCluster:
    """One cluster that is up. Its accounting is written at once: no test here needs the gap."""
    del state
    return bed.up(["sandbox"], accounting_flush="00:00:00")[0]


@pytest.fixture
def cluster(state: Path) -> PrivateCluster:
    """One cluster that is up, without accounting."""
    del state
    return bed.up_slurm()[0]
