"""`logs` before, while and after a job runs: what is waited for, how it ends, and whose words are shown."""

from __future__ import annotations

import re
import subprocess
import time
from pathlib import Path

import pytest

from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import ssh, until
from tests.conftest import Person, until_there

CLUSTERS = ["sandbox", "sandbox-slurm"]
COUNTING = "#!/bin/sh\nfor n in 1 2 3; do echo line $n; sleep 1; done\nprintf last\n"


def said_of(done: subprocess.CompletedProcess[str]) -> list[str]:
    """What was said on stderr, without the job's number."""
    return re.sub(r"\bjob \d+", "job N", done.stderr).splitlines()


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c4_a_job_is_submitted_and_followed_in_one_line(commuter: Person, cluster: str) -> None:
    commuter.script("x", COUNTING)
    done = commuter.fab("-H", cluster, "submit", "--script=x", "logs", "--follow")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[1:] == ["line 1", "line 2", "line 3", "last"]
    *waited, ended = said_of(done)
    assert re.fullmatch(rf'job N \("x"\) on {cluster} succeeded after \d+ s', ended)
    assert all("its log is shown as soon as it starts" in line for line in waited)
    assert len(waited) == len(set(waited))


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c4_a_held_job_is_waited_for_and_says_once_how_to_release_it(commuter: Person, cluster: str) -> None:
    commuter.script("x", COUNTING)
    job_id = commuter.submit("x", "--hold", "--array=3", cluster=cluster)
    following = commuter.start("-H", cluster, "logs", "--follow")
    assert following.stderr
    first = following.stderr.readline()
    assert " is held" in first
    release = re.search(rf"fab (-H {cluster} release --job {job_id}) releases it", first)
    assert release
    assert commuter.fab(*release[1].split()).returncode == 0
    out, err = following.communicate(timeout=100)
    assert (following.returncode, out.splitlines()) == (0, ["line 1", "line 2", "line 3", "last"])
    assert " is held" not in err


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c4_following_ends_when_a_job_is_cancelled_before_it_started(commuter: Person, cluster: str) -> None:
    commuter.script("x", COUNTING)
    commuter.submit("x", "--hold", cluster=cluster)
    following = commuter.start("-H", cluster, "logs", "--follow")
    assert following.stderr
    assert " is held" in following.stderr.readline()
    assert commuter.fab("-H", cluster, "cancel").returncode == 0
    out, err = following.communicate(timeout=100)
    assert (following.returncode, out) == (3, "")
    assert re.search(r"was cancelled.*: it noted no start, and so there is no log\n", err)


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c4_following_ends_with_a_job_that_left_no_note_of_its_end(
    commuter: Person, cluster: str, tmp_path: Path
) -> None:
    """By the queue, which is asked every half minute: what wrote the notes was killed."""
    commuter.script("x", f"#!/bin/sh\necho begun\nkill -9 $PPID\n{until_there(tmp_path / 'never')}\n")
    commuter.submit("x", cluster=cluster)
    done = commuter.fab("-H", cluster, "logs", "--follow", timeout=200)
    assert done.stdout == "begun\n"
    assert re.match(rf'job N \("x"\) on {cluster} (failed|was cancelled)', said_of(done)[-1])


def test_c4_a_requeued_job_is_followed_through_all_its_runs(commuter: Person, slurm: SlurmCluster) -> None:
    commuter.script("x", '#!/bin/sh\necho run ${SLURM_RESTART_COUNT:-0}\n[ -n "$SLURM_RESTART_COUNT" ] || sleep 600\n')
    job_id = commuter.submit("x", cluster=slurm.name)
    following = commuter.start("-H", slurm.name, "logs", "--follow")
    assert following.stdout
    assert following.stdout.readline() == "run 0\n"
    ssh(slurm.name, f"scontrol requeue {job_id}")
    out, err = following.communicate(timeout=200)
    assert (following.returncode, out) == (0, "run 1\n")
    assert err.splitlines()[-1].endswith(" s")


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c4_the_words_of_a_job_that_failed_in_its_first_line_are_seen(commuter: Person, cluster: str) -> None:
    """On stderr, where the job wrote them: what a pipe takes of a log stays the log."""
    commuter.script("x", "#!/bin/sh\nno_such_program\n")
    commuter.fab("-H", cluster, "submit", "--script=x", "wait")
    done = commuter.fab("-H", cluster, "logs")
    assert (done.returncode, done.stdout) == (0, "")
    head, words = done.stderr.splitlines()
    assert head.endswith(f'("x") on {cluster} wrote on stderr:')
    assert words.endswith("no_such_program: not found")
    assert commuter.fab("-H", cluster, "logs", "--stderr").stdout == f"{words}\n"
    followed = commuter.fab("-H", cluster, "submit", "--script=x", "logs", "--follow")
    assert followed.stderr.splitlines()[-2].endswith("no_such_program: not found")
    assert "failed with exit status 127" in followed.stderr.splitlines()[-1]


def test_c4_a_failed_job_shows_the_end_of_its_stderr_after_what_it_wrote(person: Person) -> None:
    person.script("x", "#!/bin/sh\necho some\nfor n in $(seq 50); do echo wrong $n >&2; done\nexit 3\n")
    person.fab("-H", "sandbox", "submit", "--script=x", "--wait")
    done = person.fab("-H", "sandbox", "logs")
    head, *words = done.stderr.splitlines()
    assert done.stdout == "some\n"
    assert head.endswith("wrote on stderr, the last lines of it (--stderr shows all):")
    assert words == [f"wrong {n}" for n in range(31, 51)]
    assert person.fab("-H", "sandbox", "logs", "--lines=1").stderr.splitlines()[1:] == ["wrong 50"]


def test_c4_a_job_that_wrote_nothing_says_so(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    person.submit("x", "--wait")
    done = person.fab("-H", "sandbox", "logs")
    assert (done.returncode, done.stdout, said_of(done)) == (0, "", ['job N ("x") on sandbox wrote nothing'])


def test_c4_following_with_lines_begins_with_the_last_ones_and_loses_none(person: Person, tmp_path: Path) -> None:
    first = "for n in $(seq 1000); do echo line $n; done"
    person.script("x", f"#!/bin/sh\n{first}\n{until_there(tmp_path / 'go')}\necho more\n")
    person.submit("x")
    for lines, expected in (("2", "line 999\nline 1000\nmore\n"), ("0", "more\n")):
        following = person.start("-H", "sandbox", "logs", "--follow", f"--lines={lines}")
        while lines == "2" and (log := person.fab("-H", "sandbox", "logs", "--lines=1").stdout) != "line 1000\n":
            assert "more" not in log
        time.sleep(4)
        (tmp_path / "go").touch()
        out, err = following.communicate(timeout=100)
        assert out == expected or (lines == "0" and out == ""), err


# Ways to end that leave no note, there by hand ({0} is the job) or here. Of an array job one task ends, and the
# other goes on.
ENDS = {
    "sandbox": {
        "cancel": ([], "", "fab cancel --job={0}", 0, "was cancelled"),
        "by hand": ([], "", "qdel {0}", 0, "was cancelled"),
        "task": (["--array=1-2"], "--task=2", "fab cancel --job={0}.2", 0, "was cancelled"),
        "task by hand": (["--array=1-2"], "--task=1", "qdel {0}.1", 0, "was cancelled"),
        "time": (["--time=5"], "", "", 0, "failed"),
        "bare": (["--bare"], "", "qdel {0}", 5, "--bare and noted no log"),
    },
    "sandbox-slurm": {
        "cancel": ([], "", "fab cancel --job={0}", 0, "was cancelled"),
        "by hand": ([], "", "scancel -f {0}", 0, "was cancelled"),
        "task": (["--array=1-2"], "--task=2", "fab cancel --job={0}.2", 0, "was cancelled"),
        "requeued": ([], "", "scontrol requeuehold {0}; sleep 2; scancel {0}", 0, "was cancelled"),
        "killed": (
            [],
            "",
            "kill -9 $(scontrol listpids {0} | awk '$3 == \"batch\" && $4 == 0 {{ print $1 }}')",
            0,
            "failed",
        ),
        "bare": (["--bare"], "", "scancel {0}", 5, "--bare and noted no log"),
    },
}


def running(cluster: str) -> set[tuple[str, str]]:
    """Jobs and tasks, as the scheduler lists them."""
    if cluster == "sandbox":
        found = [line.split() for line in ssh(cluster, "qstat -s r").splitlines()]
        rows = [(fields[0], "".join(fields[9:])) for fields in found if fields[0].isdecimal()]
    else:
        found = [line.split() for line in ssh(cluster, "squeue -h -t R,CG -o '%F %K'").splitlines()]
        rows = [(fields[0], fields[1]) for fields in found]
    return {(job_id, task if task.isdecimal() else "") for job_id, task in rows}


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_e5_following_ends_however_a_job_ends(commuter: Person, cluster: str) -> None:
    """All of them at once, when the scheduler has them no more: nobody asks it before that is known, or for long."""
    commuter.script("x", "#!/bin/sh\necho begun\nexec sleep 1000\n")
    submits = [f"submit --script=x {' '.join(flags)}".split() for flags, *_ in ENDS[cluster].values()]
    done = commuter.fab("-H", cluster, *(word for line in submits for word in line))
    ids = dict(
        zip(ENDS[cluster], re.findall(r"^(?:Your job|Submitted batch job)\D*(\d+)", done.stdout, re.M), strict=True)
    )
    mine = {(ids[name], which.partition("=")[2]) for name, (_, which, *_) in ENDS[cluster].items()}
    until(lambda: mine - running(cluster) <= {(ids.get("time", ""), "")})  # that one may have ended by now
    for name, (_, _, end, *_) in ENDS[cluster].items():
        if end.startswith("fab "):
            assert commuter.fab("-H", cluster, *end.format(ids[name]).split()[1:]).returncode == 0
        elif end:
            ssh(cluster, end.format(ids[name]))
    until(lambda: not mine & running(cluster))
    following = {
        name: commuter.start("-H", cluster, "logs", "--follow", f"--job={ids[name]}", *([which] if which else []))
        for name, (_, which, *_) in ENDS[cluster].items()
    }
    for name, (*_, status, said) in ENDS[cluster].items():
        out, err = following[name].communicate(timeout=200)
        assert (following[name].returncode, out) == (status, "" if name == "bare" else "begun\n"), f"{name}: {err}"
        assert said in err.splitlines()[-1], f"{name}: {err}"
    commuter.fab("-H", cluster, "cancel", *(f"--job={job_id}" for job_id in ids.values()))


# --- which task


def test_c10_logs_of_an_array_job_choose_the_task_that_can_be_meant(person: Person) -> None:
    person.script("x", "#!/bin/sh\necho task $SGE_TASK_ID\ncase $SGE_TASK_ID in [$1]) exit 4 ;; esac\n")
    for array, failing, expected, said in (
        ("5", "9", "task 5\n", ""),
        ("1-3", "2", "task 2\n", 'task 2 of job N ("x") on sandbox is the one that failed: its log'),
        ("1-3", "9", "", "name a task with --task, 1 to 3"),
        ("1-3", "13", "", "name a task with --task, 1 to 3; failed are 1, 3"),
    ):
        person.fab("-H", "sandbox", "submit", "--script=x", f"--array={array}", f"--arg={failing}", "wait")
        done = person.fab("-H", "sandbox", "logs")
        assert (done.returncode, done.stdout) == (0 if expected else 2, expected)
        if said:
            assert said_of(done)[0].endswith(said)
