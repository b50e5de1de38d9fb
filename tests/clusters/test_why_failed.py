"""Why jobs failed and what they used: each cause is made for real, all of them at once, and compared with what the
scheduler says by hand.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import qacct_records, until
from tests.conftest import Person, json_lines, until_there


@dataclass(frozen=True)
class Case:
    """A body, its flags, and what is said of it: the kind of the reason, and parts of its sentence."""

    body: str
    kind: str
    said: tuple[str, ...]
    flags: tuple[str, ...] = ()


GROW = "exec python3 -c 'import time; x = bytearray(600 << 20); time.sleep(60)'"
SEVERAL = "for i in 1 2 3; do python3 -c 'import time; x = bytearray(180 << 20); time.sleep(60)' & done; wait"
BOTH = {
    "segv": Case("kill -SEGV $$", "signal", ("signal 11 (SEGV): a segmentation fault", "logs --job")),
    "missing": Case("nosuchcommand", "exit", ("exit status 127: a command was not found",)),
    "locked": Case("exec /etc/passwd", "exit", ("exit status 126: a command could not be executed",)),
    "crlf": Case(r"printf '#!/bin/sh\r\n' >h; chmod +x h; ./h", "shell or script", ("CR LF", "dos2unix")),
    "full": Case("echo x >/dev/full || exit 1", "quota", ("No space left on device", "resubmit --job")),
    "next": Case("echo never", "after", ("left without running its script: job ", " did not succeed", "resubmit")),
    "mine": Case("sleep 1000", "cancelled", ("cancelled from here", "resubmit --job")),
    "hand": Case("sleep 1000", "cancelled", ("cancelled",), ("--time=600",)),
    "array": Case('[ "$t" != 3 ] || exit 3; [ "$t" = 4 ] || kill -SEGV $$', "signal", ("signal 11",), ("--array=1-5",)),
}
GRID_ENGINE = {
    **BOTH,
    "late": Case("sleep 1000", "time", ("out of time: ran ", "and h_rt was 2 s", "--time x2"), ("--time=2",)),
    "warned": Case("sleep 1000", "time", ("ran ", "and s_rt was 2 s", "asks for s_rt itself"), ("--option=-l s_rt=2",)),
    "large": Case(GROW, "memory", ('its stderr says "MemoryError"',), ("--option=-l h_vmem=400M",)),
    "several": Case(SEVERAL, "memory", ("out of memory: used ", "h_vmem was 400 MB"), ("--option=-l h_vmem=400M",)),
}
SLURM = {
    **BOTH,
    "late": Case("sleep 1000", "time", ("out of time: ran ", "and its limit was 1:00", "--time x2"), ("--time=60",)),
    "large": Case(GROW, "memory", ("out of memory: used ", "its limit was 300 MB", "--memory x2"), ("--memory=300M",)),
    "placed": Case("echo", "place", ("could not be started", "/no/where/x"), ("--option=--output=/no/where/x",)),
}


def run_all(person: Person, where: str, cases: dict[str, Case]) -> tuple[dict[str, str], str]:
    """Submit all of them, cancel two, and wait for their ends: their job IDs, and what `wait` said."""
    go, words = person.work / "go", list[str]()
    for name, case in {"seven": Case(f"{until_there(go)}\nexit 7", "exit", ()), **cases}.items():
        task = "t=${SLURM_ARRAY_TASK_ID:-$SGE_TASK_ID}"
        person.script(name, f"#!/bin/bash\n#$ -S /bin/bash\n{task}\n{case.body}\n")
        words += ["submit", f"--script={name}", f"--key=why-{name}", *case.flags]
        words += ["--after=why-seven"] if name == "next" else []
    done = person.fab("-H", where, *words)
    assert done.returncode == 0, done.stderr
    go.touch()
    found = re.findall(r"(?:^Your job(?:-array)?|^Submitted batch job) (\d+)", done.stdout, re.M)
    jobs = dict(zip(["seven", *cases], found, strict=True))
    running = ["late", "mine", "hand"]

    def started() -> bool:
        told = person.jobs(*(f"--job=why-{name}" for name in running), cluster=where)
        return all(job["started_at"] for job in told)

    until(started)
    person.fab("-H", where, "cancel", "--job=why-mine")
    return jobs, where


def explained(person: Person, where: str, cases: dict[str, Case]) -> dict[str, dict[str, Any]]:
    """Wait, and check that what `explain` says of each is what it should be; returns that."""
    names = [f"--job=why-{name}" for name in cases]
    waited = person.fab("-H", where, "wait", "--timeout=100", *names)
    assert waited.returncode == 3, waited.stderr
    assert "(a command was not found)" in waited.stderr
    assert "No space left on device" in waited.stderr
    told = {job["name"]: job for job in json_lines(person.fab("-H", where, "explain", "--json", *names).stdout)}
    for name, case in cases.items():
        assert told[name]["kind"] in case.kind.split(" or "), told[name]  # bash says it in two ways
        for part in case.said:
            assert part in told[name]["reason"], told[name]
    assert told["missing"]["stderr"][-1].endswith("nosuchcommand: command not found")
    assert told["missing"]["stderr_file"].startswith("/")
    lines = person.fab("-H", where, "explain", "--job=why-array").stdout.splitlines()
    heads = [line for line in lines if not line.startswith(" ")]
    assert [head.partition(" of job")[0] for head in heads] == ["tasks 1-2,5", "task 3", "task 4"], lines
    assert [head.partition(" on ")[2].partition(" ")[2] for head in heads] == [
        "failed: killed by signal 11 (SEGV): a segmentation fault", "failed: exit status 3", "succeeded",
    ]  # fmt: skip
    return told


def test_g29_g30_why_jobs_failed_and_what_they_used_on_grid_engine(person: Person, cells: dict[str, Cell]) -> None:
    jobs, where = run_all(person, "sandbox", GRID_ENGINE)
    cells[where].must("qdel", jobs["hand"])
    explained(person, where, GRID_ENGINE)
    used = {job["name"]: job for job in usage_of(person, where, "late", "several", "array")}
    by_hand = {name: qacct_records(cells[where].must("qacct", "-j", jobs[name])) for name in used}
    for name in ("late", "several"):
        (facts,) = by_hand[name]
        assert facts["failed"].startswith("37")
        assert f"{used[name]['wall']}s" == facts["ru_wallclock"]
        assert f"{used[name]['cpu']:.3f}s" == facts["cpu"]
        assert used[name]["memory"] >= int(in_bytes(facts["maxvmem"]))
    assert (used["late"]["asked"]["time"], used["late"]["host"]) == (2, by_hand["late"][0]["hostname"])
    assert used["several"]["asked"]["memory"] == 400 << 20
    assert used["several"]["memory"] > 400 << 20
    assert used["several"]["next_time"]["memory"] > used["several"]["memory"]
    assert {facts["taskid"] for facts in by_hand["array"]} == set(used["array"]["tasks"])
    shown = person.fab("-H", where, "usage", "--job=why-late").stdout.rstrip("\n").split("\t")
    assert shown[0] == jobs["late"]
    assert re.fullmatch(r"\d+ s/2 s", shown[2])
    assert shown[-1].startswith("--time=0:01:00 --memory=")


def in_bytes(text: str) -> float:
    """`3.848MB`."""
    found = re.fullmatch(r"([0-9.]+)([KMG]?)B", text)
    assert found
    return float(found[1]) * {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30}[found[2]]


def usage_of(person: Person, where: str, *names: str) -> list[dict[str, Any]]:
    return json_lines(person.fab("-H", where, "usage", "--json", *(f"--job=why-{name}" for name in names)).stdout)


def test_s3_why_jobs_failed_and_what_they_used_on_slurm_without_accounting(
    commuter: Person, slurm: SlurmCluster
) -> None:
    """Time and CPU time are what the job noted itself; so far, of a job that runs, also its memory is told."""
    jobs, where = run_all(commuter, slurm.name, SLURM)
    until(lambda: running_use(commuter, where)["memory"] is not None)
    so_far = running_use(commuter, where)
    assert (so_far["ended_at"], so_far["asked"]["time"], so_far["next_time"]["time"]) == (None, 600, None)
    slurm.must("scancel", jobs["hand"])
    slurm.must("scontrol", "update", f"JobId={jobs['late']}", "EndTime=now+1")  # S13
    explained(commuter, where, SLURM)
    said = {name: by_hand(slurm, jobs[name]) for name in ("late", "large", "placed", "segv")}
    assert said["late"]["JobState"] == "TIMEOUT"
    killed = {name: said[name]["ExitCode"] for name in ("large", "placed", "segv")}
    assert killed == {"large": "0:9", "placed": "0:53", "segv": "0:11"}
    (late,) = usage_of(commuter, where, "late")
    hours, minutes, seconds = map(int, said["late"]["RunTime"].split(":"))
    assert late["wall"] == (hours * 60 + minutes) * 60 + seconds
    assert (late["asked"], late["host"]) == ({"time": 60, "memory": 1 << 30, "cores": 1}, said["late"]["BatchHost"])
    (array,) = usage_of(commuter, where, "array")
    assert {task: usage["cpu"] is not None for task, usage in array["tasks"].items()} == dict.fromkeys("12345", True)


def running_use(person: Person, where: str) -> dict[str, Any]:
    (used,) = usage_of(person, where, "hand")
    return used


def by_hand(cluster: PrivateCluster, job_id: str) -> dict[str, str]:
    """What scontrol says of a job."""
    return dict(re.findall(r"(\S+?)=(\S*)", cluster.must("scontrol", "-o", "show", "job", job_id)))
