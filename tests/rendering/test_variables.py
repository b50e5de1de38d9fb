"""What may be given to a template, by `--set` and `--vars`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import rendering
from tasks.model.errors import InvalidInput

from .plain import refusal


@pytest.mark.parametrize("name", ["cores", "directives", "scheduler", "task_id", "job_id", "requeue"])
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


@given(
    data=st.binary()
    | st.recursive(st.text() | st.integers(), st.lists).map(lambda value: repr(value).encode("utf-8", "replace"))
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
