"""The programs that submit and look, in both shells and without a cluster: attempts of the version before, and faults
in the job directory.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from tasks.files.wire import Bundle, Upload
from tasks.login_node import Program, Reply
from tasks.model.errors import NotSubmitted
from tasks.session import Answer
from tasks.session.answers import Answers
from tasks.submission.inspection import GRACE, Inspection

# What a scheduler gives `submit`, for a command that prints the ID of its job, or nothing.
_SCHEDULER = (
    "survey() { :; }; prepare() { :; }; places() { pwd; }; hand_over() { :; }; details() { echo - x; }\n"
    "accepted() { [ -s out ]; }\n"
)


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    folder = tmp_path / "key" / ".submithost"
    folder.mkdir(mode=0o700, parents=True)
    return folder


def ask(shell: str, mine: Path, *parts: str, before: str = "", data: bytes = b"", **more: str) -> Mapping[str, Reply]:
    """The answer of a program; the shell itself has nothing to complain of."""
    mark = "m" + "0" * 40
    variables = {"root": str(mine.parent.parent), "key": "key", **more}
    text = Program(("directory", *parts), variables, before).text(mark, "export A=b", (), {})
    done = subprocess.run([shell, "-c", text], input=data, capture_output=True, cwd="/", timeout=60)
    assert f"{shell}: ".encode() not in done.stderr
    return dict(Answers(mark).feed(done.stdout, done.stderr))


def progress(found: Mapping[str, Reply]) -> Inspection:
    return Inspection.of(Answer(found))


def submit(
    shell: str,
    mine: Path,
    files: Mapping[str, bytes],
    accepts: bool = True,
    before: str = "",
    first: str = "",
    patience: str = "9",
) -> Inspection:
    uploads = [Upload(".submithost/script", b"#!/bin/sh\n"), *(Upload(name, text) for name, text in files.items())]
    for folder in sorted({str(Path(name).parent) for name in files} - {"."}):
        uploads.insert(1, Upload(folder, b"", 0o700, "d"))
    about = {"submitter": "true", "insert": "2", "shebang": "1", "job_name": "x", "bare": "", "patience": patience}
    command = first + ("head -c 0 .submithost/job/x && echo 7" if accepts else "! head -c 0 .submithost/job/x")
    had = "has() { :; }\n"
    sent = b"".join(Bundle(uploads))
    return progress(
        ask(shell, mine, "receive", "submit", before=_SCHEDULER + had + before, data=sent, submit=command, **about)
    )


def process(pid: int, host: str = "") -> str:
    return f"{host or os.uname().nodename} {pid}\n"


def dead() -> int:
    with subprocess.Popen(["true"]) as ended:
        return ended.pid


FAILING = ("prepare() { false; }", "tail() { false; }", 'head() { [ "$1" != -n ] && command head "$@"; }')


@pytest.mark.parametrize("step", FAILING)
def test_e1_nothing_is_asked_for_where_the_file_to_submit_is_not_whole(shell: str, mine: Path, step: str) -> None:
    """Whatever step of making it fails: with half of it the job would not run its script, or forget its directives."""
    with pytest.raises(NotSubmitted):
        submit(shell, mine, {}, before=step)
    assert not (mine / "receipt").exists()


@pytest.mark.parametrize("name", ["holder.12ab", "asked"])
def test_e1_an_attempt_of_the_version_before_is_over_when_its_process_is(shell: str, mine: Path, name: str) -> None:
    """And not before; then it makes room."""
    attempt = mine / "attempt"
    attempt.mkdir()
    for file in ("survey", *(("out", "err", "pid") if name == "asked" else ("sums",))):
        (attempt / file).touch()
    phase = "asked" if name == "asked" else "taking"
    for sign, age, over in (
        (process(os.getpid()), 0, False),
        (process(os.getpid()), 700, False),
        (process(os.getpid()), 3700, True),
        (process(1, "elsewhere"), GRACE + 5, False),
        (process(1, "elsewhere"), 700, True),
        (process(dead()), GRACE + 5, True),
    ):
        (attempt / name).write_text(sign)
        os.utime(attempt / name, (time.time() - age,) * 2)
        seen = progress(ask(shell, mine, "inspect"))
        assert (seen.phase, seen.held, seen.over) == (phase, name, over), (sign, age)
    assert submit(shell, mine, {}).phase == phase
    assert progress(ask(shell, mine, "release", held="another")).phase == phase
    assert progress(ask(shell, mine, "release", held=name)).phase == ""
    assert not list(mine.iterdir())
    assert submit(shell, mine, {}).out == "7\n"


def test_e1_what_the_version_before_was_told_is_read(shell: str, mine: Path) -> None:
    attempt = mine / "attempt"
    attempt.mkdir()
    for name, text in {"asked": process(dead()), "out": "7\n", "err": "hm\n", "pid": "1\n", "survey": ""}.items():
        (attempt / name).write_text(text)
    seen = progress(ask(shell, mine, "inspect"))
    assert (seen.phase, seen.out, seen.err, seen.ended) == ("asked", "7\n", "hm\n", False)
    (attempt / "status").write_text("1\n")
    seen = progress(ask(shell, mine, "inspect"))
    assert (seen.out, seen.ended, seen.status) == ("7\n", True, 1)
    assert progress(ask(shell, mine, "confirm", receipt="7", details="- x")).receipt


def test_e1_what_cannot_be_removed_is_given_up_all_the_same(shell: str, mine: Path) -> None:
    with pytest.raises(NotSubmitted, match="none here"):
        submit(shell, mine, {}, before="rm() { false; }; has() { false; }; missing() { echo none here; }\n")
    (mine / "attempt" / "asked.1").mkdir(parents=True)
    assert progress(ask(shell, mine, "inspect")).phase == "asked"
    assert progress(ask(shell, mine, "release", before="rm() { false; }\n", held="asked.1")).phase == ""
    assert [path for path in mine.iterdir() if path.name.startswith("dropped.")]
    assert submit(shell, mine, {}).out == "7\n"
    assert not [path for path in mine.iterdir() if path.name.startswith("dropped.")]


def test_e1_a_lock_that_cannot_be_taken_is_told(shell: str, mine: Path) -> None:
    (mine / "attempt").mkdir()
    (mine / "attempt" / ".nfs1").touch()
    with pytest.raises(NotSubmitted, match=r"mv: .*not empty"):
        submit(shell, mine, {})
    assert not [path for path in mine.iterdir() if path.name.startswith(("attempt.", "dropped."))]


@pytest.mark.parametrize("how", ["refused", "killed"])
def test_e1_what_an_attempt_without_a_job_had_laid_is_no_input_of_the_next(shell: str, mine: Path, how: str) -> None:
    """What the user has put there is."""
    job = mine.parent
    (job / "own").mkdir()
    (job / "own" / "by hand").write_text("mine")
    files = {"data/a": b"1", "data/sub/b\nc": b"2", "old.csv": b"3", "own/theirs": b"4"}
    if how == "refused":
        assert submit(shell, mine, files, accepts=False).ended
    else:  # as it lays the last of them
        struck = "kill -9 $$; sh -c 'kill -9 $PPID'"
        killing = f'mv() {{ command mv "$@"; case $* in */draft/data*) {struck} ;; esac; }}\n'
        assert not submit(shell, mine, files, before=killing).directory
    assert (job / "data" / "sub" / "b\nc").read_bytes() == b"2"
    (job / "old.csv").write_bytes(b"changed by the user")
    held = next(path.name for path in (mine / "attempt").iterdir())
    ask(shell, mine, "release", held=held)
    assert submit(shell, mine, {"data": b"a file"}).out == "7\n"
    assert {path.name for path in job.iterdir()} == {"own", "data", "old.csv", ".submithost"}
    assert (job / "data").read_bytes() == b"a file"
    assert [path.name for path in (job / "own").iterdir()] == ["by hand"]


def test_e1_files_that_cannot_be_seen_are_not_taken_for_laid(shell: str, mine: Path) -> None:
    blind = 'mv() { case $* in */draft/*) ;; *) command mv "$@" ;; esac; }\n'
    with pytest.raises(NotSubmitted, match="draft/input"):
        submit(shell, mine, {"input": b"1"}, before=blind)


@pytest.mark.parametrize("when", ["before", "after"])
def test_e1_a_job_that_is_found_meanwhile_is_the_only_one(shell: str, mine: Path, when: str) -> None:
    """Of an earlier attempt, by another client, which writes the receipt just before the scheduler is asked."""
    found = 'printf "1 - x\\n9\\n" >"$mine/receipt"'
    late = f'mv() {{ command mv "$@"; case $* in *asked.*) {found} ;; esac; }}\n'
    meanwhile = late if when == "after" else f'date() {{ {found}; command date "$@"; }}\n'
    told = submit(shell, mine, {"input": b"1"}, before=meanwhile)
    assert (told.receipt, told.out) == (True, "9\n")
    assert not list(mine.glob("attempt/*/out"))


def test_e1_a_scheduler_that_says_nothing_at_once_is_left_alone(shell: str, mine: Path) -> None:
    """Even if the patience for it is at an end before anybody listens."""
    waits = f"until [ -e {mine.parent}/go ]; do sleep 0.1; done"
    told = submit(shell, mine, {}, first=f"{waits};", patience="0")
    assert (told.phase, told.ended) == ("asked", False)
    (mine.parent / "go").touch()
    while not progress(ask(shell, mine, "inspect")).receipt:
        time.sleep(0.1)
