"""logs, hold, release, clusters."""

from __future__ import annotations

import json
import time

from tests.conftest import Person, json_lines


def test_logs_follow_a_job_to_its_end_and_show_the_last_lines(person: Person) -> None:
    script = "#!/bin/bash\nfor n in 1 2 3 4; do echo line $n; sleep 1; done\necho wrong >&2\nprintf last\n"
    person.script("x", script)
    person.submit("x")
    while person.jobs()[0]["started_at"] is None:
        time.sleep(0.5)
    followed = person.fab("-H", "sandbox", "logs", "--follow")
    assert followed.returncode == 0, followed.stderr
    assert followed.stdout == "line 1\nline 2\nline 3\nline 4\nlast"
    assert person.fab("-H", "sandbox", "logs", "--lines=2").stdout == "line 4\nlast"
    assert person.fab("-H", "sandbox", "logs", "--stderr").stdout == "wrong\n"


def test_a_task_of_an_array_job_has_its_own_log(person: Person) -> None:
    person.script("x", "#!/bin/bash\necho task $SGE_TASK_ID\n")
    job_id = person.submit("x", "--array=1-2", "--wait")
    assert person.fab("-H", "sandbox", "logs", f"--job={job_id}.2").stdout == "task 2\n"
    assert person.fab("-H", "sandbox", "logs", "--task=1").stdout == "task 1\n"
    nameless = person.fab("-H", "sandbox", "logs")
    assert (nameless.returncode, nameless.stdout) == (2, "")
    assert "--task" in nameless.stderr


def test_a_held_job_has_no_log_yet_and_runs_when_released(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    person.submit("x", "--hold")
    early = person.fab("-H", "sandbox", "logs")
    assert early.returncode == 5
    assert "has not started" in early.stderr
    assert person.fab("-H", "sandbox", "release").returncode == 0
    assert person.wait()["state"] == "succeeded"
    gone = person.fab("-H", "sandbox", "hold")
    assert gone.returncode == 5
    assert "does not exist" in gone.stderr


def test_a_release_of_what_is_not_held_says_so(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    person.submit("x", "--memory=9999G")  # pends for good (G6)
    done = person.fab("-H", "sandbox", "release")
    assert (done.returncode, done.stdout) == (0, "nothing was held\n")
    person.fab("-H", "sandbox", "cancel")


def test_a_job_that_keeps_no_log_or_notes_none_says_so(person: Person) -> None:
    person.script("x", "#!/bin/sh\n#$ -j y -o /dev/null\necho out\n")
    person.submit("x", "--wait")
    silent = person.fab("-H", "sandbox", "logs")
    assert (silent.returncode, silent.stdout) == (0, "")
    assert "to /dev/null" in silent.stderr
    person.submit("x", "--bare", "--wait")
    bare = person.fab("-H", "sandbox", "logs")
    assert (bare.returncode, bare.stdout) == (5, "")
    assert "--bare" in bare.stderr


def test_a_dry_run_of_what_changes_a_job_shows_the_question_and_asks_nothing(person: Person) -> None:
    person.script("x", "#!/bin/sh\n")
    job_id = person.submit("x", "--hold")
    for task, asked in (("release", "qrls"), ("hold", "qhold"), ("cancel", "qdel")):
        shown = person.fab("-H", "sandbox", task, "--dry-run")
        assert (shown.returncode, shown.stdout) == (0, f"{asked} {job_id}\n")
    assert person.jobs()[0]["state"] == "held"
    person.fab("-H", "sandbox", "cancel")


def test_clusters_lists_what_is_configured(person: Person) -> None:
    listed = json_lines(person.fab("clusters", "--json").stdout)
    assert [one["cluster"] for one in listed] == ["sandbox", "sandbox2"]
    assert json.loads(person.fab("clusters", "--json").stdout.splitlines()[0])["scheduler"] == "gridengine"
    assert person.fab("clusters").stdout.splitlines()[0].split("\t")[0] == "sandbox"
