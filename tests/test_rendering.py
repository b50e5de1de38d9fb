"""From templates to job scripts, and what a user is told when a template is wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tasks import rendering
from tasks.model.errors import InvalidInput
from tasks.model.resources import Resources, TaskRange, parse_resources
from tasks.rendering import JobScript
from tasks.schedulers import Dialect, scheduler

ROOT = Path(__file__).parent.parent
GRID_ENGINE = Dialect(scheduler("gridengine"), {"memory": "rmem"})
NOTHING = Resources()


class Plain:
    """A dialect whose directives are the resources themselves, so that a test sees what was asked for."""

    name = "plain"
    variables: Mapping[str, str] = {"task_id": "$TASK", "job_id": "$JOB", "cores": "$CORES"}

    def directives(self, resources: Resources) -> list[str]:
        asked = [(field.name, getattr(resources, field.name)) for field in fields(resources)]
        return [f"#ask {name}={value}" for name, value in asked if value is not None]


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home with a directory for the user's own templates, which is returned, and a place to work."""
    here = tmp_path / "here"
    own = tmp_path / "config/submithost/job_templates"
    here.mkdir()
    own.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.chdir(here)
    return own


def rendered(text: str | bytes, resources: Resources = NOTHING, **variables: object) -> str:
    Path("job.sh.j2").write_bytes(text if isinstance(text, bytes) else text.encode())
    script = rendering.render("job.sh.j2", variables, resources, Plain())
    return script.text.decode("utf-8", "surrogateescape")


def refusal(text: str | bytes, **variables: object) -> str:
    with pytest.raises(InvalidInput) as refused:
        rendered(text, NOTHING, **variables)
    assert str(refused.value).isprintable()
    return str(refused.value)


# What is rendered, and where it is found


def test_a_file_that_is_no_template_is_submitted_byte_for_byte() -> None:
    text = b"#!/bin/bash\r\n{{ x }} {% y %} {# z #} \xff\x00\n"
    Path("x.sh").write_bytes(text)
    assert rendering.render("x.sh", {}, NOTHING, Plain()) == JobScript(
        text, "x.sh", Path("x.sh"), rendered=False
    )


def test_a_file_that_ends_in_j2_is_rendered_and_named_without_it() -> None:
    Path("my job.sh.j2").write_text("echo {{ a }}\n")
    script = rendering.render("my job.sh.j2", {"a": "b"}, NOTHING, Plain())
    assert script == JobScript(b"echo b\n", "my job.sh", Path("my job.sh.j2"), rendered=True)


def test_templates_are_found_here_then_in_the_users_directory_then_among_the_shipped(user: Path) -> None:
    assert rendering.find("hello") == ROOT / "job_templates/hello.sh.j2"
    (user / "hello.sh.j2").write_text("user's")
    assert rendering.find("hello") == user / "hello.sh.j2"
    Path("job_templates").mkdir()
    Path("job_templates/hello.sh.j2").write_text("project's")
    assert rendering.find("hello") == Path("job_templates/hello.sh.j2")
    Path("hello").write_text("a file")
    assert rendering.find("hello") == Path("hello")


@pytest.mark.parametrize("name", ["hello", "hello.sh", "hello.sh.j2"])
def test_a_template_is_found_by_its_name_with_and_without_its_endings(name: str) -> None:
    assert rendering.find(name).name == "hello.sh.j2"


def test_a_directory_does_not_hide_a_template_of_its_name() -> None:
    Path("hello").mkdir()
    assert rendering.find("hello").name == "hello.sh.j2"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("helo", "no file and no template 'helo'; did you mean 'hello'?"),
        ("./analyse.hs", "no file and no template './analyse.hs'; did you mean 'analyse.sh'?"),
        ("zzz", "no file and no template 'zzz'; templates are array, hello, serial, smp"),
        ("../../etc/passwd.d", "no file and no template"),
        (".", "'.' is a directory; --script takes a file or a template's name"),
        ("", "no script is named"),
        ("a\0b", "no file and no template 'a\\x00b'"),
        ("a\nb", "no file and no template 'a\\nb'"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_a_script_that_does_not_exist_is_one_line_with_the_nearest_that_does(
    script: str, message: str
) -> None:
    Path("analyse.sh").write_text("")
    with pytest.raises(InvalidInput) as refused:
        rendering.find(script)
    assert message in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_script_that_cannot_be_read_is_one_line() -> None:
    Path("x").symlink_to("/proc/self/mem")  # unreadable for root as well
    with pytest.raises(InvalidInput, match=r"^x: cannot be read: Input/output error$"):
        rendering.render("x", {}, NOTHING, Plain())


def test_a_script_can_come_from_a_pipe() -> None:
    read, write = os.pipe()
    os.write(write, b"#!/bin/sh\n")
    os.close(write)
    assert rendering.render(f"/dev/fd/{read}", {}, NOTHING, Plain()).text == b"#!/bin/sh\n"
    os.close(read)


# What a template sees


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


@pytest.mark.parametrize(
    "above", ["{%# about #%}\n", "\ufeff", "{%# a\nb #%}\r\n\n", "{% set a = 1 %}\n", "\n"]
)
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


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.sampled_from(_NASTY) | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))
    )
)
@example(_NASTY)
def test_a_variable_arrives_as_it_is_through_quote(values: list[str]) -> None:
    text = "printf '%s\\0' {% for value in values %}{{ value | quote }} {% endfor %}end {{ values | quote }}"
    script = rendered(text, values=values).encode("utf-8", "surrogateescape")
    shown = subprocess.run(["bash"], input=script, stdout=subprocess.PIPE, check=True).stdout
    expected = [*values, "end", *values]
    assert shown.split(b"\0")[:-1] == [value.encode("utf-8", "surrogateescape") for value in expected]
    assert not Path("pwned").exists()


# What is wrong


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("#\n{{ comand }}", "job.sh.j2:2: 'comand' is undefined; did you mean 'command'?"),
        ("{{ directive }}", "job.sh.j2:1: 'directive' is undefined; did you mean 'directives'?"),
        ("{{ zzz }}", "job.sh.j2:1: 'zzz' is undefined; give it with --set zzz=..."),
        ("{{ options.tiem }}", "job.sh.j2:1: 'dict object' has no attribute 'tiem'; did you mean 'time'?"),
        ("\n\n{% fro x in y %}", "job.sh.j2:3: Encountered unknown tag 'fro'; did you mean 'for'?"),
        (
            "printf '{%s}'",
            "job.sh.j2:1: Encountered unknown tag 's'; text with '{{' or '{%' in it goes between {% raw %}",
        ),
        ("{{ command | quot }}", "job.sh.j2:1: No filter named 'quot'; did you mean 'quote'?"),
        ("\n{{ 1 is definde }}", "job.sh.j2:2: No test named 'definde'; did you mean 'defined'?"),
        ("\n{{ command", "job.sh.j2:2: unexpected"),
        ("{%# open", "job.sh.j2:1: Missing end of comment tag"),
        ("#!/bin/bash\n\n{# about #}", "job.sh.j2:3: comments are {%# ... #%} here; '{#' belongs to bash"),
        ("{% include 'smpp' %}", "job.sh.j2:1: no template 'smpp'; did you mean 'smp'?"),
        ("{% include '../secret' %}", "job.sh.j2:1: no template '../secret'"),
        ("{% include '/etc/passwd' %}", "job.sh.j2:1: no template '/etc/passwd'"),
        ("\n{{ 1 / 0 }}", "job.sh.j2:2: ZeroDivisionError: division by zero"),
        ("{{ 1 + command }}", "job.sh.j2:1: TypeError: unsupported operand"),
        ("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "job.sh.j2:1: RecursionError"),
        ("{{ " + "(" * 5000, "job.sh.j2: RecursionError"),
        (
            "{% for a in [1] %}" * 30 + "{% endfor %}" * 30,
            "job.sh.j2: not understood: too many statically nested",
        ),
        ("\n{% for i in range(10 ** 9) %}{% endfor %}", "job.sh.j2:2: OverflowError"),
        ("{{ 'a' * 10 ** 15 }}", "job.sh.j2:1: MemoryError"),
        ("{{ '\\ud800' }}", "job.sh.j2: UnicodeEncodeError"),
        (
            "{{ ''.__class__.__mro__ }}",
            "job.sh.j2:1: access to attribute '__class__' of 'str' object is unsafe",
        ),
        ("{{ directives.__call__.__globals__ }}", "job.sh.j2:1: access to attribute '__call__'"),
        ("{{ directives(core=4) }}", "job.sh.j2:1: directives has no 'core'; did you mean 'cores'?"),
        ("\n{{ directives(time='1h') }}", "job.sh.j2:2: time '1h' is neither"),
        ("{{ directives(name='a\nrm -rf x') }}", "job.sh.j2:1: no directive can hold a line break"),
        ("{{ directives(4) }}", "job.sh.j2:1: TypeError"),
        ("{{ directives(time=zzz) }}", "job.sh.j2:1: 'zzz' is undefined"),
    ],
)
def test_a_mistake_in_a_template_is_one_line_with_file_line_and_nearest_name(text: str, message: str) -> None:
    assert refusal(text, command="ls", options={"time": "1"}).startswith(message)


def test_a_mistake_in_an_included_template_names_that_template(user: Path) -> None:
    (user / "part.sh.j2").write_text("fine\n{{ 1 / 0 }}\n")
    assert refusal("{% include 'part' %}").startswith(f"{user}/part.sh.j2:2: ZeroDivisionError")
    (user / "part.sh.j2").write_text("\n\n{% if %}\n")
    assert refusal("{% include 'part' %}").startswith(f"{user}/part.sh.j2:3: ")


def test_a_template_that_includes_itself_ends(user: Path) -> None:
    (user / "loop.sh.j2").write_text("{% include 'loop' %}")
    assert "RecursionError" in refusal("{% include 'loop' %}")


_PIECES = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{%#",
    "#%}",
    "if",
    "for",
    "in",
    "x",
    "|",
    "(",
    ")",
    "'",
    " ",
    "\n",
    "\r",
    "raw",
    "[",
    "-",
]
_PIECES += [
    "directives",
    ".",
    "include",
    "set",
    "=",
    "endfor",
    "endif",
    "~",
    "*",
    "9",
    "{#",
    "macro",
    "block",
    "__class__",
]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(_PIECES)).map("".join).map(str.encode) | st.binary())
def test_whatever_a_template_holds_it_is_rendered_or_refused_on_one_line(text: bytes) -> None:
    said = ""
    try:
        rendered(text, x="x")
        rendering.available()
    except InvalidInput as error:
        said = str(error)
    assert said == "" or said.isprintable()


@pytest.mark.parametrize("name", ["cores", "directives", "scheduler", "task_id", "job_id"])
def test_a_variable_cannot_take_the_place_of_what_is_built_in(name: str) -> None:
    assert refusal("{{ x }}", **{name: "1"}).startswith(f"variable '{name}' is built in")


@pytest.mark.parametrize("name", ["my-var", "", "2nd", "true", "self", "a b\n"])
def test_a_variable_that_no_template_could_use_is_refused(name: str) -> None:
    assert "no template can use this name" in refusal("x", **{name: "1"})


def test_a_mistyped_variable_does_not_go_unnoticed() -> None:
    (warning,) = rendering.unused("hello", {"whoo": "me", "who": "you"})
    assert warning.startswith("variable 'whoo' is not used by ")
    assert rendering.unused("hello", {"whoo": "me"})[0].endswith("hello.sh.j2; did you mean 'who'?")
    Path("x.sh").write_text("")
    assert rendering.unused("x.sh", {"a": "1"}) == ["variable 'a' is not used: x.sh does not end in .j2"]


# Variables


def test_set_wins_over_vars_and_everything_is_text() -> None:
    Path("v.yml").write_text("time: 24:00\nanswer: no\nn: 08\nfiles: [1, b]\nsub: {a: 1.50}\n")
    variables = rendering.read_variables(["n=a=b", "m=", "n= c\n'"], "v.yml")
    assert variables == {
        "time": "24:00",
        "answer": "no",
        "n": " c\n'",
        "files": ["1", "b"],
        "sub": {"a": "1.50"},
        "m": "",
    }


def test_json_variables_are_text_too() -> None:
    Path("v.json").write_text('{"n": 1.50,\t"big": 1e400, "yes": [true, null], "face": "\\ud83d\\ude00"}')
    assert rendering.read_variables([], "v.json") == {
        "n": "1.50",
        "big": "1e400",
        "yes": ["true", "null"],
        "face": "😀",
    }


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("v.yml", "a: 1\na: 2\n", "v.yml:2: 'a' is given twice"),
        ("v.yml", "a: [\n", "v.yml:2: "),
        ("v.yml", "- a", "v.yml:1: not a mapping of names to values"),
        ("v.json", '{"a": 1, "a": 2}', "v.json: 'a' is given twice"),
        ("v.json", '{"a": 1,\n"b" 2}', "v.json:2: "),
        ("v.json", "[]", "v.json:1: not a mapping of names to values"),
        ("v.json", "[" * 100_000, "v.json: nested too deep"),
        ("v.json", b"\xff", "v.json:1: not UTF-8 text"),
        (".", "", ".: cannot be read: Is a directory"),
        ("nope.yml", "", "--vars nope.yml: no such file"),
    ],
)
def test_a_variables_file_that_is_not_usable_is_one_line(name: str, text: str | bytes, message: str) -> None:
    if text:
        Path(name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInput) as refused:
        rendering.read_variables([], name)
    assert str(refused.value).startswith(message)


def test_a_set_without_a_value_names_the_flag() -> None:
    with pytest.raises(InvalidInput, match=r"^--set a: not like NAME=VALUE$"):
        rendering.read_variables(["a"], None)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.binary()
    | st.recursive(st.text() | st.integers(), st.lists).map(
        lambda value: repr(value).encode("utf-8", "replace")
    )
)
def test_whatever_a_variables_file_holds_it_is_read_or_refused_on_one_line(data: bytes) -> None:
    for name in ("v.yml", "v.json"):
        Path(name).write_bytes(data)
        said = ""
        try:
            rendering.read_variables([], name)
        except InvalidInput as error:
            said = str(error)
        assert said == "" or said.isprintable()


# What a template says of itself


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
    assert list(found) == ["array", "broken", "hello", "serial", "smp"]
    assert found["broken"].line().startswith(f"broken     cannot be used: {user}/broken.j2:2: ")
    assert found["hello"].purpose == "Mine."


# The templates that are shipped


SHIPPED = sorted(path.name.removesuffix(".sh.j2") for path in (ROOT / "job_templates").glob("*.j2"))


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_tells_its_purpose_and_every_variable(name: str) -> None:
    info = rendering.describe(rendering.find(name))
    assert info.purpose
    assert all(variable.about for variable in info.variables)


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_template_is_good_bash_and_names_no_scheduler(name: str) -> None:
    info = rendering.describe(rendering.find(name))
    given = {variable.name: "true" for variable in info.variables if variable.required}
    text = rendering.render(name, given, NOTHING, GRID_ENGINE).text
    assert text.startswith(b"#!/bin/bash\n#$ ")
    assert subprocess.run(["bash", "-n"], input=text, check=True, capture_output=True).stderr == b""
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


# The room that it is in


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
