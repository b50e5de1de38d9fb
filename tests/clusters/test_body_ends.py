"""A job ends as it does by hand: by the signal that killed its body, with the same mail, without an interpreter too."""

from __future__ import annotations

import re

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tests.clusters import twins
from tests.clusters.bench import until
from tests.conftest import Person

# What the body does last, and the exit status that `wait` tells of it.
ENDS = {
    "segv": ("ulimit -c 0; kill -SEGV $$", 139),
    "exec_segv": ("ulimit -c 0; exec sh -c 'kill -SEGV $$'", 139),
    "abort": ("ulimit -c 0; kill -ABRT $$", 134),
    "kill": ("kill -KILL $$", 137),
    "term": ("kill -TERM $$", 143),
    "int": ("exec sh -c 'kill -INT $$'", 130),
    "hup": ("kill -HUP $$", 129),
    "pipe": ("kill -PIPE $$", 141),
    "usr1": ("kill -USR1 $$", 138),
    "xcpu": ("kill -XCPU $$", 152),
    "real_time": ("kill -40 $$", 168),
    "exit_139": ("exit 139", 139),
    "exit_143": ("exit 143", 143),
    "exit_130": ("exit 130", 130),
    "exit_255": ("exit 255", 255),
    "child": ("ulimit -c 0; sh -c 'kill -SEGV $$'; exit 4", 4),
}
SLURM_ONLY = {
    "group": ("kill -- -$$; sleep 60", 143),
    "group_trap": ("trap 'kill -- -$$' EXIT; sleep 99 & exit 3", 143),
}


@pytest.fixture(params=["posix", "unix", "slurm"])
def cluster(request: pytest.FixtureRequest, cells: dict[str, Cell], slurm: SlurmCluster) -> PrivateCluster:
    """One of the kinds of clusters: of both start modes, and of both schedulers."""
    return {"posix": cells["sandbox"], "unix": cells["sandbox2"], "slurm": slurm}[request.param]


def script(last: str) -> str:
    return f"#!/bin/bash\n#$ -m ea -M me@b\n#SBATCH --mail-type=ALL --mail-user=me@b\n{last}\n"


@pytest.mark.parametrize("kind", ["gridengine", "slurm"])
def test_a6_the_scheduler_says_how_the_body_ended(
    kind: str, commuter: Person, cells: dict[str, Cell], slurm: SlurmCluster
) -> None:
    cluster: PrivateCluster = slurm if kind == "slurm" else cells["sandbox"]
    ends = {**ENDS, **(SLURM_ONLY if kind == "slurm" else {})}
    options = () if kind == "slurm" else ("-S", "/bin/bash")
    found = twins.both(commuter, cluster, {name: script(last) for name, (last, _) in ends.items()}, *options)
    twins.until_gone(cluster, [run for _, *pair in found for run in pair])
    jobs = {job["job_id"]: job for job in commuter.jobs("--all", cluster=cluster.name)}
    for name, hand, ours in found:
        assert twins.end_of(cluster, ours) == twins.end_of(cluster, hand), name
        assert ours.text("e") == hand.text("e"), name
        until(lambda pair=(hand, ours): all(mails(cluster, run) for run in pair))
        assert mails(cluster, ours) == mails(cluster, hand), name
        job = jobs[ours.job_id]
        assert (job["state"], job["exit_status"]) == ("failed", ends[name][1]), name


def mails(cluster: PrivateCluster, run: twins.Run) -> list[str]:
    """The subjects of what was sent about this job, and what Grid Engine says of its end; without the job's number."""
    found = []
    for mail in cluster.mail.glob("mail.*"):
        _, subject, *lines = mail.read_text().splitlines()
        if re.search(rf"Job(_id=| ){run.job_id}\b", subject):
            said = [subject, *(line for line in lines if re.search(r"Exit Status|Signal|died", line))]
            found += [re.sub(rf"([Jj]ob(_id=| )){run.job_id}|(Run|Queued) time \S+", "", line) for line in said]
    return sorted(found)
