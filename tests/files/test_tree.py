"""What a listing says, and which links stay inside their tree."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.files.part import unpack_sums
from tasks.files.tree import Entry, entries, stays_inside
from tasks.login_node import check_line

NAME = st.text(st.sampled_from("ab/\\\n\r '.-"), min_size=1).map(str.encode)


@pytest.mark.parametrize(
    ("path", "link"),
    [("a", "b"), ("a", "./b"), ("d/a", "../b"), ("d/a", "../d/b"), ("a", "b/c/d"), ("d/e/a", "../../b"), ("a", ".")],
)
def test_links_that_stay_inside(path: str, link: str) -> None:
    assert stays_inside(path, link)


@pytest.mark.parametrize(
    ("path", "link"),
    [("a", "/etc"), ("a", ".."), ("a", "../b"), ("d/a", "../../b"), ("a", "b/../c"), ("a", "b/../../c"), ("a", "")],
)
def test_links_that_may_lead_out(path: str, link: str) -> None:
    assert not stays_inside(path, link)


def test_links_that_stay_inside_cannot_lead_out_together(tmp_path: Path) -> None:
    """Every pair of short links: what is said to stay inside does, where it leads anywhere."""
    top = tmp_path / "x" / "top"
    (top / "d" / "e").mkdir(parents=True)
    targets = [*(f"{a}/{b}" for a in ("..", "d", "one", ".") for b in ("..", "one", "d", "e/.."))]
    targets += [f"{target}/../.." for target in targets]
    for first in targets:
        for place in ("one", "d/one", "d/e/one"):
            for second in targets:
                if not stays_inside(place, first) or not stays_inside("two", second):
                    continue
                (top / place).symlink_to(first)
                (top / "two").symlink_to(second)
                assert os.path.realpath(top / "two").startswith(str(top)), (place, first, second)
                (top / place).unlink()
                (top / "two").unlink()


def test_a_listing_has_exact_times_and_neither_setuid_bits_nor_modes_for_everybody_to_write() -> None:
    data = b"f 12 1700000000.1234567890 4755\nsub/new\nline\0\0l 3 1.5 777\nlink\0to it\0d 4096 2 755\n\0\0"
    assert list(entries(data)) == [
        Entry("f", 12, 1700000000_123456789, 0o755, "sub/new\nline"),
        Entry("l", 0, 1_500000000, 0o775, "link", "to it"),
        Entry("d", 0, 2_000000000, 0o755, ""),
    ]


@given(st.binary())
def test_no_listing_raises(data: bytes) -> None:
    for entry in entries(data):
        assert entry.size >= 0


@given(NAME)
def test_names_in_lists_of_checksums_come_back_as_they_went(name: bytes) -> None:
    assert unpack_sums(check_line("0" * 64, b"./" + name)) == {b"./" + name: "0" * 64, b"": ""}
