"""Sweeps of thousands of rows: beside one job, beside a loop of qsub on the login node, and waited for."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from tasks.model.job import Job
from tasks.testbed import register
from tasks.testbed.cell import Cell
from tests.conftest import Person

from . import plenty
from .measure import Limit, Pair, fab, in_turns, peak, scratch, timed, user

_SCRIPT = "#!/bin/bash\n#$ -l h_rt=0:10:00\n./model --alpha $alpha --seed $seed\n"
_TEMPLATE = "#!/bin/bash\n{{ directives(time='0:10:00') }}\n./model --alpha {{ alpha | quote }} --seed {{ seed }}\n"


def _sweeper(rows: int) -> Person:
    """Somebody who has a file of so many rows."""
    person = user(scratch() / "home", register.registration().read_text())
    person.script("sim.sh", _SCRIPT)
    person.script("sim.sh.j2", _TEMPLATE)
    person.script("rows.csv", "alpha,seed\n" + "".join(f"0.{seed},{seed}\n" for seed in range(rows)))
    return person


def sweep_beside_one(cell: Cell, runs: int, rows: int, bound: float) -> Pair:
    """`submit --over` of so many rows, against the submit of one job."""
    person = _sweeper(rows)
    submit = [fab(), "-H", cell.name, "submit", "--script=sim.sh", "--hold"]
    try:
        return in_turns(
            f"`submit --over` of {rows:,} rows, against one job",
            lambda: timed([*submit, "--over=rows.csv"], person.work, person.environment),
            lambda: timed(submit, person.work, person.environment),
            runs,
            bound,
        )
    finally:
        cell.run("qdel", "-u", "*", timeout=300)


def sweep_beside_qsub(cell: Cell, runs: int, rows: int, bound: float) -> Pair:
    """The same against a loop of qsub on the login node, with a job for each row."""
    person = _sweeper(rows)
    loop = f"i=0; while [ $i -lt {rows} ]; do qsub -h -terse -v alpha=0.$i,seed=$i sim.sh; i=$((i + 1)); done"
    environment = {**os.environ, **cell.env()}

    def by_hand() -> float:
        seconds = timed(["sh", "-c", loop], person.work, environment)
        cell.run("qdel", "-u", "*", timeout=300)
        return seconds

    submit = [fab(), "-H", cell.name, "submit", "--script=sim.sh", "--hold", "--over=rows.csv"]
    return in_turns(
        f"`submit --over` of {rows:,} rows, against a loop of qsub on the login node",
        lambda: timed(submit, person.work, person.environment),
        by_hand,
        min(runs, 1),
        bound,
    )


def large_sweep(cell: Cell, runs: int, rows: int, bounds: tuple[float, float], megabytes: int) -> list[Limit]:
    """`submit` of so many rows, of a plain script and of a template, and `status` of them; and the most memory."""
    person = _sweeper(rows)
    found = []
    for what, bound, words in (
        ("`submit --over`", bounds[0], ["submit", "--script=sim.sh", "--over=rows.csv", "--hold"]),
        ("`submit --over` of a template", bounds[0], ["submit", "--script=sim.sh.j2", "--over=rows.csv", "--hold"]),
        ("`status`", bounds[1], ["status"]),
        ("`status --json`", bounds[1], ["status", "--json"]),
    ):
        measured = [peak([fab(), "-H", cell.name, *words], person.work, person.environment) for _ in range(runs)]
        most = max(memory for _, memory in measured) / 1e6
        told = f"{what}, {rows:,} rows, {most:.0f} MB at most (bound {megabytes} MB)"
        found.append(Limit(told, [seconds for seconds, _ in measured], bound, most <= megabytes))
    cell.run("qdel", "-u", "*", timeout=300)
    return found


def waiting_for_many(cell: Cell, runs: int, tasks: int, seconds: int, bound: float) -> Pair:
    """CPU that `wait` takes in so many seconds for a job most of whose tasks have ended, against one of which none has.

    What is new in these seconds is the same for both: a task that begins, each second.
    """
    lots, none = _waited(cell, tasks, tasks - 100), _waited(cell, 100, 0)
    try:
        return in_turns(
            f"CPU of `wait` in {seconds} s, {tasks - 100:,} tasks ended before, against none",
            lambda: _cpu(cell, *lots, seconds),
            lambda: _cpu(cell, *none, seconds),
            runs,
            bound,
        )
    finally:
        cell.run("qdel", *(job.job_id or "" for _, job in (lots, none)))


def _waited(cell: Cell, tasks: int, ended: int) -> tuple[Person, Job]:
    """Somebody who waits for a job of so many tasks, of whom so many are known to have ended; the others are held."""
    folder = scratch()
    Path(folder, "x").write_text("#!/bin/sh\n")
    said = cell.must("qsub", "-terse", "-h", "-t", f"{ended + 1}-{tasks}", "-N", "sweep", f"{folder}/x")
    job_id = said.strip().partition(".")[0]
    job = plenty.array_job(cell.name, Path(folder, "jobs"), job_id, tasks, ended)
    person = user(Path(folder, "home"), register.registration().read_text())
    plenty.remember(person.home, [job])
    timed([fab(), "-H", cell.name, "status", "--job", job_id], person.work, person.environment)
    return person, job


def _cpu(cell: Cell, person: Person, job: Job, seconds: int) -> float:
    """CPU seconds of `wait`, without those of its first seconds."""
    used = []
    for limit in (3, 3 + seconds):
        words = [fab(), "-H", cell.name, "wait", "--job", job.job_id or "", f"--timeout={limit}"]
        process = subprocess.Popen(
            words, cwd=person.work, env=person.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for task in job.numbers()[-limit:]:
            time.sleep(1)
            folder = Path(job.directory or "", ".submithost", "notes", str(task // 1000))
            folder.mkdir(exist_ok=True)
            told = f"start {job.key} {job.job_id} {task} {time.time():.0f} node1\n"
            (folder / f"{task}.start").write_text(told)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 6, process.returncode
        used.append(usage.ru_utime + usage.ru_stime)
    return max(0.1, used[1] - used[0])  # less is noise
