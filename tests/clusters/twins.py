"""The same script twice, typed there and submitted by us: where each ran, and how the scheduler says it ended."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tests.clusters.bench import ssh, until
from tests.conftest import Person, json_lines


@dataclass(frozen=True)
class Run:
    """One job of the two, and the directory where it runs."""

    job_id: str
    directory: Path

    def text(self, stream: str = "o") -> str:
        """What it has written so far to stdout (`o`) or stderr (`e`); without its paths and children's numbers."""
        said = "".join(log.read_text() for log in sorted(self.directory.glob(f"*.{stream}{self.job_id}*")))
        said = said.replace(str(self.directory), "DIRECTORY")
        said = re.sub(r"\S*/(job_scripts/\d+|slurm_script|\.submithost/\w+)", "SCRIPT", said)
        return re.sub(r"(: line \d+:) +\d+ ", r"\1 PID ", said)

    def has(self, name: str) -> bool:
        return (self.directory / name).exists()


def by_hand(cluster: PrivateCluster, scripts: Mapping[str, str], *options: str) -> dict[str, Run]:
    """Type qsub or sbatch for each, in a directory of its own, with logs named as ours are."""
    lines = []
    words = ["qsub", "-terse", "-cwd"] if isinstance(cluster, Cell) else _SBATCH
    for name, text in scripts.items():
        directory = cluster.home / "typed" / name
        directory.mkdir(parents=True)
        (directory / f"{name}.sh").write_text(text)
        typed = shlex.join([*words, *options, f"{name}.sh"])
        lines.append(f"cd {shlex.quote(str(directory))} && {typed} </dev/null 2>&1 | tail -n 1\n")
    said = ssh(cluster.name, "$SHELL -l", script="".join(lines)).splitlines()[-len(scripts) :]
    ids = [line.partition(".")[0] for line in said]
    assert all(map(str.isdecimal, ids)), said
    return {name: Run(job_id, cluster.home / "typed" / name) for name, job_id in zip(scripts, ids, strict=True)}


_SBATCH = ["sbatch", "--parsable", "--output=%x.o%j", "--error=%x.e%j"]


def ours(person: Person, cluster: PrivateCluster, scripts: Mapping[str, str], *flags: str) -> dict[str, Run]:
    """Submit each, on one command line."""
    words = ["-H", cluster.name]
    for name, text in scripts.items():
        words += ["submit", f"--script={person.script(f'{name}.sh', text)}", "--json", *flags]
    done = person.fab(*words)
    assert done.returncode == 0, done.stderr
    jobs = json_lines("\n".join(line for line in done.stdout.splitlines() if line.startswith("{")))
    return {name: Run(job["job_id"], Path(job["directory"])) for name, job in zip(scripts, jobs, strict=True)}


def both(
    person: Person, cluster: PrivateCluster, scripts: Mapping[str, str], *options: str
) -> list[tuple[str, Run, Run]]:
    """Each name, its job by hand and ours; by hand with these options too."""
    typed, submitted = by_hand(cluster, scripts, *options), ours(person, cluster, scripts)
    return [(name, typed[name], submitted[name]) for name in scripts]


def until_gone(cluster: PrivateCluster, runs: Iterable[Run], within: float = 90) -> None:
    """Until the scheduler has none of these any more."""
    ids = {run.job_id for run in runs}
    until(lambda: not ids & alive(cluster), within)


def alive(cluster: PrivateCluster) -> set[str]:
    """The jobs that the scheduler has, but for those in error state: these stay."""
    if isinstance(cluster, Cell):
        rows = re.findall(r"^ *(\d+) +\S+ +\S+ +\S+ +(\S+)", cluster.must("qstat"), re.M)
        return {job_id for job_id, letters in rows if "E" not in letters}
    return set(cluster.must("squeue", "-h", "-o", "%A").split())


def end_of(cluster: PrivateCluster, run: Run) -> dict[str, str]:
    """How it ended, by the scheduler; Grid Engine's accounting may take a while."""
    if not isinstance(cluster, Cell):
        return dict(re.findall(r"(JobState|ExitCode)=(\S+)", cluster.must("scontrol", "show", "job", run.job_id)))

    def said() -> str:
        return cluster.run("qacct", "-j", run.job_id).stdout

    until(lambda: "\nexit_status " in said())
    return dict(re.findall(r"^(failed|exit_status) +(\d+)", said(), re.M))
