"""Flags beat the script, and the script beats the cluster's defaults, also where both say the same thing otherwise:
what the scheduler is asked, against what it is asked by hand by somebody who leaves out what was beaten.
"""

from __future__ import annotations

import re
import shlex
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tasks.testbed import register
from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import ssh
from tests.clusters.hostile import login_node
from tests.clusters.pairs import facts_of
from tests.conftest import Person, json_lines, move_in

HPC, GE = "sandbox-slurm", "sandbox"


@dataclass(frozen=True)
class Case:
    """A script's lines, the cluster's `resources` and `options`, flags of `submit`; and what to type by hand for it:
    the lines that count. A line has one or several options.
    """

    script: str = ""
    hand: str = ""
    resources: str = ""
    options: str = ""
    flags: str = ""


MEMORY, GPUS, CORES, TIME = "memory: 500M", "gpus: 1", "cores: 2", "time: '1:00:00'"
ALL = ", ".join((MEMORY, GPUS, CORES, TIME))
TYPED = {"memory": "--mem-per-cpu=500M", "gpus": "--gres=gpu:1", "cores": "-c 2", "time": "-t 60"}


def beaten(*names: str, script: str) -> Case:
    """The script against all four defaults, of which these are left out."""
    kept = [text for name, text in TYPED.items() if name not in names]
    return Case(script, "\n".join([*kept, script]), resources=ALL)


SLURM = [
    Case("", "\n".join(TYPED.values()), resources=ALL),
    *(beaten("memory", script=line) for line in ("--mem=6M", "--mem 6M", "--mem '6M'", "--mem-per-c=6M # mine")),
    beaten("memory", "gpus", script="--mem-per-gpu=600M --gpus 2"),
    *(beaten("gpus", script=line) for line in ("--gpus-per-node=2", "-G2", "--gpus 2", "--gres=gpu:2", "--gres=none")),
    beaten("gpus", "cores", script="--gpus-per-task=1 -n2"),
    *(beaten("cores", script=line) for line in ("-c3", "-c 3", "-Hc3", "-n 4", "-N1 --ntasks-per-node=4")),
    beaten("cores", script="--exclusive"),
    beaten("cores", script="--mincpus=3"),
    beaten("cores", "gpus", script="--cpus-per-gpu=2\n--gpus=1"),
    *(beaten("time", script=line) for line in ("-t5", "--time=0:30:0", "--time-min=10", "--deadline=2031-01-01")),
    beaten("cores", "time", script='--comment="-c 9 --mem=1G" -t 7 -n2'),
    beaten(script='--comment="-c 9 --mem=1G"'),
    Case("--mem=600M", "--mem=600M\n--nice=3", options="--mem-per-cpu=100M --nice=3"),
    Case("-n2", "-n2 --comment=theirs", options="-c 4, --comment=theirs"),
    Case("", "--mem=700M", options="--mem=700M"),
    Case("", "--mem-per-cpu=500M", resources=MEMORY, options="--mem=700M"),
    # flags beside the script
    Case("--mem=600M -n 2", "-n 2\n--mem-per-cpu=1G", flags="--memory=1G"),
    Case("--mem-per-gpu=600M --gpus=1", "--gpus=1\n--mem-per-cpu=1G", flags="--memory=1G"),
    Case("--gpus-per-node=2\n-t 9", "-t 9\n--gres=gpu:1", flags="--gpus=1"),
    Case("--gpus=2", "--gres=gpu:1", flags="--gpus=1"),
    Case("--gres=gpu:2", "--gres=gpu:1", flags="--gpus=1"),
    Case("--cpus-per-gpu=2 --gpus=1", "--gpus=1\n-c 3", flags="--cores=3"),
    Case("-n 4", "-n 4\n-c 3", flags="--cores=3"),
    Case("-t 5", "-t 2", flags="--time=120"),
    Case("--mem=600M", "--mem-per-cpu=1G\n-c 2", resources=f"{MEMORY}, {CORES}", flags="--memory=1G"),
    Case("", "--mem=900M", resources=MEMORY, flags="--option=--mem=900M"),
    Case("", "--gpus=2", resources=GPUS, flags="--option=-G2"),
]  # fmt: skip
GRIDENGINE = [
    Case("", "-l h_rt=1:0:0,rmem=500M,gpu=1\n-pe smp 2", resources=ALL),
    Case("-l rmem=600M", "-l rmem=600M,gpu=1", resources=f"{MEMORY}, {GPUS}"),
    Case("-l h_vmem=600M", "-l h_vmem=600M,gpu=1", resources=f"{MEMORY}, {GPUS}"),
    Case("-l mf=600M,h_rt=9", "-l mf=600M,h_rt=9", resources=f"{MEMORY}, {TIME}"),
    Case("-l gpu=2 -l h_rt=9", "-l gpu=2,h_rt=9", resources=f"{GPUS}, {TIME}"),
    Case("-soft -l mf=2M", "-soft -l mf=2M", resources=MEMORY),
    Case("-soft -l mf=1M -hard -l h_rt=5", "-soft -l mf=1M\n-hard -l h_rt=5", resources=MEMORY),
    Case("-pe mpi 4", "-pe mpi 4", resources=CORES),
    Case("-l rmem=1G", "-l rmem=1G,h_rt=77", options="-l h_vmem=2G -l h_rt=77"),
    Case("-l rmem=1G", "-l rmem=1G,h_rt=77", options="'-l h_vmem=2G,h_rt=77'"),
    Case("", "-l h_vmem=2G,h_rt=77", options="'-l h_vmem=2G,h_rt=77'"),
    Case("-l rmem=600M", "-l rmem=1G", flags="--memory=1G"),
    Case("-l h_vmem=600M", "-l h_vmem=600M,rmem=1G", resources="memory: 500M", flags="--memory=1G"),
    Case("", "-l h_vmem=1G", resources=MEMORY, flags="--option='-l h_vmem=1G'"),
    Case("-q all.q", "-q all.q\n-l h_rt=3", flags="--time=3"),
]


def by_hand(name: str, cases: list[Case]) -> list[str]:
    sign, submit = ("#SBATCH", "sbatch -H --parsable") if name == HPC else ("#$", "qsub -h -terse")
    program = "mkdir -p by-hand && cd by-hand\n" + ("" if name == HPC else "echo -cwd >.sge_request\n")
    for case in cases:
        lines = "".join(f"{sign} {line}\n" for line in case.hand.splitlines())
        program += f"cat >script <<'EOS'\n#!/bin/sh\n{lines}echo\nEOS\n{submit} script\n"
    return ssh(name, "sh", script=program).split()


def by_us(name: str, host: str, cases: list[Case], home: Path) -> list[str]:
    """Each case is a cluster of its own, all with one login node."""
    settings = {
        "host": host, "ssh_config": str(register.ssh_config()), "scheduler": "slurm" if name == HPC else "gridengine",
        **({"names": {"memory": "rmem"}} if name == GE else {}),
    }  # fmt: skip
    clusters = {
        f"c{number}": {
            **settings,
            "resources": yaml.safe_load(f"{{{case.resources}}}"),
            "options": yaml.safe_load(f"[{case.options}]"),
        }
        for number, case in enumerate(cases)
    }
    person = move_in(home, yaml.safe_dump({"clusters": clusters}))
    sign = "#SBATCH" if name == HPC else "#$"

    def one(number: int) -> str:
        lines = "".join(f"{sign} {line}\n" for line in cases[number].script.splitlines())
        script = person.script(f"script{number}", f"#!/bin/sh\n{lines}echo\n")
        words = ["--hold", "--json", *shlex.split(cases[number].flags)]
        done = person.fab("-H", f"c{number}", "submit", f"--script={script}", *words)
        assert done.returncode == 0, (cases[number], done.stderr)
        return str(json_lines(done.stdout)[0]["job_id"])

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(one, range(len(cases))))


_OWN = (
    "JobId JobName Command WorkDir StdOut StdErr SubmitTime EligibleTime AccrueTime LastSchedEval Priority StartTime "
    "EndTime AllocNode:Sid"
)


def shown(name: str, job_ids: list[str]) -> list[dict[str, str]]:
    """What each job asks for."""
    said = ssh(name, "sh", script="".join(f"scontrol -o show job {job_id}\n" for job_id in job_ids)).splitlines()
    facts = [dict(re.findall(r"(\S+?)=(.*?)(?= \S+?=|$)", line)) for line in said]
    return [{fact: value for fact, value in each.items() if fact not in _OWN.split()} for each in facts]


def test_d4_on_slurm_the_script_beats_the_defaults_and_flags_the_script(slurm: SlurmCluster, tmp_path: Path) -> None:
    hand, ours = by_hand(HPC, SLURM), by_us(HPC, HPC, SLURM, tmp_path / "home")
    pairs = zip(SLURM, shown(HPC, hand), shown(HPC, ours), strict=True)
    wrong = [(case, set(our.items()) ^ set(typed.items())) for case, typed, our in pairs if our != typed]
    ssh(HPC, 'scancel -u "$(id -un)"')
    assert not wrong, "\n".join(map(str, wrong))


def test_d4_on_grid_engine_the_script_beats_the_defaults_and_flags_the_script(
    cells: dict[str, Cell], tmp_path: Path
) -> None:
    hand, ours = by_hand(GE, GRIDENGINE), by_us(GE, GE, GRIDENGINE, tmp_path / "home")
    facts = facts_of(cells[GE], [*hand, *ours])

    def asked(job_id: str) -> dict[str, object]:
        asked = {name: sorted(text.split(",")) for name, text in facts[job_id].items() if "resource_list" in name}
        return {**asked, "parallel environment": facts[job_id].get("parallel environment")}

    wrong = [
        (case, asked(typed), asked(our))
        for case, typed, our in zip(GRIDENGINE, hand, ours, strict=True)
        if asked(our) != asked(typed)
    ]
    ssh(GE, 'qdel -u "$(id -un)"')
    assert not wrong, "\n".join(map(str, wrong))


ENVIRONMENTS = [
    ("SBATCH_MEM_PER_NODE=600M", "", "--mem=600M"),
    ("SBATCH_MEM_PER_CPU=600M", "--mem=700M", "--mem=700M"),
    ("SBATCH_GPUS=2", "", "--gpus=2"),
    ("SBATCH_TIMELIMIT=7", "", "-t 7"),
    ("SBATCH_GPUS_PER_NODE=1", "-t 3", "--gpus-per-node=1\n-t 3"),
]


def test_d4_what_the_environment_says_to_sbatch_beats_the_defaults_and_not_the_flags(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    """A profile that exports SBATCH_...: for sbatch that is more than a script's line, or less where they exclude."""
    kept = {"MEM": "memory", "GPU": "gpus", "TIM": "time"}
    cases = [
        Case(script, "\n".join([*(text for name, text in TYPED.items() if name != kept[variable[7:10]]), hand]))
        for variable, script, hand in ENVIRONMENTS
    ]
    cases = [
        Case(each.script, each.hand.replace("-t 60\n", "") if "-t 3" in each.hand else each.hand) for each in cases
    ]
    hand = by_hand(HPC, cases)
    ours = []
    more = f"    scheduler: slurm\n    resources: {{{ALL}}}\n"
    node = tmp_path / "node"
    node.mkdir()
    with login_node(slurm, node, "exporting", {".bash_profile": f'. "{node}/exports"\n'}, more=more) as (person, _):
        for number, (variable, script, _) in enumerate(ENVIRONMENTS):
            (node / "exports").write_text(f"export {variable}\n")
            lines = f"#SBATCH {script}\n" if script else ""
            name = person.script(f"x{number}", f"#!/bin/sh\n{lines}echo\n")
            done = person.fab("-H", "hpc", "submit", f"--script={name}", "--hold", "--json")
            assert done.returncode == 0, done.stderr
            ours.append(str(json_lines(done.stdout)[0]["job_id"]))
        pairs = zip(ENVIRONMENTS, shown(HPC, hand), shown(HPC, ours), strict=True)
        wrong = [(case, set(our.items()) ^ set(typed.items())) for case, typed, our in pairs if our != typed]
    ssh(HPC, 'scancel -u "$(id -un)"')
    assert not wrong, "\n".join(map(str, wrong))


# --- what a job is called, and its logs


NAMES = ["exp/run1", "/abs/name", "../up", "%j %x%%", ".dot", "ü" * 60, "n" * 250, "a b'q'", "/" * 40]


def test_b3_whatever_a_job_is_called_its_logs_have_a_place(slurm: SlurmCluster, commuter: Person) -> None:
    """By hand each of these runs, since slurm-ID.out has no name in it."""
    jobs = {}
    for number, name in enumerate(NAMES):
        directive = number % 2
        line = f"#SBATCH --job-name={shlex.quote(name)}\n" if directive else ""
        script = commuter.script(f"x{number}", f"#!/bin/sh\n{line}echo out\necho err >&2\n")
        flags = [] if directive else [f"--name={name}"] if number % 4 else [f"--option=-J {shlex.quote(name)}"]
        jobs[commuter.submit(script, *flags, cluster=HPC)] = name
    assert commuter.fab("-H", HPC, "wait", *(f"--job={job}" for job in jobs)).returncode == 0
    for job_id, name in jobs.items():
        said = ssh(HPC, f"scontrol -o show job {job_id}")
        assert f"JobName={name}" in said
        log = Path(re.findall(r" StdOut=(.*?)(?= \S+=|$)", said.strip())[0])
        ordinary = "/" not in name and len(name.encode()) <= 200
        assert commuter.fab("-H", HPC, "logs", f"--job={job_id}").stdout == "out\n"
        assert commuter.fab("-H", HPC, "logs", f"--job={job_id}", "--stderr").stdout == "err\n"
        assert (log.parent / f"{name}.o{job_id}").exists() is ordinary if len(name) < 200 else True
        assert log.parent.name != ".submithost"


@pytest.mark.parametrize("name", ["a/b", "n" * 260, "ordinary"])
def test_b3_d10_a_name_that_is_exported_is_one_of_these_too(slurm: SlurmCluster, tmp_path: Path, name: str) -> None:
    with login_node(slurm, tmp_path, "named", {".bash_profile": f"export SBATCH_JOB_NAME={name}\n"}) as (person, _):
        done = person.fab("-H", "hpc", "submit", "--script=x", "--wait", "--fetch=out")
        assert done.returncode == 0, done.stderr
        (log,) = (person.work / "out").glob("*.o*")
        assert log.read_text() == "out\n"
        assert log.name.startswith({"a/b": "a_b.o", "ordinary": "ordinary.o"}.get(name, "n" * 200 + ".o"))
