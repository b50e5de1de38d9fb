"""How a login node is written on the command line."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model import configuration
from tasks.model.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("sharc", (None, "sharc", None)),
        ("me@sharc", ("me", "sharc", None)),
        ("me@sharc:2222", ("me", "sharc", 2222)),
        ("me@uni@sharc", ("me@uni", "sharc", None)),
        ("[::1]:22", (None, "::1", 22)),
        ("me@[fe80::1]", ("me", "fe80::1", None)),
        ("::1", (None, "::1", None)),
    ],
)
def test_a_host_is_written_as_for_ssh(text: str, parts: tuple[str | None, str, int | None]) -> None:
    assert configuration.parse_host(text) == parts


@pytest.mark.parametrize(
    "text",
    ["", "@", "me@", "@sharc", "sharc:", "sharc:ssh", "sharc:0", "[::1", "[::1]22", "-oX=y", "a b", "a\n"],
)
def test_what_ssh_would_take_for_something_else_is_no_host(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"^host ['\"]") as refused:
        configuration.parse_host(text)
    assert str(refused.value).isprintable()


@given(text=st.text())
def test_no_text_makes_a_host_but_a_usable_one(text: str) -> None:
    said = ""
    try:
        user, host, _ = configuration.parse_host(text)
        assert host
        assert not host.startswith("-")
        assert user != ""
    except InvalidInput as error:
        said = str(error)
    assert said == "" or said.isprintable()
