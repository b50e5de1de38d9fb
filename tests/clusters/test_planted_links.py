"""Links in a shared directory that files are put into, or brought into: what they lead to stays as it is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks.files.send import BIG
from tests.attacker import as_attacker, common_ground
from tests.clusters.test_security import no_bug
from tests.conftest import Person

LINK = {"data/sub": "sub", "data": "", "data/sub/deep": "sub/deep"}


def shared_with(ground: Path, link: str) -> tuple[Path, Path]:
    """A directory where all may write, with this link of another user's to a tree of one's own, and that tree."""
    shared, precious = ground / "shared", ground / "precious"
    for top in (precious, *(precious / below for below in LINK.values())):
        top.mkdir(parents=True, exist_ok=True)
        (top / "file").write_text("precious")
    (shared / link).parent.mkdir(parents=True)
    for directory in (shared, *shared.rglob("*")):
        directory.chmod(0o777)
    as_attacker(lambda: os.symlink(precious / LINK[link], shared / link))
    assert (shared / link).is_symlink()
    return shared, precious


def texts(tree: Path) -> list[str]:
    return [path.read_text() for path in sorted(tree.rglob("*")) if path.is_file()]


@pytest.mark.parametrize("link", LINK)
def test_e9_put_and_get_name_the_link_and_overwrite_nothing(person: Person, link: str) -> None:
    data = person.work / "data"
    (data / "sub" / "deep").mkdir(parents=True)
    for file in ("first", "file", "sub/file", "sub/deep/file"):
        (data / file).write_text("mine")
    (data / "sub" / "deep" / "large").write_bytes(os.urandom(BIG))
    with common_ground() as ground:
        shared, precious = shared_with(ground, link)
        for words in (("put", "--source=data"), ("get", f"--source={data}", "--force")):
            done = person.fab("-H", "sandbox", *words, f"--target={shared}")
            no_bug(done, 2)
            said = [line for line in done.stderr.splitlines() if "link" in line]
            assert len(said) == 1, done.stderr
            assert f"{shared}/{link} is a" in said[0]
            assert texts(precious) == ["precious"] * len(texts(precious))
            if words[0] == "put":
                assert not [path for path in shared.rglob("*") if path.is_file()]


def test_e9_a_link_of_ones_own_is_a_target_and_one_in_place_of_a_file_is_replaced(person: Person) -> None:
    (person.work / "file").write_text("mine")
    with common_ground() as ground:
        shared, precious = ground / "shared", ground / "precious"
        shared.mkdir()
        shared.chmod(0o777)
        precious.write_text("precious")
        (ground / "through").symlink_to("shared")
        for words in (("put", "--source=file"), ("get", f"--source={person.work}/file", "--force")):
            as_attacker(lambda: os.symlink(precious, shared / "file"))
            assert (shared / "file").is_symlink()
            done = person.fab("-H", "sandbox", *words, f"--target={ground}/through")
            assert done.returncode == 0, done.stderr
            assert (precious.read_text(), (shared / "file").read_text()) == ("precious", "mine")
            (shared / "file").unlink()


def test_e9_a_link_of_ones_own_in_the_place_of_what_is_put_is_followed(person: Person) -> None:
    """As where `~/data` leads to a larger disk."""
    (person.work / "data" / "sub").mkdir(parents=True)
    (person.work / "data" / "sub" / "file").write_text("mine")
    (person.work / "data" / "large").write_bytes(os.urandom(BIG))
    with common_ground() as ground:
        (ground / "disk" / "of-mine").mkdir(parents=True)
        (ground / "data").symlink_to("disk/of-mine")
        for said in ("2 files", "nothing to send"):
            done = person.fab("-H", "sandbox", "put", "--source=data", f"--target={ground}")
            assert done.returncode == 0, done.stderr
            assert said in done.stderr
            assert f"{ground}/disk/of-mine" in done.stderr
        assert texts(ground / "disk" / "of-mine" / "sub") == ["mine"]
        assert (ground / "disk" / "of-mine" / "large").stat().st_size == BIG
