"""What really happened: asked of the scheduler, and of what the bodies wrote; never of our own records."""

from __future__ import annotations

import calendar
import re
import subprocess
import time
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.files import BINARIES
from tests.clusters.bench import qacct_records

# A line from each body as it begins and one as it ends, in a file of its own outside of submithost's directories.
_BODY = """\
#!/bin/sh
{directives}task=${{SGE_TASK_ID:-${{SLURM_ARRAY_TASK_ID:-0}}}}
[ "$task" != undefined ] || task=0
job=${{JOB_ID:-${{SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}}}}
echo "began $job $task $(date +%s.%N)" >>'{witness}'
{sleep}
echo "ended $job $task $(date +%s.%N)" >>'{witness}'
exit {status}
"""


def body(witness: Path, status: int, seconds: float, *, bare: bool, trapping: bool = False) -> str:
    """The script of a job whose body writes down that it ran, and ends with `status`; `trapping`, with 0 at a TERM."""
    directives = "#$ -S /bin/sh\n" if bare else ""  # by itself, a stock Grid Engine runs it with csh (G7)
    sleep = f"trap 'kill $!; exit 0' TERM\nsleep {seconds} &\nwait $!" if trapping else f"sleep {seconds}"
    return _BODY.format(witness=witness, status=status, sleep=sleep, directives=directives)


@dataclass(frozen=True)
class Body:
    """One run of a script, by its own word; the times are seconds since 1970, `ended` None while it runs."""

    job_id: str
    task: int
    began: float
    ended: float | None = None


@dataclass(frozen=True)
class Truth:
    """Of one name: when each of its jobs was submitted (whole seconds; None: not known), and its bodies.

    `accounted` are the exit statuses of accounting, by job and task; `forgotten` the IDs, of whatever name, that the
    scheduler has given and does not know any more, or has given again; `requeued` how often, by job and task, it has
    run a job again of its own accord.
    """

    jobs: Mapping[str, int | None] = field(default_factory=dict)
    bodies: tuple[Body, ...] = ()
    accounted: Mapping[tuple[str, int], int] = field(default_factory=dict)
    forgotten: frozenset[str] = frozenset()
    requeued: Mapping[tuple[str, int], int] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """One job or task that has ended, by its scheduler's word."""

    name: str
    job_id: str
    task: int
    submitted_at: int
    status: int
    restarts: int = 0


def ask(cluster: PrivateCluster, witnesses: Path, names: Iterable[str]) -> dict[str, Truth]:
    """The truth about each of these names. Raises RuntimeError when the scheduler does not answer."""
    jobs: dict[str, dict[str, int | None]] = {}
    records: dict[str, list[Record]] = {}
    for name, job_id in _queue(cluster):
        jobs.setdefault(name, {})[job_id] = None
    for record in _records(cluster):
        jobs.setdefault(record.name, {})[record.job_id] = record.submitted_at
        records.setdefault(record.name, []).append(record)
    forgotten = _forgotten(cluster, {job_id for of_name in jobs.values() for job_id in of_name})
    found = {}
    for name in names:
        bodies = tuple(read_witness(witnesses / name))
        ran: dict[str, int | None] = dict.fromkeys(each.job_id for each in bodies)
        known, ended = jobs.get(name, {}), records.get(name, ())
        found[name] = Truth(
            {**ran, **known},
            bodies,
            {(each.job_id, each.task): each.status for each in ended},
            forgotten - known.keys(),
            {(each.job_id, each.task): each.restarts for each in ended},
        )
    return found


def settled(cells: Iterable[PrivateCluster], names: Iterable[str], within: float) -> bool:
    """Whether no job of these names is left with a scheduler within so many seconds, and all are accounted for."""
    wanted, cells = set(names), list(cells)
    deadline = time.monotonic() + within
    while any(name in wanted for cell in cells for name, _ in _queue(cell)):
        if time.monotonic() > deadline:
            return False
        time.sleep(1)
    time.sleep(3)  # accounting_flush_time is 1 s
    return True


def read_witness(path: Path) -> list[Body]:
    """What bodies wrote down."""
    bodies: list[Body] = []
    for line in path.read_text().splitlines() if path.exists() else ():
        what, job_id, task, when = line.split(" ")
        if what == "began":
            bodies.append(Body(job_id, int(task), float(when)))
            continue
        number = max(n for n, each in enumerate(bodies) if (each.job_id, each.task) == (job_id, int(task)))
        bodies[number] = Body(job_id, int(task), bodies[number].began, float(when))
    return bodies


def _queue(cluster: PrivateCluster) -> list[tuple[str, str]]:
    """Name and number of every job that the scheduler has."""
    if isinstance(cluster, Cell):
        return _qstat(cluster)
    done = cluster.run("squeue", "-h", "-o", "%j|%F", timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"{cluster.name}: squeue: {done.stderr}")
    return [(name, job_id) for line in done.stdout.splitlines() for name, _, job_id in [line.rpartition("|")]]


def _records(cluster: PrivateCluster) -> Iterator[Record]:
    """Every job and task that has ended."""
    if isinstance(cluster, Cell):
        for facts in _accounting(cluster):
            task = facts["taskid"]
            when = calendar.timegm(time.strptime(facts["qsub_time"]))
            status = int(facts["exit_status"].split()[0])
            yield Record(facts["jobname"], facts["jobnumber"], int(task) if task.isdigit() else 0, when, status)
        return
    # The controller of a campaign forgets nothing.
    done = subprocess.run(
        ["scontrol", "-o", "show", "job"], env=cluster.env() | {"TZ": "UTC"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", timeout=120,
    )  # fmt: skip
    if done.returncode != 0:
        raise RuntimeError(f"{cluster.name}: scontrol: {done.stderr}")
    for line in done.stdout.splitlines():
        facts = dict(re.findall(r"(?:^| )([A-Za-z]+)=(\S*)", line))
        if facts.get("JobState") not in (None, "PENDING", "CONFIGURING", "RUNNING", "COMPLETING", "SUSPENDED"):
            when = calendar.timegm(time.strptime(facts["SubmitTime"], "%Y-%m-%dT%H:%M:%S"))
            task, status = facts.get("ArrayTaskId", "0"), int(facts["ExitCode"].partition(":")[0])
            job_id, restarts = facts.get("ArrayJobId", facts["JobId"]), int(facts["Restarts"])
            yield Record(facts["JobName"], job_id, int(task), when, status, restarts)


def _forgotten(cluster: PrivateCluster, known: Collection[str]) -> frozenset[str]:
    """Slurm saves its state every five seconds: a controller that is killed has forgotten what it took since then."""
    if isinstance(cluster, Cell):
        return frozenset()
    log = (cluster.directory / "slurmctld.log").read_text(errors="replace")
    given = Counter(re.findall(r"_slurm_rpc_submit_batch_job: JobId=(\d+) ", log))
    return frozenset(job_id for job_id, times in given.items() if times > 1 or job_id not in known)


def _run(cell: Cell, *words: str) -> subprocess.CompletedProcess[str]:
    """A program of Grid Engine's, its times in UTC."""
    return subprocess.run(
        [str(BINARIES / words[0]), *words[1:]], env=cell.env() | {"TZ": "UTC"}, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, errors="replace", timeout=120,
    )  # fmt: skip


def _qstat(cell: Cell) -> list[tuple[str, str]]:
    """Name and number of every job that qmaster has."""
    done = _run(cell, "qstat", "-u", "*", "-xml")
    if done.returncode != 0:
        raise RuntimeError(f"{cell.name}: qstat: {done.stderr}")
    rows = ElementTree.fromstring(done.stdout).iter("job_list")
    return [(row.findtext("JB_name") or "", row.findtext("JB_job_number") or "") for row in rows]


def _accounting(cell: Cell) -> list[dict[str, str]]:
    """Every record of the accounting."""
    if not (cell.common / "accounting").exists():
        return []
    done = _run(cell, "qacct", "-j")
    if done.returncode != 0:
        raise RuntimeError(f"{cell.name}: qacct: {done.stderr}")
    return qacct_records(done.stdout)
