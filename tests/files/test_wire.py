"""What goes to the login node arrives there as it was, and whatever is missing is noticed: in both shells."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tasks.files.wire import DONE, Bundle, Upload, pieces, sums
from tasks.login_node import source
from tasks.model.errors import InvalidInput

NAMES = (
    "plain", "sp ace '\"", "new\nline", "\n", "ends in\n", "$(touch pwned)", "-rf", "back\\slash", "re\rturn", "*",
    "not there/yet/deep", os.fsdecode(b"\xff"), " ", "\\n",
)  # fmt: skip
TIME = 1700000000_123456789


@pytest.fixture(params=["dash", "bash"])
def shell(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def receive(shell: str, into: Path, data: bytes) -> tuple[int, bytes]:
    into.mkdir()
    text = f"umask 077\n{source('receive.sh')}\nreceive {into.name}"
    done = subprocess.run([shell, "-c", text], input=data, capture_output=True, cwd=into.parent, timeout=60)
    return done.returncode, done.stderr


def test_everything_arrives_as_it_was(shell: str, tmp_path: Path) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(600_000))
    files = [Upload(name, f"content of {name!r}\n\n".encode()) for name in NAMES]
    files += [Upload("program", large, 0o755, "f", TIME), Upload("empty", b""), Upload("folder", b"", 0o750, "d")]
    files += [Upload("link", b"where it\nleads\n", kind="l"), Upload("copied", os.fsencode(large), kind="c")]
    told: list[int] = []
    into = tmp_path / "into"
    assert receive(shell, into, b"".join(Bundle(files, told.append))) == (0, b"")
    for name in NAMES:
        assert (into / name).read_bytes() == f"content of {name!r}\n\n".encode()
        assert (into / name).stat().st_mode & 0o777 == 0o600
    program = (into / "program").stat()
    assert (into / "program").read_bytes() == (into / "copied").read_bytes() == large.read_bytes()
    assert (program.st_mode & 0o777, program.st_mtime_ns) == (0o755, TIME)
    assert ((into / "folder").stat().st_mode & 0o777, (into / "empty").stat().st_size) == (0o750, 0)
    assert os.readlink(into / "link") == "where it\nleads\n"
    assert len(list(into.rglob("*"))) == len(NAMES) + 2 + 5  # two directories that a name has, and the five above
    assert sum(told) == sum(file.size() for file in files)


def test_wherever_it_is_cut_that_is_noticed(shell: str, tmp_path: Path) -> None:
    data = b"".join(Bundle([Upload("a", b"text"), Upload("b\nb", b"", kind="d", mode=0o700), Upload("c", b"x", 0o700)]))
    for length in (*range(0, len(data), 5), len(data) - 1):
        status, said = receive(shell, tmp_path / str(length), data[:length])
        assert status != 0, data[:length]
        assert said
    assert receive(shell, tmp_path / "whole", data) == (0, b"")


def test_a_file_that_arrives_otherwise_is_named(shell: str, tmp_path: Path) -> None:
    data = b"".join(Bundle([Upload("good", b"good"), Upload("a file", b"text")])).replace(b"text", b"tex\0")
    said = b"a file did not arrive whole: is the disk or the quota full?\n"
    assert receive(shell, tmp_path / "into", data) == (1, said)


def test_directories_and_links_alone_need_no_checksums(shell: str, tmp_path: Path) -> None:
    assert sums(b"") == b""
    data = b"".join(Bundle([Upload("folder", b"", 0o700, "d"), Upload("folder/link", b"x", kind="l")]))
    assert data.endswith(DONE)
    assert receive(shell, tmp_path / "into", data) == (0, b"")
    assert os.readlink(tmp_path / "into" / "folder" / "link") == "x"


def test_a_file_that_changes_while_it_is_sent_is_no_whole_one(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(bytes(600_000))
    for size in (500_000, 700_000):
        sending = iter(Bundle([Upload("log", path)]))
        assert next(sending).startswith(f"file 600 - {path.stat().st_size} 1\nlog\n".encode())
        os.truncate(path, size)
        with pytest.raises(InvalidInput, match="log was changed while it was sent"):
            list(sending)
    path.unlink()
    with pytest.raises(InvalidInput, match=r"cannot read .*/log: No such file"):
        list(pieces(path))


def test_pieces_are_the_part_that_was_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "file"
    content = os.urandom(600_000)
    path.write_bytes(content)
    assert b"".join(pieces(path)) == content
    assert b"".join(pieces(path, 100, 400_000)) == content[100:400_100]
    assert b"".join(pieces(path, most=0)) == b""
    assert b"".join(pieces(path, 599_999, 50)) == content[-1:]
