"""Programs as they travel, and answers as they come back: in any pieces, among any noise."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.login_node import COMMAND, NO_PROGRAM, Program, Reply, Sections, envelope, quote, setup_troubles
from tasks.session.answers import Answers

NONCE = "0123456789abcdef0123456789abcdef"
VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


def mark(name: str) -> bytes:
    return f"\n@{NONCE} {name}\n".encode()


def test_sections_are_cut_at_the_marks_whatever_pieces_they_come_in() -> None:
    stream = b"motd\n@noise\n" + mark("a") + b"one\n\n@two" + mark("b") + mark("end")
    for size in (1, 2, 3, 7, 1000):
        sections, found = Sections(NONCE), {"a": b"", "b": b"", "end": b""}
        for at in range(0, len(stream), size):
            for name, piece in sections.feed(stream[at : at + size]):
                found[name] += piece
        assert found == {"a": b"one\n\n@two", "b": b"", "end": b""}


def test_a_status_closes_its_section_and_stderr_has_its_own() -> None:
    answers = Answers(NONCE)
    out = mark("begin") + mark("qsub") + b"yes" + mark("=3") + mark("end")
    err = b"rc noise" + mark("begin") + mark("qsub") + b"warning" + mark("=3") + mark("end")
    got = [*answers.feed(out, b""), *answers.feed(b"", err)]
    assert got == [("begin", Reply()), ("qsub", Reply(b"yes", b"warning", 3)), ("end", Reply())]


@given(st.binary(max_size=300), st.integers(1, 40))
def test_a_section_brings_any_bytes_as_they_are(data: bytes, size: int) -> None:
    if NONCE.encode() in data:
        return
    answers = Answers(NONCE)
    stream = mark("begin") + mark("x") + data + mark("end")
    got = []
    for at in range(0, len(stream), size):
        got += list(answers.feed(stream[at : at + size], stream[at : at + size]))
    assert dict(got)["x"] == Reply(data, data)


def run(program: bytes, shell: str = "sh") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([shell, "-c", COMMAND], input=program, capture_output=True, timeout=20)


@pytest.mark.parametrize("shell", ["sh", "bash", "tcsh", "zsh"])
def test_the_command_line_is_the_same_for_every_login_shell(shell: str) -> None:
    program = f"echo it runs\n#{NONCE}".encode()
    assert run(envelope(program, NONCE), shell).stdout == b"it runs\n"


@pytest.mark.parametrize("cut", [0, 3, 30, 60, -1])
def test_a_cut_program_is_not_run_at_all(cut: int) -> None:
    whole = envelope(f"echo started\necho h_rt=3600\n#{NONCE}".encode(), NONCE)
    done = run(whole[:cut])
    assert done.stdout == b""
    assert done.returncode == NO_PROGRAM


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_a_shell_that_takes_stdin_for_its_commands_runs_the_program_as_well(shell: str) -> None:
    program = f"echo $0\n#{NONCE}".encode()
    done = subprocess.run([shell], input=envelope(program, NONCE) + b"touch pwned\n", capture_output=True, timeout=20)
    assert done.stdout == b"/bin/sh\n"


def test_what_setup_lines_said_is_told_apart_from_noise() -> None:
    errors = (
        f"noise\n\n{NONCE}=setup\n\n{NONCE}=0\n\n{NONCE}=setup\nno such module\n\n{NONCE}=0\n"
        f"\n{NONCE}=setup\nunended\n{NONCE}=127\n\n{NONCE}=setup\nlast words\n"
    )
    found = list(setup_troubles(errors, NONCE, ["a", "b", "c", "d", "e"]))
    assert found == [("b", "0", "no such module"), ("c", "127", "unended"), ("d", "", "last words")]
    assert not list(setup_troubles("noise\n", NONCE, ["a"]))


@given(VALUES)
def test_any_value_is_one_word_of_a_command_line(value: str) -> None:
    done = subprocess.run(["sh", "-c", f"printf %s {quote(value)}"], capture_output=True)
    assert done.stdout == value.encode()


def test_f15_a_program_carries_its_variables_through_any_quoting() -> None:
    value = "a'b\"c $(touch pwned) `x` \\ \n!\n"
    program = Program(("ask",), {"command": "printf '%s|' \"$value\"", "value": value})
    answers = Answers(NONCE)
    done = run(envelope(program.text(NONCE, "true", (), {}), NONCE))
    assert dict(answers.feed(done.stdout, done.stderr))["answer"] == Reply(f"{value}|".encode(), b"", 0)
