"""What directives and options ask for of time and memory, as each scheduler reads it."""

from __future__ import annotations

import shlex

import pytest

from tasks.schedulers import scheduler
from tasks.schedulers.seam import Scheduler
from tasks.schedulers.values import Amount

GE, SLURM = scheduler("gridengine"), scheduler("slurm")
HOUR, MB = 3600, 1 << 20


@pytest.mark.parametrize(
    ("lines", "options", "found"),
    [
        ("", "", {}),
        ("#$ -l h_rt=1:30:00", "", {"h_rt": 5400}),
        ("#$ -l h_rt=90,rmem=4G  # per core", "", {"h_rt": 90, "rmem": 4096 * MB}),
        ("#$ -pe smp 2 -l rmem=1G\necho\n#$ -l rmem=2G", "", {"rmem": 2048 * MB}),  # G13
        ("#$ -l h_vmem=1G,mem_free=2G", "-l h_vmem=3G", {"h_vmem": 3072 * MB, "mem_free": 2048 * MB}),
        ("#$ -l ours=1G,gpu=1", "", {"ours": 1024 * MB}),
        ("#$ -l h_rt=:30:", "", {"h_rt": 1800}),
        ("#$ -l h_rt=INFINITY,rmem=much", "", {"h_rt": None, "rmem": None}),
    ],
)
def test_g14_grid_engine(lines: str, options: str, found: dict[str, int | None]) -> None:
    asked = GE.amounts(lines.encode(), shlex.split(options), {"memory": "ours"})
    assert {each.name: each.amount for each in asked} == found


@pytest.mark.parametrize(
    ("lines", "options", "found"),
    [
        ("", "", {}),
        ("#SBATCH --time=10", "", {"time": 600}),  # S6
        ("#SBATCH -t 10:30 --mem 4G", "", {"time": 630, "mem": 4096 * MB}),
        ("#SBATCH --time=1:00:00", "-t 2-0", {"time": 48 * HOUR}),
        ("#SBATCH --time=1-2:3", "", {"time": 26 * HOUR + 180}),
        ("#SBATCH --time=1-2:3:4 --mem-per-cpu=100", "", {"time": 26 * HOUR + 184, "mem-per-cpu": 100 * MB}),
        ("#SBATCH --time=UNLIMITED --mem=0", "", {"time": None, "mem": None}),
        ("echo\n#SBATCH --time=10", "--mem-per-gpu=1gb", {"mem-per-gpu": 1024 * MB}),  # S9
    ],
)
def test_s6_slurm(lines: str, options: str, found: dict[str, int | None]) -> None:
    asked = SLURM.amounts(f"#!/bin/sh\n{lines}".encode(), shlex.split(options), {})
    assert {each.name: each.amount for each in asked} == found


@pytest.mark.parametrize(("each", "time", "memory"), [(GE, "h_rt", "h_vmem"), (SLURM, "time", "mem-per-cpu")])
@pytest.mark.parametrize("amount", [1, 59, 60, 100_000])
def test_what_is_asked_for_is_read_back(each: Scheduler, time: str, memory: str, amount: int) -> None:
    for made in (Amount("time", time, amount), Amount("memory", memory, amount * MB)):
        assert each.amounts(b"", each.asking(made), {}) == [made]


def test_options_are_left_without_what_is_asked_for_anew() -> None:
    words = ["-P", "x", "-l", "h_rt=90,rmem=1G,gpu=1", "-l", "h_vmem=1G", "-l"]
    assert GE.without(words, "memory", {}) == ("-P", "x", "-l", "h_rt=90,gpu=1", "-l")
    assert GE.without(words, "time", {})[:4] == ("-P", "x", "-l", "rmem=1G,gpu=1")
    words = ["-Ht10", "--mem", "1G", "--nice=7", "--mem-per=2G"]
    assert SLURM.without(words, "time", {}) == ("-H", "--mem", "1G", "--nice=7", "--mem-per=2G")
    assert SLURM.without(["-Ht10", "--mem", "1G", "--nice=7"], "memory", {}) == ("-H", "-t10", "--nice=7")
