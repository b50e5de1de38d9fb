"""The seam below a session: what it needs of a transport, by one that is a file of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tasks.login_node import Program
from tasks.model.cluster import Cluster
from tasks.model.errors import ConnectionLost, InvalidInput, LoginRefused
from tasks.session import Session, Transport
from tests.session.local_shell import LocalShell, logged_in


@pytest.fixture
def shell(tmp_path: Path) -> LocalShell:
    return LocalShell(logged_in(tmp_path))


@pytest.fixture
def session(shell: LocalShell) -> Session:
    return Session(Cluster("here", "here"), shell)


def asking(command: str) -> Program:
    return Program(("ask",), {"command": command})


def test_a_transport_has_to_supply_four_things_and_what_runs_three() -> None:
    assert Transport.__abstractmethods__ == {"alive", "log_in", "log_out", "run"}


def test_what_is_asked_is_answered_by_streams_and_exit_status(session: Session, shell: LocalShell) -> None:
    for status in (0, 7):
        reply = session.ask(asking(f"echo out; echo err >&2; exit {status}"))["answer"]
        assert (reply.text, reply.errors, reply.status) == ("out\n", "err\n", status)
    assert (shell.logins, len(shell.commands)) == (1, 1)  # whatever is run, the command line is the same


def test_data_is_sent_while_the_answer_is_read(session: Session) -> None:
    data = [bytes([65 + number]) * (1 << 20) for number in range(9)]
    program = Program((), shell="section answer\ncat\nfinish", data=data, most=None)
    assert b"".join(session.stream(program, "answer")) == b"".join(data)


def test_a_session_logs_in_again_where_the_way_broke(session: Session, shell: LocalShell) -> None:
    assert session.ask(asking("echo 1")).text("answer") == "1"
    shell.log_out()
    assert session.ask(asking("echo 2")).text("answer") == "2"
    assert shell.logins == 2


def test_threads_that_share_a_session_log_in_once(session: Session, shell: LocalShell) -> None:
    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(lambda number: session.ask(asking(f"echo {number}")).text("answer"), range(12)))
    assert said == [str(number) for number in range(12)]
    assert shell.logins == 1


def test_what_says_nothing_for_too_long_is_lost(session: Session) -> None:
    with pytest.raises(ConnectionLost, match="no answer for 1 s"):
        for _ in session.follow(asking("sleep 3; echo late"), silence=1):
            pass


def test_a_local_file_that_cannot_be_read_is_no_fault_of_the_way(session: Session) -> None:
    def data() -> Iterator[bytes]:
        yield b"begun"
        raise FileNotFoundError(2, "No such file or directory", "gone.csv")

    with pytest.raises(InvalidInput, match=r"cannot read gone\.csv: No such file"):
        session.ask(Program((), shell="section answer\ncat\nfinish", data=data()))


def test_a_login_shell_that_ends_before_anything_of_ours_is_told(tmp_path: Path) -> None:
    shell = tmp_path / "nologin"
    shell.write_text("#!/bin/sh\necho 'not from here'; exit 3\n")
    shell.chmod(0o755)
    with pytest.raises(LoginRefused, match=r"ends, with exit status 3, .* and says 'not from here'"):
        Session(Cluster("here", "here"), LocalShell(logged_in(tmp_path, SHELL=str(shell)))).ask(asking("true"))


def test_what_a_transport_cannot_tell_it_need_not(session: Session) -> None:
    passed: list[str] = []
    session.reach(lambda step, _: passed.append(step))
    assert session.ready().sftp_trouble() is None
    assert passed == []
