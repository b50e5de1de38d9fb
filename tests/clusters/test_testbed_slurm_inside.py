"""What the Slurm clusters of the testbed are like: what jobs are given, what is remembered, what can be stopped."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.model.errors import InvalidInput
from tasks.testbed import bed, packages, processes, slurm_daemons
from tasks.testbed.slurm import SlurmCluster

from .bench import ended, sbatch, ssh, until

pytestmark = pytest.mark.usefixtures("state")


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


def test_packages_of_slurm_and_of_accounting_are_wanted_only_when_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.WITNESSES["slurm"], "slurmd", "/nowhere/slurmd")
    monkeypatch.setitem(packages.WITNESSES["accounting"], "slurmdbd", "/nowhere/slurmdbd")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    packages.ensure(print)
    with pytest.raises(InvalidInput, match=r"--no-install-recommends slurmd$"):
        packages.ensure(print, "slurm")
    with pytest.raises(InvalidInput, match=r"--no-install-recommends slurmd slurmdbd$"):
        bed.up_slurm(accounting=True)
