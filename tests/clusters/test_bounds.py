"""A login node that answers too much: each verb ends with a line, its exit status, and little memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tests.clusters.test_security import (
    ADOPT,
    BRING,
    EMPTY,
    LIST,
    LOOK,
    MANIFEST,
    NONE_LEFT,
    Lies,
    adopted,
    begins,
    ended,
    lies,
)
from tests.conftest import Person
from tests.stress import fuzzing

__all__ = ["lies"]  # the fixture
PLACE = [("tools", ""), ("place", "directory\n/data/results")]
FILE = "f 5 1700000000 644\nfile\0\0"
ROW = (
    "<job_list><JB_job_number>7</JB_job_number><state>r</state><tasks>{}</tasks></job_list>"
    "<job_list><JB_job_number>{}</JB_job_number><state>r</state></job_list>"
)


def bounded(person: Person, *words: str) -> fuzzing.Ended:
    """It has ended well by all that can be said of any login node."""
    done = fuzzing.run(person, *words)
    assert not done.bad, (done.bad, done.said[-2000:])
    return done


@pytest.mark.parametrize("tasks", ["1-4000000:1", "1-999999999:1", "1-2000000:1,3000000-4000000:1"])
def test_e13_a_range_in_an_answer_is_never_spelt_out(lies: Lies, tasks: str) -> None:
    """In the receipt, as Grid Engine says it and as it is noted beside; in a row of the queue, and in a claim."""
    row = f"<job_list><JB_job_number>7</JB_job_number><state>qw</state><tasks>{tasks}</tasks></job_list>"
    queue = [("queue", f"<?xml version='1.0'?>\n<job_info>{row}</job_info>\n"), ("=0", "")]
    look = LOOK, [("now", "1700000010\n"), *queue, ("missing", ""), ("notes", ""), ("looked", "")]
    key, about, receipt = adopted()[1][1][1].split("\0")[:3]
    noted = receipt.replace("1700000000", f"1700000000 {tasks} seven")
    person = lies([(ADOPT, [("root", "/jobs\n"), ("found", f"{key}\0{about}\0{noted}\0")]), look])
    done = bounded(person, "adopt")
    assert done.status == 0, done.said
    for words in (("status",), ("status", "--json"), ("jobs",), ("wait", "--timeout=1")):
        bounded(person, *words)
    ledger = person.home / ".local" / "state" / "submithost" / "ledger.sqlite"
    assert ledger.stat().st_size < 1 << 20


GET, FETCH = ["get", "--source=results", "--target=here"], ["fetch", "--to=out"]
LISTED = [("put", ""), ("files", FILE), ("logs", "")]
NOTED = ("notes", "end seven-1 7 {} 1 0\n", 3_000_000)
JOBS = ("found", "k{}\0not understood\0\0", 100)
TOO_MUCH: dict[str, tuple[list[str], list[object]]] = {
    "files": (GET, [(LIST, [*PLACE, ("files", "f 1 1700000000 644\n{}\0\0", 2_000_000)])]),
    "fields": (GET, [(LIST, [*PLACE, ("files", "\0" * 100, 500_000)])]),
    "name": (GET, [(LIST, [*PLACE, ("...", "")])]),
    "queue": (["status"], [(LOOK, [("now", "1\n"), ("queue", "<?xml?><job_info>"), ("queue", ROW, 300_000)])]),
    "notes": (["status"], [(LOOK, [("now", "1\n"), *EMPTY, NOTED, ("looked", "")])]),
    "put": (FETCH, [ended(), (MANIFEST, [("put", "1 1 {}\0", 3_000_000), ("files", ""), ("logs", "")])]),
    "sums": (FETCH, [ended(), (MANIFEST, LISTED), (BRING, [("sums", "...")])]),
    "jobs": (["adopt"], [(ADOPT, [("root", "/j\n"), JOBS, ("found", "x" * 1000, 30_000)])]),
}


@pytest.mark.parametrize("what", TOO_MUCH)
def test_e13_more_than_was_asked_for_is_one_line(lies: Lies, what: str) -> None:
    words, sections = TOO_MUCH[what]
    person = lies([adopted()])
    person.fab("-H", "hpc", "adopt")
    lies([*sections, NONE_LEFT])  # type: ignore[list-item]  # sections with a number of times too
    done = bounded(person, *words)
    assert done.status == 5, done.said
    assert len([line for line in done.said.splitlines() if "left alone" not in line]) == 1, done.said


def test_e13_a_log_that_begins_nowhere_is_one_line(lies: Lies) -> None:
    noted = ("cat ", [("answer", "start seven-1 7 0 1700000001 node\nout /log\nerr /log\n"), ("=0", "")])
    person = lies([adopted(), ended(), noted, (begins("log"), [("at", "-3"), ("log", "x")])])
    person.fab("-H", "hpc", "adopt")
    done = bounded(person, "logs", "--job=seven-1")
    assert done.status == 5, done.said
    assert "its log begins nowhere" in done.said


@pytest.fixture
def victim(cells: dict[str, Cell], tmp_path: Path) -> Iterator[tuple[Person, Path]]:
    with fuzzing.victim(cells["sandbox"], tmp_path) as found:
        yield found


def test_e13_spoilt_answers_break_nothing(victim: tuple[Person, Path]) -> None:
    """A few of what `make stress` tries."""
    person, plan = victim
    for how, place, *words in (
        ("endless sections", 2, "status"), ("endless name", 3, "fetch", "--job=array", "--to=results"),
        ("ranges", 2, "adopt"), ("endless fields", 3, "resubmit", "--job=array", "--dry-run"),
    ):  # fmt: skip
        fuzzing.plan_is(plan, how, place)
        bounded(person, *words)
