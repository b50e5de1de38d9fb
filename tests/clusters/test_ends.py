"""When a job has ended, as its scheduler says: requeues, vanished jobs, holds, and jobs that wait for others."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tasks.model.job import Outcome, State
from tasks.model.ledger import Ledger
from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import qacct_records, until
from tests.clusters.hostile import login_node
from tests.conftest import Person, json_lines, program, until_there

HPC = "sandbox-slurm"
both = pytest.mark.parametrize("where", ["sandbox", HPC])
# A body that has itself requeued in its first run, and ends well when it is told to leave. Its second run ends with 3.
# Of an array job only task 2 does that; the other ends well.
AGAIN = """#!/bin/bash
#$ -S /bin/bash
#$ -r y
#SBATCH --requeue
trap 'exit 0' TERM USR2
task=${{SLURM_ARRAY_TASK_ID:-${{SGE_TASK_ID:-undefined}}}}
[ "$task" != 1 ] || exit 0
echo x >>'{runs}'
[ "$(wc -l <'{runs}')" -lt 2 ] || {{ {until_go}; exit 3; }}
if [ -n "$SLURM_JOB_ID" ]; then
    scontrol requeue "$SLURM_JOB_ID"
    while :; do sleep 0.2; done
fi
[ "$task" = undefined ] || job=$JOB_ID.$task
until qmod -rj "${{job:-$JOB_ID}}" | grep '^Pushed'; do sleep 0.5; done # not while it is transferred
exit 0
"""


@pytest.fixture
def there(cells: dict[str, Cell], slurm: SlurmCluster) -> dict[str, PrivateCluster]:
    """The clusters by name."""
    return {**cells, slurm.name: slurm}


def again(person: Person, where: str) -> tuple[list[str], subprocess.Popen[str]]:
    """A plain job, a bare one and an array job that have themselves requeued: their flags, and a wait for them."""
    for kind, flags in {"plain": [], "bare": ["--bare"], "array": ["--array=1-2"]}.items():
        script = AGAIN.format(runs=person.work / f"runs.{kind}", until_go=until_there(person.work / "go"))
        person.submit(person.script(kind, script), f"--key={kind}-again", *flags, cluster=where)
    jobs = [f"--job={kind}-again" for kind in ("plain", "bare", "array")]
    return jobs, person.start("-H", where, "wait", "--json", *jobs)


def test_d3_a_job_that_slurm_runs_again_has_not_ended(commuter: Person, slurm: SlurmCluster) -> None:
    """One wait for all of them sees no end before that of the last run."""
    jobs, waiting = again(commuter, slurm.name)
    for kind in ("plain", "bare", "array"):
        until(ran_twice(commuter.work / f"runs.{kind}"), 300)
    assert [job["state"] for job in commuter.jobs(*jobs, cluster=slurm.name)] == ["running"] * 3
    assert waiting.poll() is None, waiting.communicate()
    (commuter.work / "go").touch()
    out, err = waiting.communicate(timeout=120)
    told = [(job["state"], job["exit_status"]) for job in json_lines(out)]
    assert (told, waiting.returncode) == ([("failed", 3)] * 3, 3), err
    assert " succeeded after" not in err


def test_d3_a_job_that_grid_engine_is_to_run_again_has_not_ended(person: Person, cells: dict[str, Cell]) -> None:
    """It takes minutes before it starts again, and has noted an end. Or, where the first run ends late, it never does:
    Grid Engine takes the end of that for the end of the second run."""
    jobs, waiting = again(person, "sandbox")
    runs = [ran_twice(person.work / f"runs.{kind}") for kind in ("plain", "bare", "array")]
    note = cells["sandbox"].home / ".submithost/jobs/plain-again/.submithost/notes/0/0.end"

    def waits() -> bool:
        """Before one is Rq, its first run is still being ended."""
        return (" Rq " in cells["sandbox"].must("qstat") or any(ran() for ran in runs)) and note.exists()

    until(lambda: waits() or waiting.poll() is not None, 300)
    for _ in range(2):
        for job in person.jobs(*jobs):
            if job["state"] not in ("pending", "running"):
                until(lambda job=job: as_accounted(cells["sandbox"], job))
    person.fab("-H", "sandbox", "cancel", *jobs)
    out, _ = waiting.communicate(timeout=120)
    for job in json_lines(out):
        until(lambda job=job: as_accounted(cells["sandbox"], job))


def as_accounted(cell: Cell, job: dict[str, Any]) -> bool:
    """Whether each task has just not ended, or was cancelled, or ended as qacct tells of a run that is not followed by
    another."""
    ended = {
        facts["taskid"].replace("undefined", "0"): int(facts["exit_status"].split()[0])
        for facts in qacct_records(cell.run("qacct", "-j", job["job_id"]).stdout)
        if not facts["failed"].startswith("25")
    }
    return all(
        told["state"] in ("pending", "running", "cancelled") or told["exit_status"] == ended.get(task, "none")
        for task, told in job.get("tasks", {"0": job}).items()
    )


def ran_twice(path: Path) -> Callable[[], bool]:
    return lambda: path.exists() and path.read_text().count("x") > 1


# --- vanished


def vanish(person: Person, where: str, key: str) -> None:
    """What was noted of a job after a minute in which neither queue nor accounting knew it."""
    ledger = Ledger(person.home / ".local" / "state" / "submithost" / "ledger.sqlite")
    job = ledger.by_key(where, key)
    assert job
    gone = Outcome(State.VANISHED)
    ledger.update(replace(job, outcome=gone, tasks=dict.fromkeys(job.tasks, gone), absent_since=1))


@both
def test_d2_what_has_vanished_is_looked_for_by_whatever_asks(
    commuter: Person, there: dict[str, PrivateCluster], where: str
) -> None:
    go = commuter.work / "go"
    commuter.script("x", f"#!/bin/sh\n{until_there(go)}\nexit 7\n")
    job_id = commuter.submit("x", "--key=looked-for", cluster=where)
    until(lambda: commuter.jobs(cluster=where)[0]["state"] == "running")

    def asked(*words: str) -> tuple[int, dict[str, Any]]:
        vanish(commuter, where, "looked-for")
        done = commuter.fab("-H", where, *words)
        ledger = Ledger(commuter.home / ".local" / "state" / "submithost" / "ledger.sqlite")
        job = ledger.by_key(where, "looked-for")
        assert job
        assert job.state is State.RUNNING, (words, done.stdout, done.stderr)
        return done.returncode, {"out": done.stdout, "err": done.stderr}

    assert asked("status")[0] == 0
    assert f"{job_id}\tx\trunning" in asked("status", "--all")[1]["out"]
    assert asked("wait", "--timeout=1")[0] == 6
    assert asked("jobs", "--refresh")[0] == 0
    assert f"{job_id}\tx\trunning" in asked("reconcile")[1]["out"]
    assert f"{job_id}\tx\trunning" in asked("adopt")[1]["out"]
    # Of others on the cluster, which were adopted, one may be the last by now.
    assert asked("fetch", "--job=looked-for", "--to=out")[0] == 0
    said = asked("resubmit", "--job=looked-for", "--failed")[1]
    assert "nothing of it is to be repaired" in said["err"]
    assert asked("submit", "--script=x", "--after=looked-for", "--hold")[0] == 0
    vanish(commuter, where, "looked-for")
    go.touch()
    waited = commuter.fab("-H", where, "wait", "--json", "--job=looked-for")
    assert [job["exit_status"] for job in json_lines(waited.stdout)] == [7], waited.stderr
    # One that is not there is looked for once, and not for ever.
    there[where].must(
        *(["scancel"] if where == HPC else ["qdel"]), commuter.jobs("--job=last", cluster=where)[0]["job_id"]
    )


@both
def test_d1_a_list_that_leaves_a_job_out_does_not_make_it_vanish(
    there: dict[str, PrivateCluster], tmp_path: Path, where: str
) -> None:
    """The list shows what runs alone; who asks about the very job hears of it."""
    node = tmp_path / "node"
    name, running = ("squeue", "-t R") if where == HPC else ("qstat", "-s r")
    program(  # the last one of several such options counts
        node / "bin" / name,
        f'#!/bin/sh\ncase "$*" in *-j*) ;; *) set -- "$@" {running} ;; esac\nexec /usr/bin/{name} "$@"\n',
    )
    with login_node(there[where], node, "lists", {".bash_profile": f"PATH={node}/bin:$PATH\n"}) as (person, _):
        person.script("x", "#!/bin/sh\n")
        person.submit("x", "--key=left-out", "--hold", cluster="hpc")
        vanish(person, "hpc", "left-out")
        for words in ((), ("--all",)):
            (job,) = person.jobs(*words, cluster="hpc")
            assert job["state"] == ("held" if where == HPC else "unknown")
        if where != HPC:
            assert job["reason"] == "its scheduler has it, but does not list it"
        assert person.fab("-H", "hpc", "cancel").returncode == 0


# --- held, or waiting for others


@both
def test_c8_a_job_that_waits_for_another_one_is_not_held_and_names_it(
    commuter: Person, there: dict[str, PrivateCluster], where: str
) -> None:
    go = commuter.work / "go"
    commuter.script("first", f"#!/bin/sh\n{until_there(go)}\n")
    commuter.script("next", "#!/bin/sh\n")
    first = commuter.submit("first", cluster=where)
    for key, flags in (("plain", []), ("array", ["--array=1-2"]), ("held", ["--hold"])):
        commuter.submit("next", f"--key={key}-next", f"--after={first}", *flags, cluster=where)
    jobs = [f"--job={key}-next" for key in ("plain", "array", "held")]
    told = [(job["state"], job["reason"].split(";")[0]) for job in commuter.jobs(*jobs, cluster=where)]
    waits = ("pending", f"waits for job {first}")
    assert told == [waits, waits, ("held", "held by its user")]
    released = commuter.fab("-H", where, "release", "--job=plain-next")
    assert (released.returncode, released.stdout) == (0, "")
    assert f"is not held: it waits for job {first}" in released.stderr
    assert commuter.fab("-H", where, "release", "--job=held-next").returncode == 0
    assert [(job["state"], job["reason"]) for job in commuter.jobs(*jobs, cluster=where)] == [waits] * 3
    go.touch()
    assert commuter.fab("-H", where, "wait", *jobs).returncode == 0


def test_d5_a_job_that_slurm_holds_is_held_and_says_why(commuter: Person, slurm: SlurmCluster) -> None:
    commuter.script("long", "#!/bin/sh\nsleep 100\n")
    commuter.script("bad", "#!/bin/sh\nexit 1\n")
    job_id = commuter.submit("long", "--key=requeued-held", cluster=HPC)
    until(lambda: "JobState=RUNNING" in slurm.must("scontrol", "show", "job", job_id))
    slurm.must("scontrol", "requeuehold", job_id)
    bad = slurm.must("sbatch", "--parsable", "--output=/dev/null", "--wrap", "exit 1").strip()
    commuter.submit("long", "--key=never-met", f"--option=--dependency=afterok:{bad}", cluster=HPC)
    until(
        lambda: (
            "NeverSatisfied" in slurm.must("squeue", "-h", "-o", "%r")
            and "held state" in slurm.must("squeue", "-o", "%r")
        )
    )
    held, never = commuter.jobs("--job=requeued-held", "--job=never-met", cluster=HPC)
    assert (held["state"], "job requeued in held state" in held["reason"]) == ("held", True)
    assert (never["state"], f"afterok:{bad}" in never["reason"]) == ("error", True)
    waited = commuter.fab("-H", HPC, "wait", "--job=requeued-held", "--job=never-met", "--timeout=4")
    assert waited.returncode == 6
    assert waited.stderr.count("held by Slurm") == 1
    assert waited.stderr.count("cannot be met any more") == 1
    assert commuter.fab("-H", HPC, "release", "--job=requeued-held").returncode == 0
    until(lambda: commuter.jobs("--job=requeued-held", cluster=HPC)[0]["state"] in ("pending", "running"))
    assert commuter.fab("-H", HPC, "cancel", "--job=requeued-held", "--job=never-met").returncode == 0


def test_d5_who_holds_a_job_of_grid_engine_is_told(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    job_id = person.submit("x", "--hold")
    for kind, who in (("o", "an operator"), ("s", "an administrator")):
        cells["sandbox"].must("qhold", "-h", kind, job_id)
        cells["sandbox"].must("qrls", "-h", "u" if kind == "o" else "o", job_id)
        (job,) = person.jobs()
        assert (job["state"], who in job["reason"]) == ("held", True)
    cells["sandbox"].must("qrls", "-h", "s", job_id)
    assert person.wait()["state"] == "succeeded"
