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
from .measure import Pair, spread
from .submitting import list_of_tasks, one_submit

_HEAD = "| measured | ours | theirs | ratio | bound |\n|---|---|---|---|---|"
_HELD = 10_000
_SECONDS, _MEGABYTES = 3.0, 300


def measurements(cell: Cell, runs: int) -> dict[str, Callable[[], Pair]]:
    """By name, in the order of README."""
    return {
        "list": lambda: list_of_tasks(runs, 1.25),
        "submit-0ms": lambda: one_submit(cell, runs, 0.0, 1.25),
        "submit-50ms": lambda: one_submit(cell, runs, 0.05, 0.85),
        "fleet": lambda: far_and_near(cell, runs, 1.3),
        "small-files": lambda: small_files(cell, runs),
        "one-file": lambda: one_file(cell, runs),
        "one-file-back": lambda: one_file_back(cell, runs),
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
            pair = measure()
            print(pair.row(), flush=True)
            print(f"{name}: ours {spread(pair.ours)} s, theirs {spread(pair.theirs)} s", file=sys.stderr)
            broken += pair.ratio > pair.bound
    if wanted("held"):
        times, memory = held_jobs(cell, runs, _HELD)
        median = sorted(times)[len(times) // 2]
        print(f"| `status` of {_HELD:,} held jobs, {memory / 1e6:.0f} MB at most (bound {_MEGABYTES} MB) "
              f"| {median:.2f} s | | | {_SECONDS:.0f} s |")  # fmt: skip
        print(f"held: {spread(times)} s", file=sys.stderr)
        broken += median > _SECONDS or memory > _MEGABYTES * 1e6
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
