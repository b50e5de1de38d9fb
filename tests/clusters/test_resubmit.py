"""resubmit: jobs again, with the script, flags and inputs that they had."""

from __future__ import annotations

import sqlite3

from tasks.testbed.cell import Cell
from tests.conftest import Person, json_lines

SOME_FAIL = """#!/bin/bash
cat in 'd/b c'; printf '<%s>' "$@"
[ -e again ] || case $SGE_TASK_ID in 2 | 3 | 4 | 9) exit 5 ;; esac
"""


def test_g42_the_failed_tasks_of_an_array_job_run_again_with_their_inputs_arguments_and_flags(person: Person) -> None:
    person.script("x", SOME_FAIL)
    person.script("in", "input\n")
    (person.work / "d").mkdir()
    person.script("d/b c", "below\n")
    words = ["--script=x", "--array=1-9", "--put=in", "--put=d", "--arg=a  b", "--arg=c'd", "--time=0:03:00"]
    assert person.fab("-H", "sandbox", "submit", *words, "--job-file=first.job", "--wait").returncode == 3
    # What the first submission had counts, and not what is here by now.
    person.script("x", "#!/bin/sh\nexit 1\n")
    person.script("again", "")
    shown = person.fab("resubmit", "--job=first.job", "--failed", "--dry-run").stdout
    assert [shown.count(f"-l h_rt=00:03:00 -t {tasks} ") for tasks in ("2-4:1", "9-9:1")] == [1, 1]
    done = person.fab("resubmit", "--job=first.job", "--failed", "--put=again", "--json")
    assert done.returncode == 0, done.stderr
    new = json_lines(done.stdout)
    assert len(new) == 2
    ids = [job["job_id"] for job in new]
    waited = person.fab("-H", "sandbox", "wait", "--json", "--timeout=100", *(f"--job={one}" for one in ids))
    assert waited.returncode == 0, waited.stderr
    assert [sorted(job["tasks"]) for job in json_lines(waited.stdout)] == [["2", "3", "4"], ["9"]]
    logged = person.fab("-H", "sandbox", "logs", f"--job={ids[1]}.9").stdout
    assert logged == "input\nbelow\n<a  b><c'd>"


def test_a_job_that_has_not_ended_is_left_alone_and_nothing_failed_is_nothing_to_do(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    person.submit("x", "--hold")
    refused = person.fab("-H", "sandbox", "resubmit")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "is held" in refused.stderr
    person.fab("-H", "sandbox", "release", "wait")
    nothing = person.fab("-H", "sandbox", "resubmit", "--failed")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "nothing is submitted" in nothing.stderr
    again = person.fab("-H", "sandbox", "resubmit", "wait")
    assert again.returncode == 0, again.stderr
    assert again.stdout.startswith("Your job ")


def test_an_input_that_the_job_changed_is_to_be_given_again(person: Person) -> None:
    person.script("x", "#!/bin/sh\ncat in\necho more >> in\nexit 1\n")
    person.script("in", "input\n")
    person.submit("x", "--put=in")
    person.wait()
    refused = person.fab("-H", "sandbox", "resubmit")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
    assert "the input in" in refused.stderr
    again = person.fab("-H", "sandbox", "resubmit", "--put=in")
    assert again.returncode == 0, again.stderr
    person.wait()
    assert person.fab("-H", "sandbox", "logs").stdout == "input\n"


def test_a_dry_run_shows_the_steps_and_submits_nothing(person: Person) -> None:
    person.script("x", "#!/bin/sh\nexit 1\n")
    job_id = person.submit("x", "--cores=2")
    person.wait()
    shown = person.fab("-H", "sandbox", "resubmit", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    assert "-pe smp 2" in shown.stdout
    assert shown.stdout.endswith("#!/bin/sh\nexit 1\n")
    mixed = person.fab("-H", "sandbox", "resubmit", "--dry-run", "--json")
    assert (mixed.returncode, mixed.stdout, mixed.stderr.count("\n")) == (2, "", 1)
    assert person.jobs()[0]["job_id"] == job_id


def test_a_resubmit_whose_answer_was_lost_is_continued_by_the_same_resubmit_and_then_a_new_one_begins(
    person: Person, cells: dict[str, Cell]
) -> None:
    person.script("x", "#!/bin/sh\nexit 1\n")
    job_id = person.submit("x")
    person.wait()
    words = ["-H", "sandbox", "resubmit", f"--job={job_id}"]
    first = person.fab(*words)
    assert first.returncode == 0, first.stderr
    (job,) = person.jobs("--job=last")
    with sqlite3.connect(person.home / ".local" / "state" / "submithost" / "ledger.sqlite") as ledger:
        ledger.execute("DELETE FROM jobs WHERE key = ?", (job["key"],))
    (cells["sandbox"].home / ".submithost" / "jobs" / job["key"] / ".submithost" / "receipt").unlink()
    assert person.fab(*words).stdout == first.stdout
    second = person.fab(*words)
    assert second.returncode == 0, second.stderr
    assert second.stdout != first.stdout


def test_a_job_directory_that_is_gone_is_told(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    person.submit("x")
    directory = cells["sandbox"].home / ".submithost" / "jobs" / person.wait()["key"]
    directory.rename(directory.with_name("away"))
    refused = person.fab("-H", "sandbox", "resubmit")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (5, "", 1)
    assert "is gone" in refused.stderr
