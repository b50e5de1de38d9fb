"""Options as sbatch reads them, and times that it reads otherwise; all of it was tried on 22.05."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.resources import parse_resources
from tasks.schedulers.slurm import scheduler as slurm
from tasks.schedulers.slurm.options import header, of_script, read, without, words_of


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("--mem=600M", {"mem": "600M"}),
        ("--mem 600M -n 2", {"mem": "600M", "ntasks": "2"}),
        ("-c2 -n3", {"cpus-per-task": "2", "ntasks": "3"}),
        ("-Hc2", {"hold": "", "cpus-per-task": "2"}),
        ("--mem-per-c=1M", {"mem-per-cpu": "1M"}),
        ("--mail-u a@b --ntasks-per-c 2", {"mail-user": "a@b", "ntasks-per-core": "2"}),
        ("--threads-per 1 --gpus-per-s 2", {"threads-per-core": "1", "gpus-per-socket": "2"}),
        ("--mem-per=1M", {"mem-per": ""}),  # ambiguous: sbatch will say so
        ("--comment='-c 2' --time=5 # --mem=1G", {"comment": "-c 2", "time": "5"}),
        ("--mem=1G#x", {"mem": "1G"}),
        ('--job-name="a b"c', {"job-name": "a bc"}),
        ("--exclusive -c 2", {"exclusive": "", "cpus-per-task": "2"}),
        ("--site-option x y -t 5", {"site-option": "x y", "time": "5"}),
        ("-t", {"time": ""}),
    ],
)
def test_d4_a_line_of_a_script_is_read_as_sbatch_reads_it(line: str, options: dict[str, str]) -> None:
    assert {option.name: option.value for option in read(words_of(line))} == options


def test_d4_every_option_that_sbatch_tells_of_is_known(tmp_path: Path) -> None:
    """A known one takes one value or none; of one that is not known, all that follows could be its value."""
    configuration = tmp_path / "slurm.conf"
    configuration.write_text("ClusterName=x\nSlurmctldHost=localhost\nAuthType=auth/none\n")
    told = subprocess.run(
        ["sbatch", "--help"], env={"PATH": os.environ["PATH"], "SLURM_CONF": str(configuration)},
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    options = re.findall(r"^ +(?:-([A-Za-z]), )?--([a-z-]+)(=)?", told, re.M)
    assert len(options) > 80
    for short, name, takes_value in options:
        (option,) = read([f"--{name}", "v", "w"])
        assert option.name == name
        assert option.value == "v" if takes_value else option.value in ("", "v")
        assert not short or read([f"-{short}", "v"])[0].name == name


def test_d4_only_lines_above_the_first_command_count_wherever_comments_stand() -> None:
    script = b"#!/bin/sh\n\n  # text\n#SBATCH -c2\n #SBATCH -n3\n#SBATCH\t-t 7\n#SBATCH--mem=9\necho\n#SBATCH -N2\n"
    assert [option.name for option in of_script(script)] == ["cpus-per-task", "time", "mem"]
    assert without(script, of_script(script)[:1]).count("replaced") == 1


@given(words=st.lists(st.text(max_size=9) | st.sampled_from(["--mem", "-c", "-Hc", "--ti", "--x=1", "'"]), max_size=9))
def test_d4_whatever_the_words_are_none_is_lost_that_is_an_option(words: list[str]) -> None:
    for option in read(words):
        assert option.name is not None
        assert read(list(option.words))
    words_of(" ".join(words))
    script = "".join(f"#SBATCH {word}\n" for word in words).encode("utf-8", "surrogatepass")
    assert len(header(script)) <= script.count(b"\n") + 1


def test_d4_words_that_are_quoted_come_back() -> None:
    for words in (["-J", "a b"], ['--comment=it\'s "q" \\ #'], ["--x=$HOME `x`"]):
        assert words_of(shlex.join(words)) == words


@pytest.mark.parametrize(
    ("time", "said"),
    [
        ("60", "time 60 is 0:01:00 (hours:minutes:seconds); sbatch itself would read 1:00:00"),
        ("1:00", "time 1:00 is 1:00:00 (hours:minutes:seconds); sbatch itself would read 0:01:00"),
        ("1:00:00", ""),
        ("1-02:00", ""),
        ("90m", ""),
    ],
)
def test_b5_a_time_that_sbatch_would_read_otherwise_is_told(time: str, said: str) -> None:
    asked = parse_resources(time=time)
    assert "".join(slurm.check(b"#!/bin/sh\n", asked)) == said
