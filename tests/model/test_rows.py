"""The text of rows: written here, read by the shell in the job and by us again."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import InvalidInput
from tasks.model.rows import Rows, check_name, line_of, shortened

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=("Cs",)))


def rows(*values: dict[str, str]) -> Rows:
    text = "".join(f"{line_of(number, row)}\n" for number, row in enumerate(values, 1))
    return Rows(lambda: text)


@given(st.lists(st.fixed_dictionaries({"a": TEXTS, "B_2": TEXTS}), min_size=1, max_size=4))
def test_what_is_written_is_read_again(values: list[dict[str, str]]) -> None:
    found = rows(*values)
    assert [found[task] for task in found] == values
    assert found[0] == values[0]
    assert len(values) + 1 not in found


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_shell_reads_each_value_as_it_is(shell: str) -> None:
    value = """it's "$HOME" `id` \\n *\n\n'"$submithost_newline"' \r\tü\n"""
    line = line_of(3, {"a": value, "b": ""}).split(" ", 3)[3]
    program = "submithost_newline='\n'\neval \"set -- $1\"; printf '%s\\0' \"$@\""
    said = subprocess.run([shell, "-c", program, "sh", line], capture_output=True, check=True).stdout.decode()
    assert said == f"a={value}\0b=\0"


def test_rows_are_called_by_number_and_values_and_found_by_values() -> None:
    text = f"{line_of(1001, {'alpha': '0.1', 'seed': '3'})}\n{line_of(1002, {'alpha': '0.1', 'seed': '4'})}\n"
    found = Rows(lambda: text)
    assert found.called(1) == "row 1001 (alpha=0.1 seed=3)"
    assert (found.called(3), found.called(None), Rows().called(1)) == ("", "", "")
    assert (found.matching("alpha=0.1,seed=4"), found.matching("alpha=0.1"), found.matching("seed=5")) == (
        [2],
        [1, 2],
        [],
    )
    assert (found.matching("1002"), found.matching("2"), found.matching("9" * 5000)) == ([2], [], [])
    assert Rows(lambda: f"{'9' * 5000} 0 0\n").number(1) == 1  # whatever the login node says
    for wrong, said in (("alpah=1", "did you mean 'alpha'"), ("x", "not like")):
        with pytest.raises(InvalidInput, match=said):
            found.matching(wrong)


def test_long_values_are_shortened() -> None:
    assert shortened({"a": "1", "b": "x" * 100}) == "a=1 b=xxxxxxxxxxx…"
    assert len(shortened({f"name{n}": "value" for n in range(50)})) == 60
    assert shortened({"a": "1\n2"}) == "a=1\\n2"


@pytest.mark.parametrize("name", ["", "1a", "a b", "a-b", "ä", "PATH", "path", "LD_PRELOAD", "submithost_x"])
def test_names_that_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="column"):
        check_name(name)
