"""jobs shows what was submitted from here, and clean removes what is left of it on the login node, and nothing else."""

from __future__ import annotations

import os
import re
import select
import shutil
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.model.job import Job, Outcome, State
from tasks.testbed import daemons
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import main_door
from tests.clusters.bench import qsub, until
from tests.clusters.hostile import at_terminal
from tests.clusters.test_recovery import ledger_of
from tests.conftest import Person, json_lines, move_in
from tests.session.fabric.person import talk

WRITES = "#!/bin/sh\necho result > result.txt\n"
HERE = ("-H", "sandbox")


def directory(cells: dict[str, Cell], key: str) -> Path:
    return cells["sandbox"].home / ".submithost" / "jobs" / key


def finished(person: Person, *keys: str, fetch: Sequence[str] = ("fetch",), words: Sequence[str] = ()) -> None:
    """Jobs of these keys that have ended, and were fetched."""
    for key in keys:
        line = [*HERE, "submit", f"--script={person.script('x', WRITES)}", f"--key={key}", *words, "wait", *fetch]
        done = person.fab(*line)
        assert done.returncode == 0, done.stderr


def cleaned(person: Person, *words: str, status: int = 0) -> subprocess.CompletedProcess[str]:
    done = person.fab(*HERE, "clean", "--yes", *words)
    assert done.returncode == status, done.stderr
    return done


def made_up(number: int, cluster: str, state: State, age: int = 0) -> Job:
    when = int(time.time()) - age
    return Job(
        f"{cluster}-{number}", cluster, f"n{number}", job_id=str(number), submitted_at=when, outcome=Outcome(state)
    )


# --- jobs


def test_all_that_was_submitted_is_listed_newest_first_without_a_connection(tmp_path: Path) -> None:
    person = move_in(tmp_path / "home")  # none of these clusters is there
    ages = [(5 * 86400 + 7, "5 d"), (2 * 3600, "2 h"), (200, "3 m"), (5, r"\d s")]
    for number, (age, _) in enumerate(ages):
        ledger_of(person).begin(made_up(number, "ab"[number % 2], State.SUCCEEDED if number else State.RUNNING, age))
    lines = person.fab("jobs").stdout.splitlines()
    assert len(lines) == len(ages)
    for line, number in zip(lines, reversed(range(len(ages))), strict=True):
        state = "succeeded" if number else "running"
        assert re.fullmatch(f"{'ab'[number % 2]}\t{number}\t{state}\tn{number}\t{ages[number][1]}", line), line
    assert [line[:3] for line in person.fab("-H", "b", "jobs").stdout.splitlines()] == ["b\t3", "b\t1"]
    running = json_lines(person.fab("jobs", "--state=running", "--state=held", "--json").stdout)
    assert [job["job_id"] for job in running] == ["0"]
    wrong = person.fab("jobs", "--state=runing")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr == "jobs: --state runing: no such state; did you mean 'running'?\n"


def test_the_last_fifty_are_listed_unless_all_are_asked_for(tmp_path: Path) -> None:
    person = move_in(tmp_path / "home")
    for number in range(60):
        ledger_of(person).begin(made_up(number, "a", State.FAILED))
    some = person.fab("jobs")
    assert [line.split("\t")[1] for line in some.stdout.splitlines()] == [str(n) for n in range(59, 9, -1)]
    assert some.stderr == "the last 50 of 60; --all shows all\n"
    every = person.fab("jobs", "--all")
    assert (len(every.stdout.splitlines()), every.stderr) == (60, "")


def test_a_refresh_asks_every_cluster_once_and_shows_what_it_could_not_ask(
    person: Person, cells: dict[str, Cell]
) -> None:
    person.script("x", "#!/bin/sh\n")
    for cluster in ("sandbox", "sandbox2"):
        job_id = person.submit("x", "--hold", cluster=cluster)
        person.submit("x", "--hold", cluster=cluster)
        cells[cluster].must("qrls", job_id)
        until(
            lambda cluster=cluster, job_id=job_id: not re.search(rf"^ *{job_id} ", cells[cluster].must("qstat"), re.M)
        )
    ledger_of(person).begin(made_up(7, "nosuch.invalid", State.RUNNING))
    assert [line.split("\t")[2] for line in person.fab("jobs").stdout.splitlines()] == ["running", *["held"] * 4]
    before = {name: main_door(cells[name]).logins() for name in ("sandbox", "sandbox2")}

    def states() -> list[tuple[str, str]]:
        asked = person.fab("jobs", "--refresh", "--json")
        assert asked.returncode == 4
        assert asked.stderr.splitlines()[-1].startswith("jobs: nosuch.invalid (")
        assert len(asked.stderr.splitlines()) == 1
        return [(job["cluster"], job["state"]) for job in json_lines(asked.stdout)]

    assert states() == [
        ("nosuch.invalid", "running"),
        ("sandbox2", "held"), ("sandbox2", "succeeded"), ("sandbox", "held"), ("sandbox", "succeeded"),
    ]  # fmt: skip
    assert {name: main_door(cells[name]).logins() - before[name] for name in before} == {"sandbox": 1, "sandbox2": 1}

    daemons.stop_qmaster(cells["sandbox2"])
    try:
        asked = person.fab("-H", "sandbox2", "jobs", "--refresh", "--json")
        assert asked.returncode == 5
        assert re.match(r"jobs: sandbox2: could not ask: .*commlib error", asked.stderr)
        assert [job["state"] for job in json_lines(asked.stdout)] == ["held", "succeeded"]
    finally:
        daemons.start_qmaster(cells["sandbox2"])
    for name in ("sandbox", "sandbox2"):
        cells[name].run("qdel", "-u", "*")


def test_clusters_that_do_not_answer_are_waited_for_all_at_once(tmp_path: Path) -> None:
    person = move_in(tmp_path / "home")
    silent = [socket.create_server(("127.0.0.1", 0)) for _ in range(4)]
    for server in silent:
        server.settimeout(60)
    blocks = []
    for number, server in enumerate(silent):
        port = server.getsockname()[1]
        blocks.append(f"Host silent{number}\n HostName 127.0.0.1\n Port {port}\n ConnectTimeout 15\n")
        ledger_of(person).begin(made_up(number, f"silent{number}", State.RUNNING))
    (tmp_path / "ssh_config").write_text("".join(blocks))
    all_here = threading.Barrier(len(silent))

    def say_nothing(server: socket.socket) -> None:
        with server, server.accept()[0] as client:
            all_here.wait(14)  # broken where they come one after the other: the second when the first is given up
            while client.recv(4096):
                pass

    with ThreadPoolExecutor(len(silent)) as pool:
        waiting = pool.map(say_nothing, silent)
        done = person.fab("-S", str(tmp_path / "ssh_config"), "jobs", "--refresh")
        assert list(waiting) == [None] * len(silent)
    assert done.returncode == 4
    assert done.stderr.count("says nothing for 15 s") == len(silent) == len(done.stderr.splitlines())
    assert [line.split("\t")[2] for line in done.stdout.splitlines()] == ["running"] * 4


# --- clean


def test_ended_and_fetched_jobs_lose_their_directories_and_are_known_still(
    person: Person, cells: dict[str, Cell]
) -> None:
    shutil.rmtree(cells["sandbox"].home / ".submithost", ignore_errors=True)
    finished(person, "one", "two")
    finished(person, "unfetched", fetch=())
    finished(person, "in-part", fetch=("fetch", "--only=*.txt"))
    person.submit("x", "--key=alive", "--hold")
    shown = person.fab(*HERE, "clean", "--dry-run")
    assert shown.returncode == 0, shown.stderr
    rows = [line.split("\t") for line in shown.stdout.splitlines()]
    assert [(row[2], Path(row[4])) for row in rows] == [("succeeded", directory(cells, key)) for key in ("one", "two")]
    assert all(re.fullmatch(r"\d+ KB", row[3]) for row in rows)
    assert "2 not fetched since they ended" in shown.stderr
    assert directory(cells, "one").is_dir()

    done = cleaned(person)
    assert done.stdout == shown.stdout
    assert re.search(r"^removed 2 job directories \(\d+ KB\)$", done.stderr, re.M)
    left = {path.name for path in (cells["sandbox"].home / ".submithost/jobs").iterdir() if path.is_dir()}
    assert left == {"unfetched", "in-part", "alive"}
    states = {job["key"]: (job["state"], job["directory"]) for job in json_lines(person.fab("jobs", "--json").stdout)}
    assert states["one"] == ("succeeded", None)
    assert states["unfetched"] == ("succeeded", str(directory(cells, "unfetched")))
    for task in ("fetch", "logs", "resubmit"):
        gone = person.fab(*HERE, task, "--job=one")
        assert (gone.returncode, gone.stdout, gone.stderr.count("\n")) == (2, "", 1)
        assert re.search(r"its directory was cleaned on \d{4}-", gone.stderr)

    assert "there is nothing to remove" in cleaned(person).stderr
    cleaned(person, "--unfetched")
    left = {path.name for path in (cells["sandbox"].home / ".submithost/jobs").iterdir() if path.is_dir()}
    assert left == {"alive"}
    person.fab(*HERE, "cancel", "--job=alive")


def test_c9_clean_names_what_was_fetched_in_part_and_takes_it_when_told(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "part", fetch=("fetch", "--only=*.txt"))
    finished(person, "never", fetch=())
    finished(person, "whole")
    said = cleaned(person, "--dry-run").stderr
    (part,) = [line for line in said.splitlines() if "fetched in part (--only)" in line]
    assert person.jobs("--job=part")[0]["job_id"] in part
    assert f"job {person.jobs('--job=never')[0]['job_id']} " in said
    assert "--unfetched" in said
    refused = cleaned(person, "--job=part", status=2)
    assert "was fetched in part (--only) since it ended: fetch it, or say --unfetched" in refused.stderr
    cleaned(person, "--job=part", "--unfetched")
    assert not directory(cells, "part").exists()
    assert person.fab(*HERE, "fetch", "--job=never").returncode == 0
    cleaned(person, "--job=never")


def test_c9_jobs_says_as_of_when_it_knows_and_nothing_where_it_has_just_asked(person: Person) -> None:
    nobody = person.fab("jobs")
    assert (nobody.returncode, nobody.stdout, nobody.stderr) == (0, "", "no job was submitted from here yet\n")
    assert person.fab(*HERE, "status", "--all").stderr == "sandbox: no job was submitted from here\n"
    person.submit(person.script("x", WRITES), "--hold")
    with sqlite3.connect(ledger_of(person).path) as ledger:
        ledger.execute("UPDATE asked SET at = at - 3 * 3600")
    person.submit("x", "--hold")
    said = person.fab("jobs").stderr
    assert re.fullmatch(
        r"sandbox: 2 jobs are not known to have ended, as of 3 h to \d+ [sm] ago; --refresh asks\n", said
    )
    assert person.fab("jobs", "--refresh").stderr == ""
    assert re.search(r", as of \d+ [sm] ago", person.fab("jobs").stderr)
    for job in json_lines(person.fab("jobs", "--json").stdout):
        person.fab(*HERE, "cancel", f"--job={job['job_id']}")
    assert person.fab(*HERE, "jobs", "--refresh").returncode == 0
    assert person.fab("jobs").stderr == ""
    assert person.fab("jobs", "--state=running").stderr == "no job is running\n"


def test_c9_what_has_nothing_to_do_says_so(person: Person) -> None:
    (person.work / "data").mkdir()
    put = [*HERE, "put", "--source=data", f"--target={person.home}/there"]
    assert "1 directory" in person.fab(*put).stderr
    for name, said in (("a", "the file is"), ("b", "all 2 files are")):
        person.script(f"data/{name}", name)
        assert "1 file " in person.fab(*put).stderr
        for words in (put, [*put, "--dry-run"]):
            again = person.fab(*words)
            assert (again.returncode, again.stdout) == (0, "")
            assert again.stderr == f"sandbox: nothing to send: {said} in {person.home}/there/data already\n"
    get = [*HERE, "get", f"--source={person.home}/there/data"]
    person.fab(*get, "--target=here")
    assert person.fab(*get, "--target=here").stderr == "sandbox: nothing to bring: all 2 files are in here already\n"
    person.submit(person.script("x", WRITES), "--wait")
    person.fab(*HERE, "fetch", "--to=out")
    again = person.fab(*HERE, "fetch", "--to=out")
    assert (again.returncode, again.stdout) == (0, "")
    assert again.stderr.endswith(": nothing to bring: all 3 files are in out already\n")


def test_a_job_that_is_named_and_may_not_go_is_refused_with_the_reason(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "early", fetch=())
    person.submit("x", "--key=later", "--hold")
    hand = qsub(cells["sandbox"], "true\n", "-h")
    person.fab(*HERE, "adopt", f"--job={hand}")
    ledger_of(person).update(made_up(99, "sandbox", State.VANISHED))
    for job, why in {
        "early": "was not fetched since it ended",
        "later": "is not known to have ended",
        hand: "was submitted by hand",
        "99": "is not known to have ended (vanished)",
    }.items():
        refused = cleaned(person, f"--job={job}", status=2)
        assert why in refused.stderr
        assert refused.stderr.count("\n") == 1
    cleaned(person, "--job=early", "--unfetched")
    assert not directory(cells, "early").exists()
    person.fab(*HERE, "cancel", "--job=later", f"--job={hand}")


def test_results_that_did_not_all_arrive_are_not_counted_as_fetched(person: Person, cells: dict[str, Cell]) -> None:
    person.submit(person.script("x", WRITES), "--key=kept", "--wait")
    (person.work / "out").mkdir()
    (person.work / "out" / "result.txt").write_text("mine, and newer")
    future = time.time() + 1000
    os.utime(person.work / "out" / "result.txt", (future, future))
    assert person.fab(*HERE, "fetch", "--to=out").returncode == 2
    assert "was not fetched" in cleaned(person, "--job=kept", status=2).stderr
    assert person.fab(*HERE, "fetch", "--to=out", "--force").returncode == 0
    cleaned(person, "--job=kept")
    # and what was fetched while the job still ran is not all there will be
    person.script("y", "#!/bin/sh\necho early > early\nwhile [ ! -f go ]; do sleep 0.2; done\n")
    person.submit("y", "--key=ran")
    until(lambda: (directory(cells, "ran") / "early").exists())
    assert person.fab(*HERE, "fetch", "--to=early").returncode == 0
    (directory(cells, "ran") / "go").touch()
    assert person.wait("--job=ran")["state"] == "succeeded"
    assert "was not fetched" in cleaned(person, "--job=ran", status=2).stderr
    assert directory(cells, "ran").exists()


def lie(person: Person, key: str) -> None:
    """A ledger that says that a job has ended and was fetched, whatever is true."""
    job = ledger_of(person).by_key("sandbox", key)
    assert job
    ledger_of(person).update(replace(job, outcome=Outcome(State.SUCCEEDED, 0, 1, 2)))
    ledger_of(person).note(job, fetched_at=3)


def test_what_the_ledger_says_is_asked_again_over_there(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "accounted", fetch=())
    until((cells["sandbox"].common / "accounting").exists)  # a new cell has none, and cannot be asked
    person.script("x", "#!/bin/sh\nsleep 60\n")
    for key, words in {"runs": (), "waits": ("--hold",), "tasks": ("--array=1-2",)}.items():
        person.submit("x", f"--key={key}", *words)
        lie(person, key)
    until(lambda: (directory(cells, "runs") / ".submithost/notes/0/0.start").exists())
    done = cleaned(person)
    assert done.stdout == ""
    assert len(re.findall(r"left: the scheduler still has job \d+", done.stderr)) == 3
    # in the queue no more, and with no note and no accounting of an end
    orphan = directory(cells, "orphan")
    shutil.copytree(directory(cells, "runs"), orphan, symlinks=True)
    about = orphan / ".submithost" / "about"
    about.write_text(about.read_text().replace("runs", "orphan"))
    job = ledger_of(person).by_key("sandbox", "runs")
    assert job
    ledger_of(person).begin(replace(job, key="orphan", job_id="999999", directory=str(orphan), fetched_at=3))
    done = cleaned(person, "--job=orphan", status=2)
    assert "neither its notes nor the accounting say that it has ended" in done.stderr
    assert all(directory(cells, key).is_dir() for key in ("runs", "waits", "tasks", "orphan"))
    cells["sandbox"].run("qdel", "-u", "*")


def test_while_the_scheduler_cannot_be_asked_nothing_is_removed(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "down")
    daemons.stop_qmaster(cells["sandbox"])
    try:
        done = cleaned(person, status=5)
        assert (done.stdout, done.stderr.count("\n")) == ("", 1)
        assert directory(cells, "down").is_dir()
    finally:
        daemons.start_qmaster(cells["sandbox"])
    cleaned(person)
    assert not directory(cells, "down").exists()


def test_only_the_job_directory_of_a_key_is_removed(person: Person, cells: dict[str, Cell], tmp_path: Path) -> None:
    keys = ("linked", "stolen", "elsewhere", "foreign")
    finished(person, *keys)
    for precious in (tmp_path / "precious", tmp_path / "elsewhere"):
        shutil.copytree(directory(cells, "linked"), precious, symlinks=True)
    shutil.rmtree(directory(cells, "linked"))
    directory(cells, "linked").symlink_to(tmp_path / "precious")
    about = directory(cells, "stolen") / ".submithost" / "about"
    about.write_text(about.read_text().replace('"stolen"', '"another"'))
    job = ledger_of(person).by_key("sandbox", "elsewhere")
    assert job
    other = replace(job, key="moved", directory=str(tmp_path / "elsewhere"))
    ledger_of(person).begin(other)
    foreign = directory(cells, "foreign") / ".submithost" / "about"
    if os.geteuid() == 0:
        os.chown(foreign, 12345, 12345)
    else:
        foreign.unlink()
    done = cleaned(person)
    assert re.search(r"left: \S*/linked is a link, or not there, or somebody else's", done.stderr)
    assert re.search(r"left: \S*/stolen/.submithost/about is of another submission", done.stderr)
    assert re.search(r"left: \S*/foreign/.submithost/about is a link, or not there, or somebody else's", done.stderr)
    assert re.search(r"left: is not in \S*/\.submithost/jobs", done.stderr)
    assert (tmp_path / "precious" / "result.txt").exists()
    assert (tmp_path / "elsewhere" / "result.txt").exists()
    assert directory(cells, "stolen").is_dir()
    assert foreign.parent.is_dir()
    assert not directory(cells, "elsewhere").exists()
    for key in ("linked", "stolen", "foreign"):
        path = directory(cells, key)
        path.unlink() if path.is_symlink() else shutil.rmtree(path)


def test_links_in_a_job_directory_go_and_what_they_lead_to_stays(
    person: Person, cells: dict[str, Cell], tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "kept").touch()
    finished(person, "links")
    (directory(cells, "links") / "data").symlink_to(tmp_path / "data")
    (directory(cells, "links") / "-rf").mkdir()
    cleaned(person, "--job=links")
    assert not directory(cells, "links").exists()
    assert (tmp_path / "data" / "kept").exists()


def test_a_file_system_that_is_not_there_is_no_job_directory_that_is_gone(
    person: Person, cells: dict[str, Cell]
) -> None:
    finished(person, "away")
    jobs = cells["sandbox"].home / ".submithost" / "jobs"
    jobs.rename(jobs.with_name("unmounted"))
    try:
        assert "is its file system there?" in cleaned(person, status=5).stderr
    finally:
        jobs.with_name("unmounted").rename(jobs)
    assert person.fab(*HERE, "fetch", "--job=away", "--to=again").returncode == 0
    shutil.rmtree(directory(cells, "away"))
    assert "there is nothing to remove" in cleaned(person).stderr
    assert "was cleaned on" in person.fab(*HERE, "fetch", "--job=away").stderr


def test_a_job_that_another_one_will_ask_about_stays_until_that_has_started(
    person: Person, cells: dict[str, Cell]
) -> None:
    person.submit(person.script("x", WRITES), "--key=first", "--hold")
    person.submit("x", "--key=second", "--after=first", "--hold")
    person.fab(*HERE, "release", "--job=first")
    assert person.wait("--job=first")["state"] == "succeeded"
    assert person.fab(*HERE, "fetch", "--job=first", "--to=first").returncode == 0
    assert "left: a job that is still to start asks whether this one succeeded" in cleaned(person).stderr
    named = cleaned(person, "--job=first", status=2)
    assert named.stderr.endswith("sandbox: a job that was named may not be cleaned: nothing removed\n")
    person.fab(*HERE, "release", "--job=second")
    assert person.wait("--job=second")["state"] == "succeeded"
    cleaned(person)
    assert not directory(cells, "first").exists()


def test_jobs_that_ended_a_moment_ago_stay_when_older_ones_are_meant(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "young")
    assert "nothing to remove" in cleaned(person, "--older-than=1-00:00:00").stderr
    assert directory(cells, "young").is_dir()
    cleaned(person, "--older-than=0")
    assert not directory(cells, "young").exists()


def test_the_accounting_tells_the_end_of_a_job_without_notes(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "bare", words=("--bare",))
    cleaned(person)
    assert not directory(cells, "bare").exists()


def test_nothing_is_removed_where_nobody_can_be_asked(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "asked")
    before = main_door(cells["sandbox"]).logins()
    done = subprocess.run(
        ["setsid", "--wait", sys.executable, "-m", "fabric", *HERE, "clean"], cwd=person.work, env=person.environment,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "needs --yes" in done.stderr
    assert main_door(cells["sandbox"]).logins() == before
    assert directory(cells, "asked").is_dir()


def test_somebody_at_a_terminal_is_shown_what_goes_and_asked(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "typed")
    for answer, there in (("", True), ("n", True), ("y", False)):
        out, err, _ = talk(*at_terminal(person, *HERE, "clean"), ("? [y/N] ", answer), limit=40)
        assert str(directory(cells, "typed")) in out
        assert ("nothing removed" in err) is there
        assert directory(cells, "typed").is_dir() is there


def test_a_job_that_goes_on_while_somebody_is_asked_stays(person: Person, cells: dict[str, Cell]) -> None:
    finished(person, "requeued")
    child, ours = at_terminal(person, *HERE, "clean")
    shown = b""
    while b"[y/N] " not in shown:
        assert select.select([ours], [], [], 40)[0], shown
        shown += os.read(ours, 4096)
    (directory(cells, "requeued") / ".submithost/notes/0/0.end").unlink()  # as a start does
    _, err, _ = talk(child, ours, ("", "y"), limit=40)
    assert "left: its job has gone on since it was looked at" in err
    assert "1 could not be removed" in err
    assert (directory(cells, "requeued") / "result.txt").exists()


# --- jobs that were submitted by hand


@pytest.mark.parametrize("array", [False, True])
def test_of_a_job_submitted_by_hand_the_logs_are_fetched_and_nothing_else_of_where_it_ran(
    person: Person, cells: dict[str, Cell], array: bool
) -> None:
    cell = cells["sandbox"]
    where = cell.home / f"by-hand-{array}"
    (where / "sub").mkdir(parents=True)
    words = [str(word) for word in ("-wd", where, "-N", "by_hand", "-o", where, "-e", where, "-j", "n")]
    job_id = qsub(cell, "echo out; echo err >&2\n", "-h", *words, *(["-t", "1-2"] if array else []))
    job_id = job_id.splitlines()[-1].partition(".")[0]
    for name in ("precious.txt", "by_hand.o1", f"sub/by_hand.o{job_id}", f"other.o{job_id}"):
        (where / name).write_text("not of this job\n")
    assert person.fab(*HERE, "adopt", f"--job={job_id}").returncode == 0
    cell.must("qrls", job_id)
    assert person.wait(f"--job={job_id}")["state"] == "succeeded"
    done = person.fab(*HERE, "fetch", f"--job={job_id}", "--to=out")
    assert done.returncode == 0, done.stderr
    got = {path.name: path.read_text() for path in (person.work / "out").rglob("*")}
    tasks = (".1", ".2") if array else ("",)
    assert got == {f"by_hand.{kind[0]}{job_id}{task}": f"{kind}\n" for kind in ("out", "err") for task in tasks}
    logs = person.fab(*HERE, "logs", f"--job={job_id}", *(["--task=1"] if array else []))
    assert (logs.returncode, logs.stderr.count("\n")) == (2, 1)
    assert "fetch brings those where it ran" in logs.stderr
