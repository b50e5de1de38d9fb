"""The short form of the fault campaign (`make stress`): some of each kind of fault, on clusters of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import pytest

from tests.conftest import ROOT


@pytest.mark.parametrize("where", [[], ["--slurm"]], ids=["gridengine", "slurm"])
def test_some_faults_of_each_kind_lose_double_and_misreport_nothing(where: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.stress", "--short", *where],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    (total,) = re.findall(r"^\| \*\*all\*\* \|(.*)\|$", done.stdout, re.M)
    tried, asked, jobs, bodies, lost, doubled, wrong, hung, _, peak = map(int, total.split("|"))
    assert (lost, doubled, wrong, hung) == (0, 0, 0, 0)
    assert 0 < peak < 300  # MB
    assert jobs == asked
    assert bodies >= jobs
    assert tried >= 12, f"most of the faults did not happen: {done.stdout}"
