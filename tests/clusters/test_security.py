"""What a login node tries against a workstation that is logged in to it; nothing of it comes to anything."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tasks.files.stream import BIG
from tasks.login_node import Program
from tasks.model.cluster import Cluster
from tasks.model.errors import SchedulerError
from tasks.model.ledger import Ledger
from tasks.session import session
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import extra_sshd, main_door
from tasks.tracking.cluster_session import ClusterSession
from tests.clusters import lying
from tests.clusters.hostile import at
from tests.conftest import ROOT, Person
from tests.test_security import HOSTILE

Sections = list[tuple[str, str]]
Lies = Callable[[list[tuple[str, Sections]]], Person]


def begins(name: str) -> str:
    """The first line of what a program of ours says it does, by which the lying login node knows it."""
    lines = (ROOT / "tasks" / "login_node" / f"{name}.sh").read_text().splitlines()
    return next(line for line in lines if line.startswith("# ") and not line.startswith("# shellcheck"))


LIST, LOOK, MANIFEST, BRING = map(begins, ("list", "look", "manifest", "bring"))
ADOPT, SUBMIT = begins("adopt"), begins("submit")
# No job of this user is alive, nor does the accounting know of any.
EMPTY: Sections = [("queue", "<?xml version='1.0'?>\n<job_info></job_info>\n"), ("=0", "")]
NONE_LEFT: tuple[str, Sections] = (
    begins("trace"),
    [("now", "1700000010\n"), *EMPTY, ("answer", "te1st\n"), ("=0", "")],
)


def adopted(name: str = "seven", key: str = "seven-1", answer: str = "7", **more: object) -> tuple[str, Sections]:
    """A submission that the login node says is there."""
    about = json.dumps({"key": key, "cluster": "hpc", "name": name, **more})
    receipt = f'1700000000\nYour job{"-array" if "." in answer else ""} {answer} ("{name}") has been submitted\n'
    return ADOPT, [("root", "/jobs\n"), ("found", f"{key}\0{about}\0{receipt}\0")]


def ended(notes: str = "end seven-1 7 0 1700000009 0") -> tuple[str, Sections]:
    """A look at a job that has ended."""
    start = f"start seven-1 7 0 1700000001 node\nout /elsewhere/log\nerr /elsewhere/log\n{notes}\n"
    return LOOK, [("now", "1700000010\n"), *EMPTY, ("missing", ""), ("notes", start), ("looked", "")]


def many(*files: tuple[str, bytes]) -> tuple[str, Sections]:
    """Small files, with their right checksums."""
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {path}\n" for path, content in files)
    return BRING, [("sums", sums), ("bytes", b"".join(content for _, content in files).decode())]


@pytest.fixture
def lies(cells: dict[str, Cell], tmp_path: Path) -> Iterator[Lies]:
    """Somebody whose cluster `hpc` is a login node that gives these answers."""
    answers = tmp_path / "answers"
    options = [f"ForceCommand {sys.executable} {lying.__file__} {answers}"]
    with extra_sshd(cells["sandbox"], "hpc", options) as door:
        person = at(door, tmp_path, "    scheduler: gridengine\n")

        def lie(what: list[tuple[str, Sections]]) -> Person:
            answers.write_text(json.dumps([*what, NONE_LEFT]))
            return person

        yield lie


def on_a_terminal(person: Person, *words: str) -> str:
    """All that a person sees of a command line."""
    ours, theirs = os.openpty()
    running = subprocess.Popen(
        [sys.executable, "-m", "fabric", *words], cwd=person.work, env={**person.environment, "TERM": "xterm"},
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with open(ours, "rb", buffering=0) as terminal:
        try:
            while piece := terminal.read(1 << 16):
                shown += piece
        except OSError:  # closed at the other end
            pass
    running.wait(60)
    return shown.decode("utf-8", "replace")


def ledger_of(person: Person) -> Ledger:
    return Ledger(person.home / ".local" / "state" / "submithost" / "ledger.sqlite")


def no_bug(done: subprocess.CompletedProcess[str], *statuses: int) -> None:
    assert done.returncode in statuses, done.stderr
    assert "bug in submithost" not in done.stderr
    assert "Traceback" not in done.stderr


# A login node that lies


def test_it_cannot_choose_the_name_of_what_get_brings(lies: Lies) -> None:
    listing = "d 0 1700000000 755\n\0\0f 5 1700000000 644\nauthorized_keys\0\0"
    person = lies([
        (LIST, [("tools", "tar\n"), ("place", "directory\n/home/.ssh"), ("files", listing)]),
        many(("./authorized_keys", b"evil\n")),
    ])  # fmt: skip
    for source in ("results", "~", ".", "/data/.."):
        done = person.fab("-H", "hpc", "get", f"--source={source}")
        no_bug(done, 5)
        assert not (person.work / ".ssh").exists()


@pytest.mark.parametrize("path", ["../out", "a/../../out", "/../out", ".."])
def test_no_path_leads_out_of_the_directory_that_get_and_fetch_fill(lies: Lies, path: str) -> None:
    entry = f"f 5 1700000000 644\n{path}\0\0"
    person = lies([
        (LIST, [("tools", ""), ("place", "directory\n/data/results"), ("files", f"d 0 1 755\n\0\0{entry}")]),
        adopted(), ended(), (MANIFEST, [("put", ""), ("files", entry), ("logs", entry)]),
        many((path if path.startswith("/") else f"./{path}", b"evil\n")),
    ])  # fmt: skip
    assert person.fab("-H", "hpc", "adopt").returncode == 0
    before = sorted(person.home.rglob("*"))
    no_bug(person.fab("-H", "hpc", "get", "--source=results", "--target=in/here"), 0, 5)
    no_bug(person.fab("-H", "hpc", "fetch", "--to=in/there"), 0, 5)
    new = set(person.home.rglob("*")) - set(before)
    assert all(path.is_relative_to(person.work / "in") for path in new), new


def test_no_link_leads_out_however_long_its_path_over_there(lies: Lies) -> None:
    links = "".join(f"l 0 1700000000 777\n{path}\0{to}\0" for path, to in
                    [("/a/b/c/one", "../../evil"), ("two", "../evil"), ("three", "/etc/passwd")])  # fmt: skip
    person = lies([
        (LIST, [("tools", ""), ("place", "directory\n/data/results"), ("files", f"d 0 1 755\n\0\0{links}")]),
        adopted(), ended(), (MANIFEST, [("put", ""), ("files", links), ("logs", "")]), many(),
    ])  # fmt: skip
    assert person.fab("-H", "hpc", "adopt").returncode == 0
    person.fab("-H", "hpc", "fetch", "--to=there")
    person.fab("-H", "hpc", "get", "--source=results", "--target=here")
    for link in filter(Path.is_symlink, person.work.rglob("*")):
        top = person.work / "here" / "results" if "here" in link.parts else person.work / "there"
        assert Path(os.path.normpath(link.parent / os.readlink(link))).is_relative_to(top), link
    assert not (person.work / "there" / "one").is_symlink()


def test_a_file_that_never_ends_does_not_fill_the_disk(lies: Lies) -> None:
    entry = f"f {BIG} 1700000000 644\nlarge\0\0"
    person = lies([
        adopted(), ended(), (MANIFEST, [("put", ""), ("files", entry), ("logs", "")]), (BRING, [("bytes", "...")]),
    ])  # fmt: skip
    assert person.fab("-H", "hpc", "adopt").returncode == 0
    done = person.fab("-H", "hpc", "fetch", "--to=out", timeout=60)
    no_bug(done, 5)
    assert sum(path.stat().st_size for path in (person.work / "out").rglob("*")) == 0


def test_an_answer_that_never_ends_does_not_fill_the_memory(
    cells: dict[str, Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(session, "_MOST", 1 << 20)
    door = main_door(cells["sandbox"])
    one = ClusterSession(Cluster("sandbox", "sandbox", ssh_config=door.ssh_config, scheduler="gridengine"))
    try:
        with pytest.raises(SchedulerError, match="on and on"):
            one.ask(Program(("ask",), {"command": "cat /dev/zero"}))
    finally:
        one.close()


@pytest.mark.parametrize(
    "claim",
    [
        {"answer": "7.1-999999999:1"}, {"key": "$(touch pwned)"}, {"key": HOSTILE}, {"key": "../../x"},
        {"job_id": HOSTILE, "answer": "no"}, {"submitted_at": 10**30},
        {"outcome": {"state": "failed", "exit_status": "x"}},
    ],
)  # fmt: skip
def test_what_it_claims_of_a_job_is_understood_or_left_alone(lies: Lies, claim: dict[str, object]) -> None:
    person = lies([adopted(**claim), ended("end seven-1 7 0 999999999999999 0"), (ADOPT, [])])  # type: ignore[arg-type]  # any claim
    no_bug(person.fab("-H", "hpc", "adopt", timeout=30), 0, 5)
    for words in (("status",), ("status", "--json"), ("status", "--all")):
        done = person.fab("-H", "hpc", *words, timeout=30)
        no_bug(done, 0, 2, 5)
        assert all(text.isprintable() or text in "\t\n" for text in done.stdout + done.stderr)
        assert "$(" not in done.stdout + done.stderr


def test_a_time_that_no_calendar_has_is_no_time(lies: Lies) -> None:
    person = lies([adopted(), ended("end seven-1 7 0 999999999999999 0")])
    assert person.fab("-H", "hpc", "adopt").returncode == 0
    (job,) = person.jobs("--job=seven-1", cluster="hpc")
    assert (job["state"], job["ended_at"]) == ("succeeded", None)


def test_a_scheduler_that_nobody_knows_is_not_remembered(lies: Lies) -> None:
    person = lies([("command -v qsub", [("answer", f"evil\n{HOSTILE}\n"), ("=0", "")])])
    config = person.home / ".fabric.yml"
    config.write_text(config.read_text().replace("    scheduler: gridengine\n", ""))
    person.script("x", "#!/bin/sh\n")
    done = person.fab("-H", "hpc", "submit", "--script=x")
    no_bug(done, 5)
    assert "no scheduler found" in done.stderr
    assert ledger_of(person).scheduler("hpc") is None


def test_nothing_that_it_says_steers_the_terminal(lies: Lies) -> None:
    name = HOSTILE.replace("\r", "")
    refusal = (MANIFEST, [("refused", HOSTILE)])
    submitted = (
        SUBMIT,
        [("directory", "/jobs/x\n"), ("receipt", f'1700000000\n{HOSTILE}\nYour job 9 ("{name}") has been submitted\n')],
    )
    reason = f"end seven-1 7 0 1700000009 3 {HOSTILE}"
    log = ("cat ", [("answer", "start seven-1 7 0 1700000001 node\nout /log\nerr /log\n"), ("=0", "")])
    shown = (begins("log"), [("at", "0"), ("log", HOSTILE)])
    person = lies([adopted(name), ended(reason), submitted, log, shown, refusal])
    person.script("x", "#!/bin/sh\n")
    lines = [
        ("adopt",), ("status", "--job=seven-1"), ("status", "--job=seven-1", "--watch"),
        ("wait", "--job=seven-1"), ("fetch", "--job=seven-1"),
        ("logs", "--job=seven-1"), ("cancel", "--job=seven-1"),
        ("submit", "--script=x", "--key=x"), ("get", "--source=x"),
    ]  # fmt: skip
    seen = "".join(on_a_terminal(person, "-H", "hpc", *words) for words in lines)
    assert seen.count("pwned") >= 6, seen
    for bad in ("\x1b]", "\x07", "\x9b", "\u202e"):
        assert bad not in seen, seen
