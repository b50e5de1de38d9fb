"""Bad input, bad keys, broken connections: one line, the right exit status, and nothing lost."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tasks.testbed import daemons
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import Door, extra_sshd, main_door, start_sshd, stop_sshd
from tests.clusters.bench import lose_the_answer, marks, until
from tests.conftest import Person, json_lines, move_in, until_there

SCRIPT = "#!/bin/sh\necho out\nexit 7\n"


def at(door: Door, tmp_path: Path, more: str = "") -> Person:
    """A person whose cluster `hpc` is behind this door."""
    config = f"clusters:\n  hpc:\n    host: {door.name}\n    ssh_config: '{door.ssh_config}'\n{more}"
    return move_in(tmp_path / "person", config)


def one_line(done: subprocess.CompletedProcess[str], status: int) -> str:
    """The one line of a failure; nothing is on stdout."""
    assert done.returncode == status, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""
    return done.stderr


# --- what can be known wrong before contact


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["submit"], "--script="),
        (["submit", "--script=nosuch"], "nosuch"),
        (["submit", "--script=x", "--time=soon"], "time"),
        (["submit", "--script=x", "--memory=4X"], "memory"),
        (["submit", "--script=x", "--cores=0"], "cores"),
        (["submit", "--script=x", "--array=5-1"], "array"),
        (["submit", "--script=x", "--mail-on=q"], "mail-on"),
        (["submit", "--script=x", "--name=3x"], "_3x"),
        (["submit", "--script=x", "--key=../up"], "key"),
        (["submit", "--script=x", "--key=12"], "key"),
        (["submit", "--script=x", "--key=last"], "last"),
        (["submit", "--script=x", "--key="], "value"),
        (["submit", "--script=x", "--job-file="], "value"),
        (["submit", "--script=x", "--memory=4"], "4G"),
        (["submit", "--script=x", "--put=nosuch"], "no such file"),
        (["submit", "--script=x", "--option=-l 'open"], "--option"),
        (["submit", "--script=x", "--fetch=x"], "x is a file"),
        (["submit", "--script=x", "--fetch=x/below"], "x is a file"),
        (["fetch", "--to=x"], "x is a file"),
        (["submit", "--script=dos"], "dos2unix"),
        (["submit", "--script=serial"], "command"),
        (["submit", "--script=x", "--job-file=x"], "job file"),
        (["submit", "--script=x", "--job-file=no/where"], "job file"),
        (["wait", "--timeout=soon"], "time"),
        (["wait"], "no job was submitted"),
        (["status", "--job=12"], "no job '12'"),
        (["fetch", "--job=a-key"], "no job 'a-key'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(person: Person, words: list[str], said: str) -> None:
    person.script("x", SCRIPT)
    person.script("dos", SCRIPT.replace("\n", "\r\n"))
    assert said in one_line(person.fab("-H", "sandbox", *words), 2)


def test_without_a_cluster_nothing_runs_here(person: Person) -> None:
    person.script("x", "#!/bin/sh\ntouch ran\n")
    assert "fab -H CLUSTER" in one_line(person.fab("submit", "--script=x"), 2)
    assert not (person.work / "ran").exists()
    assert "contradict" in one_line(person.fab("-H", "sandbox2", "sandbox.status"), 2)


def test_a_wrong_configuration_names_the_nearest_right_key(person: Person) -> None:
    (person.work / "fabric.yml").write_text("clusters:\n  sandbox:\n    hots: x\n")
    line = one_line(person.fab("-H", "sandbox", "status"), 2)
    assert "fabric.yml" in line
    assert "host" in line
    (person.work / "fabric.yml").write_text("clusters:\n  hpc:\n    scheduler: pbs\n")
    line = one_line(person.fab("-H", "sandbox", "status"), 2)
    assert "cluster 'hpc': scheduler 'pbs'" in line


def test_a_dry_run_shows_every_step_and_touches_nothing(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", SCRIPT)
    before = main_door(cells["sandbox"]).logins(), sorted(person.home.rglob("*"))
    done = person.fab("-H", "sandbox", "submit", "--script=x", "--put=x", "--cores=2", "--dry-run", "--job-file=j")
    assert done.returncode == 0, done.stderr
    assert "qsub -ac submithost=x-" in done.stdout
    assert "-pe smp 2" in done.stdout
    assert done.stdout.endswith(SCRIPT)
    assert (main_door(cells["sandbox"]).logins(), sorted(person.home.rglob("*"))) == before


# --- host keys and logins


def test_a_wrong_host_key_ends_it_before_a_byte_of_the_job_is_sent(cells: dict[str, Cell], tmp_path: Path) -> None:
    with extra_sshd(cells["sandbox"], "changed") as door:
        host = door.known_hosts.read_text().split()[0]
        another = main_door(cells["sandbox"]).known_hosts.read_text().split()[1:3]
        door.known_hosts.write_text(f"{host} {' '.join(another)}\n")
        person = at(door, tmp_path, "    scheduler: gridengine\n")
        person.script("x", SCRIPT)
        line = one_line(person.fab("-H", "hpc", "submit", "--script=x"), 4)
        assert "known_hosts" in line
        assert door.logins() == 0


def test_a_login_node_that_is_not_there_is_status_4(person: Person) -> None:
    (person.work / "fabric.yml").write_text(
        "clusters:\n  gone:\n    host: 127.0.0.1\n    port: 1\n    ssh_config: /dev/null\n    scheduler: gridengine\n"
    )
    person.script("x", SCRIPT)
    assert "gone" in one_line(person.fab("-H", "gone", "submit", "--script=x"), 4)


def test_a_host_that_is_not_configured_is_found_out_and_remembered(cells: dict[str, Cell], tmp_path: Path) -> None:
    door = main_door(cells["sandbox"])
    person = at(door, tmp_path)
    person.script("x", SCRIPT)
    first = person.fab("-H", "hpc", "submit", "--script=x")
    assert first.returncode == 0, first.stderr
    assert "found gridengine" in first.stderr
    assert "found" not in person.fab("-H", "hpc", "status").stderr


# --- broken connections


def test_wait_survives_a_login_node_that_goes_away(cells: dict[str, Cell], tmp_path: Path) -> None:
    with extra_sshd(cells["sandbox"], "restarted") as door:
        person = at(door, tmp_path)
        go = person.work / "go"
        person.script("x", f"#!/bin/sh\n{until_there(go)}\nexit 7\n")
        assert person.fab("-H", "hpc", "submit", "--script=x").returncode == 0
        waiting = person.start("-H", "hpc", "wait", "--json")
        until(lambda: door.logins() == 2)
        time.sleep(1)
        stop_sshd(door)
        time.sleep(1)
        start_sshd(door)
        go.touch()
        out, err = waiting.communicate(timeout=60)
        assert waiting.returncode == 3, err
        assert json_lines(out)[0]["exit_status"] == 7
        assert "trying again" in err


def test_a_timeout_while_the_login_node_is_away_does_not_tell_of_a_running_job(
    cells: dict[str, Cell], tmp_path: Path
) -> None:
    with extra_sshd(cells["sandbox"], "away") as door:
        person = at(door, tmp_path)
        person.script("x", "#!/bin/sh\n")
        assert person.fab("-H", "hpc", "submit", "--script=x", "--hold").returncode == 0
        waiting = person.start("-H", "hpc", "wait", "--timeout=15")
        until(lambda: door.logins() == 2)
        time.sleep(2)
        stop_sshd(door)
        _, err = waiting.communicate(timeout=60)
        start_sshd(door)
        assert waiting.returncode == 4, err
        assert "is still running" not in err
        assert "go on with: fab -H hpc wait --job" in err
        person.fab("-H", "hpc", "cancel")


def test_g25_a_qmaster_that_is_down_is_could_not_ask(person: Person, cells: dict[str, Cell]) -> None:
    cell = cells["sandbox2"]
    person.script("x", "#!/bin/sh\n")
    job_id = person.submit("x", "--hold", cluster="sandbox2")
    daemons.stop_qmaster(cell)
    try:
        asked = person.fab("-H", "sandbox2", "status", "--json")
        assert asked.returncode == 5
        assert json_lines(asked.stdout)[0]["state"] == "unknown"
        assert "commlib error" in asked.stderr
        began = person.fab("-H", "sandbox2", "submit", "--script=x", "--key=while-down")
        assert began.returncode == 5
        assert "--key while-down" in began.stderr
    finally:
        daemons.start_qmaster(cell)
    assert person.jobs(f"--job={job_id}", cluster="sandbox2")[0]["state"] == "held"
    # The same key finds out that there is no job, waits until that is sure, and submits.
    again = person.fab("-H", "sandbox2", "submit", "--script=x", "--key=while-down", timeout=200)
    assert again.returncode == 0, again.stderr
    assert marks(cell, "while-down") <= 1
    person.fab("-H", "sandbox2", "cancel", f"--job={job_id}")


def test_a_submit_killed_at_any_moment_is_continued_and_is_one_job(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    for number, moment in enumerate((0.45, 0.55, 0.6, 0.65, 0.7, 0.8)):
        words = ["-H", "sandbox", "submit", "--script=x", "--hold", f"--job-file={number}.job"]
        begun = person.start(*words)
        time.sleep(moment)
        os.kill(begun.pid, signal.SIGKILL)
        begun.communicate()
        again = person.fab(*words, timeout=200)
        assert again.returncode == 0, again.stderr
    for number in range(6):
        (job,) = person.jobs(f"--job={number}.job")
        assert marks(cells["sandbox"], job["key"]) == 1
        person.fab("-H", "sandbox", "cancel", f"--job={number}.job")


def test_l7_g32_a_lost_answer_is_found_by_mark_and_claim(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    words = ["-H", "sandbox", "submit", "--script=x", "--key=unheard", "--array=1-3:2", "--hold"]
    first = person.fab(*words)
    mine = cells["sandbox"].home / ".submithost" / "jobs" / "unheard" / ".submithost"

    def forget() -> None:
        (person.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
        lose_the_answer(mine)

    forget()
    assert person.fab(*words).stdout == first.stdout
    assert person.fab("-H", "sandbox", "release").returncode == 0
    assert person.wait()["state"] == "succeeded"
    forget()
    assert person.fab(*words).stdout == first.stdout
    (job,) = person.jobs()
    assert (job["state"], sorted(job["tasks"])) == ("succeeded", ["1", "3"])
