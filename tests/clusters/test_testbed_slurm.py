"""The testbed's Slurm comes up, comes up again whatever was killed, and goes without a trace."""

from __future__ import annotations

import os
import re
import shlex
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tasks.model.errors import InvalidInput
from tasks.testbed import bed, packages, processes, register, services, slurm_daemons, sshd
from tasks.testbed.slurm import SlurmCluster

from .bench import fab, ssh, until


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A state directory of the test's own; whatever it brought up is taken down."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield tmp_path / "state"
    bed.down()


@pytest.fixture
def cluster() -> SlurmCluster:
    """One cluster that is up, without accounting."""
    return bed.up_slurm()[0]


def sbatch(script: str, *options: str, cluster: str = "sandbox-slurm") -> str:
    """The ID of a job that was submitted by plain ssh."""
    words = shlex.join(["sbatch", "--parsable", *options])
    return ssh(cluster, words, script=f"#!/bin/sh\n{script}\n").strip()


def ended(job: str, cluster: str = "sandbox-slurm") -> str:
    """The state of this job, once it has ended."""
    found: list[str] = []

    def has_ended() -> bool:
        found[:] = re.findall(r"JobState=(\w+)", ssh(cluster, f"scontrol -o show job {job}"))
        return not {"PENDING", "RUNNING", "COMPLETING"}.intersection(found)

    until(has_ended)
    return " ".join(sorted(found))


def test_up_and_a_first_finished_job_take_at_most_20_seconds() -> None:
    start = time.monotonic()
    up = fab("testbed.up", "--slurm")
    assert up.returncode == 0, up.stderr
    assert ended(sbatch("hostname")) == "COMPLETED"
    took = time.monotonic() - start

    assert took <= 20
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


def test_what_jobs_are_given(cluster: SlurmCluster) -> None:
    home = cluster.home
    whole = "scontrol -o show job $SLURM_JOB_ID; echo home=$HOME gpus=$CUDA_VISIBLE_DEVICES"
    plain = sbatch(whole, "--output=plain.out")
    rich = sbatch(whole, "--output=rich.out", "-p", "short", "-c", "3", "--gres=gpu:2")
    bare = sbatch("echo home=$HOME", "--output=bare.out", "--export=NONE")

    assert {ended(job) for job in (plain, rich, bare)} == {"COMPLETED"}
    one, other = ((home / name).read_text() for name in ("plain.out", "rich.out"))
    assert f"home={home} gpus=\n" in one
    assert "Partition=main " in one
    assert "mem=1G" in one
    assert f"home={home} gpus=0,1\n" in other
    assert "cpu=3,mem=3G" in other
    assert "Partition=short " in other
    assert f"home={home}\n" in (home / "bare.out").read_text()


def test_an_array_of_tasks_and_the_limits_of_the_site(cluster: SlurmCluster) -> None:
    job = sbatch("test $SLURM_ARRAY_TASK_ID != 2", "--array=1-3")

    assert ended(job) == "COMPLETED COMPLETED FAILED"
    long = cluster.run("sbatch", "--array=1-1001", "--wrap", "true")
    assert "Invalid job array specification" in long.stderr
    slow = cluster.run("sbatch", "-p", "short", "-t", "11", "--wrap", "true")
    assert slow.returncode == 0
    # Which of the two reasons it gives changes from one look to the next.
    assert ssh("sandbox-slurm", "squeue -h -o %r") in ("PartitionTimeLimit\n", "PartitionConfig\n")


def test_a_cancelled_job_is_gone_with_its_processes(cluster: SlurmCluster) -> None:
    job = sbatch("trap '' TERM; sleep 1234 & sleep 1234")
    until(lambda: sum(b"sleep 1234" in one.command for one in processes.belonging_to(cluster.directory)) == 2)

    ssh("sandbox-slurm", f"scancel {job}")

    assert ended(job) == "CANCELLED"
    until(lambda: not any(b"sleep 1234" in one.command for one in processes.belonging_to(cluster.directory)))


def test_mail_stays_in_the_cluster(cluster: SlurmCluster) -> None:
    sbatch("exit 3", "--mail-type=END,FAIL", "--mail-user=somebody@example.org")

    until(lambda: list(cluster.mail.glob("mail.*")))
    [mail] = cluster.mail.glob("mail.*")
    assert "somebody@example.org" in mail.read_text()
    assert "ExitCode 3" in mail.read_text()


def test_jobs_are_forgotten_as_soon_as_was_asked_for() -> None:
    bed.up_slurm(min_job_age=2)
    job = sbatch("exit 0")

    until(lambda: "Invalid job id" in ssh("sandbox-slurm", f"scontrol show job {job} 2>&1 || true"))
    # And without accounting that was all there is to know.
    assert "accounting storage is disabled" in ssh("sandbox-slurm", f"sacct -j {job} 2>&1 || true")


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


def test_daemons_can_be_stopped_and_started_one_by_one(cluster: SlurmCluster) -> None:
    slurm_daemons.stop_slurmctld(cluster)
    gone = cluster.run("squeue")
    assert gone.returncode == 1
    assert "Unable to contact slurm controller" in gone.stderr
    slurm_daemons.start_slurmctld(cluster)
    assert cluster.run("squeue").returncode == 0
    slurm_daemons.stop_slurmd(cluster)
    assert bed.health(cluster).dead == ["slurmd"]
    slurm_daemons.start_slurmd(cluster)
    assert ended(sbatch("exit 0")) == "COMPLETED"


def test_up_changes_the_number_of_slots_and_jobs_are_kept(cluster: SlurmCluster) -> None:
    held = sbatch("exit 0", "--hold")

    bed.up_slurm(slots=20)

    assert bed.health(cluster).slots == (0, 20)
    ssh("sandbox-slurm", f"scontrol release {held}")
    assert ended(held) == "COMPLETED"


def test_down_leaves_no_process_and_no_file(cluster: SlurmCluster, state: Path) -> None:
    # A child in a session of its own, of a job that takes nothing of a login's environment.
    sbatch("trap '' TERM HUP; setsid sleep 1234 & sleep 1234", "--export=NONE")
    until(lambda: sum(b"sleep 1234" in one.command for one in processes.belonging_to(cluster.directory)) == 2)
    for process in processes.belonging_to(cluster.directory):
        if b"slurmstepd" in process.command or b"slurmd" in process.command:
            processes.end(process)  # what they had started is nobody's child now
    seen = [one.pid for one in processes.belonging_to(cluster.directory)]
    assert len(seen) >= 5

    assert bed.down() == ["sandbox-slurm"]

    assert not [pid for pid in seen if processes.look(pid)]
    assert not [path for path in state.rglob("*") if path != state / "submithost"]


def test_a_path_with_space_quote_and_percent_that_is_too_long_for_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / f"it's 100% %h here {'x' * 60}"))
    [cluster] = bed.up_slurm()

    assert ended(sbatch("exit 0")) == "COMPLETED"
    bed.down()
    assert not cluster.root.parent.exists()


def test_accounting_outlives_the_controllers_memory_and_a_pause_of_slurmdbd() -> None:
    [cluster] = bed.up_slurm(accounting=True, min_job_age=2)
    assert not bed.health(cluster).dead
    job = sbatch("exit 3")
    answer = "sacct -X -P -n -o JobID,State,ExitCode"
    until(lambda: ssh("sandbox-slurm", f"{answer} -j {job}") == f"{job}|FAILED|3:0\n")
    until(lambda: "Invalid job id" in ssh("sandbox-slurm", f"scontrol show job {job} 2>&1 || true"))
    assert ssh("sandbox-slurm", f"{answer} -j {job}") == f"{job}|FAILED|3:0\n"

    slurm_daemons.stop_slurmdbd(cluster)
    assert bed.health(cluster).dead == ["slurmdbd"]
    later = sbatch("exit 0")
    assert [cluster] == bed.up_slurm()
    until(lambda: ssh("sandbox-slurm", f"{answer} -j {later}") == f"{later}|COMPLETED|0:0\n")


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


def test_packages_of_slurm_and_of_accounting_are_wanted_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.WITNESSES["slurm"], "slurmd", "/nowhere/slurmd")
    monkeypatch.setitem(packages.WITNESSES["accounting"], "slurmdbd", "/nowhere/slurmdbd")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    packages.ensure(print)
    with pytest.raises(InvalidInput, match=r"--no-install-recommends slurmd$"):
        packages.ensure(print, "slurm")
    with pytest.raises(InvalidInput, match=r"--no-install-recommends slurmd slurmdbd$"):
        bed.up_slurm(accounting=True)


def test_a_name_belongs_to_one_kind_of_cluster(cluster: SlurmCluster) -> None:
    done = fab("testbed.up", "--clusters=sandbox-slurm")

    assert done.returncode == 2
    assert "'sandbox-slurm' is a Slurm cluster: take it down first" in done.stderr
    assert not bed.health(cluster).dead
