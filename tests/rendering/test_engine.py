"""What a template sees, and that bash, bytes and values come through it as they are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks import rendering
from tasks.model.errors import InvalidInput
from tasks.model.resources import Resources, TaskRange, parse_resources

from .plain import GRID_ENGINE, ROOT, Plain, rendered


def test_directives_are_written_by_the_scheduler() -> None:
    asked = parse_resources(time="1:00:00", memory="4G", cores="4")
    Path("x.j2").write_text("#!/bin/bash\n{{ directives }}\n")
    lines = rendering.render("x.j2", {}, asked, GRID_ENGINE).text.decode().splitlines()
    assert lines[0] == "#!/bin/bash"
    assert lines[1:] == GRID_ENGINE.directives(asked)


def test_flags_beat_the_templates_directives_and_these_beat_the_clusters_defaults() -> None:
    Path("x.j2").write_text('{{ directives(cores=4, time="1:00:00", array="1-10") }}')
    script = rendering.render("x.j2", {}, Resources(cores=8), Plain(), defaults=Resources(time=1, gpus=2))
    assert script.text.decode().splitlines() == [
        "#ask time=3600",
        "#ask cores=8",
        "#ask gpus=2",
        f"#ask array={TaskRange(1, 10)}",
    ]


def test_mpi_is_so_many_cores_on_as_many_nodes_as_it_takes() -> None:
    Path("x.j2").write_text("{{ directives(mpi=processes, cores=4) }}")
    text = rendering.render("x.j2", {"processes": "32"}, Resources(), GRID_ENGINE, Resources(cores=8)).text
    assert text == b"#$ -pe mpi 32"
    with pytest.raises(InvalidInput, match=r"^x\.j2:1: --cores are those of one node"):
        rendering.render("x.j2", {"processes": "32"}, Resources(cores=16), GRID_ENGINE)


def test_a_template_knows_the_time_that_flags_template_and_cluster_ask_for() -> None:
    Path("x.j2").write_text('{{ directives.asked(time="1:00").time }} {{ directives.asked().time }} {{ requeue }}')
    assert rendering.render("x.j2", {}, Resources(), GRID_ENGINE, Resources(time=7)).text == b"3600 7 exit 99"
    assert rendering.render("x.j2", {}, Resources(time=60), GRID_ENGINE).text == b"60 60 exit 99"


def test_the_schedulers_own_words_stay_out_of_templates() -> None:
    assert rendered("{{ scheduler }} {{ task_id }} {{ job_id }} {{ cores }}") == "plain $TASK $JOB $CORES"


def test_what_is_included_or_imported_sees_the_same(user: Path) -> None:
    (user / "setup.sh").write_text("module load {{ module }} # {{ scheduler }}\n")
    (user / "macros.j2").write_text("{% macro go() %}run {{ module }} on {{ cores }}{% endmacro %}")
    text = "{% include 'setup.sh' %}{% import 'macros' as m %}{{ m.go() }}"
    assert rendered(text, module="R") == "module load R # plain\nrun R on $CORES"


def test_f17_bash_is_left_alone() -> None:
    bash = "#$ -N x\n${#a[@]} ${##} ${###x} ${*} ${x%%.*} ${x#*} {#a,b} $((1%2)) {*,?} ${x//%/} {a..b} # {#\n"
    assert rendered(bash) == bash


def test_bytes_and_line_ends_stay_as_they_are() -> None:
    text = b"a\r\nb\rc\n\x1f\r\n{{ x }}{% if x %}\r\n{% endif %}" + b"\xe9\xff\r"
    assert (
        rendered(text, x="\r\n\udcfe").encode("utf-8", "surrogateescape")
        == b"a\r\nb\rc\n\x1f\r\n\r\n\xfe\r\n\xe9\xff\r"
    )


@pytest.mark.parametrize("above", ["{%# about #%}\n", "\ufeff", "{%# a\nb #%}\r\n\n", "{% set a = 1 %}\n", "\n"])
def test_what_stands_above_the_first_line_does_not_cost_the_job_its_shell(above: str) -> None:
    assert rendered(above + "#!/bin/bash\nx\n\n") == "#!/bin/bash\nx\n\n"


_NASTY = [
    "it's",
    '"',
    "$(touch pwned)",
    "`id`",
    "a\nb\n",
    "{{ x }}",
    "{% raw %}",
    "\\",
    "*",
    "-n",
    "",
    " ",
    "!x",
    "\udcff",
    "\r",
]


@given(st.lists(st.sampled_from(_NASTY) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
@example(_NASTY)
def test_a_variable_arrives_as_it_is_through_quote(values: list[str]) -> None:
    text = "printf '%s\\0' {% for value in values %}{{ value | quote }} {% endfor %}end {{ values | quote }}"
    script = rendered(text, values=values).encode("utf-8", "surrogateescape")
    shown = subprocess.run(["bash"], input=script, stdout=subprocess.PIPE, check=True).stdout
    expected = [*values, "end", *values]
    assert shown.split(b"\0")[:-1] == [value.encode("utf-8", "surrogateescape") for value in expected]
    assert not Path("pwned").exists()


def test_jinja2_is_loaded_only_when_a_template_is_looked_at() -> None:
    program = (
        "import sys, tasks.rendering as r; from tasks.model.resources import Resources;"
        "from pathlib import Path;"
        "Path('x').write_text(''); r.render('x', {}, Resources(), None); assert 'jinja2' not in sys.modules;"
        "r.available(); assert 'jinja2' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)


def test_nothing_but_rendering_imports_jinja2() -> None:
    importing = re.compile(r"^\s*(from|import) jinja2", re.M)
    files = (ROOT / "tasks").rglob("*.py")
    assert {path.parent.name for path in files if importing.search(path.read_text())} == {"rendering"}
