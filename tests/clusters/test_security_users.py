"""What other users try, on the login node and on the workstation: waiting in places whose names can be foreseen."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.files.send import BIG
from tasks.files.stream import key_of
from tasks.model.cluster import Cluster
from tasks.model.job import Job
from tasks.submission.verdict import root_of
from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tasks.testbed.sshd import Door, main_door
from tests.attacker import PLACES, changed_by_attacker, common_ground
from tests.clusters.hostile import at
from tests.clusters.test_security import ledger_of, no_bug
from tests.conftest import Person, json_lines
from tests.test_security import given_to_somebody

MARK = r"m[0-9a-f]{40}"
WATCHER = Path(__file__).with_name("watcher.py")

# On the login node


def settings(cell: Cell) -> str:
    """The beginning of a configuration in which this cluster is called `hpc`."""
    return f"clusters:\n  hpc:\n    host: sandbox\n    ssh_config: {main_door(cell).ssh_config}\n"


def nowhere(person: Person, cell: Cell, directory: Path) -> subprocess.CompletedProcess[str]:
    """Submit into this directory, which is refused before there is a job."""
    config = person.home / ".fabric.yml"
    config.write_text(f"{settings(cell)}    directory: {directory}\n")
    person.script("x", "#!/bin/sh\n")
    done = person.fab("-H", "hpc", "submit", "--script=x", "--key=foreseen", "--hold")
    no_bug(done, 5)
    assert "no job" in done.stderr or "nothing submitted" in done.stderr
    return done


@pytest.mark.parametrize("place", ["jobs", "above"])
def test_where_anybody_could_replace_the_job_directory_nothing_is_submitted(
    person: Person, cells: dict[str, Cell], tmp_path: Path, place: str
) -> None:
    root = tmp_path / "above" / "jobs"
    root.mkdir(parents=True)
    (tmp_path / "link").symlink_to(root)
    (root if place == "jobs" else root.parent).chmod(0o777)
    for directory in (root, tmp_path / "link"):
        assert "all may write" in nowhere(person, cells["sandbox"], directory).stderr


def test_a_sticky_directory_of_somebody_elses_is_no_better(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    (tmp_path / "jobs").mkdir()
    given_to_somebody(tmp_path / "jobs").chmod(0o1777)
    os.chown(tmp_path / "jobs", 4242, 4242)
    assert "all may write" in nowhere(person, cells["sandbox"], tmp_path / "jobs").stderr


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("a directory of one's own below theirs", "belongs to somebody else"),
        ("a link of theirs on the way", "belongs to somebody else"),
        ("a link of one's own on the way where all may write", "all may write"),
        ("one that their group may write to", "its group may write"),
    ],
)
def test_e8_where_another_user_could_put_another_program_nothing_is_submitted(
    person: Person, cells: dict[str, Cell], kind: str, why: str
) -> None:
    with common_ground() as ground:
        theirs = PLACES[kind](ground / "a", "jobs/foreseen/.submithost/run", "run")
        assert changed_by_attacker([theirs]) == [True]
        root = PLACES[kind](ground / "b", "jobs/x", "").parent
        assert why in nowhere(person, cells["sandbox"], root).stderr


def test_e8_what_another_user_could_have_put_in_the_place_of_a_script_is_not_run_again(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    config = person.home / ".fabric.yml"
    config.write_text(f"{settings(cells['sandbox'])}    directory: {tmp_path}/jobs\n")
    person.script("x", "#!/bin/sh\n")
    assert person.fab("-H", "hpc", "submit", "--script=x", "wait").returncode == 0
    (tmp_path / "jobs").chmod(0o777)
    done = person.fab("-H", "hpc", "resubmit")
    no_bug(done, 5)
    assert f"all may write to {tmp_path}/jobs" in done.stderr


def test_a_job_directory_that_somebody_else_made_first_is_not_used(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    (tmp_path / "jobs" / "foreseen").mkdir(parents=True)
    (tmp_path / "jobs").chmod(0o1777)
    given_to_somebody(tmp_path / "jobs" / "foreseen").chmod(0o777)
    assert "somebody else" in nowhere(person, cells["sandbox"], tmp_path / "jobs").stderr


def test_a_receipt_that_somebody_else_laid_there_makes_no_job(person: Person, cells: dict[str, Cell]) -> None:
    key = "receipt-laid-there"
    planted = cells["sandbox"].home / ".submithost" / "jobs" / key
    (planted / ".submithost").mkdir(parents=True)
    (planted / ".submithost" / "receipt").write_text('1700000000\nYour job 4711 ("x") has been submitted\n')
    given_to_somebody(planted)
    ledger_of(person).begin(Job(key, "sandbox", directory=f"{root_of(Cluster('sandbox', 'sandbox'))}/{key}"))
    done = person.fab("-H", "sandbox", "reconcile")
    no_bug(done, 5)
    assert "somebody else" in done.stderr
    adopted_here = json_lines(person.fab("-H", "sandbox", "adopt", "--json").stdout)
    assert key not in [job["key"] for job in adopted_here if job["job_id"]]


def test_nobody_else_can_read_what_is_written_there_and_here(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    root = tmp_path / "jobs"
    root.mkdir()
    acl = b"\x02\0\0\0" + b"".join(
        tag.to_bytes(2, "little") + b"\x07\0" + b"\xff" * 4 for tag in (0x01, 0x04, 0x10, 0x20)
    )  # user, group, mask, other: rwx for all, which a umask does not take away
    try:
        os.setxattr(root, "system.posix_acl_default", acl)
    except OSError as error:
        pytest.fail(f"a file system with ACLs is needed for {root}: {error}")
    config = person.home / ".fabric.yml"
    config.write_text(f"{settings(cells['sandbox'])}    directory: {root}\n")
    person.script("x", "#!/bin/sh\numask 0; echo secret; echo secret >result\n")
    line = ("submit", "--script=x", "--job-file=x.job", "wait", "fetch", "--to=out")
    done = person.fab("-H", "hpc", *line)
    assert done.returncode == 0, done.stderr
    (job,) = (path for path in root.iterdir() if path.is_dir())
    own = job / ".submithost"
    kept = [job, own, own / "notes", *own.glob("attempt/*/job")]
    assert len(kept) == 4
    kept += [person.work / "out", person.work / "x.job", person.home / ".local/state/submithost"]
    kept += [person.home / ".local/state/submithost/ledger.sqlite"]
    for path in kept:
        assert path.stat().st_mode & 0o077 == 0, path
    assert (person.work / "out" / "result").stat().st_mode & 0o002 == 0


VERBS = [
    "check put --source=data --target={there} get --source={there} --target=back queues",
    "submit --script=x.j2 --vars=vars.yml --put=data wait status logs fetch --to=out clean --yes",
    "submit --script=x.j2 --vars=vars.yml --hold release cancel status reconcile adopt jobs",
]


@pytest.mark.parametrize(("cluster", "lines"), [("sandbox", VERBS), ("sandbox-slurm", VERBS[1:2])])
def test_e11_ps_shows_no_secret_on_either_side(
    person: Person, cells: dict[str, Cell], slurm: SlurmCluster, tmp_path: Path, cluster: str, lines: list[str]
) -> None:
    door = main_door({**cells, slurm.name: slurm}[cluster])
    (person.home / ".fabric.yml").write_text(
        f"clusters:\n  hpc:\n    host: {door.name}\n    ssh_config: {door.ssh_config}\n"
        "    setup: [TOKEN=sesame-setup, export TOKEN, sleep 0.5]\n"
    )
    person.script("x.j2", "#!/bin/bash\n# sesame-script\necho {{ word }}\n")
    person.script("vars.yml", "word: sesame-value\n")
    (person.work / "data").mkdir()
    (person.work / "data" / "a").write_text("sesame-data\n")
    with subprocess.Popen(
        [sys.executable, str(WATCHER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as watching:
        assert watching.stdout
        assert watching.stdout.readline() == "ready\n"
        done = [person.fab("-H", "hpc", *line.format(there=tmp_path / "there").split()) for line in lines]
        seen, marks = json.loads(watching.communicate()[0])
    assert [each.returncode for each in done] == [0] * len(lines), done
    assert any("qsub" in line or "sbatch" in line for line in seen)
    # The first program of a login has its mark in an environment, which nobody else reads; all marks look like that.
    assert any(re.fullmatch(MARK, mark) for mark in marks)
    # Other tests beside this one run programs whose mark is made of zeros.
    assert not [line for line in seen if "sesame" in line or {*"".join(re.findall(MARK, line))} - {"m", "0"}]


def test_e10_what_grid_engine_spools_for_all_to_read_has_no_text_of_the_script(
    person: Person, cells: dict[str, Cell]
) -> None:
    """Neither what qmaster keeps, nor what the node gets, which the job itself shows here."""
    person.script("vars.yml", "word: sesame-value\n")
    body = 'echo {{ word }}\ncat "${SGE_JOB_SPOOL_DIR%/active_jobs/*}/job_scripts/$JOB_ID"\n'
    person.script("x.j2", f"#!/bin/bash\n# sesame-comment\n#$ -l h_rt=600\n{body}#$ -N late\n")
    job_id = person.submit("x.j2", "--vars=vars.yml", "--hold")
    kept = (cells["sandbox"].spool / "job_scripts" / job_id).read_text()
    assert person.fab("-H", "sandbox", "release").returncode == 0
    assert person.wait()["name"] == "late"
    said, _, given = person.fab("-H", "sandbox", "logs").stdout.partition("\n")
    assert said == "sesame-value"
    assert given == kept
    assert "#$ -l h_rt=600\n" in kept
    assert "sesame" not in kept


def test_a_part_of_a_large_file_that_somebody_else_laid_there_is_not_written_on(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    content = os.urandom(BIG + 5)
    (person.work / "large").write_bytes(content)
    (tmp_path / "there").mkdir()
    laid = tmp_path / "there" / f".submithost-part-{key_of('large')}.node.1"
    laid.write_bytes(content[:4096])
    given_to_somebody(laid)
    done = person.fab("-H", "sandbox", "put", "--source=large", f"--target={tmp_path / 'there'}")
    no_bug(done, 5)
    assert "somebody else" in done.stderr
    assert laid.stat().st_size == 4096
    del cells


# Here, and what else reaches a workstation


def test_results_do_not_go_where_somebody_waits_for_them(person: Person) -> None:
    person.script("x", "#!/bin/sh\necho secret\n")
    job_id = person.submit("x", "--name=foreseen")
    person.wait()
    waiting = person.work / f"foreseen-{job_id}"
    waiting.symlink_to(person.home)
    given_to_somebody(waiting)
    done = person.fab("-H", "sandbox", "fetch")
    no_bug(done, 2)
    assert "somebody else" in done.stderr
    assert not list(person.home.glob("foreseen.o*"))


def test_a_job_file_cannot_name_a_cluster_that_runs_a_command_here(person: Person, tmp_path: Path) -> None:
    ssh_config = tmp_path / "config"
    ssh_config.write_text("Host *\n  HostName localhost\n  ProxyCommand echo %n\n")
    (person.work / "evil.job").write_text(json.dumps({"key": "k", "cluster": "$(touch${IFS}pwned)", "job_id": "1"}))
    done = person.fab("-S", str(ssh_config), "wait", "--job=evil.job")
    no_bug(done, 2)
    assert not (person.work / "pwned").exists()


def test_the_agent_is_not_forwarded(cells: dict[str, Cell], tmp_path: Path) -> None:
    """Not even when ssh_config asks for it: nothing of ours on the login node has a use for it."""
    door: Door = main_door(cells["sandbox"])
    socket = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", socket], stdout=subprocess.DEVNULL)
    try:
        while not socket.exists():
            time.sleep(0.05)
        config = tmp_path / "config"
        config.write_text(f"{door.host_block()}    ForwardAgent yes\n")
        person = at(door, tmp_path, "    setup: ['echo \"agent=$SSH_AUTH_SOCK.\" >&2']\n", ssh_config=config)
        done = person.fab("-H", "hpc", "submit", "--script=x", "--hold", SSH_AUTH_SOCK=str(socket))
        assert done.returncode == 0, done.stderr
        assert "agent=." in done.stderr
    finally:
        agent.terminate()
        agent.wait()
