"""What is to be brought, in which pieces, and what an answer has to be like to be whole."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tasks.files.bring import Changes, RemoteFile, _batches, refuse_newer
from tasks.files.part import Arrival, Part
from tasks.files.stream import BIG, MANY
from tasks.files.transferred import first_there
from tasks.files.tree import Entry, local_entry
from tasks.model.errors import ConnectionLost, InvalidInput, SchedulerError

TIME = 1_700_000_000 * 10**9
SECOND = 10**9


def remote(name: str, size: int = 4, modified: int = TIME, kind: str = "f", mode: int = 0o644) -> RemoteFile:
    return RemoteFile(name, name, Entry(kind, size, modified, mode, name))


def write(path: Path, text: str, modified: int) -> None:
    path.write_text(text)
    path.chmod(0o644)
    os.utime(path, ns=(modified, modified))


def test_only_what_differs_is_brought_and_nothing_newer_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "same", "text", TIME)
    write(tmp_path / "older", "text", TIME - SECOND)
    write(tmp_path / "newer", "text", TIME + SECOND)
    write(tmp_path / "rounded", "text", TIME + SECOND // 2000)  # a file system that keeps less of a time
    write(tmp_path / "longer", "texts", TIME + SECOND // 2000)
    (tmp_path / "folder").mkdir()
    names = ["same", "older", "newer", "rounded", "longer", "absent"]
    found = [*(remote(name) for name in names), remote("folder", 0, kind="d", mode=0o755)]
    changes = Changes.between(found, tmp_path, force=False)
    assert [file.name for file in changes.wanted] == ["older", "longer", "absent"]
    assert (changes.newer, changes.unchanged) == ([f"{tmp_path}/newer"], 2)
    forced = Changes.between(found, tmp_path, force=True)
    assert [file.name for file in forced.wanted] == ["older", "newer", "longer", "absent"]
    assert (forced.newer, forced.unchanged) == ([], 2)


def test_what_was_left_is_told_and_how_to_have_it_all_the_same() -> None:
    refuse_newer([])
    with pytest.raises(InvalidInput, match=r"newer here: a, b, c, d, e; --force"):
        refuse_newer(list("abcdef"))


def test_a_path_is_never_an_option() -> None:
    assert [remote(name).raw for name in ("-rf", "/etc/x", "a/b")] == [b"./-rf", b"/etc/x", b"./a/b"]
    assert remote(os.fsdecode(b"\xff")).raw == b"./\xff"


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [
        ([], []),
        ([BIG // 2] * 5, [2, 2, 1]),
        ([0] * (2 * MANY + 1), [MANY, MANY, 1]),
        ([BIG - 1, 1, 1], [2, 1]),
    ],
)
def test_files_come_together_until_they_are_many_or_large(sizes: list[int], batches: list[int]) -> None:
    files = [remote(str(number), size) for number, size in enumerate(sizes)]
    found = list(_batches(files))
    assert [len(batch) for batch in found] == batches
    assert [file for batch in found for file in batch] == files


def answer(*pieces: tuple[str, bytes]) -> Arrival:
    return Arrival(iter(pieces))


SUMS = (("sums", b""), ("sums", b"ab"), ("sums", b"cd"))
END = ("end", b"")
BYTES = (("bytes", b""), ("bytes", b"one"), ("bytes", b"two and three"))


def test_files_are_cut_out_of_a_section_whatever_pieces_it_comes_in() -> None:
    arrival = answer(*SUMS, *BYTES, *BYTES, ("sums", b""), ("sums", b"x"), END)
    assert arrival.text("sums") == b"abcd"
    arrival.begin("bytes")
    assert b"".join(arrival.take(5)) == b"onetw"
    assert b"".join(arrival.take(0)) == b""
    assert b"".join(arrival.take(6)) == b"o and "
    arrival.begin("bytes")  # what is left of a section is passed over
    assert b"".join(arrival.take(4)) == b"onet"
    assert arrival.text("sums") == b"x"


def test_a_section_that_ends_early_gives_less_and_nothing_of_the_next() -> None:
    arrival = answer(("bytes", b""), ("bytes", b"one"), *SUMS, END)
    arrival.begin("bytes")
    assert b"".join(arrival.take(100)) == b"one"
    assert arrival.text("sums") == b"abcd"


def test_an_answer_that_is_cut_or_out_of_step_is_a_lost_connection() -> None:
    with pytest.raises(ConnectionLost, match="ended too early"):
        answer(("sums", b""), ("sums", b"ab")).text("sums")
    with pytest.raises(ConnectionLost, match="'bytes' where 'sums'"):
        answer(*BYTES).text("sums")


def test_checksums_that_never_end_are_not_kept() -> None:
    def endless() -> Iterator[tuple[str, bytes]]:
        yield "sums", b""
        while True:
            yield "sums", bytes(1 << 20)

    with pytest.raises(SchedulerError, match="'sums' goes on and on"):
        Arrival(endless()).text("sums")


def names(place: Path) -> list[str]:
    return sorted(path.name for path in place.iterdir())


def test_a_file_is_in_its_place_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    entry = Entry("f", 5, TIME + 123_456_789, 0o640, "")
    with Part(tmp_path, "file", lasting=False) as part:
        part.write(b"half")
    assert names(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "before"
    with Part(tmp_path, "new/sub/file", lasting=False) as part:
        part.write(b"whole")
        part.settle(entry)
    assert (tmp_path / "new" / "sub" / "file").read_bytes() == b"whole"
    assert local_entry(tmp_path / "new" / "sub" / "file") == entry
    assert names(tmp_path / "new" / "sub") == ["file"]


def test_what_has_come_of_a_big_file_is_kept_until_it_is_whole(tmp_path: Path) -> None:
    with Part(tmp_path, "big", lasting=True) as part:
        part.write(b"half")
    (kept,) = names(tmp_path)
    assert kept.startswith(".submithost-part-")
    with Part(tmp_path, "big", lasting=True), pytest.raises(InvalidInput, match="by another command"):
        Part(tmp_path, "big", lasting=True)
    with Part(tmp_path, "big", lasting=True) as part:
        assert part.size == 4
        part.restart()  # of another version
        assert part.size == 0
        part.write(b"all")
        part.settle(Entry("f", 3, TIME, 0o600, ""))
    assert names(tmp_path) == ["big"]
    assert (tmp_path / "big").read_bytes() == b"all"


def test_a_part_with_nothing_in_it_or_that_turned_out_wrong_is_not_kept(tmp_path: Path) -> None:
    with Part(tmp_path, "empty", lasting=True):
        pass
    with Part(tmp_path, "wrong", lasting=True) as part:
        part.write(b"something else")
        part.forget()
    assert names(tmp_path) == []


def test_the_first_who_brings_files_to_a_place_keeps_it(tmp_path: Path) -> None:
    owners: dict[Path, str] = {}
    (tmp_path / "link").symlink_to(tmp_path / "place")
    assert first_there(owners, tmp_path / "place", "west") == ""
    assert first_there(owners, tmp_path / "place", "west") == ""
    assert first_there(owners, tmp_path / "link", "east") == "west"
    assert first_there(owners, tmp_path / "other", "east") == ""
