"""The testbed comes up, comes up again whatever was killed, and goes without a trace."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest
import yaml

from tasks.model.errors import InvalidInput
from tasks.testbed import bed, processes, register
from tasks.testbed.cell import Cell

from .bench import DAEMONS, fab, kill, pids, qsub, ssh, until

pytestmark = pytest.mark.usefixtures("state")


def test_up_makes_two_clusters_that_run_jobs() -> None:
    """How long that takes is measured by `make bench`."""
    up = fab("testbed.up")
    assert up.returncode == 0, up.stderr
    answer = ssh("sandbox", "qsub -S /bin/sh -sync y; hostname", script="exit 0")

    assert "Your job 1" in answer
    assert "sandbox: making a Grid Engine cluster" in up.stderr
    assert "fab -H sandbox2 submit" in up.stdout
    lines = fab("testbed.status").stdout.splitlines()
    by_hand = f"ssh -F {shlex.quote(str(register.ssh_config()))}"
    assert lines == [
        f"{name}: sshd up, qmaster up, execd up; slots 0 used, 16 free; {by_hand} {name}"
        for name in ("sandbox", "sandbox2")
    ]
    down = fab("testbed.down")
    assert (down.returncode, down.stdout) == (0, "")
    assert not register.state_directory().exists()


def test_up_leaves_a_healthy_cluster_alone(cell: Cell) -> None:
    before = pids(cell)
    job = qsub(cell, "sleep 1", "-h")

    assert bed.up(["sandbox"]) == [cell]

    assert pids(cell) == before
    assert job in cell.run("qstat").stdout


def test_up_changes_the_number_of_slots_of_a_running_cluster(cell: Cell) -> None:
    before = pids(cell)

    bed.up(["sandbox"], slots=20)

    assert pids(cell) == before
    assert bed.health(cell).slots == (0, 20)
    [remembered] = register.clusters()
    assert remembered.slots == 20


@pytest.mark.parametrize("victims", [("sshd",), ("sge_execd",), ("sge_qmaster",), ("sshd", *DAEMONS)], ids="+".join)
def test_killed_daemons_come_up_again_and_jobs_are_kept(cell: Cell, victims: tuple[str, ...]) -> None:
    job = qsub(cell, "exit 0", "-h")
    before = pids(cell)
    kill(cell, *victims)
    assert bed.health(cell).dead

    said: list[str] = []
    bed.up(["sandbox"], say=said.append)

    assert not bed.health(cell).dead
    assert not any("anew" in line for line in said)
    assert all(pids(cell)[name] != before[name] for name in victims)
    ssh("sandbox", f"qrls {job}")
    until(lambda: job not in cell.run("qstat").stdout)


def test_a_cluster_that_cannot_come_up_again_is_made_anew(cell: Cell) -> None:
    kill(cell, *DAEMONS, "sshd")
    (cell.common / "bootstrap").unlink()

    said: list[str] = []
    [new] = bed.up(["sandbox"], say=said.append)

    assert any("making the cluster anew" in line for line in said)
    assert not bed.health(new).dead


def test_up_that_was_cut_short_is_made_anew() -> None:
    directory = register.state_directory() / "sandbox"
    directory.mkdir(parents=True)
    (directory / "cluster.json").write_text('{"name": "sand')

    [cell] = bed.up(["sandbox"])

    assert not bed.health(cell).dead


def test_down_leaves_no_process_and_no_file(cell: Cell, state: Path) -> None:
    # A child in a session of its own that ignores signals, and a command left behind by a login.
    qsub(cell, "trap '' TERM HUP; setsid sleep 1234 & sleep 1234")
    ssh("sandbox", "nohup sleep 1234 > /dev/null 2>&1 &")
    until(lambda: sum(b"sleep 1234" in one.command for one in processes.belonging_to(cell.directory)) == 3)
    kill(cell, "sge_execd", "sshd")  # what they had started is nobody's child now
    seen = [one.pid for one in processes.belonging_to(cell.directory)]
    assert len(seen) >= 5

    assert bed.down() == ["sandbox"]

    assert not [pid for pid in seen if processes.look(pid)]
    assert not [path for path in state.rglob("*") if path != state / "submithost"]
    assert not [*Path("/tmp").glob("execd_messages*"), *Path("/tmp").glob("qmaster_messages*")]


def test_down_when_nothing_is_up_is_fine_and_says_so() -> None:
    done = fab("testbed.down")

    assert (done.returncode, done.stdout) == (0, "")
    assert "nothing is up" in done.stderr


def test_two_clusters_are_independent() -> None:
    first, second = bed.up(["sandbox", "sandbox2"])
    assert first.gid_range != second.gid_range  # or each would kill the other's jobs
    job = qsub(first, "exit 0", "-h")

    assert job in ssh("sandbox", "qstat")
    assert ssh("sandbox2", "qstat") == ""
    assert bed.down(["sandbox2"]) == ["sandbox2"]

    assert list(yaml.safe_load(register.registration().read_text())["clusters"]) == ["sandbox"]
    assert register.registration().stat().st_mode & 0o777 == 0o600
    assert not bed.health(first).dead
    assert job in ssh("sandbox", "qstat")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--clusters", "sand box"], "'sand box' cannot be the name of a cluster"),
        (["--clusters", "a.b"], "'a.b' cannot be the name of a cluster"),
        (["--clusters", "../x"], "'../x' cannot be the name of a cluster"),
        (["--clusters", "submit"], "it is that of a task"),
        (["--clusters", "a,,b"], "not a list of cluster names"),
        (["--clusters", "a,a"], "named twice"),
        (["--slots", "many"], "not a whole number"),
        (["--slots", "1000"], "1 to 256 slots"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], expected: str) -> None:
    done = fab("testbed.up", *words)

    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert expected in line
    assert not register.state_directory().exists()


def test_down_of_an_unknown_cluster_names_the_nearest(cell: Cell) -> None:
    with pytest.raises(InvalidInput, match=r"no cluster 'sandbx'.*did you mean 'sandbox'"):
        bed.down(["sandbx"])
    assert not bed.health(cell).dead
