"""The main job: a script here becomes a finished job on the login node, its results come back, and failures say so."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tasks.testbed import bed
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import main_door
from tests.clusters.bench import marks, until
from tests.conftest import Person, configured, json_lines, move_in, until_there

SEVEN = "#!/bin/bash\n#$ -N seven\necho out; echo err >&2; exit 7\n"


def test_a_job_is_submitted_waited_for_and_fetched(person: Person) -> None:
    person.script("x", SEVEN)
    submitted = person.fab("-H", "sandbox", "submit", "--script=x")
    assert submitted.returncode == 0
    job_id = submitted.stdout.split()[2]
    assert submitted.stdout == f'Your job {job_id} ("seven") has been submitted\n'

    waited = person.fab("-H", "sandbox", "wait", "--json")
    assert waited.returncode == 3
    (job,) = json_lines(waited.stdout)
    assert (job["exit_status"], job["state"], job["job_id"], job["name"]) == (7, "failed", job_id, "seven")
    assert job["started_at"] <= job["ended_at"]
    assert f"fetch --job {job_id}" in waited.stderr

    assert person.fab("-H", "sandbox", "fetch", "--to=out").returncode == 0
    assert (person.work / "out" / f"seven.o{job_id}").read_text() == "out\n"
    assert (person.work / "out" / f"seven.e{job_id}").read_text() == "err\n"
    assert len(list((person.work / "out").iterdir())) == 2


def test_f3_a_chain_is_one_login(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/bash\necho done > result.txt\n")
    door = main_door(cells["sandbox"])
    before = door.logins()
    done = person.fab("-H", "sandbox", "submit", "--script=x", "wait", "fetch")
    assert done.returncode == 0, done.stderr
    assert door.logins() == before + 1
    (result,) = person.work.glob("x-*/result.txt")
    assert result.read_text() == "done\n"


def test_a_clusters_own_tasks_need_no_host_and_a_chain_stays_there(person: Person) -> None:
    person.script("x", "#!/bin/sh\nexit 0\n")
    done = person.fab("sandbox2.submit", "--script=x", "wait", "status", "--json")
    assert done.returncode == 0, done.stderr
    job = json.loads(done.stdout.splitlines()[-1])
    assert (job["cluster"], job["state"]) == ("sandbox2", "succeeded")


def test_a_failed_wait_ends_the_chain_and_submit_fetch_brings_results_anyway(person: Person) -> None:
    person.script("x", SEVEN)
    chain = person.fab("-H", "sandbox", "submit", "--script=x", "wait", "fetch", "--to=never")
    assert chain.returncode == 3
    assert not (person.work / "never").exists()
    once = person.fab("-H", "sandbox", "submit", "--script=x", "--fetch=there")
    assert once.returncode == 3
    assert sorted(path.suffix[:2] for path in (person.work / "there").iterdir()) == [".e", ".o"]


def test_a_template_is_rendered_and_its_directives_reach_the_scheduler(person: Person, cells: dict[str, Cell]) -> None:
    words = ["--script=smp", "--set", "command=echo $OMP_NUM_THREADS", "--cores=3", "--memory=1G", "--time=0:10:00"]
    job_id = person.submit("smp", *words[1:], "--hold")
    asked = cells["sandbox"].must("qstat", "-j", job_id)
    assert "rmem=1G" in asked
    assert "h_rt=600" in asked
    assert "smp range: 3" in asked
    assert person.fab("-H", "sandbox", "cancel").returncode == 0


def test_the_end_is_known_though_accounting_lags(state: Path, tmp_path: Path) -> None:
    """How soon it is known is measured by `make bench`."""
    del state
    (cell,) = bed.up(["sandbox"], accounting_flush="01:00:00")
    person = move_in(tmp_path / "home", configured(["sandbox"]))
    person.script("x", "#!/bin/bash\nsleep 3\nexit 5\n")
    job_id = person.submit("x")
    job = person.wait()
    assert (job["state"], job["exit_status"]) == ("failed", 5)
    assert cell.run("qacct", "-j", job_id).returncode == 1


def test_a_status_of_many_jobs_is_one_question(person: Person, cells: dict[str, Cell]) -> None:
    door = main_door(cells["sandbox"])
    person.script("x", "#!/bin/sh\n")
    person.submit("x", "--hold")

    def sessions(*words: str) -> int:
        before = door.log.read_text().count("Starting session: command")
        assert person.fab("-H", "sandbox", "status", *words).returncode == 0
        return door.log.read_text().count("Starting session: command") - before

    one = sessions()
    for _ in range(3):
        person.submit("x", "--hold")
    assert sessions("--all") == one == 1
    person.fab("-H", "sandbox", "cancel", *(f"--job={job['job_id']}" for job in person.jobs("--all")))


def test_a_status_that_is_watched_shows_each_change_and_ends_with_the_jobs(person: Person) -> None:
    person.script("x", "#!/bin/sh\nsleep 8\nexit 7\n")
    person.submit("x")
    watched = person.fab("-H", "sandbox", "status", "--watch")
    assert watched.returncode == 0, watched.stderr
    states = [line.split("\t")[2] for line in watched.stdout.splitlines()]
    assert states in (["pending", "running", "failed"], ["running", "failed"])
    (job,) = json_lines(person.fab("-H", "sandbox", "status", "--watch", "--json").stdout)
    assert (job["state"], job["exit_status"]) == ("failed", 7)


def test_a_status_that_is_watched_at_a_terminal_is_one_table_that_is_redrawn(person: Person) -> None:
    person.script("x", "#!/bin/sh\nsleep 3\nexit 7\n")
    person.submit("x")
    ours, theirs = os.openpty()
    words = [sys.executable, "-m", "fabric", "-H", "sandbox", "status", "--watch"]
    environment = {**person.environment, "TERM": "xterm", "COLUMNS": "100"}
    watching = subprocess.Popen(words, cwd=person.work, env=environment, stdin=subprocess.DEVNULL, stdout=theirs)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError), os.fdopen(ours, "rb", buffering=0) as terminal:  # the other end is closed
        while piece := terminal.read(4096):
            shown += piece
    assert watching.wait(timeout=100) == 0
    assert b"\x1b[1A\x1b[2K" in shown  # up a line, and away with it
    assert b"failed" in shown.rpartition(b"\x1b[1A\x1b[2K")[2]


def test_two_clusters_on_one_command_line(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    done = person.fab("-H", "sandbox,sandbox2", "submit", "--script=x", "wait")
    assert done.returncode == 0, done.stderr
    assert [person.jobs(cluster=name)[0]["state"] for name in ("sandbox", "sandbox2")] == ["succeeded"] * 2


# --- array jobs


def test_each_task_of_an_array_job_has_its_start_and_end(person: Person) -> None:
    person.script("x", '#!/bin/bash\nsleep 1\n[ "$SGE_TASK_ID" != 3 ] || exit 9\n')
    person.submit("x", "--array=1-5:2")
    waited = person.fab("-H", "sandbox", "wait", "--json")
    assert waited.returncode == 3
    assert "task 3 of job" in waited.stderr
    (job,) = json_lines(waited.stdout)
    assert {task: (one["state"], one["exit_status"]) for task, one in job["tasks"].items()} == {
        "1": ("succeeded", 0), "3": ("failed", 9), "5": ("succeeded", 0),
    }  # fmt: skip
    assert all(one["started_at"] < one["ended_at"] for one in job["tasks"].values())


def test_a_task_of_an_array_job_is_cancelled_alone(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    job_id = person.submit("x", "--array=1-3", "--hold")
    assert person.fab("-H", "sandbox", "cancel", f"--job={job_id}.2").returncode == 0
    (job,) = person.jobs()
    assert {task: one["state"] for task, one in job["tasks"].items()} == {"1": "held", "2": "cancelled", "3": "held"}
    person.fab("-H", "sandbox", "cancel", f"--job={job_id}")


# --- ends that are none, and others


def test_g11_exit_statuses_99_and_100_are_not_ends(person: Person, cells: dict[str, Cell]) -> None:
    person.script("again", "#!/bin/bash\n[ -e ran ] && exit 0\ntouch ran\nexit 99\n")
    person.submit("again")
    assert person.wait()["state"] == "succeeded"

    person.script("stuck", "#!/bin/bash\nexit 100\n")
    job_id = person.submit("stuck")
    waited = person.fab("-H", "sandbox", "wait", "--timeout=5", "--json")
    assert waited.returncode == 6
    until(lambda: "Eqw" in cells["sandbox"].must("qstat"))
    (job,) = person.jobs(f"--job={job_id}")
    assert (job["state"], job["exit_status"]) == ("error", None)
    person.fab("-H", "sandbox", "cancel")


def test_g30_a_job_over_its_time_failed_and_the_reason_is_told(person: Person) -> None:
    person.script("x", "#!/bin/bash\nsleep 60\n")
    person.submit("x", "--time=2")
    waited = person.fab("-H", "sandbox", "wait", "--json")
    (job,) = json_lines(waited.stdout)
    assert (waited.returncode, job["state"], job["exit_status"]) == (3, "failed", 137)
    assert "h_rt" in waited.stderr


def test_a_cancelled_job_is_cancelled(person: Person) -> None:
    person.script("x", "#!/bin/bash\nsleep 60\n")
    person.submit("x")
    time.sleep(2)
    done = person.fab("-H", "sandbox", "cancel", "wait", "--json")
    assert done.returncode == 3
    assert json_lines(done.stdout[done.stdout.index("{") :])[0]["state"] == "cancelled"


@pytest.mark.parametrize("how", ["cancel", "hold", "release"])
def test_a_number_that_is_another_jobs_by_now_is_left_alone(person: Person, cells: dict[str, Cell], how: str) -> None:
    person.script("x", "#!/bin/sh\n")
    job_id = person.submit("x", "--hold", f"--key=to-{how}")
    cells["sandbox"].must("qalter", "-ac", "submithost=another", job_id)
    done = person.fab("-H", "sandbox", how)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.endswith("given the number to the job of key another, which is left alone\n")
    assert " hqw " in cells["sandbox"].must("qstat")
    cells["sandbox"].must("qdel", job_id)


def test_wait_obeys_its_timeout_and_says_how_to_go_on(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    job_id = person.submit("x", "--hold")
    began = time.monotonic()
    waited = person.fab("-H", "sandbox", "wait", "--timeout=3")
    assert waited.returncode == 6
    assert time.monotonic() - began >= 3
    assert f"wait --job {job_id}" in waited.stderr
    person.fab("-H", "sandbox", "cancel")


# --- continuing


def test_the_same_job_file_continues_and_never_makes_a_second_job(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    first = person.fab("-H", "sandbox", "submit", "--script=x", "--job-file=x.job", "--hold")
    second = person.fab("submit", "--script=x", "--job-file=x.job", "--hold")
    assert second.returncode == 0, second.stderr
    assert first.stdout == second.stdout
    key = json.loads((person.work / "x.job").read_text())["key"]
    assert marks(cells["sandbox"], key) == 1
    assert person.fab("cancel", "--job=x.job").returncode == 0


def test_many_submits_of_one_key_at_once_are_one_job(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    running = [person.start("-H", "sandbox", "submit", "--script=x", "--key=many-at-once", "--hold") for _ in range(6)]
    said = {process.communicate(timeout=120)[0] for process in running}
    assert [process.returncode for process in running] == [0] * 6
    assert len(said) == 1
    assert marks(cells["sandbox"], "many-at-once") == 1
    person.fab("-H", "sandbox", "cancel", "--job=many-at-once")


@pytest.mark.parametrize("sync", ["y"])
def test_g16_sync_in_a_script_does_not_keep_submit(person: Person, sync: str) -> None:
    go = person.work / "go"
    person.script("x", f"#!/bin/bash\n#$ -sync {sync}\n{until_there(go)}\nexit 4\n")
    person.submit("x")  # a submit that waited for the end would not come back
    go.touch()
    assert person.wait()["exit_status"] == 4


def test_g16_a_script_that_only_verifies_submits_nothing_and_says_so(person: Person) -> None:
    person.script("x", "#!/bin/bash\n#$ -w v\n")
    done = person.fab("-H", "sandbox", "submit", "--script=x")
    assert done.returncode == 0
    assert done.stdout == "verification: found suitable queue(s)\n"
    assert "no job was made" in done.stderr
    assert person.jobs("--all") == []


def test_what_the_scheduler_refuses_is_said_and_the_key_can_be_used_again(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    refused = person.fab("-H", "sandbox", "submit", "--script=x", "--key=once-refused", "--queue=nope.q")
    assert refused.returncode == 5
    assert 'unknown queue "nope.q"' in refused.stderr
    assert len(refused.stderr.splitlines()) == 1
    assert person.fab("-H", "sandbox", "submit", "--script=x", "--key=once-refused").returncode == 0


def test_many_submits_with_one_job_file_at_once_are_one_job(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    running = [person.start("-H", "sandbox", "submit", "--script=x", "--job-file=x.job", "--hold") for _ in range(4)]
    said = {process.communicate(timeout=120)[0] for process in running}
    assert [process.returncode for process in running] == [0] * 4
    assert len(said) == 1
    key = json.loads((person.work / "x.job").read_text())["key"]
    assert marks(cells["sandbox"], key) == 1
    assert sorted(path.name for path in person.work.glob("*.job*")) == ["x.job"]
    person.fab("cancel", "--job=x.job")


def test_what_was_refused_is_no_job_to_wait_for(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    job_id = person.submit("x")
    assert person.fab("-H", "sandbox", "submit", "--script=x", "--queue=nope.q").returncode == 5
    assert person.wait()["job_id"] == job_id
    assert person.jobs("--all") == []


def test_one_task_of_an_array_job_is_waited_for_and_fetched_alone(person: Person) -> None:
    person.script("x", '#!/bin/bash\n[ "$SGE_TASK_ID" != 3 ] || exit 9\n')
    job_id = person.submit("x", "--array=1-3")
    assert person.fab("-H", "sandbox", "wait", f"--job={job_id}.2").returncode == 0
    assert person.fab("-H", "sandbox", "wait", f"--job={job_id}.3").returncode == 3
    (job,) = person.jobs(f"--job={job_id}.2")
    assert (job["state"], list(job["tasks"])) == ("succeeded", ["2"])
    assert person.fab("-H", "sandbox", "fetch", f"--job={job_id}.2", "--to=two").returncode == 0
    assert sorted(path.name for path in (person.work / "two").iterdir()) == [f"x.e{job_id}.2", f"x.o{job_id}.2"]


# --- fetch


def test_fetch_brings_changed_files_only_and_keeps_a_newer_one(person: Person) -> None:
    person.script("x", "#!/bin/bash\nmkdir -p 'deep er'\necho 1 > a\necho 2 > 'deep er/b\nc'\ncat in > copy\n")
    person.script("in", "put here\n")
    person.submit("x", "--put=in")
    person.wait()
    first = person.fab("-H", "sandbox", "fetch", "--to=out")
    out = person.work / "out"
    assert (out / "deep er" / "b\nc").read_text() == "2\n"
    assert not (out / "in").exists()  # it was ours, and the job left it alone
    assert "5 files" in first.stderr
    assert "nothing to bring: all" in person.fab("-H", "sandbox", "fetch", "--to=out").stderr
    (out / "a").write_text("mine\n")
    kept = person.fab("-H", "sandbox", "fetch", "--to=out")
    assert (kept.returncode, (out / "a").read_text()) == (2, "mine\n")
    assert "--force" in kept.stderr
    assert person.fab("-H", "sandbox", "fetch", "--to=out", "--force").returncode == 0
    assert (out / "a").read_text() == "1\n"
    assert person.fab("-H", "sandbox", "fetch", "--to=some", "--only=co*").returncode == 0
    assert [path.name for path in (person.work / "some").iterdir()] == ["copy"]


def test_logs_that_the_script_put_elsewhere_are_fetched_too(person: Person, tmp_path: Path) -> None:
    logs = tmp_path / "logs there"
    logs.mkdir()
    person.script("x", "#!/bin/bash\necho hello\n")
    person.submit("x", "--option", f'-o "{logs}/" -j y')
    person.wait()
    person.fab("-H", "sandbox", "fetch", "--to=out")
    (log,) = (person.work / "out").iterdir()
    assert log.read_text() == "hello\n"


def test_two_clusters_results_are_not_mixed_and_a_pattern_without_a_match_is_told(person: Person) -> None:
    person.script("x", "#!/bin/bash\necho $SGE_ROOT > same.txt\n")
    mixed = person.fab("-H", "sandbox,sandbox2", "submit", "--script=x", "wait", "fetch", "--to=both")
    assert mixed.returncode == 2
    assert "already has the results of job" in mixed.stderr
    assert (person.work / "both" / "same.txt").read_text().rstrip().endswith("/sandbox")
    nothing = person.fab("-H", "sandbox", "fetch", "--only=*.csv")
    assert nothing.returncode == 2
    assert "*.csv" in nothing.stderr
