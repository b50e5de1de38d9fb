"""Which schedulers there are, and which one is meant."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tasks.model.errors import InvalidInput
from tasks.schedulers import by_rank, known, registry, scheduler
from tests.conftest import ROOT


def test_a_scheduler_is_a_file_or_a_folder_that_says_so_and_helpers_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, text in {
        "one.py": "class One:\n    scheduler = 1\n\n\nscheduler = One()\n",
        "two/__init__.py": "scheduler: Scheduler = Two()\n",
        "two/request.py": "scheduler = None\n",
        "helper.py": "def scheduler():\n    scheduler = 1\n    return scheduler\n",
        "pbs.py": "class Pbs: ...\n",
        "parts/__init__.py": '"""No scheduler."""\n',
        "parts/three.py": "scheduler = Three()\n",
        "notes.sh": "scheduler = none\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(registry, "_HERE", tmp_path)
    assert known.__wrapped__() == ("one", "two")


def test_the_names_are_known_without_loading_a_scheduler() -> None:
    program = "import sys; from tasks.schedulers import known; print(known(), *sys.modules, sep='\\n')"
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[0] == str(known())
    assert not {"tasks.schedulers.seam", "tasks.schedulers.slurm"} & set(said.splitlines())


def test_of_several_the_one_of_the_highest_rank_is_meant() -> None:
    ranks = [each.rank for each in by_rank()]
    assert ranks == sorted(ranks, reverse=True)
    assert {each.name for each in by_rank()} == set(known())


def test_the_scheduler_is_found_by_its_name_and_a_wrong_one_gets_the_nearest() -> None:
    assert "gridengine" in known()
    assert scheduler("gridengine").name == "gridengine"
    with pytest.raises(InvalidInput, match="did you mean 'gridengine'"):
        scheduler("gridengin")
