"""A home directory there that is full, and bytes that are no UTF-8: nothing is lost, doubled, or a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.sshd import extra_sshd
from tests.clusters.hostile import at, goes_well, login_node
from tests.conftest import Person, json_lines, program

PAGE = 4096
MOST_PAGES = 21  # with so many a submission has room


class Home:
    """A home directory with room for half a megabyte."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, free: int = 0) -> None:
        """Leave so many bytes, in whole pages."""
        self._filler.unlink(missing_ok=True)
        with self._filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * PAGE)
            except OSError:
                file.truncate(max(0, file.tell() // PAGE * PAGE - free))

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)


@contextmanager
def small(path: Path) -> Iterator[Home]:
    """A file system of its own: only root may mount one here, others in a namespace that the sshd would not share."""
    path.mkdir()
    if os.geteuid() != 0:
        pytest.fail("a full file system can be made by root only: run the tests as root, as in a container")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "none", path], check=True)
    try:
        yield Home(path)
    finally:
        subprocess.run(["umount", "--lazy", path], check=True)


@pytest.fixture
def full(cells: dict[str, Cell], tmp_path: Path) -> Iterator[tuple[Person, Home]]:
    with small(tmp_path / "home") as home, extra_sshd(cells["sandbox"], "full", home=home.path) as door:
        yield at(door, tmp_path, "    scheduler: gridengine\n"), home


def test_a_full_quota_is_one_line_and_the_same_key_goes_on_when_there_is_space(full: tuple[Person, Home]) -> None:
    person, home = full
    (home.path / ".submithost" / "jobs").mkdir(parents=True)
    home.fill()
    line = ("-H", "hpc", "submit", "--script=x", "--key=once")
    done = person.fab(*line)
    assert done.returncode == 5, done.stderr
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "nothing submitted: " in done.stderr
    assert "space" in done.stderr.lower()
    home.free()
    goes_well(person, *line, "wait", "fetch", "--to=out")
    assert person.fab(*line).stdout == person.fab(*line).stdout


def test_a_quota_that_fills_up_at_any_moment_makes_no_second_job_and_loses_none(
    full: tuple[Person, Home], cells: dict[str, Cell]
) -> None:
    person, home = full
    (home.path / ".submithost" / "jobs").mkdir(parents=True)
    refused = 0
    for pages in range(MOST_PAGES):
        home.fill(pages * PAGE)
        line = ("-H", "hpc", "submit", "--script=x", f"--key=pages-{pages}", "--hold")
        first = person.fab(*line)
        assert first.returncode in (0, 5), first.stderr
        assert len(first.stderr.splitlines()) <= 1, first.stderr
        refused += first.returncode == 5
        home.free()
        again = person.fab(*line, timeout=200)
        assert again.returncode == 0, again.stderr
        if first.returncode == 0:
            assert again.stdout == first.stdout
        shutil.rmtree(home.path / ".submithost" / "jobs" / f"pages-{pages}")
    assert 0 < refused < MOST_PAGES
    marks = cells["sandbox"].must("qstat", "-j", "*")
    assert [marks.count(f"submithost=pages-{pages}\n") for pages in range(MOST_PAGES)] == [1] * MOST_PAGES
    person.fab("-H", "hpc", "cancel", *(f"--job=pages-{pages}" for pages in range(MOST_PAGES)))


def test_a_quota_that_is_full_when_the_job_ends_does_not_change_how_it_ended(full: tuple[Person, Home]) -> None:
    person, _ = full
    person.script("x", "#!/bin/sh\ncat /dev/zero >filler 2>/dev/null\necho more than fits\nexit 7\n")
    done = person.fab("-H", "hpc", "submit", "--script=x", "wait", "--json")
    assert done.returncode == 3, done.stderr
    (job,) = json_lines(done.stdout[done.stdout.index("{") :])
    assert (job["state"], job["exit_status"]) == ("failed", 7)


LATIN = "caf\udce9"  # as it comes from a terminal or a directory that speaks Latin-1


def test_output_of_the_scheduler_that_is_not_utf_8(cells: dict[str, Cell], tmp_path: Path) -> None:
    wrapper = tmp_path / "bin"
    for name in ("qsub", "qstat", "qacct"):
        program(wrapper / name, f"#!/bin/sh\nprintf 'd\\351j\\340 \\377\\n' >&2\nexec /usr/bin/{name} \"$@\"\n")
    rc_files = {".bash_profile": f"printf 'Universit\\351\\n'; export LC_ALL=fr_FR PATH={wrapper}:$PATH\n"}
    with login_node(cells["sandbox"], tmp_path, "latin", rc_files) as (person, _):
        assert "d�j� �" in goes_well(person).stderr


def test_names_and_contents_that_are_not_utf_8(cells: dict[str, Cell], tmp_path: Path) -> None:
    body = f"#!/bin/sh\ncat {LATIN} >r{LATIN}; echo out\n".encode("utf-8", "surrogateescape")
    home = tmp_path / LATIN
    home.mkdir()
    with extra_sshd(cells["sandbox"], "bytes", home=home) as door:
        person = at(door, tmp_path)
        for name, text in ((f"{LATIN}.sh", body), (LATIN, b"\xe9\xff\0")):
            (person.work / name).write_bytes(text)
        line = ("submit", f"--script={LATIN}.sh", f"--put={LATIN}", "--name=x", "wait", "status", "fetch", "--to=out")
        done = goes_well(person, "-H", "hpc", *line)
        assert "bug" not in done.stderr
        assert (person.work / "out" / f"r{LATIN}").read_bytes() == b"\xe9\xff\0"
        asked = person.fab("-H", "hpc", "status", "--json")
        (job,) = json_lines(asked.stdout)
        assert job["script"].endswith(f"{LATIN}.sh")
