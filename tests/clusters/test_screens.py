"""What a person sees on a small terminal: tables that fit, lines that stay one line, and a last word after Ctrl-C."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.sshd import main_door
from tests.conftest import Person, json_lines, until_there
from tests.proxy import Proxy, ssh_config_through
from tests.terminal import Terminal, seen

STATES = ("pending", "held", "running", "succeeded", "failed", "cancelled", "unknown")


def rows(lines: list[str]) -> list[list[str]]:
    """The words of each row of the one table that is shown."""
    begin = next(at for at, line in enumerate(lines) if line.startswith(("cluster", "job")))
    return [line.split() for line in lines[begin + 1 :] if line]


@pytest.fixture
def busy(commuter: Person) -> Person:
    """Somebody with a failed job of a long name on each cluster, and a held array job."""
    name = "a-rather-long-name-of-a-job"
    commuter.script("x", "#!/bin/sh\nexit 7\n")
    commuter.script("y", "#!/bin/sh\n")
    done = commuter.fab("all.submit", "--script=x", f"--name={name}", "all.wait")
    assert done.returncode == 3, done.stderr
    return commuter


@pytest.mark.parametrize(("columns", "dates"), [(120, 3), (80, 1), (40, 0)])
def test_c5_the_table_of_all_clusters_fits_and_no_state_or_id_is_broken(busy: Person, columns: int, dates: int) -> None:
    ids = {job["cluster"]: job["job_id"] for job in json_lines(busy.fab("jobs", "--json").stdout)}
    shown = seen(busy, "all.status", columns=columns)
    head, *table = shown[-4:]
    assert head.count("(UTC)") == dates
    assert head.startswith("cluster")
    assert {row.split()[0]: row.split()[1] for row in table} == ids
    assert all(re.search(r" failed\b", row) for row in table), shown
    assert all(len(line) <= columns for line in shown)
    for words, states in ((("jobs",), ["failed"] * 3), (("-H", "sandbox-slurm", "status"), ["failed"])):
        found = [word for row in rows(seen(busy, *words, columns=columns)) for word in row if word in STATES]
        assert found == states


def test_c5_a_pipe_still_gets_every_column(busy: Person) -> None:
    assert {line.count("\t") for line in busy.fab("all.status").stdout.splitlines()} == {7}


def test_c5_a_status_of_more_jobs_than_lines_keeps_to_the_screen(person: Person, tmp_path: Path) -> None:
    """One table in all that can be seen by scrolling up: the last one, with every job."""
    person.script("held", "#!/bin/sh\n")
    person.script("x", f"#!/bin/sh\n{until_there(tmp_path / 'go')}\n")
    submits = [word for _ in range(29) for word in ("submit", "--script=held", "--hold")]
    done = person.fab("-H", "sandbox", *submits, "submit", "--script=x")
    assert done.returncode == 0, done.stderr
    with Terminal(person, ["fabric", "-H", "sandbox", "status", "--all", "--watch"], rows=12) as terminal:
        terminal.until(lambda text: "1 running, 29 held" in text)
        assert len(terminal.lines()) == 11  # nothing has scrolled away
        assert " running " in terminal.text()
        assert terminal.screen()[-1] == "9 of 30 jobs: 1 running, 29 held"
        (tmp_path / "go").touch()
        terminal.until(lambda text: "29 held, 1 succeeded" in text)
        assert len(terminal.lines()) == 11
        terminal.type("\x03")
        assert terminal.to_the_end() == 1
        *shown, said = terminal.lines()
    assert len(shown) == 31
    assert "^C" not in terminal.text()
    assert said == "29 jobs on sandbox go on; watch them again: fab -H sandbox status --watch --all"
    person.fab("-H", "sandbox", "cancel", *(f"--job={row[0]}" for row in rows(shown) if row[2] == "held"))


@pytest.mark.parametrize("columns", [80, 40])
def test_c5_what_wait_shows_stays_one_line_however_narrow(person: Person, tmp_path: Path, columns: int) -> None:
    person.script("held", "#!/bin/sh\n")
    person.script("x", f"#!/bin/sh\n{until_there(tmp_path / 'go')}\n")
    jobs = ["submit", "--script=held", "--hold", "submit", "--script=held", "--array=1-10", "--memory=9000G"]
    done = person.fab("-H", "sandbox", *jobs, "submit", "--script=x", "status", "--json")
    ids = [
        f"--job={job['job_id']}" for job in json_lines(done.stdout.partition("{")[1] + done.stdout.partition("{")[2])
    ]
    with Terminal(person, ["fabric", "-H", "sandbox", "wait", *ids], columns) as terminal:
        terminal.until(lambda text: re.search(r"waiting \d+:\d\d: 10 pending, 1 held, 1", text))
        *told, line = terminal.lines()
        terminal.until(lambda text: text.count("waiting ") == 1 and line not in text)  # the next one is in its place
        assert len(terminal.lines()) == len(told) + 1
        (tmp_path / "go").touch()
        terminal.until(lambda text: "succeeded after" in text)
        terminal.type("\x03")
        assert terminal.to_the_end() == 1
        said = "".join(terminal.lines())
    assert said.endswith(
        f"2 jobs on sandbox go on; watch them again: fab -H sandbox wait {' '.join(ids[:2])}".replace("=", " ")
    )
    assert "waiting" not in said
    person.fab("-H", "sandbox", "cancel", *ids[:2])


def test_c5_ctrl_c_has_a_last_word_wherever_something_goes_on(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    """What goes on without us, and what to type to take it up again."""
    person.script("x", f"#!/bin/sh\necho begun\n{until_there(tmp_path / 'go')}\n")
    job_id = person.submit("x")
    (person.work / "big data").write_bytes(os.urandom(400 << 20))
    there = cells["sandbox"].home / "big there"
    there.write_bytes(os.urandom(400 << 20))
    door = main_door(cells["sandbox"])
    on = "fab -H sandbox"
    goes_on = f'job {job_id} ("x") on sandbox goes on; '
    for words, when, said in (
        ("status --watch", "running", f"{goes_on}watch it again: {on} status --watch --job {job_id}"),
        ("wait", "1 running", f"{goes_on}watch it again: {on} wait --job {job_id}"),
        ("logs --follow", "begun", f"{goes_on}follow it again: {on} logs --job {job_id} --follow"),
        (
            "put --source=big\0data",
            "sending",
            f"sandbox: what has arrived is kept; this goes on with the rest: {on} put --source 'big data'",
        ),
        (
            "get --source=" + str(there).replace(" ", "\0"),
            "fetching",
            f"sandbox: what has come is kept; this goes on with the rest: {on} get --source '{there}'",
        ),
    ):
        typed = [word.replace("\0", " ") for word in words.split()]
        with Proxy(door.port) as proxy:
            config = ssh_config_through(proxy, door, tmp_path / "config")
            with Terminal(person, ["fabric", "-S", str(config), "-H", "sandbox", *typed], 200) as terminal:
                if when in ("sending", "fetching"):  # a bar is shown of what takes its time, on any machine
                    terminal.until(lambda _, moved=proxy.amount: sum(moved.values()) > 8 << 20)
                    proxy.frozen = True
                terminal.until(lambda text, when=when: when in text)
                terminal.type("\x03")
                assert terminal.to_the_end() == 1
                assert terminal.lines()[-1] == said
                assert "^C" not in terminal.text()
                assert "Traceback" not in terminal.text()
    (tmp_path / "go").touch()
    assert person.wait()["state"] == "succeeded"
