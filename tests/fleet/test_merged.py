"""What several clusters say becomes one output: for a program, for another program, and in tables."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tasks.fleet.merged import Merged

COLUMNS = ["job", "state"]


def merged(
    verb: str = "status", names: Sequence[str] = ("west", "east"), json: bool = False, live: bool = False
) -> Merged:
    return Merged(verb, names, as_json=json, live=live)


def test_a_line_has_its_cluster_before_it_and_stays_what_it_is(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    both = merged("logs")
    both.line("west", "out", b"caf\xe9\t1")
    both.line("east", "err", b"some warning")
    both.line("east", "err", b"east: which says whose it is")
    both.line("east", "err", b"east (login): as do prompts")
    out, err = capfdbinary.readouterr()
    assert out == b"west\tcaf\xe9\t1\n"
    assert err.splitlines() == [
        b"east: some warning", b"east: which says whose it is", b"east (login): as do prompts",
    ]  # fmt: skip


def test_json_goes_on_as_it_came(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    both = merged(json=True)
    both.line("west", "out", b'{"cluster": "west"}')
    assert capfdbinary.readouterr().out == b'{"cluster": "west"}\n'


def test_one_table_in_the_order_of_the_clusters_whoever_comes_first(capfd: pytest.CaptureFixture[str]) -> None:
    both = merged()
    both.rows("east", COLUMNS, [["1", "running"]], [], live=False)
    both.rows("west", COLUMNS, [["2", "held"]], [], live=False)
    both.rows("east", COLUMNS, [["3", "failed"]], [], live=False)
    both.rows("west", ["cluster", *COLUMNS], [["west", "4", "held"]], [], live=False)  # has its name already
    assert capfd.readouterr().out == ""
    both.show()
    assert [line.split("\t") for line in capfd.readouterr().out.splitlines()] == [
        ["west", "2", "held"], ["west", "4", "held"], ["east", "1", "running"], ["east", "3", "failed"],
    ]  # fmt: skip


def test_live_rows_are_shown_whenever_they_change_and_at_the_end_no_more(capfd: pytest.CaptureFixture[str]) -> None:
    both = merged(live=True)
    both.rows("west", COLUMNS, [["1", "held"], ["2", "held"]], [], live=True)
    both.rows("west", COLUMNS, [["1", "held"], ["2", "running"]], [], live=True)
    both.rows("west", COLUMNS, [["1", "held"], ["2", "held"]], [], live=True)
    both.rows("east", COLUMNS, [["1", "held"]], [], live=True)
    both.show()
    assert capfd.readouterr().out.splitlines() == [
        "west\t1\theld", "west\t2\theld", "west\t2\trunning", "west\t2\theld", "east\t1\theld",
    ]  # fmt: skip


def test_styles_go_with_their_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[object] = []
    monkeypatch.setattr("tasks.fleet.merged.output.show_rows", lambda *table: shown.extend(table))
    both = merged()
    both.rows("east", COLUMNS, [["1", "failed"]], [(0, 1, "red")], live=False)
    both.rows(
        "west", ["cluster", *COLUMNS], [["west", "2", "held"], ["west", "3", "error"]], [(1, 2, "red")], live=False
    )
    both.show()
    assert shown[0] == ["cluster", *COLUMNS]
    assert shown[2] == {(1, 2): "red", (2, 2): "red"}


def test_a_cluster_that_could_not_be_asked_has_a_row_of_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    both = merged()
    both.rows("west", COLUMNS, [["1", "held"]], [], live=False)
    both.ended("west", 3, "a job failed")
    both.ended("east", 4, "cannot reach it")
    both.show()
    out, err = capfd.readouterr()
    assert out.splitlines()[0] == "west\t1\theld"
    assert out.splitlines()[1].split("\t")[0] == "east"
    assert len(out.splitlines()) == 2
    assert err.splitlines() == ["west: a job failed", "east: cannot reach it"]


def test_in_json_as_well_but_not_where_it_has_spoken(capfd: pytest.CaptureFixture[str]) -> None:
    both = merged(json=True)
    both.line("west", "out", b'{"cluster": "west", "state": "held"}')
    both.ended("west", 4, "the connection was lost")
    both.ended("east", 4, "cannot reach it")
    _, row = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert (row["cluster"], row["state"], row["job_id"]) == ("east", "unknown", None)
    merged("wait", json=True).ended("east", 4, "")
    assert capfd.readouterr().out == ""


def test_after_ctrl_c_each_cluster_has_a_last_word_and_only_one(capfd: pytest.CaptureFixture[str]) -> None:
    both = merged("wait")
    both.line("west", "err", b"waiting")
    both.interrupted()
    both.line("west", "err", b"go on with: wait")
    both.ended("west", 1, "")
    both.ended("east", 1, "")
    assert capfd.readouterr().err.splitlines() == [
        "west: waiting",
        "west: go on with: wait",
        "east: wait was interrupted",
    ]
