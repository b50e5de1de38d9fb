"""Another way to the login node is one file (tests/session/local_shell.py), and a program hands it to a SubmitHost."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.api.submit_host import SubmitHost
from tasks.testbed.cell import Cell
from tests.session.local_shell import LocalShell, logged_in


def test_a_program_hands_it_to_a_submit_host(
    cells: dict[str, Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "cluster").mkdir()
    way = LocalShell(logged_in(tmp_path / "cluster", **cells["sandbox"].settings()))
    (tmp_path / "x").write_text("#!/bin/sh\necho done >result.txt\n")
    with SubmitHost("sandbox", transport=way) as host:
        job = host.submit(str(tmp_path / "x"))
        job.wait()
        job.fetch(tmp_path / "out")
    assert (tmp_path / "out" / "result.txt").read_text() == "done\n"
    assert way.logins == 1
    assert not way.alive
