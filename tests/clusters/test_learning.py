"""resubmit with more than before: what the scheduler is asked for then, and whose work is done in the end."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import qsub, sbatch
from tests.conftest import Person, json_lines, program

CLUSTERS = ("sandbox", "sandbox-slurm")
# Of what the scheduler shows of a job, what was asked for.
GRID_ENGINE = (
    "job_name|hard resource_list|hard_queue_list|project|parallel environment|job-array tasks|task_concurrency"
)
SLURM = "JobName|Partition|Account|NumCPUs|CPUs/Task|TimeLimit|MinMemory(?:Node|CPU)|ArrayTaskThrottle|ArrayTaskId|Nice"


def shown(cells: dict[str, Cell], slurm: SlurmCluster, cluster: str, job_id: str) -> list[str]:
    """What was asked for, as `qstat -j` and `scontrol show job` have it."""
    if cluster == slurm.name:
        said = slurm.must("scontrol", "show", "job", job_id)
        return sorted(found[0] for found in re.finditer(rf"(?:^|(?<=\s))(?:{SLURM})=\S+", said))
    said = cells[cluster].must("qstat", "-j", job_id)
    lines = re.findall(rf"^((?:{GRID_ENGINE}): *)(.*?) *$", said, re.M)
    return sorted(name + ",".join(sorted(value.split(","))) for name, value in lines)


# Directives and flags of a job; flags of `resubmit`, and what is typed by hand for the same.
ASKED: dict[str, list[tuple[str, list[str], list[tuple[list[str], str]]]]] = {
    "sandbox": [
        (
            "#$ -l h_rt=1:00:00,rmem=1G -pe smp 2",
            [],
            [
                (["--memory=x2"], "-l h_rt=1:00:00,rmem=2G -pe smp 2"),
                (["--memory=3G", "--time=x1.5", "--name=more"], "-l h_rt=1:30:00,rmem=3G -pe smp 2 -N more"),
                (["--cores=4", "--queue=all.q", "--project=gpu", "--gpus=1"],
                 "-l h_rt=1:00:00,rmem=1G,gpu=1 -pe smp 4 -q all.q -P gpu"),
            ],
        ),
        (
            "#$ -l h_rt=1:00:00",
            ["--memory=1G", "--option=-l h_vmem=1G", "--array=1-4"],
            [
                (["--memory=x2", "--at-once=1"], "-l h_rt=1:00:00,rmem=2G,h_vmem=2G -t 1-4 -tc 1"),
                (["--memory=4G", "--option=-l h_rt=90"], "-l h_rt=90,rmem=4G -t 1-4"),
            ],
        ),
    ],
    "sandbox-slurm": [
        (
            "#SBATCH --time=60 --mem=100M -c2",
            [],
            [
                (["--memory=x2"], "--time=60 --mem=200M -c2"),
                (["--memory=300M", "--time=x1.5", "--name=more"], "--time=90 --mem-per-cpu=300M -c2 -J more"),
                (["--cores=4", "--queue=short", "--project=p"], "--time=60 --mem=100M -c4 -p short -A p"),
            ],
        ),
        (
            "#SBATCH --time=60",
            ["--memory=100M", "--array=1-4"],
            [
                (["--memory=x2", "--at-once=1"], "--time=60 --mem-per-cpu=200M -a 1-4%1"),
                (["--memory=400M", "--option=--nice=7"], "--time=60 --mem-per-cpu=400M -a 1-4 --nice=7"),
            ],
        ),
    ],
}  # fmt: skip


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_what_is_asked_for_anew_is_what_the_same_would_be_by_hand(
    commuter: Person, cells: dict[str, Cell], slurm: SlurmCluster, cluster: str
) -> None:
    rows = [(f"k{at}", *row) for at, (_, _, rows) in enumerate(ASKED[cluster]) for row in rows]
    submits = list[str]()
    for at, (directives, flags, _) in enumerate(ASKED[cluster]):
        commuter.script(f"k{at}", f"#!/bin/sh\n{directives}\n")
        submits += ["submit", f"--script=k{at}", f"--key=key-of-k{at}", "--hold", *flags]
    assert commuter.fab("-H", cluster, *submits, "cancel", "wait").returncode == 3
    held = "--option=-h" if cluster == "sandbox" else "--option=--hold"
    words = [word for key, again, _ in rows for word in ("resubmit", f"--job=key-of-{key}", "--json", held, *again)]
    done = commuter.fab("-H", cluster, *words)
    assert done.returncode == 0, done.stderr
    ours = [job["job_id"] for job in json_lines(done.stdout)]
    typed = [_typed(cells, cluster, key, *by_hand.split()) for key, _, by_hand in rows]
    try:
        for one, other in zip(ours, typed, strict=True):
            assert shown(cells, slurm, cluster, one) == shown(cells, slurm, cluster, other)
    finally:
        commuter.fab("-H", cluster, "cancel", *(f"--job={job_id}" for job_id in ours))
        (slurm.must("scancel", *typed) if cluster == slurm.name else cells[cluster].must("qdel", *typed))


def _typed(cells: dict[str, Cell], cluster: str, name: str, *words: str) -> str:
    """The ID of a job of that name, unless these options have another, that was submitted by hand and held."""
    if cluster == "sandbox":
        return qsub(cells[cluster], "#!/bin/sh\n", "-h", *(() if "-N" in words else ("-N", name)), *words).partition(
            "."
        )[0]
    return sbatch("", "-H", "-J", name, *words)


def test_what_is_not_known_cannot_be_multiplied(person: Person) -> None:
    person.script("x", "#!/bin/sh\n#$ -l h_rt=INFINITY\nexit 1\n")
    person.submit("x")
    person.wait()
    for words, said in (
        (["--time=x2"], "its h_rt is not understood; give an amount, such as --time=2:00:00"),
        (["--memory=x2"], "no flag, no directive and no default of the cluster asks for memory; give an amount"),
        (["--memory=x"], "memory 'x' is not a factor like x2 or x1.5"),
        (["--failed=memry"], "no such cause as 'memry'; did you mean 'memory'?"),
        (["--cores=x2"], "is not a whole number"),
    ):
        refused = person.fab("-H", "sandbox", "resubmit", *words)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
        assert said in refused.stderr


# A task that is killed unless it has 200 MB, and one that fails unless it has 400 MB.
HUNGRY = """#!/bin/sh
task=${SGE_TASK_ID:-$SLURM_ARRAY_TASK_ID}
memory=${SLURM_MEM_PER_CPU:-$(qstat -j "$JOB_ID" | sed -n 's/.*rmem=\\([0-9]*\\)M.*/\\1/p')}
echo "had $memory" | tee "result.$task"
case $task in
2) [ "$memory" -ge 200 ] || kill -9 $$ ;;
3) [ "$memory" -ge 400 ] || exit 5 ;;
esac
"""


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_tasks_that_failed_for_different_causes_are_repaired_until_all_have_succeeded(
    commuter: Person, cluster: str
) -> None:
    commuter.script("x", HUNGRY)
    words = ["--script=x", "--array=1-4", "--memory=100M", "--job-file=x.job"]
    assert commuter.fab("-H", cluster, "submit", *words, "--wait").returncode == 3
    again = ("resubmit", "--job=x.job", "--memory=x2")
    # One cause alone; then nothing is left of that; then the other one, twice: each time with more than the last.
    left = commuter.fab(*again, "--failed=signal", "wait", *again, "--failed=signal,time", "wait", "--job=x.job")
    assert (left.returncode, "nothing of it that failed for signal or time" in left.stderr) == (3, True), left.stderr
    assert commuter.fab(*again, "--failed", "wait").returncode == 3
    last = commuter.fab(*again, "--failed", "--json", "wait", "--job=x.job", "status", "--job=x.job", "--json")
    assert last.returncode == 0, last.stderr
    assert "200M before, 400M now" in last.stderr
    # Whoever asks about the first job is told of the newest run of each task.
    newest, job = json_lines(last.stdout)
    first, by = job["job_id"], [job["tasks"][task].get("repaired_by") for task in "1234"]
    assert by[::3] == [None, None]
    assert by[2] == newest["job_id"] != by[1]
    fetch = ("fetch", "--job=x.job", "--to=out", "--only=result.*")
    logged = commuter.fab("-H", cluster, "logs", f"--job={first}.3", *fetch, "jobs", "explain", f"--job={first}")
    assert logged.stdout.startswith("had 400\n"), logged.stderr
    assert f"was submitted again as job {newest['job_id']}: its log" in logged.stderr
    got = {path.name: path.read_text() for path in (commuter.work / "out").iterdir()}
    assert got == {f"result.{task}": f"had {had}\n" for task, had in zip("1234", (100, 200, 400, 100), strict=True)}
    assert f"\ntask 3 of job {newest['job_id']} " in logged.stdout
    line = rf"{first} -> {by[1]}, \d+ -> {newest['job_id']}"
    assert re.search(rf"\t{first}\tfailed \(repaired: {line}\)\t", logged.stdout), logged.stdout
    assert re.search(rf"\t{newest['job_id']}\tsucceeded \({line}\)\t", logged.stdout), logged.stdout


MAKEFILE = """\
result.csv: model.job
\tfab resubmit --job model.job --failed=exit --memory=x2 wait --job model.job fetch --job model.job \\
\t    --only=result.csv --to=. --force
\ttouch result.csv
model.job: model.sh
\tfab -H sandbox submit --script=model.sh --memory=100M --job-file=model.job
.PRECIOUS: model.job
"""
MODEL = """#!/bin/sh
qstat -j "$JOB_ID" | grep -q rmem=400M || exit 5
echo done > result.csv
"""


def test_a_makefile_whose_job_failed_recovers_by_make_alone(person: Person) -> None:
    fab = program(person.home / "bin" / "fab", f'#!/bin/sh\nexec {sys.executable} -m fabric "$@"\n')
    environment = {**person.environment, "PATH": f"{fab.parent}:{person.environment['PATH']}"}
    person.script("Makefile", MAKEFILE)
    person.script("model.sh", MODEL)

    def make(*words: str) -> Sequence[object]:
        done = subprocess.run(
            ["make", *words], cwd=person.work, env=environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=200,
        )  # fmt: skip
        return done.returncode, (person.work / "result.csv").exists()

    made = [make() for _ in range(3)]  # by the first one, too, if the job has failed before that asks
    assert (made[0], made[2], make("--question")) == ((2, False), (0, True), (0, True))
    # The text is the same: what was repaired with more memory stands for it.
    (person.work / "model.sh").touch()
    assert make() == (0, True)
    assert len(json_lines(person.fab("jobs", "--json").stdout)) == 3
