"""The suite does the same every time: properties are tried with the same examples, whatever ran before them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

PROPERTY = """\
import importlib, os
from pathlib import Path
from hypothesis import given, strategies as st

def test_before():
    importlib.import_module(os.environ["BEFORE"])

@given(st.text(), st.integers(), st.binary())
def test_property(text, number, data):
    with Path(os.environ["SEEN"]).open("a") as seen:
        print((text, number, data), file=seen)
"""


def examples(tmp_path: Path, name: str, before: str, *options: str) -> str:
    """What a property is tried with when this module has been imported before."""
    seen = tmp_path / f"{name}.seen"
    (tmp_path / "test_it.py").write_text(PROPERTY)  # its own constants are among the examples too
    words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.conftest", "-c", str(ROOT / "pyproject.toml"), *options]
    environment = {**os.environ, "BEFORE": before, "SEEN": str(seen)}
    subprocess.run(
        [*words, str(tmp_path / "test_it.py")], cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return seen.read_text()


def test_d11_properties_have_the_same_examples_every_time_and_others_when_fuzzed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = examples(tmp_path, "first", "json")
    assert first.count("\n") > 100
    assert examples(tmp_path, "second", "tasks.checks.steps") == first
    monkeypatch.setenv("FUZZ", "400")
    fuzzed = examples(tmp_path, "fuzzed", "json", "--hypothesis-profile=fuzz")
    assert fuzzed.count("\n") > first.count("\n")
    assert fuzzed[: len(first)] != first
