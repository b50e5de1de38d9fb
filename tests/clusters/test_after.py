"""submit --after: a job that runs when another one has succeeded, and only then (G10: the scheduler waits for ends)."""

from __future__ import annotations

import re
import shutil

from tasks.testbed.cell import Cell
from tests.conftest import Person

OK, BAD = "#!/bin/sh\nsleep 2\necho made > made.txt\n", "#!/bin/sh\nsleep 2\nexit 7\n"
NEXT = "#!/bin/sh\necho ran\n"


def before_and_after(person: Person, first: str, *words: str) -> None:
    person.script("first", first)
    person.script("next", NEXT)
    chain = ["submit", "--script=first", *words, "submit", "--script=next", "--job-file=next.job", "--after=last"]
    done = person.fab("-H", "sandbox", *chain)
    assert done.returncode == 0, done.stderr


def test_it_waits_for_the_other_job_and_runs_when_that_has_succeeded(person: Person) -> None:
    before_and_after(person, OK, "--job-file=first.job")
    job = person.wait("--job=next.job")
    (first,) = person.jobs("--job=first.job")
    assert (first["state"], job["state"]) == ("succeeded", "succeeded")
    assert job["started_at"] >= first["ended_at"]
    assert person.fab("-H", "sandbox", "logs", "--job=next.job").stdout == "ran\n"


def test_g10_it_leaves_without_running_when_the_other_job_failed_and_all_say_why(person: Person) -> None:
    before_and_after(person, BAD)
    waited = person.fab("-H", "sandbox", "wait", "--job=next.job", "--timeout=100")
    assert waited.returncode == 3
    assert "failed with exit status 96" in waited.stderr
    assert re.search(r"[(]job \d+ did not succeed[)]", waited.stderr)
    assert "did not succeed" in person.fab("-H", "sandbox", "status", "--job=next.job").stderr
    assert person.fab("-H", "sandbox", "logs", "--job=next.job").stdout == ""
    assert "leaves without running" in person.fab("-H", "sandbox", "logs", "--job=next.job", "--stderr").stdout


def test_what_is_to_run_after_that_does_not_run_either(person: Person) -> None:
    before_and_after(person, BAD)
    assert (
        person.fab("-H", "sandbox", "submit", "--script=next", "--job-file=third.job", "--after=next.job").returncode
        == 0
    )
    assert person.wait("--job=third.job")["exit_status"] == 96


def test_a_job_that_is_cancelled_before_it_ran_has_not_succeeded(person: Person) -> None:
    before_and_after(person, OK, "--hold", "--job-file=first.job")
    assert person.fab("-H", "sandbox", "cancel", "--job=first.job").returncode == 0
    waited = person.fab("-H", "sandbox", "wait", "--job=next.job", "--timeout=100")
    assert waited.returncode == 3
    assert re.search(r"exit status 96 .*job \d+ left no note that it succeeded", waited.stderr)


def test_all_tasks_of_an_array_job_count_or_the_one_that_is_named(person: Person) -> None:
    person.script("first", '#!/bin/bash\nsleep 2\n[ "$SGE_TASK_ID" != 3 ] || exit 9\n')
    person.script("next", NEXT)
    job_id = person.submit("first", "--array=1-5:2", "--hold")
    for name, after in (("all", job_id), ("third", f"{job_id}.3"), ("fifth", f"{job_id}.5")):
        words = ["submit", "--script=next", f"--job-file={name}.job", f"--after={after}", "--array=1-2"]
        assert person.fab("-H", "sandbox", *words).returncode == 0
    assert person.fab("-H", "sandbox", "release", f"--job={job_id}").returncode == 0
    assert [person.wait(f"--job={name}.job")["state"] for name in ("all", "third", "fifth")] == [
        "failed", "failed", "succeeded",
    ]  # fmt: skip


def test_of_a_job_that_is_known_to_have_succeeded_nothing_is_needed_any_more(
    person: Person, cells: dict[str, Cell]
) -> None:
    person.script("first", OK)
    person.script("next", NEXT)
    person.submit("first")
    key = person.wait()["key"]
    shutil.rmtree(cells["sandbox"].home / ".submithost" / "jobs" / key)
    person.submit("next", "--after=last")
    assert person.wait()["state"] == "succeeded"


def test_two_jobs_can_be_waited_for(person: Person) -> None:
    person.script("good", OK)
    person.script("bad", BAD)
    person.script("next", NEXT)
    good, bad = person.submit("good", "--hold"), person.submit("bad", "--hold")
    person.submit("next", f"--after={good}", f"--after={bad}", "--job-file=next.job")
    assert person.fab("-H", "sandbox", "release", f"--job={good}", f"--job={bad}").returncode == 0
    waited = person.fab("-H", "sandbox", "wait", "--job=next.job", "--timeout=100")
    assert f"job {bad} did not succeed" in waited.stderr


def test_after_a_job_that_is_known_to_have_failed_nothing_is_submitted(person: Person) -> None:
    person.script("bad", BAD)
    person.script("next", NEXT)
    job_id = person.submit("bad")
    person.wait()
    refused = person.fab("-H", "sandbox", "submit", "--script=next", f"--after={job_id}")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (3, "", 1)
    assert f"job {job_id}" in refused.stderr
    assert person.jobs("--job=last")[0]["job_id"] == job_id


def test_jobs_without_notes_and_jobs_that_are_not_known_are_refused(person: Person) -> None:
    person.script("x", NEXT)
    person.submit("x", "--bare", "--hold")  # of one that has succeeded by then nothing would be needed
    for words, said in ((["--after=last"], "without notes"), (["--after=4711"], "no job '4711'")):
        refused = person.fab("-H", "sandbox", "submit", "--script=x", *words)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1)
        assert said in refused.stderr
    assert person.fab("-H", "sandbox", "cancel").returncode == 0
