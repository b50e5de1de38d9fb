"""`fab templates`: the list for a pipe, a program and a terminal, and a template to begin with."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from .plain import ROOT

_FAB = (sys.executable, "-m", "fabric")


@pytest.fixture(autouse=True)
def project() -> None:
    Path("fabfile.py").write_text("from tasks import namespace\n\nns = namespace()\n")


def fab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*_FAB, *words], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )


def test_a_pipe_gets_a_line_for_each_template_and_a_program_an_object(user: Path) -> None:
    (user / "broken.j2").write_text("{% if %}")
    (user / "evil.j2").write_text("{%# \x1b[2J #%}")
    lines = fab("templates").stdout.splitlines()
    assert "serial     One command on one core.  (command)" in lines
    found = [json.loads(line) for line in fab("templates", "--json").stdout.splitlines()]
    assert [line.split()[0] for line in lines] == [one["name"] for one in found]
    by_name = {one["name"]: one for one in found}
    assert by_name["serial"] == {
        "name": "serial",
        "path": str(ROOT / "job_templates/serial.sh.j2"),
        "purpose": "One command on one core.",
        "variables": [
            {
                "name": "command",
                "required": True,
                "default": None,
                "about": "the shell command to run, as it would be typed",
            }
        ],
        "problem": None,
    }
    assert "broken.j2:1: " in by_name["broken"]["problem"]
    assert by_name["evil"]["purpose"] == "\\x1b[2J"
    margin = by_name["checkpoint"]["variables"][1]
    assert (margin["name"], margin["required"], margin["default"]) == ("margin", False, "300")
    assert [v["required"] for v in by_name["module"]["variables"]] == [True, True]


def test_a_terminal_gets_what_each_variable_is_for_within_its_width() -> None:
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "60", "TERM": "xterm", "NO_COLOR": "1"}
    process = subprocess.Popen([*_FAB, "templates"], env=environment, stdout=theirs)
    os.close(theirs)
    shown = b""
    try:
        while chunk := os.read(ours, 65536):
            shown += chunk
    except OSError:  # how a terminal says that nobody writes any more
        pass
    os.close(ours)
    assert process.wait(60) == 0
    text = shown.decode()
    assert "[who=world]  whom it greets" in text
    assert max(len(line) for line in text.replace("\x1b[1m", "").replace("\x1b[0m", "").split("\r\n")) <= 60


def test_a_new_template_is_listed_and_renders_and_is_never_written_over() -> None:
    made = fab("templates", "--new", "mine")
    assert (made.returncode, made.stdout, made.stderr) == (0, "job_templates/mine.sh.j2\n", "")
    (line,) = [line for line in fab("templates").stdout.splitlines() if line.startswith("mine ")]
    assert line == "mine       What it is for, in one line.  (input, [options=-l])"
    shown = fab("render", "--script=mine", "--set", "input=a b")
    assert "wc -l 'a b' >result.txt" in shown.stdout
    subprocess.run(["bash", "-n"], input=shown.stdout, text=True, check=True)

    Path("job_templates/mine.sh.j2").write_text("precious")
    again = fab("templates", "--new", "mine")
    assert again.returncode == 2
    assert again.stderr == "templates: job_templates/mine.sh.j2 exists already, and is left as it is\n"
    assert Path("job_templates/mine.sh.j2").read_text() == "precious"


def test_a_new_template_of_a_known_name_says_what_it_stands_before() -> None:
    made = fab("templates", "--new", "hello.sh.j2")
    assert made.stdout == "job_templates/hello.sh.j2\n"
    assert made.stderr == f"it stands before the template of this name in {ROOT}/job_templates\n"


@pytest.mark.parametrize("name", ["../x", "a b", "-x", ".x", "a\nb", "x" * 200, "é"])
def test_a_new_template_has_a_name_that_can_be_typed(name: str) -> None:
    refused = fab("templates", f"--new={name}")
    assert refused.returncode == 2
    assert refused.stderr.startswith("templates: template name '")
    assert len(refused.stderr.splitlines()) == 1
    assert not Path("job_templates").exists()


def test_a_place_that_cannot_be_written_is_one_line() -> None:
    Path("job_templates").write_text("")
    refused = fab("templates", "--new=x")
    assert (refused.returncode, len(refused.stderr.splitlines())) == (2, 1)
    assert refused.stderr.startswith("templates: job_templates")
