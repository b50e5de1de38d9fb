"""What a job gets of the login environment: the same as by hand, whatever the login shell, and whatever /bin/sh is."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.login_node import Program
from tasks.model.cluster import Cluster
from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tasks.testbed.sshd import Door
from tasks.tracking.cluster_session import ClusterSession
from tests.clusters.bench import until
from tests.clusters.hostile import login_node
from tests.conftest import Person, program

# What differs from one job to the next, or with the way in.
OF_EACH = (
    "SLURM_JOB_ID|SLURM_JOBID|SLURM_ARRAY_JOB_ID|SLURM_SUBMIT_DIR|SLURM_TASK_PID|SLURM_JOB_(START|END)_TIME|PWD|OLDPWD"
    "|JOB_ID|SGE_O_WORKDIR|SGE_CWD_PATH|SGE_STD(OUT|ERR|IN)_PATH|SGE_JOB_SPOOL_DIR|JOB_SCRIPT|TMPDIR|TMP|REQUEST|SLURM_OPEN_MODE|SSH_[A-Z]*|_"
)
BODY = rf"""#!/bin/bash
{{
    umask
    for limit in c d f l m n s t u v; do echo "$limit $(ulimit -S -$limit)"; done
    declare -Fx
    module load gcc 2>/dev/null || echo no module
    env -0 | sort -z | tr '\0\n' '\n ' | grep -a -v -E '^({OF_EACH})='
}} >"$2/new.$1" 2>&1
mv "$2/new.$1" "$2/said.$1"
"""
# Names that programs of ours use as well, values of several lines, and functions, some of them called as commands are
# (but none that the scheduler's own wrapper calls).
SH = r"""
export root=mine key=mine job=mine nonce=mine mark=mine submit=mine level=mine mine=
export LINES_OF='one
export two=2
' QUOTED="it's" IFS=: CDPATH=/tmp
umask 0027; ulimit -S -s 16384; ulimit -S -n 555; ulimit -S -c 0
"""
BASH = rf"""{SH}
module() {{ echo "module $*: 'quoted'"; }}
head() {{ echo 'a head of my own'; }}; rm() {{ echo "rm: $*?"; }}; mkdir() {{ :; }}; has-x() {{ :; }}; has() {{ :; }}
export -f module head rm mkdir has-x has
unset IFS
"""
CSH = r"""
setenv root mine; setenv QUOTED "it's"; setenv key mine
umask 027; limit stacksize 16384; limit descriptors 555
echo noise
"""
RC_FILES = {
    "bash": {".bash_profile": BASH},
    "zsh": {".zprofile": SH},
    "tcsh": {".login": CSH},
    "bash with shell options": {".bash_profile": f"{BASH}\nexport SHELLOPTS BASHOPTS UID\n"},
}


def by_hand(door: Door, line: str) -> None:
    """What somebody types who has logged in: at a login shell, which reads it from here."""
    done = subprocess.run(
        ["ssh", "-T", "-F", str(door.ssh_config), door.name],
        input=f"/bin/mkdir -p by-hand && cd by-hand && {line}\n", text=True, capture_output=True, timeout=60,
    )  # fmt: skip
    assert "submitted" in done.stdout.lower(), done


def said(home: Path, whose: str) -> list[str]:
    """What the job wrote down."""
    path = home / f"said.{whose}"
    until(path.exists, 40)
    return path.read_text().splitlines()


def compare(person: Person, door: Door, home: Path, submit: str, *flags: str) -> list[str]:
    """Submit the same by hand and from here; what the bodies have seen is equal, and is returned."""
    (home / "x").write_text(BODY)
    person.script("x", BODY)
    by_hand(door, f"{submit} ../x hand {home}")
    done = person.fab("-H", "hpc", "submit", "--script=x", "--arg=ours", f"--arg={home}", *flags)
    assert done.returncode == 0, done.stderr
    seen = said(home, "ours")
    assert seen == said(home, "hand")
    for path in home.glob("said.*"):
        path.unlink()
    return seen


@pytest.mark.parametrize(
    ("login", "sh"),
    [("bash", ""), ("zsh", ""), ("tcsh", "/bin/bash"), ("bash with shell options", "/bin/bash")],
)
def test_a1_d7_d10_a_job_of_slurm_sees_what_it_sees_by_hand(
    slurm: SlurmCluster, tmp_path: Path, login: str, sh: str
) -> None:
    node = replace(slurm, sh=sh)
    with login_node(node, tmp_path, f"as-{login.split()[0]}", RC_FILES[login], shell=login.split()[0]) as (
        person,
        door,
    ):
        for submit, *flags in (
            ("sbatch",),
            ("sbatch --array=3", "--array=3", "--bare"),
        ):
            seen = compare(person, door, tmp_path / "home", submit, *flags)
            assert ("0027" in seen, "s 16384" in seen, "n 555" in seen) == (True, True, True)
            assert ("module load gcc: 'quoted'" in seen) is login.startswith("bash")


# By hand, Debian's wrapper does not work with all shell options where /bin/sh is bash.
@pytest.mark.parametrize(
    ("login", "sh"), [("bash", ""), ("bash", "/bin/bash"), ("tcsh", "/bin/bash"), ("bash with shell options", "")]
)
def test_a1_d7_g44_a_job_of_grid_engine_sees_what_it_sees_by_hand(
    cells: dict[str, Cell], tmp_path: Path, login: str, sh: str
) -> None:
    node = replace(cells["sandbox"], sh=sh)
    with login_node(node, tmp_path, f"as-{login.split()[0]}", RC_FILES[login], shell=login.split()[0]) as (
        person,
        door,
    ):
        for submit, *flags in (
            ("qsub -cwd -V", "--option=-V"),
            ("qsub -cwd -t 3 -V", "--array=3", "--option=-V", "--bare"),
        ):
            compare(person, door, tmp_path / "home", f"{submit} -S /bin/bash", "--option=-S /bin/bash", *flags)


def test_g44_debians_wrapper_is_passed_by_and_no_other(
    cells: dict[str, Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    wrapped = tmp_path / "wrapped"
    text = f'#!/bin/sh\necho "$0" >>{wrapped}\nexec /usr/bin/${{0##*/}} "$@"\n'
    own = program(tmp_path / "bin" / "qstat", text).parent
    rc_files = {".bash_profile": f"PATH={own}:$PATH\n"}
    with login_node(cells["sandbox"], tmp_path, "wrappers", rc_files) as (_, door):
        session = ClusterSession(Cluster("hpc", host=door.name, ssh_config=door.ssh_config))
        try:
            for command in ("qsub", "qstat", "qdel"):
                session.ask(Program(("ask",), {"command": f"{command} -help"}))
            found = "grep -o '/usr/lib/gridengine/q[a-z]*' | sort -u"
            asked = f'has qsub; has qstat; printf %s "$login_environment" | {found}'
            said = session.ask(Program(("ask",), {"command": asked})).text("answer")
        finally:
            session.close()
    programs = [f"/usr/lib/gridengine/{name}" for name in ("qacct", "qalter", "qconf", "qdel", "qhold", "qrls", "qsub")]
    assert said.split("\n") == ["/usr/bin/qsub", f"{own}/qstat", *programs]
    assert wrapped.read_text() == f"{own}/qstat\n"
