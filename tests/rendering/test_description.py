"""What a template says of itself, and the templates that are shipped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tasks import rendering

from .plain import GRID_ENGINE, NOTHING, ROOT

SHIPPED = sorted(path.name.removesuffix(".sh.j2") for path in (ROOT / "job_templates").glob("*.j2"))


def test_a_template_is_described_by_its_first_comment_and_its_variables(user: Path) -> None:
    (user / "part.sh.j2").write_text("{{ inner }}")
    Path("x.sh.j2").write_text(
        "{%# What it is for.\nneeded: said of it\n#%}\n#!/bin/sh\n{{ directives }} {{ task_id }}\n"
        "{% set late = late | default(5) %}{{ late }} {{ needed }} {{ maybe | default('a b') }}"
        "{% if asked is defined %}{{ asked }}{% endif %}{% for item in range(3) %}{{ item }}{% endfor %}"
        "{{ once | default('x') }}{{ once }}{% include 'part' %}"
    )
    info = rendering.describe(Path("x.sh.j2"))
    assert (info.name, info.purpose) == ("x", "What it is for.")
    assert [str(variable) for variable in info.variables] == [
        "inner",
        "needed",
        "once",
        "[asked]",
        "[late=5]",
        "[maybe=a b]",
    ]
    assert [variable.about for variable in info.variables if variable.name == "needed"] == ["said of it"]
    assert info.line() == "x          What it is for.  (inner, needed, once, [asked], [late=5], [maybe=a b])"


def test_all_templates_are_listed_by_name_and_a_broken_one_says_so(user: Path) -> None:
    (user / "broken.j2").write_text("\n{% if %}")
    (user / "hello.sh.j2").write_text("{%# Mine. #%}")
    found = {info.name: info for info in rendering.available()}
    assert list(found) == sorted(["broken", *SHIPPED])
    assert found["broken"].line().startswith(f"broken     cannot be used: {user}/broken.j2:2: ")
    assert found["hello"].purpose == "Mine."


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_tells_its_purpose_and_every_variable(name: str) -> None:
    info = rendering.describe(rendering.find(name))
    assert info.purpose
    assert all(variable.about for variable in info.variables)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_is_good_bash_and_names_no_scheduler(name: str) -> None:
    info = rendering.describe(rendering.find(name))
    given = {variable.name: "3" for variable in info.variables if variable.required}
    text = rendering.render(name, given, NOTHING, GRID_ENGINE).text
    assert text.startswith(b"#!/bin/bash\n#$ ")
    assert subprocess.run(["bash", "-n"], input=text, check=True, capture_output=True).stderr == b""
    # Its variables are a file to source, one module of perhaps several, and a number of cores.
    shellcheck = [Path(sys.executable).with_name("shellcheck"), "--exclude=SC1090,SC2043,SC2086", "-"]
    assert subprocess.run(shellcheck, input=text, check=False, capture_output=True).stdout == b""
    words = info.path.read_text()
    assert not any(word in words for word in ("#$", "#SBATCH", "SGE_", "SLURM", "NSLOTS", "qsub"))


def test_hello_greets_whomever_it_is_told_to() -> None:
    text = rendering.render("hello", {"who": "$(id) 'n' \"x\""}, NOTHING, GRID_ENGINE).text
    shown = subprocess.run(
        ["bash"], input=text, env={**os.environ, "JOB_ID": "7"}, check=True, capture_output=True
    ).stdout
    assert shown.startswith(b"Hello, $(id) 'n' \"x\".\nThis is job 7 on ")


def test_smp_tells_openmp_its_cores_and_array_the_command_its_task() -> None:
    for name, command, environment in [
        ("smp", "echo $OMP_NUM_THREADS", "NSLOTS"),
        ("array", "echo $TASK_ID", "SGE_TASK_ID"),
    ]:
        text = rendering.render(name, {"command": command}, NOTHING, GRID_ENGINE).text
        shown = subprocess.run(
            ["bash"], input=text, env={"PATH": os.defpath, environment: "3"}, check=True, capture_output=True
        )
        assert shown.stdout == b"3\n"
