"""A lost ledger, lost answers, and jobs that were submitted by hand: reconcile and adopt."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

from tasks.model.job import Job
from tasks.model.ledger import Ledger
from tasks.submission.inspection import GRACE
from tasks.testbed import daemons
from tasks.testbed.cell import Cell
from tests.clusters.bench import asked, lose_the_answer, marks, qsub, until
from tests.conftest import Person, json_lines, program

SEVEN = "#!/bin/sh\n#$ -N seven\nexit 7\n"


def ledger_of(person: Person) -> Ledger:
    return Ledger(person.home / ".local" / "state" / "submithost" / "ledger.sqlite")


def mine(cells: dict[str, Cell], key: str) -> Path:
    return cells["sandbox"].home / ".submithost" / "jobs" / key / ".submithost"


def forget_all_but_the_key(cells: dict[str, Cell], person: Person, key: str) -> None:
    """As after a cut: the ledger has the key alone, and qsub was killed before it said anything."""
    ledger_of(person).path.unlink(missing_ok=True)
    ledger_of(person).begin(Job(key, "sandbox", "seven", directory=str(mine(cells, key).parent)))
    lose_the_answer(mine(cells, key))


def shadow_qsub(person: Person, cells: dict[str, Cell], folder: Path, once: str) -> None:
    """Another qsub stands first on the login node's PATH, which does something else the first time that it submits."""
    program(
        folder / "qsub",
        f"""#!/bin/sh
case " $* " in *' -verify '*) ;; *) mkdir {folder}/done 2>/dev/null && {{ {once}
}} ;; esac
exec {cells["sandbox"].program("qsub")} "$@"
""",
    )
    (person.work / "fabric.yml").write_text(f'clusters:\n  sandbox:\n    setup: ["PATH={folder}:$PATH; export PATH"]\n')


def test_a_lost_ledger_is_rebuilt_from_the_job_directories(person: Person, cells: dict[str, Cell]) -> None:
    shutil.rmtree(cells["sandbox"].home / ".submithost", ignore_errors=True)
    person.script("x", SEVEN)
    person.submit("x", "--key=one")
    person.submit("x", "--key=two", "--array=1-3:2", "--hold")
    assert person.wait("--job=one")["state"] == "failed"
    before = person.jobs("--job=one", "--job=two")
    ledger_of(person).path.unlink()

    (mine(cells, "one").parent.parent / "damaged" / ".submithost").mkdir(parents=True)
    (mine(cells, "damaged") / "about").write_text("{")
    adopted = person.fab("-H", "sandbox", "adopt", "--json")
    assert adopted.returncode == 0, adopted.stderr
    assert sorted(json_lines(adopted.stdout), key=lambda job: str(job["key"])) == before
    assert "damaged: its note is not understood" in adopted.stderr
    assert person.jobs("--job=one", "--job=two") == before
    again = person.fab("-H", "sandbox", "adopt")
    assert (again.returncode, again.stdout) == (0, "")
    assert "every job directory there is known here" in again.stderr
    assert person.fab("-H", "sandbox", "cancel", "--job=two").returncode == 0


def test_a_job_submitted_by_hand_is_adopted_and_its_end_is_known(person: Person, cells: dict[str, Cell]) -> None:
    cell = cells["sandbox"]
    job_id = qsub(cell, "exit 5\n", "-h", "-N", "by_hand")
    adopted = person.fab("-H", "sandbox", "adopt", f"--job={job_id}", "--json")
    (job,) = json_lines(adopted.stdout)
    assert (job["state"], job["name"], job["job_id"]) == ("held", "by_hand", job_id), adopted.stderr
    assert person.fab("-H", "sandbox", "release", f"--job={job_id}").returncode == 0
    ended = person.wait(f"--job={job_id}")
    assert (ended["state"], ended["exit_status"]) == ("failed", 5)
    # and one that has ended before
    ledger_of(person).path.unlink()
    adopted = person.fab("-H", "sandbox", "adopt", f"--job={job_id}", "--json")
    (job,) = json_lines(adopted.stdout)
    assert (job["state"], job["exit_status"], job["name"]) == ("failed", 5, "by_hand"), adopted.stderr
    for wrong in ("999999", "x"):
        refused = person.fab("-H", "sandbox", "adopt", f"--job={wrong}")
        assert (refused.returncode, refused.stderr.count("\n"), refused.stdout) == (2, 1, "")


def test_status_wait_and_reconcile_find_a_job_whose_answer_was_lost(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", SEVEN)
    job_id = person.submit("x", "--key=cut", "--hold")
    forget_all_but_the_key(cells, person, "cut")
    (job,) = person.jobs("--job=cut")
    assert (job["job_id"], job["state"]) == (job_id, "held")

    forget_all_but_the_key(cells, person, "cut")
    reconciled = person.fab("-H", "sandbox", "reconcile", "--json")
    assert [job["job_id"] for job in json_lines(reconciled.stdout)] == [job_id], reconciled.stderr
    assert reconciled.returncode == 0

    person.fab("-H", "sandbox", "release", "--job=cut")
    until(lambda: (mine(cells, "cut") / "notes" / "0" / "0.end").exists())
    forget_all_but_the_key(cells, person, "cut")
    waited = person.wait("--job=cut")
    assert (waited["job_id"], waited["exit_status"]) == (job_id, 7)


def test_what_never_was_a_job_is_told_and_forgotten(person: Person) -> None:
    ledger_of(person).begin(Job("never", "sandbox", "seven", directory="~/.submithost/jobs/never"))
    waited = person.fab("-H", "sandbox", "wait", "--job=never")
    assert waited.returncode == 5
    assert "made no job; the same submit to sandbox with --key never makes it one" in waited.stderr
    reconciled = person.fab("-H", "sandbox", "reconcile")
    assert (reconciled.returncode, reconciled.stdout) == (0, "")
    assert "key never made no job" in reconciled.stderr
    assert person.fab("-H", "sandbox", "status", "--job=never").returncode == 2


def test_while_the_scheduler_cannot_be_asked_it_is_not_known(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", SEVEN)
    job_id = person.submit("x", "--key=down", "--hold")
    forget_all_but_the_key(cells, person, "down")
    daemons.stop_qmaster(cells["sandbox"])
    try:
        for words in (["reconcile", "--json"], ["status", "--job=down", "--json"]):
            told = person.fab("-H", "sandbox", *words)
            assert told.returncode == 5, told.stderr
            (job,) = json_lines(told.stdout)
            assert (job["state"], job["job_id"]) == ("unknown", None)
            assert "not known yet whether key down became a job" in told.stderr
        assert person.fab("-H", "sandbox", "wait", "--job=down").returncode == 5
    finally:
        daemons.start_qmaster(cells["sandbox"])
    (job,) = person.jobs("--job=down")
    assert (job["state"], job["job_id"]) == ("held", job_id)
    person.fab("-H", "sandbox", "cancel", "--job=down")


def test_a_submit_command_that_was_killed_is_in_doubt_until_it_can_have_left_nothing(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    shadow_qsub(person, cells, tmp_path / "bin", "kill -9 $$")
    person.script("x", SEVEN)
    words = ["-H", "sandbox", "submit", "--script=x", "--hold", "--key=shot"]
    begun = person.start(*words)
    until(lambda: (asked(mine(cells, "shot")) / "status").exists())
    doubtful = person.fab("-H", "sandbox", "reconcile")
    assert doubtful.returncode == 5
    assert "not known yet whether key shot became a job" in doubtful.stderr
    long_ago = time.time() - GRACE - 1
    os.utime(asked(mine(cells, "shot")) / "process", (long_ago, long_ago))
    _, said = begun.communicate(timeout=60)
    assert (begun.returncode, said.splitlines()[-1]) == (5, "submit: sandbox: no job was made: Killed")
    again = person.fab(*words)
    assert again.returncode == 0, again.stderr
    assert marks(cells["sandbox"], "shot") == 1
    person.fab("-H", "sandbox", "cancel", "--job=shot")


def test_a_submit_command_that_hangs_is_ended_and_nobody_else_who_got_its_number(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    """It has submitted, and neither says so nor ends; its user does not wait for it either."""
    for key, is_ours in (("hangs", True), ("reused", False)):
        person.script("x", SEVEN)
        hang = f"echo $$ >{tmp_path}/{key}.pid; while :; do sleep 1; done"
        shadow_qsub(person, cells, tmp_path / key, f'{cells["sandbox"].program("qsub")} "$@" >/dev/null; {hang}')
        begun = person.start("-H", "sandbox", "submit", "--script=x", "--hold", f"--key={key}")
        until((tmp_path / f"{key}.pid").exists)
        begun.kill()
        begun.communicate()
        hanging = int((tmp_path / f"{key}.pid").read_text())
        with subprocess.Popen(["sleep", "1000"]) as somebody:
            if not is_ours:
                (asked(mine(cells, key)) / "pid").write_text(f"{somebody.pid}\n")
            reconciled = person.fab("-H", "sandbox", "reconcile")
            assert (reconciled.returncode, marks(cells["sandbox"], key)) == (0, 1), reconciled.stderr
            assert somebody.poll() is None
            somebody.kill()
        if is_ours:
            until(lambda hanging=hanging: not Path(f"/proc/{hanging}").exists())
        else:
            os.kill(hanging, signal.SIGKILL)
        person.fab("-H", "sandbox", "cancel", f"--job={key}")


def test_e8_what_is_in_a_directory_that_others_can_replace_by_now_is_not_known(
    person: Person, cells: dict[str, Cell]
) -> None:
    """It was submitted before, so that it could be replaced since is no proof that there is no job."""
    person.script("x", "#!/bin/sh\n")
    words = ["-H", "sandbox", "submit", "--script=x", "--key=exposed"]
    first = person.fab(*words, "--hold")
    lose_the_answer(mine(cells, "exposed"))
    (person.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    directory = mine(cells, "exposed").parent
    directory.chmod(0o777)
    try:
        for verb in (words, ["-H", "sandbox", "reconcile"], words):
            done = person.fab(*verb)
            assert (done.returncode, "submitted" in done.stdout) == (5, False), done.stderr
            assert f"not known yet whether key exposed became a job (job directory {directory} could" in done.stderr
    finally:
        directory.chmod(0o700)
    assert person.fab(*words, "--hold").stdout == first.stdout
    assert marks(cells["sandbox"], "exposed") == 1
    assert person.fab("-H", "sandbox", "cancel", "--job=exposed").returncode == 0
