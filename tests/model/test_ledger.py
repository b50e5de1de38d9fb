"""The ledger: private, safe under many processes, and never overwritten when it is not understood."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.model.errors import InvalidInput
from tasks.model.job import Job, Outcome, State
from tasks.model.ledger import Ledger
from tasks.model.record import from_record, to_record
from tasks.model.resources import TaskRange


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "state" / "ledger.sqlite")


def test_only_its_owner_can_read_it(ledger: Ledger) -> None:
    ledger.begin(Job("k", "a"))
    assert ledger.path.stat().st_mode & 0o777 == 0o600
    assert ledger.path.parent.stat().st_mode & 0o777 == 0o700


def test_a_place_that_cannot_be_written_is_told_with_a_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    nowhere = Ledger(tmp_path / "file" / "state" / "ledger.sqlite")
    with pytest.raises(InvalidInput, match="cannot be written: Not a directory; XDG_STATE_HOME"):
        nowhere.begin(Job("k", "a"))
    with pytest.raises(InvalidInput, match="cannot be read: Not a directory; XDG_STATE_HOME"):
        nowhere.last("a")


def test_a_job_comes_back_as_it_was_recorded(ledger: Ledger) -> None:
    tasks = {1: Outcome(State.FAILED, 3, 10, 20, "why"), 2: Outcome(State.RUNNING)}
    job = Job("k", "a", "né'\n", "x", job_id="7", array=TaskRange(1, 2), tasks=tasks, cancelled=(2,))
    job = replace(job, requeued=frozenset({(2, 15)}))
    ledger.update(job)
    assert ledger.by_key("a", "k") == ledger.by_id("a", "7") == ledger.last("a") == job
    assert from_record(to_record(job)) == job


def test_a_key_is_begun_once_for_each_cluster(ledger: Ledger) -> None:
    assert ledger.begin(Job("k", "a", "first")).name == "first"
    assert ledger.begin(Job("k", "a", "second")).name == "first"
    assert ledger.begin(Job("k", "b", "other")).name == "other"


def test_what_has_ended_is_not_unended_by_a_slower_process(ledger: Ledger) -> None:
    job = Job("k", "a", job_id="7")
    ledger.update(replace(job, outcome=Outcome(State.SUCCEEDED, 0)))
    ledger.update(replace(job, outcome=Outcome(State.RUNNING)))
    assert ledger.jobs("a")[0].state is State.SUCCEEDED
    assert ledger.jobs("a", live=True) == []


def test_what_another_process_has_found_out_stays_and_is_told(ledger: Ledger) -> None:
    job = Job("k", "a", job_id="7")
    ledger.update(replace(job, cancelled=(None,), requeued=frozenset({(0, 15)})))
    mine = replace(job, outcome=Outcome(State.RUNNING), requeued=frozenset({(0, 20)}))
    (told,) = ledger.news([mine])
    assert told == replace(mine, cancelled=(None,), requeued=frozenset({(0, 15), (0, 20)}))
    ledger.update(mine)
    assert ledger.last("a") == told


def test_g29_an_id_that_is_used_again_means_the_newest_job(ledger: Ledger) -> None:
    ledger.update(Job("old", "a", job_id="7"))
    ledger.update(Job("new", "a", job_id="7"))
    found = ledger.by_id("a", "7")
    assert found is not None
    assert found.key == "new"


def test_a_ledger_of_a_newer_version_is_left_alone(ledger: Ledger) -> None:
    ledger.begin(Job("k", "a"))
    with sqlite3.connect(ledger.path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    before = ledger.path.read_bytes()
    with pytest.raises(InvalidInput, match="version 99"):
        ledger.jobs()
    assert ledger.path.read_bytes() == before


def test_a_damaged_ledger_is_one_line_and_left_alone(ledger: Ledger) -> None:
    ledger.path.parent.mkdir(parents=True)
    ledger.path.write_bytes(b"not a database" * 100)
    with pytest.raises(InvalidInput, match="not a database"):
        ledger.begin(Job("k", "a"))
    assert ledger.path.read_bytes() == b"not a database" * 100


def test_many_processes_at_once_lose_nothing(ledger: Ledger) -> None:
    program = (
        "import sys; from pathlib import Path; from tasks.model.ledger import Ledger; from tasks.model.job import Job\n"
        "for n in range(10): Ledger(Path(sys.argv[1])).begin(Job(f'{sys.argv[2]}-{n}', 'a'))"
    )
    running = [
        subprocess.Popen([sys.executable, "-c", program, str(ledger.path), f"p{number}"], cwd=Path(__file__).parents[2])
        for number in range(8)
    ]
    assert [process.wait(60) for process in running] == [0] * 8
    assert len(ledger.jobs("a")) == 80


@pytest.mark.parametrize("wrong", [{"key": 3}, {"job_id": 7}, {"cluster": None}, {"directory": []}, {"name": {}}])
def test_a_record_whose_texts_are_none_is_not_understood(wrong: dict[str, object]) -> None:
    with pytest.raises(TypeError):
        from_record({**to_record(Job("k", "a", job_id="7")), **wrong})


def test_what_is_done_about_an_ended_job_is_noted_and_no_watcher_forgets_it(ledger: Ledger) -> None:
    running = Job("k", "a", job_id="7", outcome=Outcome(State.RUNNING))
    ended = replace(running, outcome=Outcome(State.SUCCEEDED, 0))
    ledger.update(running)
    ledger.note(running, fetched_at=5)
    ledger.update(ended)  # by a process that read it before
    assert ledger.by_key("a", "k") == replace(ended, fetched_at=5)
    ledger.note(ended, cleaned_at=9)
    assert ledger.by_key("a", "k") == replace(ended, fetched_at=5, cleaned_at=9)
    ledger.note(Job("nosuch", "a"), cleaned_at=9)
    assert len(ledger.jobs()) == 1


def test_a_record_from_before_fetched_jobs_were_noted_is_read() -> None:
    record = to_record(Job("k", "a", job_id="7"))
    del record["fetched_at"], record["cleaned_at"]
    assert from_record(record) == Job("k", "a", job_id="7")
