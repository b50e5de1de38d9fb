"""Hostile login shells: whatever they are and do, the line `submit wait fetch` works, or one line says why not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tasks.login_node import Program
from tasks.model.cluster import Cluster
from tasks.model.errors import LoginRefused
from tasks.screen.screen import Screen
from tasks.session import login_shell
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import extra_sshd
from tasks.tracking.cluster_session import ClusterSession
from tests.clusters.hostile import LINE, at, environment, goes_well, login_node, refused

SHELLS = ["bash", "tcsh", "zsh", "dash"]
# Login nodes by what /bin/sh is there. On systems where it is bash there is no dash.
NODES = {"dash": SHELLS, "d7-bash": SHELLS[:3]}
on_both = pytest.mark.parametrize("node", NODES, indirect=True)
with_each_shell = pytest.mark.parametrize(
    ("node", "shell"), [(sh, shell) for sh, shells in NODES.items() for shell in shells], indirect=["node"]
)
# What each shell reads: always, and at login.
RC = {"bash": ".bashrc", "tcsh": ".cshrc", "zsh": ".zshenv", "dash": ".profile"}
LOGIN = {"bash": ".bash_profile", "tcsh": ".login", "zsh": ".zprofile", "dash": ".profile"}


@pytest.fixture
def node(request: pytest.FixtureRequest, cells: dict[str, Cell]) -> Cell:
    """The cluster whose /bin/sh is this program."""
    cell: Cell = cells["sandbox"] if request.param == "dash" else request.getfixturevalue("bash_cell")
    return cell


def everywhere(shell: str, text: str) -> dict[str, str]:
    """The same in all rc files of a shell."""
    return {RC[shell]: text, LOGIN[shell]: text}


@with_each_shell
def test_qsub_only_in_the_login_environment_of(node: Cell, tmp_path: Path, shell: str) -> None:
    with login_node(node, tmp_path, f"plain-{shell}", {}, shell=shell) as (person, door):
        without = subprocess.run(["ssh", "-F", door.ssh_config, door.name, "qstat"], capture_output=True)
        assert without.returncode != 0  # it is as hostile as it should be
        assert goes_well(person).stderr.count("waiting for the login shell") == 0
        assert door.logins() == 2  # ssh's and ours


@with_each_shell
def test_rc_files_that_print_on_both_streams(node: Cell, tmp_path: Path, shell: str) -> None:
    errors = "/bin/sh -c 'echo rc error >&2; printf unended >&2'\n"
    rc_files = everywhere(shell, f"echo rc noise\n{errors}printf unended\n")
    with login_node(node, tmp_path, f"noisy-{shell}", rc_files, shell=shell) as (person, _):
        done = goes_well(person)
        assert "rc " not in done.stdout + done.stderr


@with_each_shell
def test_rc_files_that_run_stty(node: Cell, tmp_path: Path, shell: str) -> None:
    rc_files = everywhere(shell, "stty sane\nstty -echo\n")
    with login_node(node, tmp_path, f"stty-{shell}", rc_files, shell=shell) as (person, _):
        assert "ioctl" not in goes_well(person).stderr


@with_each_shell
def test_rc_files_that_set_noclobber_and_aliases(node: Cell, tmp_path: Path, shell: str) -> None:
    set_ = {"bash": "set -o noclobber", "tcsh": "set noclobber", "zsh": "setopt noclobber", "dash": "set -C"}[shell]
    alias = "alias {} false" if shell == "tcsh" else "alias {}=false"
    text = "\n".join([set_, *(alias.format(word) for word in ("qsub", "qstat", "cat", "head"))]) + "\n"
    with login_node(node, tmp_path, f"alias-{shell}", {LOGIN[shell]: text}, shell=shell) as (person, _):
        goes_well(person)


@on_both
@pytest.mark.parametrize(
    ("shell", "text"),
    [
        ("bash", "set -o noglob -o noclobber -o nounset -o errexit\nshopt -s nullglob\nexport SHELLOPTS BASHOPTS\n"),
        ("tcsh", "setenv SHELLOPTS noglob:noclobber:errexit:nounset\nsetenv BASHOPTS nullglob:failglob\n"),
        ("zsh", "export SHELLOPTS=posix:noglob:noclobber:errexit:verbose BASHOPTS=xpg_echo\n"),
    ],
)
def test_rc_files_that_export_the_options_of_bash(node: Cell, tmp_path: Path, shell: str, text: str) -> None:
    with login_node(node, tmp_path, f"options-{shell}", {LOGIN[shell]: text}, shell=shell) as (person, _):
        goes_well(person)


@on_both
@pytest.mark.parametrize(
    ("shell", "text"),
    [
        ("bash", "read -r line\nread -r -t 1 line\n"),
        ("zsh", "read -r line\nread -r -t 1 line\n"),
        ("tcsh", "set line = $<\n"),
        ("dash", "read -r line\nread -r line\n"),
    ],
)
def test_rc_files_that_read_a_line_of_stdin(node: Cell, tmp_path: Path, shell: str, text: str) -> None:
    rc_files = everywhere(shell, text)
    with login_node(node, tmp_path, f"reads-{shell}", rc_files, shell=shell) as (person, _):
        goes_well(person)


@on_both
@pytest.mark.parametrize("text", ["cat >/dev/null\n", "while read -r line; do :; done\n"])
def test_rc_files_that_read_stdin_to_its_end_are_told(node: Cell, tmp_path: Path, text: str) -> None:
    with login_node(node, tmp_path, "eats", {".bashrc": text}) as (person, door):
        line = refused(person)
        assert "rc files take our standard input away" in line
        assert ".bashrc" in line
        assert door.logins() == 1


@on_both
def test_login_rc_files_that_read_stdin_to_its_end_are_no_matter(node: Cell, tmp_path: Path) -> None:
    with login_node(node, tmp_path, "eats-login", {".bash_profile": "cat >/dev/null\n"}) as (person, _):
        goes_well(person)


def test_rc_files_that_are_slow_are_waited_for_and_that_is_said(cells: dict[str, Cell], tmp_path: Path) -> None:
    rc_files = {".bashrc": "sleep 1\n", ".bash_profile": "sleep 6\n"}
    with login_node(cells["sandbox"], tmp_path, "slow", rc_files) as (person, door):
        done = goes_well(person)
        assert done.stderr.count("hpc: waiting for the login shell on the login node") == 1
        assert door.logins() == 1


def test_rc_files_that_hang_are_given_up_and_not_tried_again(
    cells: dict[str, Cell], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(login_shell, "PATIENCE", 7.0)
    for name, rc_files in {"hangs": {".bashrc": "echo mounting; sleep 60\n"}, "babbles": {
        ".bash_profile": "while :; do echo again; sleep 0.1; done\n"}}.items():  # fmt: skip
        (tmp_path / name).mkdir()
        with login_node(cells["sandbox"], tmp_path / name, name, rc_files) as (_, door):
            session = ClusterSession(Cluster(name="hpc", host=name, ssh_config=door.ssh_config), listener=Screen())
            with pytest.raises(LoginRefused, match=r"rc files have not ended after [78] s"):
                session.ask(Program(("ask",), {"command": "true"}))
            session.close()
            assert "waiting for the login shell" in capsys.readouterr().err
            assert door.logins() == 1


@on_both
@pytest.mark.parametrize(("shell", "other"), [("bash", "zsh"), ("zsh", "bash"), ("tcsh", "bash")])
def test_rc_files_that_exec_another_shell(node: Cell, tmp_path: Path, shell: str, other: str) -> None:
    for when, file in (("always", RC[shell]), ("at-login", LOGIN[shell])):
        (tmp_path / when).mkdir()
        text = f"exec {other}\n"
        if when == "always":  # what is read at login does not get its turn
            text = environment(node, csh=shell == "tcsh") + text
        name = f"exec-{shell}-{when}"
        with login_node(node, tmp_path / when, name, {file: text}, shell=shell) as (person, _):
            goes_well(person)


@on_both
def test_rc_files_that_exec_a_shell_that_reads_ahead_are_told(node: Cell, tmp_path: Path) -> None:
    with login_node(node, tmp_path, "exec-tcsh", {".bashrc": "exec tcsh\n"}) as (person, _):
        assert "`exec` another shell" in refused(person)


@on_both
def test_rc_files_that_exit_are_told_with_their_last_words(node: Cell, tmp_path: Path) -> None:
    rc_files = {".bashrc": "echo 'no terminal, goodbye'; exit 0\n"}
    with login_node(node, tmp_path, "exits", rc_files) as (person, door):
        line = refused(person)
        assert "ends, with exit status 0, before it runs anything of ours, and says 'no terminal, goodbye'" in line
        assert door.logins() == 1


@on_both
def test_login_rc_files_that_exit_leave_no_environment_and_are_told(node: Cell, tmp_path: Path) -> None:
    rc_files = {".bash_profile": "echo 'not from here' >&2; exit 1\n"}
    with login_node(node, tmp_path, "exits-login", rc_files) as (person, _):
        done = person.fab("-H", "hpc", "put", "--source=x")
        assert (
            "hpc: the login shell on the login node ends without a word of its environment, and says 'not from here'"
            in done.stderr
        )


def test_a_shell_that_lets_nobody_in_is_told_with_its_last_words(cells: dict[str, Cell], tmp_path: Path) -> None:
    with extra_sshd(cells["sandbox"], "nologin", login_shell="/usr/sbin/nologin") as door:
        assert "This account is currently not available" in refused(at(door, tmp_path))


def test_rc_files_that_print_megabytes(cells: dict[str, Cell], tmp_path: Path) -> None:
    text = "yes noise | head -c 4000000\nyes errors | head -c 4000000 >&2\n"
    rc_files = {".bashrc": text, ".bash_profile": text}
    with login_node(cells["sandbox"], tmp_path, "megabytes", rc_files) as (person, _):
        assert len(goes_well(person).stderr) < 1000


def test_a_server_without_sftp(cells: dict[str, Cell], tmp_path: Path) -> None:
    with login_node(cells["sandbox"], tmp_path, "no-sftp", {}, sftp=False) as (person, _):
        person.script("in put", "in")
        goes_well(person, *LINE[:4], "--put=in put", *LINE[4:])


def test_sftp_that_hangs_on_rc_noise_is_not_used(cells: dict[str, Cell], tmp_path: Path) -> None:
    # 0x20202020 bytes are to come, says such noise to an SFTP client: it waits for them.
    with login_node(cells["sandbox"], tmp_path, "sftp", {".bashrc": "printf '%100s'\n"}) as (person, door):
        with pytest.raises((subprocess.TimeoutExpired, subprocess.CalledProcessError)):
            subprocess.run(["sftp", "-F", door.ssh_config, "-b", "-", door.name], input=b"ls\n", timeout=10, check=True)
        met = door.log.read_text().count("subsystem")
        person.script("in put", "in")
        goes_well(person, *LINE[:4], "--put=in put", *LINE[4:])
        assert door.log.read_text().count("subsystem") == met


def test_a_server_that_allows_one_session_at_a_time(cells: dict[str, Cell], tmp_path: Path) -> None:
    with login_node(cells["sandbox"], tmp_path, "one-session", {}, options=["MaxSessions 1"]) as (person, door):
        goes_well(person)
        assert door.logins() == 1


def test_l3_a_crowd_logs_in_one_after_the_other_where_sshd_would_drop_it(
    cells: dict[str, Cell], tmp_path: Path
) -> None:
    # Two, since sshd notes a moment later than we do that somebody is in.
    options = ["MaxStartups 2:100:2", "LogLevel DEBUG"]
    with login_node(cells["sandbox"], tmp_path, "crowd", {}, options=options) as (person, door):
        crowd = [person.start("-H", "hpc", "queues") for _ in range(8)]
        for one in crowd:
            _, said = one.communicate(timeout=120)
            assert one.returncode == 0, said
        assert door.logins() == len(crowd)
        assert "drop connection" not in door.log.read_text(errors="replace")


@with_each_shell
def test_a_home_directory_with_a_space(node: Cell, tmp_path: Path, shell: str) -> None:
    spaced = tmp_path / "a home  with spaces"
    spaced.mkdir()
    with login_node(node, spaced, f"space-{shell}", {}, shell=shell) as (person, _):
        goes_well(person)


@on_both
def test_setup_that_fails_is_one_warning_with_what_it_said(node: Cell, tmp_path: Path) -> None:
    more = "    setup: ['echo loaded', 'ls /no/such', 'false', ': fine']\n"
    for shell in ("bash", "tcsh"):
        (tmp_path / shell).mkdir()
        noise = everywhere(shell, "echo noise\n")
        with login_node(
            node, tmp_path / shell, f"setup-{shell}", noise, shell=shell, more=more
        ) as (person, _):  # fmt: skip
            said = [line for line in goes_well(person).stderr.splitlines() if "setup" in line]
            assert said == [
                "hpc: setup 'ls /no/such' failed with exit status 2: "
                "ls: cannot access '/no/such': No such file or directory",
                "hpc: setup 'false' failed with exit status 1",
            ]


def test_setup_that_ends_the_login_shell_is_told(cells: dict[str, Cell], tmp_path: Path) -> None:
    for shell, line in (("bash", "exit 3"), ("tcsh", "cd /no/such")):
        (tmp_path / shell).mkdir()
        more = f"    setup: ['echo loaded', '{line}', 'echo not reached']\n"
        with login_node(cells["sandbox"], tmp_path / shell, f"end-{shell}", {}, shell=shell, more=more) as (person, _):
            assert f"hpc: setup '{line}' ended the login shell" in person.fab("-H", "hpc", "put", "--source=x").stderr
