"""Programs as they travel, and answers as they come back: in any pieces, among any noise."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.login_node import COMMAND, Program, Reply, Sections, envelope, quote
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
    assert got == [("qsub", Reply(b"yes", b"warning", 3)), ("end", Reply())]


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
    assert run(whole[:cut]).stdout == b""


@given(VALUES)
def test_any_value_is_one_word_of_a_command_line(value: str) -> None:
    done = subprocess.run(["sh", "-c", f"printf %s {quote(value)}"], capture_output=True)
    assert done.stdout == value.encode()


def test_f15_a_program_carries_its_variables_through_any_quoting() -> None:
    value = "a'b\"c $(touch pwned) `x` \\ \n!\n"
    program = Program(("ask",), {"command": "printf '%s|' \"$value\"", "value": value})
    answers = Answers(NONCE)
    done = run(envelope(program.text(NONCE, "true", ()), NONCE))
    assert dict(answers.feed(done.stdout, done.stderr))["answer"] == Reply(f"{value}|".encode(), b"", 0)
