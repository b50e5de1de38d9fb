"""Plenty of jobs, tasks and rows: what is done grows with what is new, and with nothing else. Counted, not timed."""

from __future__ import annotations

import os
import sqlite3
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tasks.login_node import Sections, source
from tasks.model.job import Alike, Job, Outcome, State
from tasks.model.ledger import Ledger
from tasks.model.notes import Note, Notes
from tasks.model.record import from_record, to_record
from tasks.model.resources import TaskRange
from tasks.model.settling import Known, settle
from tests.bench import plenty

TOOLS = ("awk", "cat", "cksum", "du", "find", "grep", "id", "mv", "rm", "sed", "sh", "sort", "stat", "tr", "xargs")


def run(program: str, variables: Mapping[str, str], data: str, folder: Path) -> tuple[int, dict[str, bytes]]:
    """How many programs one of ours starts, and its sections."""
    tools, log = folder / "tools", folder / "started"
    tools.mkdir(exist_ok=True)
    log.write_text("")
    for tool in TOOLS:
        (tools / tool).write_text(f'#!/bin/dash\necho {tool} >>"{log}"\nexec /usr/bin/{tool} "$@"\n')
        (tools / tool).chmod(0o755)
    prelude = source("prelude.sh").split("\nif [ -z")[0]
    given = [f"{name}='{value}'" for name, value in {"mark": "MARK", "nonce": "1", **variables}.items()]
    text = "\n".join([*given, prelude, source("directory.sh"), source(f"{program}.sh")])
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    done = subprocess.run(
        ["/bin/sh", "-c", text], input=data.encode(), capture_output=True, check=True, env=environment
    )
    found: dict[str, bytes] = {}
    for name, piece in Sections("MARK").feed(done.stdout):
        found[name] = found.get(name, b"") + piece
    return len(log.read_text().split()), found


def laid(folder: Path, count: int) -> list[Job]:
    jobs = list(plenty.ended_jobs("hpc", folder / "jobs", count))
    for job in jobs:
        plenty.lay(job)
    return jobs


@pytest.mark.parametrize("program", ["adopt", "clean"])
def test_e14_many_job_directories_take_no_more_processes_than_few(program: str, tmp_path: Path) -> None:
    started, told = [], []
    for count in (2, 40):
        folder = tmp_path / str(count)
        folder.mkdir()
        jobs = laid(folder, count)
        lines = "".join(f"{job.key} {job.job_id} - {job.directory}\n" for job in jobs)
        variables = {"root": f"{folder}/jobs", "alive": "echo 7", "remove": ""}
        many, sections = run(program, variables, lines, folder)
        started.append(many)
        told.append(sections["found"].count(b"\0"))
    assert told == [2 * (3 if program == "adopt" else 4), 40 * (3 if program == "adopt" else 4)]
    assert started[0] == started[1], started


def test_e14_removing_takes_no_process_for_each_either_and_leaves_what_must_stay(tmp_path: Path) -> None:
    jobs = laid(tmp_path, 60)
    other = Path(jobs[0].directory or "", ".submithost", "about")
    other.write_text(other.read_text().replace(jobs[0].key, "another-key"))
    lines = "".join(f"{job.key} {job.job_id} - {job.directory}\n" for job in jobs)
    many, sections = run(
        "clean", {"root": f"{tmp_path}/jobs", "alive": f"echo {jobs[1].job_id}", "remove": "1"}, lines, tmp_path
    )
    words = dict(zip(sections["found"].split(b"\0")[0::4], sections["found"].split(b"\0")[1::4], strict=False))
    assert [words[job.key.encode()] for job in jobs] == [b"left", b"left", *[b"removed"] * 58]
    assert sorted(path.name for path in (tmp_path / "jobs").iterdir()) == sorted(job.key for job in jobs[:2])
    assert many < 40


@pytest.mark.parametrize("logs", ["", "1"])
def test_e14_notes_of_many_tasks_take_no_more_processes_than_those_of_few(logs: str, tmp_path: Path) -> None:
    """And one that was cut off where a disk was full stays apart from the next."""
    started = []
    for count in (2, 40):
        folder = tmp_path / str(count)
        job = plenty.array_job("hpc", folder, "7", 5000, count)
        plenty.note(job, 1001, 20, 30)
        cut = Path(job.directory or "", ".submithost", "notes", "0", "1.end")
        cut.write_text(cut.read_text().rstrip("\n"))
        variables = {"queue": "", "seconds": "0", "first": "0", "every": "1", "logs": logs}
        many, sections = run("look", variables, f"{job.directory}\n", folder)
        started.append(many)
        notes = Notes()
        notes.read(sections["notes"].decode())
        assert {task: note.exit_status for task, note in notes.notes[job.key].items()} == dict.fromkeys(
            [*range(1, count + 1), 1001], 0
        )
        assert len(notes.logs.get(job.key, ())) == (count + 1 if logs else 0)
    assert started[0] == started[1], started


def test_e14_an_about_of_any_length_is_told_whole(tmp_path: Path) -> None:
    (job,) = laid(tmp_path, 1)
    about = Path(job.directory or "", ".submithost", "about")
    about.write_text('{"key": "' + "x" * 300_000 + '"}')
    _, sections = run("adopt", {"root": f"{tmp_path}/jobs"}, "", tmp_path)
    key, said, receipt, _ = sections["found"].split(b"\0")
    assert (key, said) == (job.key.encode(), about.read_bytes())
    assert receipt.decode().split("\n", 1)[1] == job.answer


def test_e14_a_question_about_some_jobs_reads_no_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many rows there are: each of these is answered by an index."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.update(*plenty.ended_jobs("hpc", tmp_path, 50), Job("again", "hpc", job_id="9", origin="k"))
    steps: list[str] = []
    select = ledger._select

    def explained(connection: sqlite3.Connection, where: str, *values: object) -> list[Job]:
        order = "" if "ORDER BY" in where else " ORDER BY number"
        rows = connection.execute(
            f"EXPLAIN QUERY PLAN SELECT record FROM jobs WHERE {where}{order}", values
        )  # the ledger's own
        steps.extend(row[3] for row in rows)
        return select(connection, where, *values)

    monkeypatch.setattr(ledger, "_select", explained)
    assert [job.key for job in ledger.repeats("hpc")] == ["again"]
    for ask in (
        lambda: ledger.jobs("hpc", live=True), lambda: ledger.jobs(live=True), lambda: ledger.last("hpc"),
        lambda: ledger.by_id("hpc", "9"), lambda: ledger.by_key("hpc", "again"), lambda: ledger.begun("hpc"),
        lambda: ledger.jobs("hpc", [State.VANISHED]),
    ):  # fmt: skip
        ask()
    assert len(steps) >= 8
    assert not [step for step in steps if step.startswith("SCAN")]


ARRAY = Job("k", "hpc", job_id="12", array=TaskRange(1, 4_000_000), outcome=Outcome(State.PENDING))


def test_e14_tasks_that_are_all_the_same_are_not_told_apart() -> None:
    """A range stays one: in what is known, in the ledger, and in what is said of it."""
    rows = Alike(ARRAY.numbers(), Outcome(State.PENDING))
    job = settle(ARRAY, Known(10, {}, rows))
    assert isinstance(job.tasks, Alike)
    assert job.tally() == "4000000 pending"
    assert len(str(to_record(job))) < 2000
    assert from_record(to_record(job)) == job


def test_e14_news_of_a_few_tasks_settle_those_alone() -> None:
    """What else is known of the others stays the very same."""
    job = Job("k", "hpc", job_id="12", array=TaskRange(1, 1000), outcome=Outcome(State.PENDING))
    job = settle(job, Known(10, {}, {task: Outcome(State.PENDING) for task in range(1, 1001)}))
    notes = {task: Note("12", 20) for task in (3, 7)}
    later = settle(job, Known(20, notes, news={3, 7}))
    changed = [task for task in job.tasks if later.tasks[task] is not job.tasks[task]]
    assert changed == [3, 7]
    assert later.tally() == "998 pending, 2 running"
