"""The help of `submithost`, as a newcomer sees it on terminals of several widths."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import move_in
from tests.terminal import Terminal


@pytest.mark.parametrize("columns", [80, 40])
def test_c11_help_breaks_no_word_and_shows_which_flags_take_a_value(tmp_path: Path, columns: int) -> None:
    person = move_in(tmp_path / "home")
    with Terminal(person, ["tasks", "--help", "submit"], columns, 24) as terminal:
        assert terminal.to_the_end() == 0
        lines = terminal.lines()
    with Terminal(person, ["tasks", "--help", "submit"], 300, 24) as wide:
        wide.to_the_end()
        words = " ".join(wide.lines()).split()
    assert " ".join(lines).split() == words
    assert {"--put=STRING", "--after=STRING", "--set=STRING", "--hold"} <= set(words)


def test_c11_logs_does_not_say_that_its_job_may_be_repeated(tmp_path: Path) -> None:
    said = move_in(tmp_path / "home").fab("--help", "logs").stdout
    (about,) = re.findall(r"--job +(.*)\n", said)
    assert about.startswith("which: last, a job ID or task")
    assert "repeated" not in said


def test_c11_the_help_tells_of_several_tasks_on_a_line(tmp_path: Path) -> None:
    person = move_in(tmp_path / "home")
    with Terminal(person, ["tasks", "--help"], 80, 24) as terminal:
        assert terminal.to_the_end() == 0
        assert "submithost -H sharc submit --script=a.sh submit --script=b.sh wait fetch" in terminal.text()
