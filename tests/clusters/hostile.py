"""Login nodes as they should not be, each an sshd of its own before a real cell, and the line that is to work there."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tasks.testbed.cell import Cell
from tasks.testbed.sshd import Door, extra_sshd
from tests.conftest import Person, move_in
from tests.session.fabric.person import talk

SCRIPT = "#!/bin/sh\necho out\n"
LINE = ("-H", "hpc", "submit", "--script=x", "wait", "fetch", "--to=out")


def at(door: Door, tmp_path: Path, more: str = "", *, ssh_config: Path | None = None) -> Person:
    """A person whose cluster `hpc` is behind this door, and who has a script `x`."""
    config = f"clusters:\n  hpc:\n    host: {door.name}\n    ssh_config: '{ssh_config or door.ssh_config}'\n{more}"
    person = move_in(tmp_path / "person", config)
    person.script("x", SCRIPT)
    return person


def environment(cell: Cell, *, csh: bool = False) -> str:
    """What a site's profile says, so that users find the scheduler."""
    settings = cell.settings() | {"PATH": "/usr/bin:/bin"}
    return "".join(f"setenv {n} '{v}'\n" if csh else f"export {n}='{v}'\n" for n, v in settings.items())


@contextmanager
def login_node(
    cell: Cell,
    tmp_path: Path,
    name: str,
    rc_files: Mapping[str, str],
    *,
    shell: str = "bash",
    options: Sequence[str] = (),
    sftp: bool = True,
    more: str = "",
) -> Iterator[tuple[Person, Door]]:
    """A login node with a home of its own, whose rc files are these; only the login environment knows the scheduler.

    What a shell reads at login sets that environment first, and goes on with the text given here.
    """
    home = tmp_path / "home"
    home.mkdir()
    sh = environment(cell)
    texts = {".bash_profile": sh, ".profile": sh, ".zprofile": sh, ".login": environment(cell, csh=True)}
    for file, text in rc_files.items():
        texts[file] = texts.get(file, "") + text
    for file, text in texts.items():
        (home / file).write_text(text)
    with extra_sshd(cell, name, options, login_shell=f"/bin/{shell}", home=home, set_env=False, sftp=sftp) as door:
        yield at(door, tmp_path, more), door


def goes_well(person: Person, *line: str) -> subprocess.CompletedProcess[str]:
    """Submit, wait and fetch on one line, and look at what came back."""
    done = person.fab(*(line or LINE))
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Your job "), done.stdout
    (log,) = (person.work / "out").glob("x.o*")
    assert log.read_text() == "out\n"
    return done


def refused(person: Person, status: int = 4) -> str:
    """The one line of a line of tasks that cannot work; nothing is on stdout."""
    done = person.fab(*LINE)
    assert done.returncode == status, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert done.stdout == ""
    return done.stderr


def at_terminal(person: Person, *line: str) -> tuple[subprocess.Popen[str], int]:
    """Begin a line of tasks where a person sits, whose end of the terminal is returned; for `talk`."""
    ours, theirs = os.openpty()
    child = subprocess.Popen(
        ["setsid", "--ctty", "--wait", sys.executable, "-m", "fabric", *(line or LINE)],
        cwd=person.work, env=person.environment, stdin=theirs,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    os.close(theirs)
    return child, ours


def typed(person: Person, *answers: tuple[str, str]) -> str:
    """The line goes well when these prompts are answered, each once; returns all that the terminal showed."""
    out, err, shown = talk(*at_terminal(person), *answers, limit=40)
    assert out.startswith("Your job "), (err, shown)
    (log,) = (person.work / "out").glob("x.o*")
    assert log.read_text() == "out\n"
    for prompt, answer in answers:
        assert shown.count(prompt) == 1
        assert answer not in shown + out + err
    return shown
