"""Logins that want something typed: asked once for a whole line on a terminal, and one line without one."""

from __future__ import annotations

import shlex
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.processes import end, listener, sshd_processes, wait_until
from tasks.testbed.sshd import Door, extra_sshd
from tests.clusters.hostile import LINE, at, at_terminal, goes_well, refused, typed
from tests.conftest import Person, program, until_there
from tests.session.fabric.person import talk

T = TypeVar("T")
KEY_AND_CODE = "AuthenticationMethods publickey,keyboard-interactive"
INTERACTIVE = ["KbdInteractiveAuthentication yes", "PermitRootLogin yes"]


@contextmanager
def once(cell: Cell, tmp_path: Path, name: str, *codes: str, options: Sequence[str]) -> Iterator[tuple[Person, Door]]:
    """A login node that takes each of these codes once, as real ones do (L5)."""
    valid = tmp_path / "codes"
    valid.mkdir()
    for code in codes:
        (valid / code).touch()
    check = program(tmp_path / "check", f'#!/bin/sh\nread -r code\nexec rm {shlex.quote(str(valid))}/"${{code:?}}"\n')
    with extra_sshd(cell, name, options, pam=str(check)) as door:
        yield at(door, tmp_path), door


def test_a_passphrase_is_asked_once_for_a_whole_line(cells: dict[str, Cell], tmp_path: Path) -> None:
    with extra_sshd(cells["sandbox"], "passphrase") as door:
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret words", "-f", door.client_key], check=True)
        person = at(door, tmp_path)
        assert "has a passphrase and no terminal to ask for it: ssh-add it" in refused(person)
        assert door.logins() == 0
        typed(person, (f"hpc: passphrase of {door.client_key}", "secret words"))
        assert door.logins() == 1


def test_a_password_is_asked_once_for_a_whole_line(cells: dict[str, Cell], tmp_path: Path) -> None:
    options = ["PasswordAuthentication yes", "PermitRootLogin yes", "AuthenticationMethods password"]
    with once(cells["sandbox"], tmp_path, "password", "secret", options=options) as (person, door):
        assert "takes password, and there is no terminal to ask on" in refused(person)
        typed(person, ("hpc: password of ", "secret"))
        assert door.log.read_text().count("Accepted password") == 1


def test_a_one_time_code_is_asked_once_for_a_whole_line(cells: dict[str, Cell], tmp_path: Path) -> None:
    options = [*INTERACTIVE, KEY_AND_CODE]
    with once(cells["sandbox"], tmp_path, "code", "314159", options=options) as (person, door):
        assert "takes keyboard-interactive, and there is no terminal to ask on" in refused(person)
        typed(person, ("hpc: Password: ", "314159"))
        assert door.log.read_text().count("Accepted keyboard-interactive/pam") == 1


def from_now_on(door: Door, *options: str) -> None:
    """The same sshd with further options; whoever is logged in is thrown out."""
    listening = listener(door.cluster.directory, door.config)
    assert listening
    starts = door.log.read_text().count("Server listening")
    door.config.write_text("\n".join([*options, door.config.read_text()]))
    end(listening, signal.SIGHUP)
    assert wait_until(lambda: door.log.read_text().count("Server listening") > starts, 60)
    for process in sshd_processes(door.log):
        if process.pid != listening.pid:
            end(process)


@contextmanager
def thrown_out(cell: Cell, tmp_path: Path, name: str, begin: Callable[..., T]) -> Iterator[tuple[T, Door]]:
    """Somebody waits for a job, begun by `begin`; the connection breaks, and from now on a code is wanted."""
    with once(cell, tmp_path, name, "271828", options=INTERACTIVE) as (person, door):
        go = person.work / "go"
        person.script("x", f"#!/bin/sh\n{until_there(go)}\necho out\n")
        assert person.fab(*LINE[:4]).returncode == 0
        before = door.logins()
        waiting = begin(person, "-H", "hpc", "wait")
        assert wait_until(lambda: door.logins() > before, 60)
        time.sleep(2)
        from_now_on(door, KEY_AND_CODE)
        go.touch()
        yield waiting, door


def test_a_wait_whose_connection_breaks_asks_for_a_new_code_once(cells: dict[str, Cell], tmp_path: Path) -> None:
    with thrown_out(cells["sandbox"], tmp_path, "new-code", at_terminal) as ((child, terminal), _):
        _, err, shown = talk(child, terminal, ("hpc: Password: ", "271828"), limit=40)
        assert "succeeded" in err
        assert shown.count("Password: ") == 1
        assert "trying again" in err
        assert child.returncode == 0


def test_a_wait_that_cannot_ask_for_a_new_code_ends_and_says_how_to_go_on(
    cells: dict[str, Cell], tmp_path: Path
) -> None:
    with thrown_out(cells["sandbox"], tmp_path, "no-code", Person.start) as (child, _):
        _, err = child.communicate(timeout=100)
        assert child.returncode == 4, err
        *_, broke, last = err.splitlines()
        assert "trying again" in broke
        assert "there is no terminal to ask on" in last
        assert "then go on with: fab -H hpc wait --job " in last
        assert "succeeded" not in err


@pytest.mark.parametrize("answers", [False, True])
def test_a_stale_agent_is_passed_over(cells: dict[str, Cell], tmp_path: Path, answers: bool) -> None:
    """Its socket is there: nobody listens on it, or somebody does and never answers."""
    with extra_sshd(cells["sandbox"], f"agent-{answers}".lower()) as door, socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(tmp_path / "agent"))
        if answers:
            agent.listen()
        person = at(door, tmp_path)
        person.environment["SSH_AUTH_SOCK"] = str(tmp_path / "agent")
        goes_well(person)
        assert door.logins() == 1
        # And where it would be needed, that is what is said.
        door.ssh_config.write_text(door.ssh_config.read_text().replace("IdentityFile ", "IdentityFile /no/such"))
        line = refused(person)
        assert f"the agent at {tmp_path}/agent {'says nothing' if answers else 'is of no use'}" in line
