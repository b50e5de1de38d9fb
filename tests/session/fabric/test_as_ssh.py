"""Host keys and logins that ssh knows of and paramiko does not: each case is tried by ssh itself as well."""

from __future__ import annotations

import getpass
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.model.cluster import Cluster
from tasks.model.errors import HostKeyRefused, LoginRefused, SubmithostError
from tasks.session.fabric.connection import connect
from tests.conftest import ROOT, program

from .sshd import NO_KEY, Home, Sshd, keygen, public

NOBODYS_UID = "61234"


def ssh(cluster: Cluster) -> bool:
    """Whether ssh itself gets in, asking nobody."""
    words = ["ssh", "-F", str(cluster.ssh_config), "-o", "BatchMode=yes", cluster.host, "true"]
    return subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0


def ours(cluster: Cluster) -> bool:
    try:
        connect(cluster).close()
    except SubmithostError:
        return False
    return True


FOR_LOOPBACK = "NoHostAuthenticationForLocalhost yes"


@pytest.mark.parametrize("known", ["", "right", "wrong", "revoked line"])
@pytest.mark.parametrize(
    "settings",
    [
        [],
        [FOR_LOOPBACK],
        ["NoHostAuthenticationForLocalhost no"],
        [FOR_LOOPBACK, "HostName localhost"],
        [FOR_LOOPBACK, "HostName 127.0.0.2"],
        [FOR_LOOPBACK, "HostKeyAlias other"],
        [FOR_LOOPBACK, "ProxyCommand nc 127.0.0.1 %p"],
        [FOR_LOOPBACK, "RevokedHostKeys FILE"],
    ],
    ids="; ".join,
)
def test_d9_host_keys_of_loopback_addresses_as_by_ssh(
    servers: Callable[..., Sshd], home: Home, tmp_path: Path, settings: list[str], known: str
) -> None:
    sshd = servers("ListenAddress 127.0.0.2")
    wrong = keygen(tmp_path / "wrong")
    names = f"{sshd.name},[localhost]:{sshd.port},[127.0.0.2]:{sshd.port},other"
    line = f"{names} {public(sshd.host_keys[0])}\n"
    texts = {"right": line, "wrong": f"{names} {public(wrong)}\n", "revoked line": f"@revoked {line}"}
    home.known_hosts.write_text(texts.get(known, ""))
    (tmp_path / "revoked").write_text(public(sshd.host_keys[0]) + "\n")
    cluster = home.host("sharc", sshd, *(each.replace("FILE", str(tmp_path / "revoked")) for each in settings))
    assert ours(cluster) == ssh(cluster)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("", "echo '{right}'"),
        ("%H", 'echo "$1 {key}"'),
        ("%t %K", 'echo "{name} $1 $2"'),  # whatever the server shows
        ("%f", "echo '{right}'; test \"$1\" = NONE || echo \"$1\" >'{seen}'"),
        ("'a  b' x%%y %n %p %r", '[ "$1,$2,$3,$4,$5" = "a  b,x%y,sharc,{port},{me}" ] && echo \'{right}\''),
        ("%I", "test \"$1\" != HOSTNAME || echo '{right}'"),
        ("%I", "test \"$1\" != ORDER || echo '{right}'"),  # only how to ask is answered, not who is there
        ("%H", 'test "$1" != 127.0.0.1 || echo "127.0.0.1 {key}"'),  # known whatever the port
        ("", "echo '{wrong}'"),
        ("", "echo '@revoked {right}'"),
        ("", "echo '# nothing'"),
        ("", "echo '{right}'; exit 1"),
        ("", "kill -9 $$"),
        ("%Z", "echo '{right}'"),
        ("'open", "echo '{right}'"),
    ],
)
def test_d9_known_hosts_command_as_by_ssh(sshd: Sshd, home: Home, tmp_path: Path, words: str, text: str) -> None:
    key, wrong = public(sshd.host_keys[0]), public(keygen(tmp_path / "wrong"))
    filled = text.format(
        right=f"{sshd.name} {key}", wrong=f"{sshd.name} {wrong}", key=key, name=sshd.name, port=sshd.port,
        me=getpass.getuser(), seen=tmp_path / "seen",
    )  # fmt: skip
    command = program(tmp_path / "known by", f"#!/bin/sh\n{filled}\n")
    cluster = home.host("sharc", sshd, f'KnownHostsCommand "{command}" {words}')
    by_ssh = ssh(cluster)
    seen = (tmp_path / "seen").read_text() if words == "%f" else ""
    assert ours(cluster) == by_ssh
    assert not seen or (tmp_path / "seen").read_text() == seen


@pytest.mark.parametrize("command", ["/no/such/program", "true", "/bin/false", "/bin", "/bin/sh -c 'kill -9 $$'"])
@pytest.mark.parametrize("known", [False, True])
def test_d9_a_known_hosts_command_that_cannot_run_or_fails_as_by_ssh(
    sshd: Sshd, home: Home, command: str, known: bool
) -> None:
    home.known_hosts.write_text(sshd.known() * known)
    cluster = home.host("sharc", sshd, f"KnownHostsCommand {command}")
    if ssh(cluster):
        said: list[str] = []
        connect(cluster, say=said.append).close()
        assert any(f"no KnownHostsCommand {command}" in line for line in said)
    else:
        with pytest.raises(HostKeyRefused) as refused:
            connect(cluster)
        assert str(refused.value).startswith("sharc: ssh_config's KnownHostsCommand failed: ") or not known


@pytest.mark.parametrize(
    ("server", "client", "said", "cure"),
    [
        (
            ["GSSAPIAuthentication yes", "PubkeyAuthentication no"],
            "GSSAPIAuthentication yes",
            "gssapi-with-mic",
            "ask its",
        ),
        (
            ["GSSAPIAuthentication yes", "PubkeyAuthentication no"],
            "GSSAPIAuthentication no",
            "gssapi-with-mic",
            "ask its",
        ),
        (
            ["HostbasedAuthentication yes", "PubkeyAuthentication no"],
            "HostbasedAuthentication yes",
            "hostbased",
            "ask its",
        ),
        (["GSSAPIAuthentication yes"], "GSSAPIAuthentication yes", "gssapi-with-mic", "if so, lay your key on"),
        (["GSSAPIAuthentication yes"], "GSSAPIAuthentication no", "", "see whether `ssh "),
        ([], "GSSAPIAuthentication yes", "", "see whether `ssh "),
    ],
)
def test_d9_a_login_that_only_ssh_can_do_is_named_and_so_is_what_can_be_done(
    servers: Callable[..., Sshd], home: Home, server: list[str], client: str, said: str, cure: str
) -> None:
    sshd = servers(*server)
    home.known_hosts.write_text(sshd.known())
    with pytest.raises(LoginRefused) as refused:
        connect(home.host("sharc", sshd, client, key=NO_KEY))
    text = str(refused.value)
    assert ("not supported here" in text) == bool(said)
    assert not said or re.search(rf"the server takes ([a-z-]+ and )?{said}, not supported here", text)
    assert cure in text.partition("): ")[2]
    assert text.isprintable()


# Nobody that the system knows


def as_nobody(*words: str, home: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run `submithost WORDS` with a uid that has no entry in passwd; this Python may be where only root can read."""
    right = "+dac_override"
    become = ["setpriv", f"--reuid={NOBODYS_UID}", "--clear-groups", f"--inh-caps={right}", f"--ambient-caps={right}"]
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **({"HOME": home} if home else {}), **more}
    return subprocess.run(
        [*become, sys.executable, "-m", "tasks", *words],
        cwd="/", env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture
def nobodys_home(tmp_path: Path) -> Path:
    home = tmp_path / "nobody"
    home.mkdir()
    os.chown(home, int(NOBODYS_UID), -1)
    return home


@pytest.mark.parametrize("user", [{}, {"USER": "me"}])
def test_d9_a_uid_without_a_name_gets_one_line_where_ssh_is_needed_and_work_done_where_not(
    nobodys_home: Path, user: dict[str, str]
) -> None:
    for words in (["--list"], ["clusters"], ["jobs"], ["templates"], ["-H", "me@x", "render", "--script=hello"]):
        done = as_nobody(*words, home=str(nobodys_home), **user)
        assert done.returncode == 0, done.stderr
    by_ssh = subprocess.run(
        ["setpriv", f"--reuid={NOBODYS_UID}", "--clear-groups", "ssh", "-G", "x"], capture_output=True, text=True
    ).stderr.strip()
    assert by_ssh == f"No user exists for uid {NOBODYS_UID}"
    for words in (["-H", "me@x", "queues"], ["-H", "x", "check"]):
        done = as_nobody(*words, home=str(nobodys_home), **user)
        assert done.returncode == 2
        assert by_ssh in done.stderr
        assert "/etc/passwd" in done.stderr
        assert "bug" not in done.stderr


def test_d9_nobody_without_a_home_gets_one_line() -> None:
    done = as_nobody("jobs", home="")
    assert (done.returncode, done.stderr) == (2, f"no home directory is known of uid {NOBODYS_UID}: set HOME\n")


def test_d9_where_ssh_alone_knows_the_name_home_and_user_are_enough(
    sshd: Sshd, home: Home, nobodys_home: Path, tmp_path: Path
) -> None:
    """As in containers whose `ssh` has libnss-wrapper before it."""
    passwd, group = nobodys_home / "passwd", nobodys_home / "group"
    passwd.write_text(f"me:x:{NOBODYS_UID}:0::{nobodys_home}:/bin/sh\n")
    group.write_text("me:x:0:\n")
    wrapped = {"LD_PRELOAD": "libnss_wrapper.so", "NSS_WRAPPER_PASSWD": passwd, "NSS_WRAPPER_GROUP": group}
    words = " ".join(f"{name}={shlex.quote(str(value))}" for name, value in wrapped.items())
    program(tmp_path / "bin" / "ssh", f'#!/bin/sh\n{words} exec /usr/bin/ssh "$@"\n')
    home.known_hosts.write_text(sshd.known())
    os.chown(sshd.user_key, int(NOBODYS_UID), -1)
    cluster = home.host("sharc", sshd, "SetEnv X=%u")
    done = as_nobody(
        "-S", str(cluster.ssh_config), "-H", "sharc", "check", home=str(nobodys_home), USER="me",
        PATH=f"{tmp_path}/bin:{os.environ['PATH']}",
    )  # fmt: skip
    assert re.search(rf"^ok +login .* {getpass.getuser()}, key {sshd.user_key}$", done.stdout, re.M), done
