"""--over and --grid: files of rows, and what is wrong with them in one line with its number."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import InvalidInput
from tasks.rendering.table import parse_grid, parse_table, read_table

ROWS = ({"alpha": "0.1", "seed": "3"}, {"alpha": "0.20", "seed": "no"})


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("x.csv", "alpha,seed\n0.1,3\n\n0.20,no\n"),
        ("x.csv", "\ufeffalpha, seed\r\n0.1,3\r\n0.20,no"),
        ("x.tsv", "alpha\tseed\n0.1\t3\n0.20\tno\n"),
        ("x", "alpha\tseed\n0.1\t3\n0.20\tno\n"),
        ("-", "alpha,seed\n0.1,3\n0.20,no\n"),
        ("x.jsonl", '{"alpha": 0.1, "seed": 3}\n{"seed": "no", "alpha": 0.20}\n'),
        ("-", '{"alpha": "0.1", "seed": "3"}\n\n{"alpha": 0.20, "seed": "no"}'),
    ],
)
def test_files_of_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, text: str) -> None:
    del monkeypatch
    table = parse_table(text.removeprefix("\ufeff"), source)
    assert (table.columns, table.rows) == (("alpha", "seed"), ROWS)
    if source != "-":
        (tmp_path / source).write_text(text)
        assert read_table(str(tmp_path / source), ()).rows == ROWS


def test_values_are_text_as_it_is() -> None:
    text = 'a,b\n"one\ntwo, ""three""", x\n,"#4"\n'
    table = parse_table(text, "p.csv")
    assert table.rows == ({"a": 'one\ntwo, "three"', "b": " x"}, {"a": "", "b": "#4"})
    assert table.places == ("p.csv:2", "p.csv:4")


@pytest.mark.parametrize(
    ("source", "text", "said"),
    [
        ("p.csv", "", "p.csv: no rows in it, it is empty"),
        ("p.csv", "\n\n", "p.csv: no rows in it, it is empty"),
        ("p.csv", "a,b\n", "p.csv: no rows in it"),
        ("p.csv", "a,b\n1,2\n1,2,3\n", "p.csv:3: 3 values for 2 columns"),
        ("p.csv", 'a,b\n"1\n",2\n1\n', "p.csv:4: 1 value for 2 columns"),
        ("p.csv", "a,b,a\n1,2,3\n", "p.csv:1: column 'a' is there twice"),
        ("p.csv", "a;b\n1;2\n", "p.csv:1: column 'a;b': a name is letters, digits and _, no digit first; are"),
        ("p.csv", "a,PATH\n1,2\n", "p.csv:1: column 'PATH' would change how the job runs"),
        ("p.csv", 'a,b\n1,"2\n', "p.csv:2: unexpected end of data"),
        ("p.jsonl", '{"a": 1}\n{"b": 1}\n', "p.jsonl:2: column 'a' is missing"),
        ("p.jsonl", '{"a": 1}\n{"a": 1, "b": 1}\n', "p.jsonl:2: column 'b' is in no row before"),
        ("p.jsonl", '{"a": 1, "a": 2}\n', "p.jsonl:1: column 'a' is there twice"),
        ("p.jsonl", '{"a": [1]}\n', "p.jsonl:1: the value of 'a' is a list"),
        ("p.jsonl", '{"a": 1\n', "p.jsonl:1: "),
        ("-", '[{"a": 1}]\n', "stdin:1: not an object"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(source: str, text: str, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        parse_table(text, source)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_values_that_no_environment_takes(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text(f"a\n1\n{'x' * 100_001}\n")
    with pytest.raises(InvalidInput, match=r"p\.csv:3: the value of 'a' has more than"):
        read_table(str(tmp_path / "p.csv"), ())
    with pytest.raises(InvalidInput, match="cannot be read: No such file"):
        read_table(str(tmp_path / "none.csv"), ())


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("a=0.1,0.2", ["0.1", "0.2"]),
        ("a=1-3,7,10-14:2", ["1", "2", "3", "7", "10", "12", "14"]),
        ("a=08-10", ["08", "09", "10"]),
        ('a="x,y",z', ["x,y", "z"]),
        ("a=2024-01-05", ["2024-01-05"]),
        ("a=b=c", ["b=c"]),
    ],
)
def test_grids(text: str, values: list[str]) -> None:
    assert parse_grid(text) == ("a", values)


@pytest.mark.parametrize(
    ("text", "said"),
    [("a", "not like"), ("a=", "not like"), ("=1", "column ''"), ("a=3-1", "counts upwards"), ("a=1-3:0", "upwards")],
)
def test_grids_that_are_none(text: str, said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        parse_grid(text)


def test_a_grid_is_each_value_with_each(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("a\nx\ny\n")
    table = read_table(str(tmp_path / "p.csv"), ["b=1,2", "c=3"])
    assert [tuple(row.values()) for row in table.rows] == [
        ("x", "1", "3"),
        ("x", "2", "3"),
        ("y", "1", "3"),
        ("y", "2", "3"),
    ]
    assert table.columns == ("a", "b", "c")
    for grids, said in (
        (["b=1", "b=2"], "there already"),
        (["a=1"], "there already"),
        (["b=1-600", "c=1-600"], "more than"),
    ):
        with pytest.raises(InvalidInput, match=said):
            read_table(str(tmp_path / "p.csv"), grids)


@given(st.text(), st.sampled_from(["p.csv", "p.tsv", "p.jsonl", "-"]))
def test_any_text_is_rows_or_one_line(text: str, source: str) -> None:
    said = ""
    try:
        table = parse_table(text, source)
    except InvalidInput as error:
        said = str(error)
    else:
        assert all(tuple(row) == table.columns for row in table.rows)
    assert not said or said.isprintable()
