"""What is here: files, directories and links, and what is said of those that do not go along; and the tar of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tasks.files.archive import archive
from tasks.files.tree import Entry, inside, laid, local, summary
from tasks.model.cluster import Cluster
from tasks.model.errors import InvalidInput, SchedulerError
from tasks.session import Session
from tests.session.local_shell import LocalShell

TIME = 1_700_000_000_123_456_789


def test_a_tree_is_listed_with_the_links_that_stay_inside(tmp_path: Path) -> None:
    top = tmp_path / "top"
    (top / "sub").mkdir(parents=True, mode=0o700)
    (top / "sub" / "file").write_text("text")
    (top / "sub" / "file").chmod(0o4757)
    os.utime(top / "sub" / "file", ns=(TIME, TIME))
    (top / ".submithost-part-1").touch()
    (tmp_path / "out").write_text("elsewhere")
    (tmp_path / "folder").mkdir()
    os.mkfifo(top / "pipe")
    for name, link in (("inner", "sub/file"), ("outer", "../out"), ("way", "../folder"), ("gone", "/nowhere")):
        (top / name).symlink_to(link)
    found, said = local(top)
    assert [(entry.kind, entry.path, entry.link) for entry in found] == [
        ("d", "", ""), ("l", "inner", "sub/file"), ("f", "outer", ""), ("d", "sub", ""), ("f", "sub/file", ""),
    ]  # fmt: skip
    assert found[-1] == Entry("f", 4, TIME, 0o755, "sub/file")
    assert found[2].size == len("elsewhere")
    assert [line.removeprefix(str(top)) for line in said] == [
        "/gone is a link to nothing: left out",
        f"/outer leads out of {top}: followed",
        "/pipe is no file, directory or link: left out",
        "/way is a link to a directory elsewhere: left out",
    ]


def test_what_is_no_tree_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("x", "no such file"), ("link", "a link to nothing"), ("pipe", "neither a file nor a directory")):
        with pytest.raises(InvalidInput, match=f"{name}: {why}"):
            local(tmp_path / name)


def test_a_copy_is_the_same_by_what_put_and_get_leave() -> None:
    entry = Entry("f", 4, TIME, 0o644, "a")
    assert entry.same(Entry("f", 4, TIME + 999_999, 0o644, "b"))
    for other in (
        None, Entry("f", 5, TIME, 0o644, "a"), Entry("f", 4, TIME + 1_000_000, 0o644, "a"),
        Entry("f", 4, TIME, 0o755, "a"), Entry("d", 4, TIME, 0o644, "a"),
    ):  # fmt: skip
        assert not entry.same(other), other
    assert Entry("d", 0, TIME, 0o755, "a").same(Entry("d", 0, 0, 0o700, "a"))
    assert not Entry("l", 0, TIME, 0o755, "a", "x").same(Entry("l", 0, TIME, 0o755, "a", "y"))


def test_what_was_laid_there_is_read_and_what_is_no_such_line_passed_over() -> None:
    data = b"4 1700000000.1234567890 sub/new\nline\0x 1 y\0 7 8\x005 2 \xff\0"
    assert list(laid(data)) == [
        Entry("f", 4, 1700000000_123456789, 0, "sub/new\nline"), Entry("f", 5, 2 * 10**9, 0, os.fsdecode(b"\xff")),
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "..", "", ".", "./", "a\0b"])
def test_a_cluster_cannot_name_a_file_out_of_the_target(name: str) -> None:
    session = Session(Cluster("here", "here"), LocalShell({}))
    with pytest.raises(SchedulerError, match="leads out of the target"):
        inside(name, session)
    assert inside("a/..b/c..", session) == "a/..b/c.."


def test_a_summary_counts_files_or_else_directories() -> None:
    file, folder = Entry("f", 5, TIME, 0o644, "a"), Entry("d", 0, TIME, 0o755, "b")
    assert summary([file, folder, file]) == "2 files (10 bytes)"
    assert summary([file]) == "1 file (5 bytes)"
    assert summary([folder]) == "1 directory"
    assert summary([folder, folder]) == "2 directories"
    assert summary([]) == "0 files (0 bytes)"


def test_an_archive_is_unpacked_by_tar_as_it_was(tmp_path: Path) -> None:
    names = [b"plain", b"-rf", b"new\nline", b"\xff" * 200, b"deep/" * 60 + b"file", "né".encode()]
    members = [(Entry("d", 0, TIME, 0o500, ""), b"folder", b"")]
    members += [(Entry("f", 7, TIME, 0o640, ""), name, b"content") for name in names]
    members += [(Entry("l", 0, TIME, 0o777, "", "to/\udcff it"), b"link", b"")]
    packed = archive(members)
    assert len(packed) % 10240 == 0
    subprocess.run(["tar", "-xpof", "-"], input=packed, cwd=tmp_path, check=True)
    for name in names:
        path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
        assert path.read_bytes() == b"content"
        assert (path.stat().st_mode & 0o777, path.stat().st_mtime_ns) == (0o640, TIME)
    assert os.readlink(os.fsencode(tmp_path / "link")) == b"to/\xff it"
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700, "what is in it has to get there"
