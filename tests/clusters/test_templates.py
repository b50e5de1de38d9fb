"""Every shipped template as a job: all are submitted first, and each test looks at what one of them did.

Where MATLAB, R, conda, environment modules and MPI are not to be had, programs of their names stand in, which do what
the templates rely on.
"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tasks.testbed import register
from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tests.conftest import ROOT, json_lines, move_in, program

_MODULES = """
module() {
    [ "$1" = load ] || return 2
    [ "$2" != nope ] || { echo "module: no nope" >&2; return 1; }
    LOADEDMODULES=${LOADEDMODULES:+$LOADEDMODULES:}$2
    PATH=$MODULESHOME/bin:$PATH
    export LOADEDMODULES PATH
    echo $unset_as_in_real_ones >/dev/null
}
"""
_CONDA = """#!/bin/bash
[ "$*" = "shell.bash hook" ] || exit 2
echo 'conda() { [ "$1" = activate ] && echo $unset_as_in_real_ones && export CONDA_DEFAULT_ENV="$2"; }'
"""
_RSCRIPT = """#!/bin/bash
printf '<%s>' "$@"; echo " with $OMP_NUM_THREADS threads"
"""
_MATLAB = """#!/bin/bash
printf '<%s>' "$@"; echo " code <$CODE>, input <$(cat)>"
"""
_MPIRUN = """#!/bin/bash
[ "$1" = -np ] || exit 2
n=$2; shift 2
for rank in $(seq "$n"); do OMPI_RANK=$rank "$@"; done
"""
# Counts to 6, a second each; its checkpoint is where it is.
_LONG = """import pathlib, signal, sys, time
place = pathlib.Path("checkpoint")
at = int(place.read_text()) if place.exists() else 0
print("from", at, flush=True)
def stop(number, frame):
    place.write_text(str(at))
    print("at", at, "told", signal.Signals(number).name, flush=True)
    sys.exit()
signal.signal(signal.SIGTERM, stop)
while at < 6:
    time.sleep(1)
    at += 1
print("done", flush=True)
"""


@dataclass(frozen=True)
class Ended:
    """A template's job: how it ended, and what it left."""

    job: dict[str, Any]
    directory: Path

    def said(self, stream: str = "o", task: int = 0) -> str:
        """What it wrote to stdout (`o`) or stderr (`e`)."""
        (log,) = self.directory.glob(f"*.{stream}{self.job['job_id']}" + (f".{task}" if task else ""))
        return log.read_text()


def furnish(home: Path) -> str:
    """Put the stand-ins there; returns the option that tells a job of them. Modules put them onto PATH."""
    modules = home / "modules"
    bin_ = modules / "bin"
    (modules / "init").mkdir(parents=True)
    (modules / "init/bash").write_text(_MODULES)
    for name, text in [("conda", _CONDA), ("Rscript", _RSCRIPT), ("matlab", _MATLAB), ("mpirun", _MPIRUN)]:
        program(bin_ / name, text)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "my venv")], check=True)
    return f"MODULESHOME={modules}"


@pytest.fixture(scope="module", params=["sandbox", "sandbox-slurm"])
def on(request: pytest.FixtureRequest, cells: dict[str, Cell], slurm: SlurmCluster) -> PrivateCluster:
    """The cluster that they all run on, unchanged."""
    return {slurm.name: slurm, **cells}[request.param]


@pytest.fixture(scope="module")
def ended(on: PrivateCluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """All templates' jobs."""
    cell, variable = on, furnish(on.home)
    option = f"--option=-v {variable}" if isinstance(on, Cell) else f"--option=--export=ALL,{variable}"
    person = move_in(tmp_path_factory.mktemp("templates") / "home", register.registration().read_text())
    (person.work / "inputs").write_bytes(b"one\r\n\n it's $(two)\n  \t\nthree")
    person.script("model.py", "import sys; print(sys.argv[1:], sys.prefix)")
    person.script("long.py", _LONG)
    python = shlex.quote(sys.executable)
    wanted = {  # the first takes longest: Grid Engine lets a job wait before it runs again where it has run
        "checkpoint": [f"command={python} long.py", "margin=5", "--time=10", "--put=long.py"],
        "hello": [],
        "serial": ["command=echo one; echo two"],
        "smp": ["command=echo $OMP_NUM_THREADS threads", "--cores=2"],
        "array": ["command=echo task $TASK_ID", "--array=2-3"],
        "lines": ["file=inputs", "lines=4", 'command=echo "$LINE of $TASK_ID"', "--put=inputs"],
        "mpi": ["processes=3", "command=printenv OMPI_RANK", "modules=mpi/openmpi"],
        "gpu": ["command=echo on a GPU"],
        "module": ["modules=apps/R dev/gcc/10", 'command=echo "$LOADEDMODULES"'],
        "refused": ["modules=fine nope", "command=echo never"],
        "conda": ["environment=my env", f"conda={cell.home}/modules/bin/conda", 'command=echo "$CONDA_DEFAULT_ENV"'],
        "python": ["script=model.py", f"virtualenv={cell.home}/my venv", "--put=model.py", "--arg=a b", "--arg=$c"],
        "r": ["script=an alysis.R", "modules=apps/R", "--arg=x y"],
        "matlab": ["code=disp('it''s $HOME')", "modules=apps/matlab"],
    }

    def submit(name: str, words: list[str]) -> tuple[str, dict[str, Any]]:
        template = "module" if name == "refused" else name
        words = [word if word.startswith("--") else f"--set={word}" for word in words]
        done = person.fab("-H", on.name, "submit", f"--script={template}", "--json", option, *words)
        assert done.returncode == 0, done.stderr
        (job,) = json_lines(done.stdout[done.stdout.index("{") :])
        return name, job

    with ThreadPoolExecutor(4) as pool:
        submitted = dict(pool.map(lambda item: submit(*item), wanted.items()))
    again = [f"--job={job['job_id']}" for job in submitted.values()]
    waited = person.fab("-H", on.name, "wait", "--json", "--timeout=280", *again, timeout=300)
    jobs = {job["job_id"]: job for job in json_lines(waited.stdout)}
    assert len(jobs) == len(submitted), waited.stderr
    return {name: Ended(jobs[job["job_id"]], Path(job["directory"])) for name, job in submitted.items()}


def test_every_shipped_template_is_among_them_and_succeeds(ended: dict[str, Ended]) -> None:
    shipped = {path.name.removesuffix(".sh.j2") for path in (ROOT / "job_templates").glob("*.j2")}
    assert set(ended) == shipped | {"refused"}
    states = {name: one.job["state"] for name, one in ended.items()}
    assert {name for name, state in states.items() if state != "succeeded"} == {"lines", "refused"}
    assert not [name for name in shipped - {"lines", "checkpoint", "array"} if ended[name].said("e")]


def test_hello_serial_and_smp(ended: dict[str, Ended]) -> None:
    assert ended["hello"].said().startswith(f"Hello, world.\nThis is job {ended['hello'].job['job_id']} on ")
    assert ended["serial"].said() == "one\ntwo\n"
    assert ended["smp"].said() == "2 threads\n"


def test_array_and_lines_do_their_part_each(ended: dict[str, Ended]) -> None:
    assert [ended["array"].said(task=task) for task in (2, 3)] == ["task 2\n", "task 3\n"]
    said = [ended["lines"].said(task=task) for task in (1, 2, 3)]
    assert said == ["one of 1\n", " it's $(two) of 2\n", "three of 3\n"]
    assert ended["lines"].job["tasks"]["4"]["exit_status"] == 1
    assert ended["lines"].said("e", task=4) == "inputs has no line 4\n"


def test_mpi_gets_slots_of_the_environment_for_many_nodes_and_starts_as_many(
    ended: dict[str, Ended], on: PrivateCluster
) -> None:
    assert ended["mpi"].said() == "1\n2\n3\n"
    if isinstance(on, Cell):
        assert "-pe mpi 3" in script_of(ended["mpi"])
        accounted = accounting(on, ended["mpi"])
        assert (accounted["granted_pe"], accounted["slots"]) == ("mpi", "3")
    else:
        assert "#SBATCH --ntasks=3" in script_of(ended["mpi"])


def test_gpu_asks_for_one(ended: dict[str, Ended], on: PrivateCluster) -> None:
    assert ended["gpu"].said().endswith("on a GPU\n")
    if isinstance(on, Cell):
        assert "gpu=1" in accounting(on, ended["gpu"])["category"]
    else:
        assert "gres:gpu:1" in on.run("scontrol", "show", "job", ended["gpu"].job["job_id"]).stdout


def test_modules_are_loaded_in_their_order_or_the_command_does_not_run(ended: dict[str, Ended]) -> None:
    assert ended["module"].said() == "apps/R:dev/gcc/10\n"
    assert ended["refused"].job["exit_status"] == 1
    assert ended["refused"].said() == ""
    assert ended["refused"].said("e") == "module: no nope\n"


def test_conda_python_r_and_matlab(ended: dict[str, Ended], on: PrivateCluster) -> None:
    assert ended["conda"].said().splitlines()[-1] == "my env"
    assert ended["python"].said() == f"['a b', '$c'] {on.home}/my venv\n"
    assert ended["r"].said() == "<--no-save><--no-restore><an alysis.R><x y> with 1 threads\n"
    matlab = ended["matlab"].said()
    assert matlab.startswith("<-nodisplay><-nosplash><-r><maxNumCompThreads(1); try, evalin('base', getenv('CODE')), ")
    assert matlab.endswith("> code <disp('it''s $HOME')>, input <>\n")


def test_checkpoint_goes_on_where_it_was_until_it_is_done(ended: dict[str, Ended]) -> None:
    assert ended["checkpoint"].job["exit_status"] == 0
    runs = re.findall(r"from (\d+)\n(?:at (\d+) told (\w+)\n|(done)\n)", ended["checkpoint"].said())
    assert len(runs) >= 2
    assert [start for start, *_ in runs] == ["0", *(stop for _, stop, *_ in runs[:-1])]
    assert {signal for _, _, signal, _ in runs[:-1]} == {"SIGTERM"}
    assert runs[-1][3] == "done"
    assert ended["checkpoint"].said("e").count("the scheduler starts it again") == len(runs) - 1


def script_of(one: Ended) -> str:
    return (one.directory / ".submithost/script").read_text()


def accounting(cell: Cell, one: Ended) -> dict[str, str]:
    """Its record, as soon as it is there."""
    from tests.clusters.bench import until

    until(lambda: cell.run("qacct", "-j", one.job["job_id"]).returncode == 0, 30)
    said = cell.must("qacct", "-j", one.job["job_id"])
    return {word: rest.strip() for word, _, rest in (line.partition(" ") for line in said.splitlines())}
