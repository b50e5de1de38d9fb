"""What months of work leave behind: many keys on the login node, many tasks of one job, many rows here."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count as numbered
from pathlib import Path

from tasks.testbed import register
from tasks.testbed.cell import Cell

from . import plenty
from .measure import Limit, Pair, fab, in_turns, scratch, timed, user


def many_keys(cell: Cell, runs: int, count: int, bound: float) -> list[Limit]:
    """`adopt` by somebody whose ledger was lost, and `clean --dry-run` by somebody whose ledger is there."""
    folder = scratch()
    jobs = list(plenty.ended_jobs(cell.name, Path(folder, "jobs"), count))
    for job in jobs:
        plenty.lay(job)
    config = f"clusters:\n  {cell.name}:\n    scheduler: gridengine\n    directory: {folder}/jobs\n"
    config += f"    ssh_config: {register.ssh_config()}\n"
    adopting, cleaning = [], []
    for number in range(runs):
        person = user(Path(folder, f"home{number}"), config)
        adopting.append(timed([fab(), "-H", cell.name, "adopt"], person.work, person.environment))
        words = [fab(), "-H", cell.name, "clean", "--dry-run", "--unfetched"]
        cleaning.append(timed(words, person.work, person.environment))
    return [
        Limit(f"`adopt` of {count:,} job directories", adopting, bound),
        Limit(f"`clean --dry-run` of {count:,} job directories", cleaning, bound),
    ]


def many_tasks(cell: Cell, runs: int, tasks: int, ended: int, bound: float) -> Limit:
    """`status` of an array job of which so many have noted their end, and the rest waits."""
    folder = scratch()
    Path(folder, "x").write_text("#!/bin/sh\n")
    waiting = f"{ended + 1}-{tasks}"
    said = cell.must("qsub", "-terse", "-h", "-t", waiting, "-N", "sweep", f"{folder}/x")
    job_id = said.strip().partition(".")[0]
    try:
        job = plenty.array_job(cell.name, Path(folder, "jobs"), job_id, tasks, ended)
        seconds = []
        for number in range(runs):
            person = user(Path(folder, f"home{number}"), register.registration().read_text())
            plenty.remember(person.home, [job])
            words = [fab(), "-H", cell.name, "status", "--job", job_id]
            seconds.append(timed(words, person.work, person.environment))
        return Limit(f"`status` of an array job of {tasks:,} tasks, {ended:,} of them ended", seconds, bound)
    finally:
        cell.run("qdel", job_id)


def many_results(cell: Cell, runs: int, count: int, bound: float) -> Pair:
    """`fetch` of so many small files, and `get` of the same; each time to a place of its own."""
    folder, places = scratch(), numbered()
    person = user(folder / "home", register.registration().read_text())
    (job,) = plenty.ended_jobs(cell.name, folder / "jobs", 1)
    plenty.lay(job)
    results = Path(job.directory or "", "results")
    for number in range(count):
        file = results / f"part {number % 50}" / f"file {number}"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("x" * (200 + number % 100))
    plenty.remember(person.home, [job])

    def seconds(*words: str) -> float:
        return timed([fab(), "-H", cell.name, *words, f"here {next(places)}"], person.work, person.environment)

    return in_turns(
        f"`fetch` of {count:,} files, against `get` of the same",
        lambda: seconds("fetch", f"--job={job.job_id}", "--to"),
        lambda: seconds("get", f"--source={results}", "--target"),
        runs, bound,
    )  # fmt: skip


def many_rows(cell: Cell, runs: int, count: int, bound: float) -> list[Limit]:
    """Verbs of somebody whose ledger has so many rows; those that show all of them may take three times as long."""
    verbs: Sequence[tuple[str, ...]] = (
        ("jobs",), ("jobs", "--all"), ("jobs", "--all", "--json"), ("status",), ("status", "--all"), ("wait",),
        ("reconcile",), ("cancel",),
    )  # fmt: skip
    folder = scratch()
    person = user(Path(folder, "home"), register.registration().read_text())
    plenty.remember(person.home, list(plenty.ended_jobs(cell.name, Path(folder, "nowhere"), count)))
    return [
        Limit(
            f"`{' '.join(verb)}` with a ledger of {count:,} jobs",
            [timed([fab(), "-H", cell.name, *verb], person.work, person.environment) for _ in range(runs)],
            3 * bound if verb[:2] == ("jobs", "--all") else bound,
        )
        for verb in verbs
    ]
