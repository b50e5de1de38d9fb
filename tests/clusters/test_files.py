"""put and get: files and directories, changed ones only, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.testbed.cell import Cell
from tests.conftest import Person

NAMES = ("plain", "sp ace (1)'\"", "new\nline", "$(touch pwned)", "deep er/and/deeper", os.fsdecode(b"not-utf8-\xff"))


def tree(person: Person) -> Path:
    top = person.work / "my data"
    for name in NAMES:
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content of {len(name)}\n" * 100)
    (top / "program").write_text("#!/bin/sh\n")
    (top / "program").chmod(0o755)
    (top / "empty").touch()
    return top


def contents(top: Path) -> dict[str, bytes]:
    return {str(path.relative_to(top)): path.read_bytes() for path in top.rglob("*") if path.is_file()}


def test_a_directory_goes_there_and_comes_back_as_it_was(person: Person, cells: dict[str, Cell]) -> None:
    top = tree(person)
    target = cells["sandbox"].home / "put here"
    first = person.fab("-H", "sandbox", "put", "--source=my data", "--target=~/put here")
    assert first.returncode == 0, first.stderr
    assert contents(target / "my data") == contents(top)
    assert (target / "my data" / "program").stat().st_mode & 0o777 == 0o755
    assert sorted(path.name for path in target.iterdir()) == ["my data"]

    assert "0 files" in person.fab("-H", "sandbox", "put", "--source=my data", "--target=put here").stderr
    (top / "plain").write_text("changed\n")
    dry = person.fab("-H", "sandbox", "put", "--source=my data", "--target=put here", "--dry-run")
    assert dry.stdout == "my data/plain\n"
    assert "1 files" in person.fab("-H", "sandbox", "put", "--source=my data", "--target=put here").stderr
    assert (target / "my data" / "plain").read_text() == "changed\n"

    back = person.fab("-H", "sandbox", "get", "--source=put here/my data", "--target=back")
    assert back.returncode == 0, back.stderr
    assert contents(person.work / "back" / "my data") == contents(top)
    again = person.fab("-H", "sandbox", "get", "--source=put here/my data", "--target=back")
    assert again.stderr.startswith("sandbox: 0 files came")


def test_one_file_and_a_newer_local_one_is_kept(person: Person, cells: dict[str, Cell]) -> None:
    there = cells["sandbox"].home / "one.txt"
    there.write_text("there\n")
    assert person.fab("-H", "sandbox", "get", "--source=one.txt").returncode == 0
    here = person.work / "one.txt"
    assert here.read_text() == "there\n"
    here.write_text("mine\n")
    kept = person.fab("-H", "sandbox", "get", "--source=one.txt")
    assert (kept.returncode, here.read_text()) == (2, "mine\n")
    assert person.fab("-H", "sandbox", "put", "--source=one.txt").returncode == 0
    assert there.read_text() == "mine\n"
    there.unlink()


def test_what_is_not_there_or_not_allowed_is_one_line(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "x\n")
    (cells["sandbox"].home / "x").mkdir(exist_ok=True)
    for words, status in (
        (["get", "--source=nothing here"], 2),
        (["get"], 2),
        (["put", "--source=nothing here"], 2),
        (["put", "--source=x"], 2),  # a directory of that name is there
        (["put", "--source=x", "--target=/proc/no"], 5),
    ):
        done = person.fab("-H", "sandbox", *words)
        assert (done.returncode, len(done.stderr.splitlines())) == (status, 1), done.stderr
    (cells["sandbox"].home / "x").rmdir()


def test_links_are_followed_on_the_way_there_and_left_and_told_on_the_way_back(
    person: Person, cells: dict[str, Cell]
) -> None:
    top = person.work / "linked"
    top.mkdir()
    (top / "file").write_text("text\n")
    (top / "link").symlink_to("file")
    assert person.fab("-H", "sandbox", "put", "--source=linked").returncode == 0
    there = cells["sandbox"].home / "linked"
    assert not (there / "link").is_symlink()
    (there / "out").symlink_to("/etc/passwd")
    back = person.fab("-H", "sandbox", "get", "--source=linked", "--target=back")
    assert "1 links and special files are left there: out" in back.stderr
    assert sorted(path.name for path in (person.work / "back" / "linked").iterdir()) == ["file", "link"]
