"""The page about a job directory's layout, and the programs that work in there."""

from __future__ import annotations

import re

import pytest

from tasks.login_node import job_directory
from tests.conftest import ROOT

PROGRAMS = sorted((ROOT / "tasks" / "login_node").glob("*.sh"))


def test_the_programs_use_the_names_of_the_page() -> None:
    used = {
        name
        for program in PROGRAMS
        for name in re.findall(r'(?:\.submithost|\$mine)/"?([a-z_]+)', program.read_text())
        if name != "dropped"  # an attempt that was taken out of the way, about to be removed
    }
    assert used <= job_directory.NAMES
    assert {"about", "attempt", "claim", "job", "notes", "put", "receipt"} <= used


def test_no_other_file_of_ours_spells_them() -> None:
    files = (ROOT / "tasks").rglob("*.py")
    assert {path.name for path in files if ".submithost/" in path.read_text()} == {"job_directory.py"}


def test_paths() -> None:
    assert job_directory.own("about") == ".submithost/about"
    assert job_directory.note("/jobs/k", 2345, "end") == "/jobs/k/.submithost/notes/2/2345.end"
    assert job_directory.part("", "ab") == ".submithost-part-ab."
    assert job_directory.part("sub", "ab") == "sub/.submithost-part-ab."
    for path in (job_directory.submitted("x"), "attempt/asked.0f/job/x"):
        found = job_directory.SUBMITTED.search(f"/jobs/my-key/{path if path[0] == '.' else f'.submithost/{path}'}")
        assert found
        assert found[1] == "my-key"
    with pytest.raises(ValueError, match="unknown"):
        job_directory.own("unknown")
