"""Where a job runs and where its logs go: by hand a directory for logs that is missing fails the job, and nothing says
so before. What --put lays beside a job comes as `scp -rp` brings it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import ssh, until
from tests.conftest import Person

GE, HPC = "sandbox", "sandbox-slurm"
TEXT = "#!/bin/sh\n#$ -S /bin/sh {ge}\n#SBATCH {hpc}\npwd\n"
# Options of each scheduler for logs below the job directory; and where the log is then.
MADE = [
    ("-o logs/", "-o logs/out.%j", "logs"),
    ("-o a/b/ -e a/e/ ", "--output=a/b/%j --error=a/e/%j", "a/b"),
    ("-j y -o $JOB_NAME/o.$TASK_ID", "-o it/%x.%j", ""),
    ("-o :logs/$JOB_NAME.$JOB_ID", '--output="logs/%x \\%j"', "logs"),
]
TOLD = [
    ("-o /nosuch/dir/", "--output=/nosuch/dir/%j", "the job's log goes into /nosuch/dir, which is no directory"),
    ("-e logs/$JOB_ID/", "-e logs/%j/e", "which has to be there when it starts"),
    ("-o ../outside/", "-o ../outside/x", "outside, which is no directory"),
    ("-wd /nosuch", "-D /nosuch", "the job is to run in /nosuch, which is no directory"),
]


@pytest.fixture(params=[GE, HPC])
def name(request: pytest.FixtureRequest, cells: dict[str, Cell], slurm: SlurmCluster) -> str:
    assert cells
    return str(request.param)


def test_b4_a_missing_directory_for_logs_is_made_in_the_job_directory(name: str, commuter: Person) -> None:
    jobs = {}
    for number, (ge, hpc, where) in enumerate(MADE):
        script = commuter.script(f"made{number}", TEXT.format(ge=ge, hpc=hpc))
        words = ["--bare"] if number == 1 else ["--option=-r n"] if name == GE else []
        done = commuter.fab("-H", name, "submit", f"--script={script}", *words)
        assert (done.returncode, done.stderr) == (0, ""), done
        jobs[commuter.jobs("--job=last", cluster=name)[0]["job_id"]] = where
    assert commuter.fab("-H", name, "wait", *(f"--job={job}" for job in jobs), "--timeout=60").returncode == 0
    for job_id, where in jobs.items():
        (job,) = commuter.jobs(f"--job={job_id}", cluster=name)
        logs = [path for path in (Path(job["directory"]) / where).iterdir() if path.is_file()]
        assert any(path.read_text() == f"{job['directory']}\n" for path in logs) or not where


def test_b4_one_that_is_missing_elsewhere_is_told_at_submit(name: str, commuter: Person) -> None:
    for number, (ge, hpc, said) in enumerate(TOLD):
        script = commuter.script(f"told{number}", TEXT.format(ge=ge, hpc=hpc))
        words = ["--bare"] if number == 1 else []
        done = commuter.fab("-H", name, "submit", f"--script={script}", "--hold", *words)
        assert done.returncode == 0, done
        assert said in done.stderr, (number, done.stderr)
        assert len(done.stderr.splitlines()) == 1
    flag = "-o /nosuch/x/" if name == GE else "--output=/nosuch/x/%j"
    plain = commuter.script("plain", TEXT.format(ge="", hpc=""))
    done = commuter.fab("-H", name, "submit", f"--script={plain}", "--hold", f"--option={flag}")
    assert "goes into /nosuch/x, which" in done.stderr
    commuter.fab("-H", name, "cancel", "--all")


@pytest.mark.parametrize("workdir", ["~/proj dir", "proj dir", "~", "{home}/proj dir", "~{user}"])
def test_b4_a_workdir_begins_at_home_as_after_ssh(name: str, commuter: Person, workdir: str) -> None:
    home = Path(ssh(name, "echo ~").strip())
    user = ssh(name, "id -un").strip()
    (home / "proj dir").mkdir(exist_ok=True)
    script = commuter.script("where", TEXT.format(ge="", hpc="") + "pwd >here.$$\n")
    given = workdir.format(home=home, user=user)
    done = commuter.fab(
        "-H", name, "submit", f"--script={script}", f"--workdir={given}", "--wait", "--timeout=60", "logs"
    )
    assert (done.returncode, "no directory" in done.stderr) == (0, False), done
    by_hand = ssh(name, f"cd {given.replace(' ', chr(92) + ' ')} && pwd -P").strip()
    assert os.path.realpath(done.stdout.splitlines()[-1]) == by_hand


def test_b4_d10_what_is_put_beside_a_job_is_as_scp_brings_it(name: str, commuter: Person) -> None:
    """Times, which make and rsync rely on; empty directories; links that stay inside; what is left out is named."""
    tree = commuter.work / "tree"
    (tree / "logs").mkdir(parents=True)
    (tree / "deep" / "er").mkdir(parents=True)
    (tree / "old").write_text("old")
    (tree / "deep" / "program").write_text("#!/bin/sh\n")
    (tree / "deep" / "program").chmod(0o755)
    os.utime(tree / "old", ns=(10**18, 10**18 + 123_456_789))
    os.utime(tree / "deep" / "program", (1_000_000_000, 1_000_000_000))
    (tree / "link").symlink_to("deep")
    (tree / "outside").symlink_to("/usr/share")
    (commuter.work / "logs").mkdir()
    script = commuter.script(
        "lists", TEXT.format(ge="", hpc="") + "exec >listed; find tree logs -printf '%y %p %l %Ts\\n'\n"
    )
    words = [f"--script={script}", "--put=tree", "--put=logs", "--wait", "--timeout=60"]
    done = commuter.fab("-H", name, "submit", *words)
    assert done.returncode == 0, done.stderr
    assert "outside is a link to a directory elsewhere: left out" in done.stderr
    (job,) = commuter.jobs(cluster=name)
    there = Path(job["directory"])
    assert sorted(path.relative_to(there / "tree") for path in (there / "tree").rglob("*")) == sorted(
        path.relative_to(tree) for path in tree.rglob("*") if path.name != "outside"
    )
    for file in ("old", "deep/program"):
        ours, theirs = (there / "tree" / file).stat(), (tree / file).stat()
        assert (ours.st_mtime_ns, ours.st_mode) == (theirs.st_mtime_ns, theirs.st_mode)
    assert (there / "tree" / "link").readlink() == Path("deep")
    assert list((there / "logs").iterdir()) == []
    assert commuter.fab("-H", name, "fetch", "--to=out").returncode == 0
    assert "old" not in {path.name for path in (commuter.work / "out").rglob("*")}  # it is none of the results
    again = commuter.fab("-H", name, "resubmit", "--json")
    assert again.returncode == 0, again.stderr
    (second,) = commuter.jobs("--job=last", cluster=name)
    until(lambda: (Path(second["directory"]) / "listed").exists())
    assert (Path(second["directory"]) / "tree" / "link").is_symlink()
    assert (Path(second["directory"]) / "logs").is_dir()
    assert (Path(second["directory"]) / "tree" / "old").stat().st_mtime_ns == 10**18 + 123_456_789


def test_d10_a_byte_order_mark_is_refused_before_anything_is_sent(name: str, commuter: Person) -> None:
    """sbatch refuses it in other words; qsub takes it, and the first line is an error of the queue's shell."""
    for mark in ("\ufeff#!/bin/sh\necho\n", "\ufeff#$ -N x\n#SBATCH -J x\necho\n"):
        done = commuter.fab("-H", name, "submit", f"--script={commuter.script('marked', mark)}")
        assert (done.returncode, done.stdout) == (2, "")
        assert "byte order mark" in done.stderr


def test_d10_a_sites_default_that_scripts_are_programs_is_none_for_ours(cells: dict[str, Cell], person: Person) -> None:
    """By hand `-b n` is what one has to type there."""
    defaults = cells[GE].home / ".sge_request"
    defaults.write_text("-b y\n")
    try:
        script = person.script("programs", "#!/bin/sh\n#$ -S /bin/sh -N named\necho read\n")
        done = person.fab("-H", GE, "submit", f"--script={script}", "--wait", "--timeout=60", "logs")
        assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "read"), done
        assert '("named")' in done.stdout
    finally:
        defaults.unlink()


def test_b5_times_that_sbatch_reads_otherwise_are_told_with_flags_and_configured_ones(
    slurm: SlurmCluster, commuter: Person
) -> None:
    script = commuter.script("timed", "#!/bin/sh\n")
    for given, minutes, told in (("60", "00:01:00", True), ("1:00", "01:00:00", True), ("1h30m", "01:30:00", False)):
        done = commuter.fab("-H", HPC, "submit", f"--script={script}", f"--time={given}", "--hold")
        assert done.returncode == 0, done.stderr
        assert ("sbatch itself would read" in done.stderr) is told
        (job,) = commuter.jobs("--job=last", cluster=HPC)
        assert f"TimeLimit={minutes}" in ssh(HPC, f"scontrol show job {job['job_id']}")
    (commuter.work / "fabric.yml").write_text(f"clusters:\n  {HPC}:\n    resources: {{time: '5'}}\n")
    done = commuter.fab("-H", HPC, "submit", f"--script={script}", "--hold")
    assert "time 5 is 0:00:05" in done.stderr
    commuter.fab("-H", HPC, "cancel", "--all")
