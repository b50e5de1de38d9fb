"""`make bench`: what is promised about speed, each against the plain way, both sides in turns in one run.

    python -m tests.bench [NAME ...] [--runs N]    NAME is a part of a measurement's name, as `submit` or `files`

Prints the table that README keeps. Exit status 1 when a bound is not held.
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

from tasks.testbed import bed
from tasks.testbed.cell import Cell

from .files import one_file, one_file_back, small_files
from .fleet import far_and_near
from .held import held_jobs
from .load import many_keys, many_results, many_rows, many_tasks
from .measure import Limit, Pair
from .submitting import list_of_tasks, one_submit
from .sweeps import large_sweep, sweep_beside_one, sweep_beside_qsub, waiting_for_many
from .waiting import end_known, first_job

_HEAD = "| measured | ours | theirs | ratio | bound |\n|---|---|---|---|---|"


def measurements(cell: Cell, runs: int) -> dict[str, Callable[[], Pair | Limit | list[Limit]]]:
    """By name, in the order of README."""
    return {
        "list": lambda: list_of_tasks(runs, 1.25),
        "submit-0ms": lambda: one_submit(cell, runs, 0.0, 1.25),
        "submit-50ms": lambda: one_submit(cell, runs, 0.05, 0.85),
        "fleet": lambda: far_and_near(cell, runs, 1.3),
        "one-file": lambda: one_file(cell, runs),
        "one-file-back": lambda: one_file_back(cell, runs),
        # With fewer files what a command costs once weighs more, for us. `scp -r` of 5000 takes eight minutes a run.
        "small-files": lambda: small_files(cell, runs, 250),
        "many-files": lambda: small_files(cell, 1, 5000),
        "end-known": lambda: end_known(cell, runs, 2),
        "held": lambda: held_jobs(cell, runs, 10_000, 3, 300),
        "many-keys": lambda: many_keys(cell, min(runs, 3), 20_000, 10),
        "many-tasks": lambda: many_tasks(cell, min(runs, 3), 75_000, 60_000, 3),
        "many-results": lambda: many_results(cell, min(runs, 3), 50_000, 1.2),
        "many-rows": lambda: many_rows(cell, runs, 100_000, 1),
        "sweep-1000": lambda: sweep_beside_one(cell, runs, 1000, 2),
        "sweep-by-hand": lambda: sweep_beside_qsub(cell, runs, 1000, 0.1),
        "sweep-10000": lambda: large_sweep(cell, min(runs, 3), 10_000, (10, 3), 300),
        "sweep-wait": lambda: waiting_for_many(cell, min(runs, 3), 20_000, 20, 1.5),
        "first-job": lambda: first_job(runs, "Grid Engine", "sandbox", [], 15),
        "first-slurm": lambda: first_job(runs, "Slurm", "sandbox-slurm", ["--slurm"], 20),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench", description="Ratios, each with its bound.")
    parser.add_argument("names", nargs="*", help="only these (a part of the name is enough)")
    parser.add_argument("--runs", type=int, default=15, help="of each side, interleaved (15)")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that whatever was brought up is taken down
    with tempfile.TemporaryDirectory() as state:
        os.environ["XDG_STATE_HOME"] = state
        (cell,) = bed.up(["sandbox"], say=lambda line: print(line, file=sys.stderr))
        try:
            return _measure(cell, given.names, given.runs)
        finally:
            bed.down()


def _measure(cell: Cell, names: list[str], runs: int) -> int:
    def wanted(name: str) -> bool:
        return not names or any(part in name for part in names)

    print(f"{_machine()}; medians of {runs} interleaved runs\n\n{_HEAD}")
    broken = 0
    for name, measure in measurements(cell, runs).items():
        if wanted(name):
            rows = measure()
            for measured in rows if isinstance(rows, list) else [rows]:
                print(measured.row(), flush=True)
                print(f"{name}: {measured.spread()}", file=sys.stderr)
                broken += not measured.kept
    if broken:
        print(f"{broken} of them over the bound", file=sys.stderr)
    return 1 if broken else 0


def _machine() -> str:
    """The machine and the versions."""
    model = re.search(r"^model name\s*: (.*)$", Path("/proc/cpuinfo").read_text(), re.M)
    ssh = subprocess.run(["ssh", "-V"], capture_output=True, text=True).stderr.split(",")[0].strip()
    versions = " ".join(f"{name} {metadata.version(name)}" for name in ("fabric", "paramiko", "invoke"))
    processor = model[1] if model else platform.machine()
    machine = f"`{platform.node()}`, {os.cpu_count()} cores of {processor}"
    return f"{machine}; Python {platform.python_version()}, {versions}, {ssh}"


if __name__ == "__main__":
    sys.exit(main())
