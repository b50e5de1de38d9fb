"""What Grid Engine does to naive programs, done to this one; each test is named by its number in the list of quirks."""

from __future__ import annotations

import re
from pathlib import Path

from tasks.testbed import daemons, register
from tasks.testbed.cell import Cell
from tests.clusters.bench import qsub, until
from tests.clusters.pairs import facts_of
from tests.conftest import Person, json_lines, move_in, program, until_there

LONG = "a-name-of-forty-characters-that-qstat-cut"


def test_g6_what_no_queue_can_run_is_submitted_with_the_warning_shown_and_stays_pending(
    person: Person, cells: dict[str, Cell]
) -> None:
    person.script("x", "#!/bin/sh\n")
    done = person.fab("-H", "sandbox", "submit", "--script=x", "--option=-w w -l rmem=900T", "wait", "--timeout=2")
    assert done.returncode == 6
    warning, answer = done.stdout.splitlines()
    assert warning == "warning: no suitable queues"
    assert answer.startswith("Your job ")
    assert person.jobs()[0]["state"] == "pending"
    refused = person.fab("-H", "sandbox", "submit", "--script=x", "--option=-w e -l rmem=900T")
    assert (refused.returncode, refused.stdout) == (5, "")
    person.fab("-H", "sandbox", "cancel")


def test_g9_an_error_state_is_told_with_its_reason_and_the_way_out(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    job_id = person.submit("x", "--workdir=/no/where")
    until(lambda: "Eqw" in cells["sandbox"].must("qstat"))
    asked = person.fab("-H", "sandbox", "status")
    assert asked.returncode == 0
    assert "\terror\t" in asked.stdout
    assert f"job {job_id} " in asked.stderr
    assert "can't chdir to /no/where: No such file or directory" in asked.stderr
    waited = person.fab("-H", "sandbox", "wait", "--timeout=2")
    assert waited.returncode == 6
    assert "can't chdir to /no/where" in waited.stderr
    assert "-H sandbox cancel" in waited.stderr
    assert person.fab("-H", "sandbox", "cancel").returncode == 0


def test_g21_g23_names_are_whole_and_so_are_ids(person: Person, cells: dict[str, Cell]) -> None:
    cell = cells["sandbox"]
    other = qsub(cell, "exit 0\n", "-h", "-N", LONG)
    (job,) = json_lines(person.fab("-H", "sandbox", "adopt", f"--job={other}", "--json").stdout)
    assert (job["name"], job["state"]) == (LONG, "held")
    # A job whose ID is the end of a living one's is not that one.
    done = person.fab("-H", "sandbox", "adopt", f"--job=9{other}")
    assert done.returncode == 2
    assert f"know a job 9{other} of yours" in done.stderr
    person.fab("-H", "sandbox", "cancel", f"--job={other}")


def test_g26_g27_g31_a_task_that_left_the_queue_is_unknown_until_accounting_can_be_read_and_has_it(
    cells: dict[str, Cell], tmp_path: Path
) -> None:
    """Without notes, accounting alone tells how a task ended: later than it ended, and about ended tasks only."""
    person, cell = move_in(tmp_path / "home", register.registration().read_text()), cells["sandbox"]
    # the real qacct, on a file that is not there
    text = '#!/bin/sh\nexec /usr/lib/gridengine/qacct -f /no/accounting "$@"\n'
    absent = program(tmp_path / "bin" / "qacct", text).parent
    (person.work / "fabric.yml").write_text(f'clusters:\n  sandbox:\n    setup: ["PATH={absent}:$PATH; export PATH"]\n')
    go = tmp_path / "go"
    person.script("x", f'[ "$SGE_TASK_ID" = 1 ] && exit 3\n{until_there(go)}\n')
    job_id = person.submit("x", "--bare", "--array=1-2", "--option=-S /bin/sh")
    running = re.compile(rf"^ *{job_id} .* (\d)$", re.M)
    until(lambda: [task.strip() for task in running.findall(cell.must("qstat", "-s", "r"))] == ["2"])

    def tasks() -> list[tuple[str, int | None]]:
        (job,) = person.jobs(f"--job={job_id}")
        return [(task["state"], task["exit_status"]) for task in job["tasks"].values()]

    assert tasks() == [("unknown", None), ("running", None)]
    until(lambda: cell.run("qacct", "-j", job_id).returncode == 0)
    assert tasks() == [("unknown", None), ("running", None)]  # it has the task by now, and cannot be read from there
    (person.work / "fabric.yml").unlink()
    assert tasks() == [("failed", 3), ("running", None)]
    go.touch()
    assert [task["state"] for task in person.wait(f"--job={job_id}")["tasks"].values()] == ["failed", "succeeded"]


def test_g32_the_account_of_a_script_is_its_own(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n#$ -A my_budget -ac mine=1\n")
    job_id = person.submit("x", "--hold", "--key=marked")
    facts = facts_of(cells["sandbox"], [job_id])[job_id]
    assert facts["account"] == "my_budget"
    assert sorted(facts["context"].split(",")) == ["mine=1", "submithost=marked"]
    person.fab("-H", "sandbox", "cancel")


def test_g33_a_job_that_its_dead_node_keeps_has_not_ended(person: Person, cells: dict[str, Cell]) -> None:
    cell = cells["sandbox2"]
    person.script("x", "#!/bin/sh\nexec sleep 60\n")
    job_id = person.submit("x", cluster="sandbox2")
    until(lambda: person.jobs(cluster="sandbox2")[0]["state"] == "running")
    daemons.kill_execd(cell)
    try:
        assert person.fab("-H", "sandbox2", "cancel").returncode == 0
        until(lambda: re.search(rf"^ *{job_id} .* dr ", cell.must("qstat"), re.M))
        asked = person.fab("-H", "sandbox2", "status")
        assert "\trunning\t" in asked.stdout
        assert "cancelled, and still there" in asked.stderr
        assert person.fab("-H", "sandbox2", "wait", "--timeout=2").returncode == 6
    finally:
        daemons.start_execd(cell)  # which ends the job within a minute


def test_g43_no_directory_is_that_of_many_jobs_and_notes_are_a_thousand_to_a_directory(
    person: Person, cells: dict[str, Cell]
) -> None:
    person.script("x", "#!/bin/sh\n")
    directories = []
    for _ in range(2):
        person.submit("x", "--array=999-1000")
        directories.append(Path(person.wait()["directory"]))
    for directory in directories:
        assert len(list(directory.glob("x.o*"))) == 2
        notes = directory / ".submithost" / "notes"
        assert sorted(str(note.relative_to(notes)) for note in notes.rglob("*.end")) == ["0/999.end", "1/1000.end"]
    assert len(set(directories)) == 2
