"""What a body submits is a job of its own, asked for as by hand: with nothing of the submission that it came from."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tests.clusters import twins
from tests.clusters.bench import lose_the_answer, until
from tests.clusters.pairs import facts_of
from tests.conftest import Person, configured, json_lines, move_in

OUTER = """#!/bin/bash
#$ -S /bin/bash
printf '#!/bin/sh\\nls\\n' >inner.sh
qsub -terse -h inner.sh >inner.new && mv inner.new inner
"""
OWN_FACTS = ("job_number", "exec_file", "submission_time", "sge_o_path")


def test_a4_a_qsub_of_the_bodys_has_nothing_of_the_clusters_defaults(cells: dict[str, Cell], tmp_path: Path) -> None:
    cell = cells["sandbox"]
    lines = '\n    options: [-P gpu, "-M us@b"]\n    resources: {time: "1:00:00", memory: 1G, queue: all.q}'
    person = move_in(tmp_path / "home", configured(cells).replace("  sandbox:", f"  sandbox:{lines}", 1))
    ((_, *pair),) = twins.both(person, cell, {"outer": OUTER}, "-P", "gpu", "-l", "h_rt=3600,rmem=1G")
    bare = twins.ours(person, cell, {"outer_bare": OUTER}, "--bare")["outer_bare"]
    runs = [*pair, bare]
    until(lambda: all(run.has("inner") for run in runs))
    ids = [(run.directory / "inner").read_text().strip() for run in runs]
    asked = facts_of(cell, ids)
    cell.must("qdel", *ids)
    hand, *ours = (
        {
            fact: text.replace(str(run.directory), "DIRECTORY")
            for fact, text in asked[job].items()
            if fact not in OWN_FACTS
        }
        for job, run in zip(ids, runs, strict=True)
    )
    assert ours == [hand, hand]
    assert "hard resource_list" not in hand
    assert not any(run.has(".sge_request") for run in runs)


def test_a4_the_body_has_slurms_variables_as_by_hand(commuter: Person, slurm: SlurmCluster) -> None:
    see = "env | grep -E '^(SLURM|SBATCH)' | grep -vE 'TASK_PID|_JOB_?ID' | sort\n"
    twice = "for n in 1 2; do srun -n1 --output=r.txt hostname; done; wc -l <r.txt\n"
    scripts = {
        "plain": f"#!/bin/bash\n{see}{twice}",
        "said": f"#!/bin/bash\n#SBATCH --open-mode=append\n{see}{twice}",
        "truncated": f"#!/bin/bash\n#SBATCH --open-mode=truncate\n{see}",
        "tasks": f"#!/bin/bash\n#SBATCH -n 2 -c 1 --mem=100M\n{see}",
    }
    found = twins.both(commuter, slurm, scripts)
    twins.until_gone(slurm, [run for _, *pair in found for run in pair])
    for name, hand, ours in found:
        assert ours.text() == hand.text(), name
        assert "SLURM_SUBMIT_DIR=DIRECTORY\n" in ours.text()


# How a body may name itself. Three turns are to be made, each by the one before.
AGAIN = "echo $$ >>turns\n[ $(wc -l <turns) -ge 3 ] || {}\n"
COMMAND = "$(scontrol -o show job $SLURM_JOB_ID | sed 's/.* Command=\\([^ ]*\\).*/\\1/')"
SLURM_AGAIN = {
    "by_command": AGAIN.format(f'sbatch "{COMMAND}"'),
    "by_command_held": AGAIN.format(f'scontrol release $(sbatch --parsable --hold "{COMMAND}")'),
    "by_zero": AGAIN.format('sbatch "$0"'),
    "without_environment": AGAIN.format(f'sbatch --export=NONE "{COMMAND}"'),
    "after_itself": AGAIN.format(f'sbatch --dependency=afterany:$SLURM_JOB_ID "{COMMAND}"'),
    "array": "echo $$ >>turns\n"
    f'[ "$SLURM_ARRAY_TASK_ID" != 1 ] || [ $(wc -l <turns) -ge 5 ] || sbatch --array=1 "{COMMAND}"\n',
}
SCRIPT_FILE = "$(qstat -j $JOB_ID | sed -n 's/^script_file: *//p')"
GRID_AGAIN = {
    "by_job_script": AGAIN.format('qsub "$JOB_SCRIPT"'),
    "by_zero": AGAIN.format('qsub "$0"'),
    "by_script_file": AGAIN.format(f'qsub "{SCRIPT_FILE}"'),
}


@pytest.mark.parametrize("kind", ["gridengine", "slurm"])
def test_a5_a_body_that_submits_itself_again_makes_a_job_that_does_its_work(
    kind: str, commuter: Person, cells: dict[str, Cell], slurm: SlurmCluster
) -> None:
    cluster: PrivateCluster = slurm if kind == "slurm" else cells["sandbox"]
    bodies = SLURM_AGAIN if kind == "slurm" else GRID_AGAIN
    head = {"array": "#SBATCH --array=1-2\n"}
    first = "#!/bin/bash\n#$ -S /bin/bash -cwd -N again\n"
    scripts = {f"again_{name}": f"{first}{head.get(name, '')}{body}" for name, body in bodies.items()}
    found = twins.both(commuter, cluster, scripts)
    until(lambda: not twins.alive(cluster))
    jobs = {job["job_id"]: job for job in commuter.jobs("--all", cluster=cluster.name)}
    for name, hand, ours in found:
        made = [len((run.directory / "turns").read_text().splitlines()) for run in (hand, ours)]
        assert made[0] == made[1] >= 3, name
        assert jobs[ours.job_id]["state"] == "succeeded", name
        said = "".join(log.read_text() for log in ours.directory.glob("*.[eo]*"))
        assert "already does this work" not in said
        starts = (ours.directory / ".submithost" / "notes").rglob("*.start")
        assert {note.read_text().split()[2] for note in starts} == {ours.job_id}


def test_a5_the_mark_of_a_key_is_that_of_its_own_job(commuter: Person, slurm: SlurmCluster) -> None:
    """A job that the body made carries the same path, and is not taken for the job of the key."""
    text = f'#!/bin/bash\n[ -e child ] || sbatch --parsable --hold "{COMMAND}" >child\n'
    run = twins.ours(commuter, slurm, {"parent": text}, "--key=parent")["parent"]
    until(lambda: run.job_id not in twins.alive(slurm))
    child = (run.directory / "child").read_text().strip()
    (commuter.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    lose_the_answer(run.directory / ".submithost")
    again = commuter.fab("-H", slurm.name, "submit", "--script=parent.sh", "--key=parent", "--json")
    slurm.must("scancel", child)
    assert again.returncode == 0, again.stderr
    (job,) = json_lines(again.stdout[again.stdout.index("{") :])
    assert job["job_id"] == run.job_id
