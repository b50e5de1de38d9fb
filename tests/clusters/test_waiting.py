"""Why jobs wait: what explain, status, wait and --json say, beside what is found out by hand on the login node."""

from __future__ import annotations

from typing import Any

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import until
from tests.conftest import Person, json_lines

HPC = "sandbox-slurm"
FLAGS = {
    "full": ("--cores=20", "--time=1h"),
    "busy": ("--cores=20", "--time=1h"),
    "held": ("--hold",),
    "next": ("--after=waits-full",),
    "cores": ("--cores=999",),
    "rest": ("--array=1-5", "--at-once=1", "--time=10m"),
}


def submitted(person: Person, cluster: str, **more: tuple[str, ...]) -> dict[str, str]:
    """Submit a job for each cause on one command line; return their IDs. The first runs, or is about to."""
    person.script("long", "#!/bin/sh\nsleep 600\n")
    words = [
        word
        for name, flags in (FLAGS | more).items()
        for word in ("submit", "--script=long", f"--key=waits-{name}", *flags)
    ]
    done = person.fab("-H", cluster, *words)
    assert done.returncode == 0, done.stderr
    jobs = [f"--job=waits-{name}" for name in (*FLAGS, *more)]
    until(lambda: [job["state"] for job in person.jobs(*jobs[:1], cluster=cluster)] == ["running"])
    return {job["key"].removeprefix("waits-"): job["job_id"] for job in person.jobs(*jobs, cluster=cluster)}


def explained(person: Person, cluster: str, ids: dict[str, str]) -> dict[str, dict[str, Any]]:
    done = person.fab("-H", cluster, "explain", "--json", *(f"--job={job_id}" for job_id in ids.values()))
    assert done.returncode == 0, done.stderr
    return {job["key"].removeprefix("waits-"): job for job in json_lines(done.stdout)}


def check_all_say_the_same(person: Person, cluster: str, ids: dict[str, str], told: dict[str, dict[str, Any]]) -> None:
    """What holds on both: the kinds, the command that does what is to be done, and that status and wait say it too."""
    kinds = {"held": "held", "next": "after", "cores": "never", "busy": "busy"}
    assert {name: told[name]["kind"] for name in kinds} == kinds
    assert told["held"]["advice"] == f"fab -H {cluster} release --job {ids['held']}"
    assert told["next"]["reason"] == f'waits for job {ids["full"]}; job {ids["full"]} ("long") is running'
    assert told["cores"]["reason"].startswith("no node ")
    assert "999 cores; the largest has 32" in told["cores"]["reason"]
    assert "submit it with --cores=32 at most" in told["cores"]["advice"]
    (shown,) = person.jobs(f"--job={ids['cores']}", cluster=cluster)
    assert shown["reason"] == told["cores"]["reason"]
    waited = person.fab("-H", cluster, "wait", "--give-up", f"--job={ids['cores']}")
    assert waited.returncode == 3
    assert waited.stderr.count(f" is pending: {told['cores']['reason']}\n") == 1
    assert f"given up, not cancelled: fab -H {cluster} cancel --job {ids['cores']}" in waited.stderr
    lines = person.fab("-H", cluster, "explain", f"--job={ids['held']}", f"--job={ids['rest']}").stdout.splitlines()
    assert lines[:2] == [
        f'job {ids["held"]} ("long") on {cluster} is held: held by its user; release lets it start',
        f"    {told['held']['advice']}",
    ]
    assert any(line.startswith("tasks 2-5 of job ") and "at most 1 of its tasks" in line for line in lines[2:])


def check_verified(person: Person, cluster: PrivateCluster, words: str) -> None:
    """submit --verify says what the scheduler says of the very submission, and leaves no job and no directory."""
    before = sorted(path.name for path in (cluster.home / ".submithost" / "jobs").iterdir())
    submit = ("-H", cluster.name, "submit", "--script=long", "--verify", "--job-file=no.job")
    fits, refused = person.fab(*submit, "--memory=1G"), person.fab(*submit, "--memory=900G")
    assert (fits.returncode, refused.returncode) == (0, 5), refused.stderr
    assert "found suitable queue" in fits.stdout or "to start at" in fits.stdout
    assert words in refused.stderr
    assert sorted(path.name for path in (cluster.home / ".submithost" / "jobs").iterdir()) == before
    assert not (person.work / "no.job").exists()


def test_why_jobs_of_grid_engine_wait_is_what_the_scheduler_says_by_hand(
    person: Person, cells: dict[str, Cell]
) -> None:
    cell = cells["sandbox2"]
    ids = submitted(person, "sandbox2", memory=("--memory=900G",), part=("--option=-a 203001010000",))
    try:
        told = explained(person, "sandbox2", ids)
        check_all_say_the_same(person, "sandbox2", ids, told)
        assert told["memory"]["kind"] == "never"
        offered = cell.run("qalter", "-w", "v", ids["memory"]).stdout.partition("offers only hc:rmem=")[2]
        assert f"no node has 900G of rmem; the largest has {offered.split('.')[0]}G" in told["memory"]["reason"]
        assert told["part"]["kind"] == "begin"
        assert "found" in cell.run("qalter", "-w", "v", ids["busy"]).stdout
        assert "no suitable queues" in cell.run("qalter", "-w", "p", ids["busy"]).stdout
        for job_id in ids.values():  # asking has changed none
            assert "verify_suitable_queues" not in cell.run("qstat", "-j", job_id).stdout
        check_verified(person, cell, "rmem")
    finally:
        cell.run("qdel", *ids.values())


def test_why_jobs_of_slurm_wait_is_what_the_scheduler_says_by_hand(commuter: Person, slurm: SlurmCluster) -> None:
    ids = submitted(commuter, HPC, part=("--queue=short", "--time=2h"), begin=("--option=--begin=now+1hour",))
    try:
        told = explained(commuter, HPC, ids)
        check_all_say_the_same(commuter, HPC, ids, told)
        by_hand = dict(line.split("|") for line in slurm.must("squeue", "-h", "-t", "PD", "-o", "%F|%r").splitlines())
        meant = {
            "JobHeldUser": "held", "Dependency": "after", "PartitionConfig": "never", "Resources": "busy",
            "Priority": "busy", "BeginTime": "begin", "PartitionTimeLimit": "never", "JobArrayTaskLimit": "limit",
        }  # fmt: skip
        names = [name for name in ids if name not in ("full", "rest")]
        assert {name: told[name]["kind"] for name in names} == {name: meant[by_hand[ids[name]]] for name in names}
        assert "it asks for 2:00:00, and partition short allows 0:10:00" in told["part"]["reason"]
        check_verified(commuter, slurm, "Requested node configuration is not available")
    finally:
        slurm.run("scancel", *ids.values())
