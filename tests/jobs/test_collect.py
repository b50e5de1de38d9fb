"""fetch --table: a row's values, and what its task left, as one table."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tasks.jobs.collect import check_flags, parse_result, table_of, write
from tasks.jobs.results import Fetched
from tasks.model.errors import InvalidInput
from tasks.model.job import Job, Outcome, State
from tasks.model.listener import Listener
from tasks.model.resources import TaskRange
from tasks.model.rows import Rows, line_of

TEXT = "".join(f"{line_of(number, {'a': f'x,{number}'})}\n" for number in (11, 12, 13))


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ('{"loss": 1.50, "n": null}', "r.json", {"loss": "1.50", "n": ""}),
        ('{"l": [1, "2"], "ok": true}', "r.json", {"l": '[1, "2"]', "ok": "true"}),
        ('loss,n\n1.50,"a\nb"\n', "r.csv", {"loss": "1.50", "n": "a\nb"}),
        ("loss\tn\n1.50\t2\n", "r.tsv", {"loss": "1.50", "n": "2"}),
        (" 1.50\n", "loss.txt", {"loss": "1.50"}),
        ("3e-4", "loss", {"loss": "3e-4"}),
        ("", "loss", {"loss": ""}),
    ],
)
def test_results(text: str, name: str, found: dict[str, str]) -> None:
    assert parse_result(text, name) == found


@pytest.mark.parametrize(
    ("text", "name"), [("{", "r.json"), ("a,b\n1,2\n3,4\n", "r.csv"), ("a,b\n1\n", "r.csv"), ("a\nb\n", "r.txt")]
)
def test_results_that_are_not_understood(text: str, name: str) -> None:
    with pytest.raises(InvalidInput, match=name):
        parse_result(text, name)


class Told(Listener):
    """Keeps what is said."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, line: str) -> None:
        self.lines.append(line)


def test_what_is_missing_or_failed_has_empty_cells_and_its_state(tmp_path: Path) -> None:
    for number, text in ((11, '{"loss": 1, "a": 2}'), (13, "{")):
        (tmp_path / "rows" / str(number)).mkdir(parents=True)
        (tmp_path / "rows" / str(number) / "r.json").write_text(text)
    states = {1: Outcome(State.SUCCEEDED, 0), 2: Outcome(State.FAILED, 7), 3: Outcome(State.SUCCEEDED, 0)}
    better = Job("k.r1", "c", array=TaskRange(2, 2), tasks={2: Outcome(State.SUCCEEDED, 0)})
    job = Job("k", "c", sweep="k", array=TaskRange(1, 3), tasks=states, rows=Rows(lambda: TEXT))
    listener = Told()
    table = table_of([Fetched(str(tmp_path), (), 0, (), "", job)], "r.json", listener)
    assert [list(line.values()) for line in table] == [
        ["11", "x,11", "1", "2", "succeeded", "0"],
        ["12", "x,12", "", "", "failed", "7"],
        ["13", "x,13", "", "", "succeeded", "0"],
    ]
    assert list(table[0]) == ["row", "a", "loss", "r.a", "state", "exit_status"]
    assert listener.lines == ["row 13: r.json: not understood as JSON"]
    repaired = Job(**{**vars(job), "repairs": {2: better}})
    one = table_of([Fetched(str(tmp_path), (), 0, (), "", repaired, (2,))], "", listener)
    assert one == [{"row": "12", "a": "x,12", "state": "succeeded", "exit_status": "0"}]
    with pytest.raises(InvalidInput, match="has no rows"):
        table_of([Fetched(str(tmp_path), (), 0, (), "", Job("k", "c"))], "", listener)

    for name, text in (
        ("t.csv", 'row,a,state,exit_status\n12,"x,12",succeeded,0\n'),
        ("t.tsv", "row\ta\tstate\texit_status\n12\tx,12\tsucceeded\t0\n"),
        ("t.jsonl", f"{json.dumps(one[0])}\n"),
    ):
        write(one, tmp_path / name)
        assert (tmp_path / name).read_text() == text


@pytest.mark.parametrize(
    ("table", "collect"), [("", "r"), ("t.csv", "/r"), ("t.csv", "../r"), ("none/t.csv", "r"), (".", "")]
)
def test_flags_that_are_refused_before_anything_is_fetched(table: str, collect: str) -> None:
    with pytest.raises(InvalidInput, match="--"):
        check_flags(table, collect)
