"""Several logs in one command: both streams of a job, and all tasks that failed, told apart by labels."""

from __future__ import annotations

import re

import pytest

from tests.conftest import Person
from tests.terminal import Terminal

BOTH = """#!/bin/sh
task=${SGE_TASK_ID:-$SLURM_ARRAY_TASK_ID}
for n in 1 2; do echo out $n; echo err $n >&2; sleep 0.3; done
printf last
case $task in 2 | 4) exit 3 ;; esac
"""
JOINED = {"sandbox": "#!/bin/sh\n#$ -j y\n", "sandbox-slurm": "#!/bin/sh\n#SBATCH --output=o\n"}


@pytest.mark.parametrize("cluster", ["sandbox", "sandbox-slurm"])
def test_both_streams_and_all_failed_tasks_are_shown_line_by_line(commuter: Person, cluster: str) -> None:
    commuter.script("x", BOTH)
    commuter.script("joined", f"{JOINED[cluster]}echo out; echo err >&2\n")
    followed = commuter.fab("-H", cluster, "submit", "--script=x", "logs", "--both", "--follow")
    assert followed.returncode == 0, followed.stderr
    out, err = ([line for line in followed.stdout.splitlines() if line.startswith(name)] for name in ("out|", "err|"))
    assert (out, err) == (["out| out 1", "out| out 2", "out| last"], ["err| err 1", "err| err 2"])
    assert followed.stderr.count("succeeded after") == 1
    one = commuter.fab("-H", cluster, "submit", "--script=joined", "logs", "--both", "--follow")
    assert one.stdout.splitlines()[1:] == ["out| out", "out| err"]  # once, where both go into one file
    waited = commuter.fab("-H", cluster, "submit", "--script=x", "--array=1-4", "--key=four", "--wait")
    assert waited.returncode == 3
    failed = commuter.fab("-H", cluster, "logs", "--failed", "--both", "--lines=1", "logs", "--failed", "--follow")
    assert failed.returncode == 0, failed.stderr
    both, alone = failed.stdout.splitlines()[:4], failed.stdout.splitlines()[4:]
    assert both == ["x.2 out| last", "x.2 err| err 2", "x.4 out| last", "x.4 err| err 2"]
    for task in (2, 4):
        lines = [line for line in alone if line.startswith(f"x.{task}| ")]
        assert lines == [f"x.{task}| {text}" for text in ("out 1", "out 2", "last")]
        assert re.search(rf"task {task} of job \d+ .* failed with exit status 3", failed.stderr)
    refused = commuter.fab("-H", cluster, "logs", "--failed", "--task=2")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)


def test_labels_are_coloured_on_a_terminal_and_a_log_steers_none(person: Person) -> None:
    person.script("x", "#!/bin/sh\nprintf 'a\\033[2Jb\\n\\033[31mred\\n'; echo err >&2\n")
    done = person.fab("-H", "sandbox", "submit", "--script=x", "wait", "logs", "--both")
    assert done.stdout.endswith("out| a\x1b[2Jb\nout| \x1b[31mred\nerr| err\n")
    with Terminal(person, ["fabric", "-H", "sandbox", "logs", "--both"]) as terminal:
        assert terminal.to_the_end() == 0
        assert terminal.lines() == ["out| a\\x1b[2Jb", "out| red", "err| err"]
        assert b"\x1b[36mout| \x1b[m" in terminal.raw
        assert b"\x1b[33merr| \x1b[m" in terminal.raw
