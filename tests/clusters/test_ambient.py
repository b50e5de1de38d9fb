"""What the user or the site has set as defaults for the schedulers' own commands changes no answer."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.hostile import login_node
from tests.conftest import Person

# Each ambient default is a line; those of one cluster are set all at once, since none may count.
OF_ANY = """
export LC_ALL=xx_XX.UTF-8 LANG=tr_TR LANGUAGE=de TZ=Asia/Tokyo COLUMNS=20 POSIXLY_CORRECT=1
export GREP_OPTIONS=-v TAR_OPTIONS=--exclude=* TMPDIR=/no/where BLOCK_SIZE=1M QUOTING_STYLE=c
"""
OF_SLURM = """
export SQUEUE_STATES=RUNNING SQUEUE_USERS=nobody SQUEUE_PARTITION=short SQUEUE_FORMAT=%i SQUEUE_NAMES=none SQUEUE_SORT=j
export SACCT_FORMAT=jobid SINFO_FORMAT=%P SINFO_PARTITION=short SCONTROL_ALL=1
export SLURM_TIME_FORMAT=relative SLURM_BITSTR_LEN=3
export SCANCEL_STATE=RUNNING SCANCEL_INTERACTIVE=true SCANCEL_NAME=none SCANCEL_USER=nobody SLURM_DEBUG_FLAGS=Backfill
"""
OF_GRID_ENGINE = """
export SGE_SINGLE_LINE=0 SGE_LONG_QNAMES=40 SGE_LONG_JOB_NAMES=3 SGE_DEBUG_LEVEL='2 0 0 0 0 0 0 0' SGE_ENABLE_MSG_ID=1
"""
# What sge_qstat(5) may say in the cell.
FILES = ("-s r", "-q nosuch.q", "-u nobody", "-s z -ext -f")


def said(person: Person, *words: str) -> subprocess.CompletedProcess[str]:
    done = person.fab("-H", "hpc", *words)
    assert done.returncode == 0, (done.stdout, done.stderr)
    return done


def lives(person: Person) -> None:
    """A held job, and one that has ended, are told as they are; a held one can be released, held and cancelled."""
    person.script("long", "#!/bin/sh\nsleep 600\n")
    said(person, "submit", "--script=x", "--key=ended", "wait", "--timeout=100")
    said(person, "submit", "--script=long", "--hold", "--key=ambient-held")
    assert "\theld\t" in said(person, "status", "--job=ambient-held").stdout
    assert "\tsucceeded\t" in said(person, "status", "--job=ended").stdout
    said(person, "queues")
    said(person, "clean", "--dry-run")
    said(person, "release", "--job=ambient-held")
    assert "\theld\t" not in said(person, "status", "--job=ambient-held").stdout
    said(person, "cancel", "--job=ambient-held", "wait", "--job=ended")
    assert person.fab("-H", "hpc", "wait", "--job=ambient-held", "--timeout=100").returncode == 3
    assert "\tcancelled\t" in said(person, "status", "--job=ambient-held").stdout


@pytest.mark.parametrize("ended", ["", "--bare"])
def test_d1_d10_no_variable_of_the_login_environment_changes_an_answer_of_slurm(
    slurm: SlurmCluster, tmp_path: Path, ended: str
) -> None:
    with login_node(slurm, tmp_path, "ambient-slurm", {".bash_profile": OF_ANY + OF_SLURM}) as (person, _):
        if not ended:
            lives(person)
        else:  # the scheduler alone tells of it, with times
            said(person, "submit", "--script=x", ended, "wait", "--timeout=100")


def test_d1_d10_nothing_of_the_login_environment_or_the_cell_changes_an_answer_of_grid_engine(
    cells: dict[str, Cell], tmp_path: Path
) -> None:
    cell = cells["sandbox2"]
    defaults = cell.common / "sge_qstat"
    with login_node(cell, tmp_path, "ambient-cell", {".bash_profile": OF_ANY + OF_GRID_ENGINE}) as (person, _):
        try:
            defaults.write_text("\n".join(FILES) + "\n")
            lives(person)
            defaults.write_text("-l arch=none\n")  # with this qstat cannot be made to tell of all
            said(person, "submit", "--script=x", "--hold")
            told = person.fab("-H", "hpc", "status", "--job=last")
            assert "vanished" not in told.stdout
            assert "-l arch=none" in told.stderr
        finally:
            defaults.unlink()
        said(person, "cancel", "--job=last")


@pytest.mark.parametrize("kind", ["gridengine", "slurm"])
def test_d10_a_submit_command_that_is_not_there_is_told_at_once_and_the_same_can_be_tried_again(
    cells: dict[str, Cell], slurm: SlurmCluster, tmp_path: Path, kind: str
) -> None:
    cluster: PrivateCluster = slurm if kind == "slurm" else cells["sandbox"]
    setup = f"    scheduler: {kind}\n"
    with login_node(cluster, tmp_path, f"bare-{kind}", {".bash_profile": "PATH=/no/where\n"}, more=setup) as (
        person,
        _,
    ):
        for _ in range(2):
            done = person.fab("-H", "hpc", "submit", "--script=x", "--key=again")
            assert done.returncode == 5
            assert "not found in the login environment" in done.stderr
            assert "setup" in done.stderr
        config = person.home / ".fabric.yml"
        config.write_text(config.read_text() + "    setup: ['PATH=/usr/bin:/bin']\n")
        said(person, "submit", "--script=x", "--key=again", "wait", "--timeout=100")


def test_d10_rc_files_that_leave_a_bare_path_take_nothing_away(cells: dict[str, Cell], tmp_path: Path) -> None:
    rc_files = {".bashrc": "export PATH=/no/where\n"}
    with login_node(cells["sandbox"], tmp_path, "bare-path", rc_files) as (person, _):
        said(person, "submit", "--script=x", "wait", "--timeout=100")
