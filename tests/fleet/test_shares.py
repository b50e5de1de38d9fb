"""Which clusters a task for all of them is for, and what each is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from invoke.parser.context import ParserContext

from tasks.fleet.fleet import _named, _shares, for_all
from tasks.model import command_line
from tasks.model.errors import InvalidInput
from tasks.model.job import Job
from tasks.model.ledger import Ledger

CLUSTERS = "clusters:\n  west: {}\n  big_east: {}\n  south: {}\n"


@pytest.fixture(autouse=True)
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> command_line.CommandLine:
    """A command line of somebody who has three clusters, and no ledger yet."""
    for variable in ("HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(variable, str(tmp_path))
    (tmp_path / "fabric.yml").write_text(CLUSTERS)
    monkeypatch.chdir(tmp_path)
    current = command_line.CommandLine()
    monkeypatch.setattr("tasks.fleet.fleet.current", current)
    return current


def test_clusters_come_in_the_configurations_order_whatever_is_typed() -> None:
    assert _named("") == ["west", "big_east", "south"]
    assert _named("south, big-east") == ["big_east", "south"]
    assert _named("big_east") == ["big_east"]


def test_clusters_that_were_chosen_count_for_the_tasks_that_follow(line: command_line.CommandLine) -> None:
    line.chosen[:] = ["south"]
    assert _named("") == ["south"]
    assert _named("west") == ["west"]


def test_a_cluster_that_is_not_configured_is_one_line_with_the_nearest() -> None:
    with pytest.raises(InvalidInput, match=r"no cluster 'wst' is configured.*west"):
        _named("wst,south")
    with pytest.raises(InvalidInput, match="there are west, big_east, south"):
        _named("xyzzy")


def test_each_cluster_has_directories_and_files_of_its_own() -> None:
    flags: dict[str, Any] = {
        "to": "results", "job_file": "job-{cluster}", "after": ["first-{cluster}", "last"], "time": "60",
    }  # fmt: skip
    assert _shares("submit", ["west", "me@host/x"], flags) == {
        "west": {"to": "results/west", "job_file": "job-west", "after": ["first-west", "last"], "time": "60"},
        "me@host/x": {
            "to": "results/me@host_x", "job_file": "job-me@host/x", "after": ["first-me@host/x", "last"], "time": "60",
        },
    }  # fmt: skip
    assert flags["to"] == "results", "the flags themselves stay what they are"


def test_one_job_file_is_not_for_two_clusters() -> None:
    with pytest.raises(InvalidInput, match=r"--job-file=NAME-\{cluster\}"):
        _shares("submit", ["west", "south"], {"job_file": "job"})
    assert _shares("submit", ["west"], {"job_file": "job"}) == {"west": {"job_file": "job"}}


def test_a_job_is_looked_for_where_it_was_submitted() -> None:
    Ledger().update(
        Job("k", "west", job_id="7"), Job("other", "south", job_id="8"), Job("k-south", "south", job_id="9")
    )
    names, all_of_it = ["west", "big_east", "south"], {"job": [], "json": True}
    assert _shares("wait", names, {"job": ["7"]}) == {"west": {"job": ["7"]}}
    assert _shares("wait", names, {"job": ["k", "8"]}) == {"west": {"job": ["k"]}, "south": {"job": ["8"]}}
    assert _shares("wait", names, {"job": ["k-{cluster}"]}) == {"south": {"job": ["k-south"]}}
    # None named: the last one of each cluster that has one, and it is the cluster's own task that finds it.
    assert _shares("wait", names, all_of_it) == {"west": all_of_it, "south": all_of_it}
    with pytest.raises(InvalidInput, match="no job 'nobody' was submitted from here to any of west, big_east, south"):
        _shares("wait", names, {"job": ["k", "nobody"]})


def test_a_status_has_a_row_for_every_cluster_jobs_or_not() -> None:
    Ledger().update(Job("k", "west", job_id="7"))
    flags: dict[str, Any] = {"job": None, "all": False}
    assert _shares("status", ["west", "south"], flags) == {"west": flags, "south": {"job": None, "all": True}}
    everything: dict[str, Any] = {"job": [], "all": True}
    assert _shares("status", ["south"], everything) == {"south": everything}


def test_tasks_for_all_are_counted() -> None:
    assert for_all([ParserContext("all.submit"), ParserContext("allot"), ParserContext("all.wait")]) == 2
