"""What a user is told when a template is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import rendering
from tasks.model.errors import InvalidInput

from .plain import refusal, rendered


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "#\n{{ comand }}",
            "job.sh.j2:2: template variable 'comand' is not set, and 'command' is, which this template",
        ),
        ("{{ directive }}", "job.sh.j2:1: template variable 'directive' is not set; did you mean 'directives'?"),
        ("{{ zzz }}", "job.sh.j2:1: template variable 'zzz' is not set; give it with --set zzz=..."),
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
        ("\n{{ directives(time='soon') }}", "job.sh.j2:2: time 'soon' is neither"),
        ("{{ directives(name='a\nrm -rf x') }}", "job.sh.j2:1: no directive can hold a line break"),
        ("{{ directives(4) }}", "job.sh.j2:1: TypeError"),
        ("{{ directives(time=zzz) }}", "job.sh.j2:1: template variable 'zzz' is not set"),
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


@given(st.lists(st.sampled_from(_PIECES)).map("".join).map(str.encode) | st.binary())
def test_whatever_a_template_holds_it_is_rendered_or_refused_on_one_line(text: bytes) -> None:
    said = ""
    try:
        rendered(text, x="x")
        rendering.available()
    except InvalidInput as error:
        said = str(error)
    assert said == "" or said.isprintable()
