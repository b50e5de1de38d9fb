"""The testbed's Slurm comes up, comes up again whatever was killed, and goes without a trace."""

from __future__ import annotations

import contextlib
import shlex
import signal
import time
from pathlib import Path

import pytest
import yaml

from tasks.testbed import bed, processes, register, services, slurm_daemons, sshd
from tasks.testbed.slurm import SlurmCluster

from .bench import ended, fab, sbatch, ssh, until

pytestmark = pytest.mark.usefixtures("state")


def test_up_makes_a_cluster_that_runs_jobs() -> None:
    """How long that takes is measured by `make bench`."""
    up = fab("testbed.up", "--slurm")
    assert up.returncode == 0, up.stderr
    assert ended(sbatch("hostname")) == "COMPLETED"

    assert "sandbox-slurm: making a Slurm cluster with 16 slots" in up.stderr
    assert "fab -H sandbox-slurm submit" in up.stdout
    by_hand = f"ssh -F {shlex.quote(str(register.ssh_config()))} sandbox-slurm"
    assert fab("testbed.status").stdout == (
        f"sandbox-slurm: sshd up, munged up, slurmctld up, slurmd up; slots 0 used, 16 free; {by_hand}\n"
    )
    down = fab("testbed.down")
    assert (down.returncode, down.stdout) == (0, "")
    assert not register.state_directory().exists()


def test_it_stands_beside_a_grid_engine_cell_and_is_registered_as_slurm(cluster: SlurmCluster) -> None:
    [cell] = bed.up(["sandbox"])

    registered = yaml.safe_load(register.registration().read_text())["clusters"]
    assert {name: entry["scheduler"] for name, entry in registered.items()} == {
        "sandbox": "gridengine",
        "sandbox-slurm": "slurm",
    }
    assert not bed.health(cluster).dead
    assert bed.down(["sandbox-slurm"]) == ["sandbox-slurm"]
    assert not bed.health(cell).dead


def test_two_clusters_side_by_side_are_independent() -> None:
    first, second = bed.up_slurm(["one", "two"])
    job = sbatch("exit 0", "--hold", cluster="one")

    assert ssh("one", "squeue -h -o %i") == f"{job}\n"
    assert ssh("two", "squeue -h -o %i") == ""
    slurm_daemons.kill_slurmctld(first)
    assert bed.health(first).dead == ["slurmctld"]
    assert not bed.health(second).dead
    assert (first.root / "munge.key").read_bytes() != (second.root / "munge.key").read_bytes()


@pytest.mark.parametrize(
    "victims",
    [("sshd",), ("munged",), ("slurmd",), ("slurmctld",), ("sshd", "munged", "slurmctld", "slurmd")],
    ids="+".join,
)
def test_killed_daemons_come_up_again_and_jobs_are_kept(cluster: SlurmCluster, victims: tuple[str, ...]) -> None:
    held = sbatch("exit 0", "--hold")
    running = sbatch("sleep 8")
    until(lambda: ssh("sandbox-slurm", f"squeue -h -j {running} -o %T") == "RUNNING\n")
    time.sleep(6)  # slurmctld writes its state every five seconds
    for victim in victims:
        kill(cluster, victim)
    # Without munged nobody can talk to slurmctld.
    assert set(bed.health(cluster).dead) >= set(victims)

    said: list[str] = []
    assert bed.up_slurm(say=said.append) == [cluster]

    assert not bed.health(cluster).dead
    assert not any("anew" in line for line in said)
    ssh("sandbox-slurm", f"scontrol release {held}")
    assert ended(held) == "COMPLETED"
    assert ended(running) == "COMPLETED"


def kill(cluster: SlurmCluster, daemon: str) -> None:
    if daemon == "sshd":
        sshd.stop_sshd(sshd.main_door(cluster))
    else:
        services.stop(cluster, daemon, signal.SIGKILL)


def test_an_up_that_was_cut_short_is_made_anew(cluster: SlurmCluster) -> None:
    slurm_daemons.kill_slurmctld(cluster)
    sshd.main_door(cluster).config.unlink()  # the last file that `up` writes

    said: list[str] = []
    [new] = bed.up_slurm(say=said.append)

    assert any("making a Slurm cluster" in line for line in said)
    assert not bed.health(new).dead


def test_up_changes_the_number_of_slots_and_jobs_are_kept(cluster: SlurmCluster) -> None:
    held = sbatch("exit 0", "--hold")

    bed.up_slurm(slots=20)

    assert bed.health(cluster).slots == (0, 20)
    ssh("sandbox-slurm", f"scontrol release {held}")
    assert ended(held) == "COMPLETED"


def whose_environment_names(state: Path) -> list[int]:
    found = []
    for file in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if str(state).encode() in file.read_bytes():
                found.append(int(file.parent.name))
    return found


def test_down_leaves_no_process_and_no_file(cluster: SlurmCluster, state: Path) -> None:
    # A child in a session of its own, of a job that takes nothing of a login's environment.
    sbatch("trap '' TERM HUP; setsid sleep 1234 & sleep 1234", "--export=NONE")
    until(lambda: sum(b"sleep 1234" in one.command for one in processes.belonging_to(cluster.directory)) == 2)
    for process in processes.belonging_to(cluster.directory):
        if b"slurmstepd" in process.command or b"slurmd" in process.command:
            processes.end(process)  # what they had started is nobody's child now
    assert len(processes.belonging_to(cluster.directory)) >= 5
    there = whose_environment_names(state)  # also what has written its title over the mark
    assert len(there) >= 5

    assert bed.down() == ["sandbox-slurm"]

    assert not [pid for pid in there if processes.look(pid)]
    assert not [path for path in state.rglob("*") if path != state / "submithost"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--accounting"], "add --slurm"),
        (["--slurm", "--slots=1000"], "1 to 256 slots"),
        (["--slurm", "--clusters=submit"], "it is that of a task"),
    ],
)
def test_bad_input_is_one_line_and_status_2(words: list[str], expected: str) -> None:
    done = fab("testbed.up", *words)

    assert done.returncode == 2
    [line] = done.stderr.splitlines()
    assert expected in line
    assert not register.state_directory().exists()


def test_a_name_belongs_to_one_kind_of_cluster(cluster: SlurmCluster) -> None:
    done = fab("testbed.up", "--clusters=sandbox-slurm")

    assert done.returncode == 2
    assert "'sandbox-slurm' is a Slurm cluster: take it down first" in done.stderr
    assert not bed.health(cluster).dead
