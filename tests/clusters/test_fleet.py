"""Many clusters at once: `all.TASK`, and with `submithost` `-H a,b`. One of three here is dead."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks import AT_ONCE
from tasks.testbed import register
from tasks.testbed.cell import Cell
from tasks.testbed.processes import wait_until
from tasks.testbed.sshd import main_door
from tests.conftest import Person, json_lines, move_in

BOTH = "--clusters=sandbox,sandbox2"
DEAD = "clusters:\n  dead: {host: 127.0.0.1, port: 1}\n"


@pytest.fixture
def somebody(person: Person) -> Person:
    """A person with two clusters that live and one that is dead, and a script `x`."""
    (person.work / "fabric.yml").write_text(DEAD)
    person.script("x", "#!/bin/sh\necho out\n")
    return person


def lines(text: str) -> dict[str, list[str]]:
    """What a pipe got, by cluster: its lines, each without the name."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, tab, rest = line.partition("\t")
        assert tab, line
        found.setdefault(name, []).append(rest)
    return found


def test_one_table_has_every_cluster_and_a_dead_one_costs_its_row_and_the_exit_status(somebody: Person) -> None:
    submitted = somebody.fab("all.submit", "--script=x", "--hold", BOTH)
    assert submitted.returncode == 0, submitted.stderr
    print(submitted)
    done = somebody.fab("all.status")
    print(done)
    assert done.returncode == 4
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [(row[0], row[3]) for row in rows] == [("sandbox", "held"), ("sandbox2", "held"), ("dead", "unknown")]
    assert {len(row) for row in rows} == {8}
    (line,) = done.stderr.splitlines()
    assert line.startswith("dead (127.0.0.1:1) cannot be reached")
    assert somebody.fab("all.cancel", BOTH).returncode == 0


def test_a_line_of_tasks_is_one_login_for_each_cluster_and_what_fails_ends_its_own_alone(
    somebody: Person, cells: dict[str, Cell]
) -> None:
    doors = [main_door(cells[name]) for name in ("sandbox", "sandbox2")]
    before = [door.logins() for door in doors]
    done = somebody.fab("all.submit", "--script=x", "all.wait", "all.status", "all.fetch", "--to=out", "--only=x.o*")
    assert done.returncode == 4, done.stderr
    assert [door.logins() for door in doors] == [n + 1 for n in before]
    assert done.stderr.count("dead (127.0.0.1:1) cannot be reached") == 1
    said = lines(done.stdout)
    for name in ("sandbox", "sandbox2"):
        submitted, status, fetched = said[name]
        job_id = submitted.split()[2]
        assert status.split("\t")[:3] == [job_id, "x", "succeeded"]
        assert fetched == f"out/{name}/x.o{job_id}"
        assert (somebody.work / fetched).read_text() == "out\n"
        assert f"{name}: job {job_id} (\"x\") on {name} succeeded" in done.stderr
    assert said["dead"] == ["-\t-\tunknown\t-\t-\t-\t-"]
    assert all(re.match("(sandbox|sandbox2|dead)(: | \\()", line) for line in done.stderr.splitlines())


def test_a_failed_job_ends_the_line_of_its_cluster_and_the_highest_exit_status_counts(somebody: Person) -> None:
    somebody.script("odd", '#!/bin/sh\ncase $PWD in *sandbox2*) exit 7;; esac\n')
    done = somebody.fab(BOTH.replace("--", "all.submit --", 1).split()[0], BOTH, "--script=odd", "all.wait", "all.fetch")
    assert done.returncode == 3, done.stderr
    assert "sandbox2: job 1" in done.stderr or "failed with exit status 7" in done.stderr
    assert [path.name for path in somebody.work.iterdir() if path.is_dir()] == ["sandbox"]
    job_id = somebody.jobs()[0]["job_id"]
    assert (somebody.work / "sandbox" / f"odd-{job_id}" / f"odd.o{job_id}").exists()
    assert somebody.fab("all.status", BOTH).returncode == 0


def test_json_lines_of_all_clusters_are_whole(somebody: Person) -> None:
    done = somebody.fab("all.submit", "--script=x", BOTH, "--json", "all.wait", "--json", "all.status", "--json")
    assert done.returncode == 0, done.stderr
    objects = json_lines(done.stdout)
    assert sorted(o["cluster"] for o in objects) == ["sandbox"] * 3 + ["sandbox2"] * 3
    assert [o["state"] for o in objects[-2:]] == ["succeeded"] * 2
    status = somebody.fab("all.status", "--json")
    assert status.returncode == 4
    dead = json_lines(status.stdout)[-1] if False else [o for o in json_lines(status.stdout) if o["cluster"] == "dead"]
    assert [(o["state"], o["job_id"], o.keys()) for o in dead] == [("unknown", None, objects[-1].keys())]
