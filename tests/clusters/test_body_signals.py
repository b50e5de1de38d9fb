"""The body's stdin and signals are those that it has by hand, whoever sends them, and each comes once."""

from __future__ import annotations

from tasks.testbed.slurm import SlurmCluster
from tests.clusters import twins
from tests.clusters.bench import until
from tests.conftest import Person

# All that scancel(1) and `sbatch --signal` take, but for KILL and STOP, which nobody can pass on, and CONT.
ALONE = [1, 2, 3, 6, 10, 12, 13, 14, 15, 16, 20, 21, 22, 23, 24, 25, 26, 27, 29, 30, 31, 34, 50, 64]
GROUP = [1, 2, 3, 10, 12, 14, 15, 24, 40]
COUNTS = """#!/bin/bash
#SBATCH --input=/etc/hostname
#$ -i /etc/hostname
for n in {1..31} {34..64}; do
    case $n in 9|17|18|19|28) ;; *) trap "echo got $n" $n ;; esac
done
grep -E 'Sig(Ign|Blk)' /proc/self/status
read -r line && [ "$line" = "$(cat /etc/hostname)" ] && echo stdin
[ "$(ps -o pgid= -p $$)" -eq $$ ] && echo leads its group
touch ready
until [ -e enough ]; do sleep 0.1; done
echo ended
"""


def test_a2_slurms_signals_reach_the_body_once_each(commuter: Person, slurm: SlurmCluster) -> None:
    ((_, *pair),) = twins.both(commuter, slurm, {"counts": COUNTS})
    until(lambda: all(run.has("ready") for run in pair))
    for how, signals in (("--batch", ALONE), ("--full", GROUP)):
        for n in signals:
            for run in pair:
                before = run.text().count(f"got {n}\n")
                slurm.must("scancel", how, f"--signal={n}", run.job_id)
                until(lambda run=run, n=n, before=before: run.text().count(f"got {n}\n") > before)
    for run in pair:
        (run.directory / "enough").touch()
    twins.until_gone(slurm, pair)
    hand, ours = (run.text() for run in pair)
    assert ours == hand
    assert "stdin\nleads its group\n" in hand
    assert [twins.end_of(slurm, run) for run in pair] == [{"JobState": "COMPLETED", "ExitCode": "0:0"}] * 2
