"""Links that another user lays into a directory that files go into, at any moment: none is followed, here or there."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from tasks.files.part import Part, make_directory, make_link
from tasks.files.stream import key_of
from tasks.files.tree import Entry
from tasks.files.wire import DONE, PLACE, header, sums
from tasks.login_node import Program, check_line
from tasks.model.errors import InvalidInput
from tests.attacker import as_attacker, beside_attacker, common_ground

NAMES = ("data/file", "data/sub/file", "data/sub/deep/file")

MOST = 1000
"""Rounds, after which something is wrong if one of the two has never won."""


def precious(ground: Path) -> Path:
    """A tree of one's own beside the shared directory `shared`, with the same names in it."""
    for top in ("precious", "precious/sub", "precious/data/sub"):
        for name in ("file", "deep/file"):
            (ground / top / name).parent.mkdir(parents=True, exist_ok=True)
            (ground / top / name).write_text("precious")
            (ground / top / name).chmod(0o600)
    (ground / "shared" / "data" / "sub").mkdir(parents=True)
    for directory in ("shared", "shared/data", "shared/data/sub"):
        (ground / directory).chmod(0o777)
    return ground / "precious"


def as_it_is(tree: Path) -> dict[str, tuple[int, int, float, str]]:
    """All that could have been changed in a tree."""
    found = {}
    for path in sorted(tree.rglob("*")):
        status = path.stat()
        text = path.read_text() if path.is_file() else ""
        found[str(path)] = (status.st_mode, status.st_uid, status.st_mtime, text)
    return found


def swapping(shared: Path, target: Path) -> None:
    """What another user can do in a directory where all may write: now it is the directory, now a link elsewhere."""
    for place in (shared / "data", shared / "data" / "sub", *shared.rglob(".submithost-*")):
        # Of a name of its own: one that could not be put back, since another was made in its place, is in nobody's way.
        away, to = place.with_name(f"away-{time.monotonic_ns()}"), target / place.relative_to(shared)
        with contextlib.suppress(OSError):
            os.rename(place, away)
            os.symlink(to if to.exists() else target / "file" if away.is_file() else target, place)
            time.sleep(0.001)
            os.unlink(place)
        with contextlib.suppress(OSError):
            os.rename(away, place)
        time.sleep(0.001)  # so that files get there, too


def put(shell: str, shared: Path, large: bool) -> bytes:
    """Run the program that takes files in, as on the login node."""
    content, laid, checks = b"evil " * 20, b"", b""
    digest = hashlib.sha256(content).hexdigest()
    for name in NAMES:
        laid += header("big" if large else "file", name.encode(), len(content), 0o644, 1700000000 * 10**9)
        laid += f"0 {key_of(name)} -\n".encode() + content + f"{digest}\n".encode() if large else content
        checks += b"" if large else check_line(digest, name.encode())
    data = laid + (b"" if large else sums(checks) + PLACE) + DONE
    text = Program(("sha256", "receive", "put"), {"path": str(shared)}).text("0" * 32, "export A=b", (), {})
    done = subprocess.run([shell, "-c", text.decode()], input=data, capture_output=True, timeout=60, cwd=shared.parent)
    return done.stdout


@pytest.mark.parametrize("shell", ["dash", "bash"])
@pytest.mark.parametrize("large", [False, True])
def test_e9_what_is_put_goes_through_no_link(shell: str, large: bool) -> None:
    with common_ground() as ground:
        kept = precious(ground)
        before = as_it_is(kept)
        assert b"received" in put(shell, ground / "shared", large)
        assert (ground / "shared" / NAMES[-1]).read_text().startswith("evil")
        (ground / "shared" / "data" / "sub").rename(ground / "moved")
        as_attacker(lambda: os.symlink(kept, ground / "shared" / "data" / "sub"))
        told = put(shell, ground / "shared", large).decode()
        assert f"{ground}/shared/data/sub is a link" in told, told
        assert as_it_is(kept) == before


@pytest.mark.parametrize("large", [False, True])
def test_e9_not_even_one_that_is_laid_meanwhile(large: bool) -> None:
    with common_ground() as ground:
        kept = precious(ground)
        before = as_it_is(kept)
        received = named = rounds = 0
        with beside_attacker(lambda: swapping(ground / "shared", kept)):
            while rounds < 20 or (rounds < MOST and not (received and named)):  # the links come and go
                told = put("dash", ground / "shared", large)
                received += b"received" in told
                named += b" is a link" in told
                rounds += 1
        assert as_it_is(kept) == before
        assert received, f"nothing was received in {rounds} rounds"
        assert named, f"no link was met in {rounds} rounds"


def test_e9_nor_does_what_comes_from_a_cluster() -> None:
    entry = Entry("f", 4, 1700000000 * 10**9, 0o644, "")
    with common_ground() as ground:
        kept, shared = precious(ground), ground / "shared"
        before, came, refused = as_it_is(kept), 0, 0
        with beside_attacker(lambda: swapping(shared, kept)):
            while came + refused < (100 * MOST if came < 20 or not refused else 400):
                try:
                    make_directory(shared, "data/sub/new", 0o700)
                    make_link(shared, "data/sub/file", "elsewhere")
                    with Part(shared, "data/sub/deep/file", lasting=bool(came % 2)) as part:
                        part.write(b"evil")
                        part.settle(entry)
                    came += 1
                except InvalidInput:
                    refused += 1
        assert as_it_is(kept) == before
        assert came, f"nothing came in {refused} rounds"
        assert refused, f"no link was met in {came} rounds"
