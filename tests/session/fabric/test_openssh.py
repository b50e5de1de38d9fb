from __future__ import annotations

import contextlib
import os
import pwd
import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import InvalidInput
from tasks.session.fabric.destination import Destination
from tasks.session.fabric.ssh_config import destination, parse_g

PASSWD_HOME = pwd.getpwuid(os.getuid()).pw_dir
LEAST = "host a\nhostname h.example.org\nport 22\nuser me\n"


def ask(tmp_path: Path, config: str, host: str = "a", user: str | None = None, port: int | None = None) -> Destination:
    file = tmp_path / "config"
    file.write_text(config)
    return destination(host, user=user, port=port, ssh_config=file)


def test_what_ssh_config_says_is_what_ssh_says(tmp_path: Path) -> None:
    key = tmp_path / "my key"
    key.write_text("")
    there = ask(
        tmp_path,
        f"""
        Host a
          HostName 127.0.0.1
          Port 2222
          User me
          HostKeyAlias foo
          IdentityFile "{key}"
          IdentityFile {tmp_path}/absent
          UserKnownHostsFile "{tmp_path}/my known" {tmp_path}/second
          ProxyJump u@h:22,v@j
          StrictHostKeyChecking accept-new
          ConnectTimeout 5
          ServerAliveInterval 7
          IdentityAgent none
          HashKnownHosts yes
          AddressFamily inet6
          PasswordAuthentication no
        """,
    )
    assert (there.hostname, there.port, there.host_key_alias) == ("127.0.0.1", 2222, "foo")
    assert there.identity_files == (key,)
    assert there.user_known_hosts_files == (tmp_path / "my known", tmp_path / "second")
    assert there.proxy_jump == ("u@h:22", "v@j")
    assert (there.strict_host_key_checking, there.connect_timeout, there.server_alive_interval) == ("accept-new", 5, 7)
    assert (there.identity_agent, there.hash_known_hosts) == ("none", True)
    assert there.address_family == socket.AF_INET6
    assert there.methods == ("publickey", "keyboard-interactive")


def test_f14_include_and_match_are_obeyed(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Match host b exec true\n  Port 4242\n")
    assert ask(tmp_path, f"Include {tmp_path}/more\n", "b").port == 4242


def test_user_and_port_given_win_over_ssh_config(tmp_path: Path) -> None:
    there = ask(tmp_path, "Host a\n User x\n Port 1\n", user="y", port=2)
    assert (there.user, there.port) == ("y", 2)


def test_an_ipv6_address_is_a_host(tmp_path: Path) -> None:
    assert ask(tmp_path, "", "::1").hostname == "::1"


@pytest.mark.parametrize("host", ["", "-oProxyCommand=touch pwned", "a\nb", "a;b", "$(touch pwned)"])
def test_what_is_no_host_is_refused_and_nothing_is_run(
    host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidInput):
        destination(host, user=None, port=None, ssh_config=Path("/dev/null"))
    assert not (tmp_path / "pwned").exists()


def test_a_bad_ssh_config_is_told_in_sshs_own_words(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="line 1: Bad configuration option: foo") as raised:
        ask(tmp_path, "Foo bar\n")
    assert "\n" not in str(raised.value)


def test_without_ssh_it_is_said_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InvalidInput, match="openssh-client"):
        destination("a", user=None, port=None, ssh_config=None)


def test_tokens_and_homes_are_those_of_ssh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIR", "/keys")
    text = LEAST + "identityfile ~/.ssh/%r@%h:%p\nidentityfile ${DIR}/100%%\nidentityfile none\nproxycommand nc %h %p\n"
    there = parse_g(text)
    assert there.identity_files == (Path(PASSWD_HOME, ".ssh/me@h.example.org:22"), Path("/keys/100%"))
    assert there.proxy_command == "nc h.example.org 22"


def test_an_agent_is_a_path_a_variable_or_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/a")
    monkeypatch.setenv("OTHER", "/b")
    said = {"": "/a", "identityagent SSH_AUTH_SOCK": "/a", "identityagent $OTHER": "/b", "identityagent none": "none"}
    assert {line: parse_g(LEAST + line).identity_agent for line in said} == said


@pytest.mark.parametrize(
    "line",
    ["port x", "port 99999", "port ٣", "connecttimeout 1e3", "identityfile %Z", "identityfile ${NOT_SET_ANYWHERE}"],
)
def test_what_is_not_understood_is_one_line(line: str) -> None:
    with pytest.raises(InvalidInput):
        parse_g(f"{line}\n{LEAST}")


# fmt: off
KEYWORDS = st.sampled_from([
    "host", "hostname", "port", "user", "identityfile", "certificatefile", "identityagent", "userknownhostsfile",
    "proxyjump", "proxycommand", "stricthostkeychecking", "connecttimeout", "hostkeyalias", "revokedhostkeys",
    "hostkeyalgorithms", "serveraliveinterval",
])
# fmt: on


@given(st.lists(st.one_of(st.text(), st.tuples(KEYWORDS, st.text()).map(" ".join))).map("\n".join))
def test_no_text_makes_the_parser_raise_anything_but_invalid_input(text: str) -> None:
    for whole in (text, f"{LEAST}{text}"):
        with contextlib.suppress(InvalidInput):
            assert isinstance(parse_g(whole), Destination)
