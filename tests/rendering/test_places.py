"""What is rendered, and where it is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tasks import rendering
from tasks.model.errors import InvalidInput
from tasks.rendering import JobScript

from .plain import NOTHING, ROOT, Plain


def test_a_file_that_is_no_template_is_submitted_byte_for_byte() -> None:
    text = b"#!/bin/bash\r\n{{ x }} {% y %} {# z #} \xff\x00\n"
    Path("x.sh").write_bytes(text)
    assert rendering.render("x.sh", {}, NOTHING, Plain()) == JobScript(text, "x.sh", Path("x.sh"), rendered=False)


def test_a_file_that_ends_in_j2_is_rendered_and_named_without_it() -> None:
    Path("my job.sh.j2").write_text("echo {{ a }}\n")
    script = rendering.render("my job.sh.j2", {"a": "b"}, NOTHING, Plain())
    assert script == JobScript(b"echo b\n", "my job.sh", Path("my job.sh.j2"), rendered=True)


def test_templates_are_found_here_then_in_the_users_directory_then_among_the_shipped(user: Path) -> None:
    assert rendering.find("hello") == ROOT / "job_templates/hello.sh.j2"
    (user / "hello.sh.j2").write_text("user's")
    assert rendering.find("hello") == user / "hello.sh.j2"
    Path("job_templates").mkdir()
    Path("job_templates/hello.sh.j2").write_text("project's")
    assert rendering.find("hello") == Path("job_templates/hello.sh.j2")
    Path("hello").write_text("a file")
    assert rendering.find("hello") == Path("hello")


@pytest.mark.parametrize("name", ["hello", "hello.sh", "hello.sh.j2"])
def test_a_template_is_found_by_its_name_with_and_without_its_endings(name: str) -> None:
    assert rendering.find(name).name == "hello.sh.j2"


def test_a_directory_does_not_hide_a_template_of_its_name() -> None:
    Path("hello").mkdir()
    assert rendering.find("hello").name == "hello.sh.j2"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("helo", "no file and no template 'helo'; did you mean 'hello'?"),
        ("./analyse.hs", "no file and no template './analyse.hs'; did you mean 'analyse.sh'?"),
        ("zzz", "no file and no template 'zzz'; templates are array, checkpoint, conda, gpu,"),
        ("../../etc/passwd.d", "no file and no template"),
        (".", "'.' is a directory; --script takes a file or a template's name"),
        ("", "no script is named"),
        ("a\0b", "no file and no template 'a\\x00b'"),
        ("a\nb", "no file and no template 'a\\nb'"),
        ("x" * 5000, "File name too long"),
    ],
)
def test_a_script_that_does_not_exist_is_one_line_with_the_nearest_that_does(script: str, message: str) -> None:
    Path("analyse.sh").write_text("")
    with pytest.raises(InvalidInput) as refused:
        rendering.find(script)
    assert message in str(refused.value)
    assert str(refused.value).isprintable()


def test_a_script_that_cannot_be_read_is_one_line() -> None:
    Path("x").symlink_to("/proc/self/mem")  # unreadable for root as well
    with pytest.raises(InvalidInput, match=r"^x: cannot be read: Input/output error$"):
        rendering.render("x", {}, NOTHING, Plain())


def test_a_script_can_come_from_a_pipe() -> None:
    read, write = os.pipe()
    os.write(write, b"#!/bin/sh\n")
    os.close(write)
    assert rendering.render(f"/dev/fd/{read}", {}, NOTHING, Plain()).text == b"#!/bin/sh\n"
    os.close(read)
