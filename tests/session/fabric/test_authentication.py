from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import paramiko
import pytest
from paramiko.common import AUTH_FAILED, AUTH_PARTIALLY_SUCCESSFUL, AUTH_SUCCESSFUL
from paramiko.server import InteractiveQuery

from tasks.model.errors import InvalidInput, LoginRefused
from tasks.session.fabric.connection import connect

from .person import at_terminal, without_terminal
from .sshd import ME, NO_KEY, Home, Sshd, keygen, public
from .test_connection import one_line, works


@pytest.fixture(autouse=True)
def _known(sshd: Sshd, home: Home) -> None:
    home.known_hosts.write_text(sshd.known())


@contextlib.contextmanager
def agent(directory: Path, *added: Path, confirm: bool = False) -> Iterator[Path]:
    """A real ssh-agent with these keys."""
    path = directory / "agent"
    process = subprocess.Popen(["ssh-agent", "-D", "-a", str(path)], stdout=subprocess.DEVNULL)
    try:
        while not path.exists():
            time.sleep(0.01)
        options = ["-q", "-c"] if confirm else ["-q"]
        for key in added:
            subprocess.run(["ssh-add", *options, key], env={**os.environ, "SSH_AUTH_SOCK": str(path)}, check=True)
        yield path
    finally:
        process.terminate()
        process.wait()


def offered(sshd: Sshd) -> int:
    return sshd.said().count("method publickey")


# Key files


def test_a_wrong_key_is_refused_with_what_was_tried(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    wrong = keygen(tmp_path / "wrong")
    with pytest.raises(LoginRefused) as error:
        connect(home.host("sharc", sshd, key=wrong))
    one_line(error, f"sharc (127.0.0.1:{sshd.port})", str(wrong), f"`ssh -F {home.config} sharc`", ME)


def test_no_key_at_all_is_one_line_too(sshd: Sshd, home: Home) -> None:
    with pytest.raises(LoginRefused) as error:
        connect(home.host("sharc", sshd, key=NO_KEY))
    one_line(error, "nothing to try")


def test_f21_i_names_a_key_that_comes_first(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    cluster = home.host("sharc", sshd, key=keygen(tmp_path / "wrong"))
    assert works(cluster, sshd.user_key)
    assert offered(sshd) == 1


def test_i_of_an_absent_file_is_the_users_to_mend(sshd: Sshd, home: Home) -> None:
    with pytest.raises(InvalidInput, match="/no/such/key"):
        connect(home.host("sharc", sshd), [Path("/no/such/key")])


@pytest.mark.parametrize("kind", ["rsa", "ecdsa", "ed25519"])
@pytest.mark.parametrize("form", ["OPENSSH", "PEM"])
def test_every_kind_of_key_is_read(sshd: Sshd, home: Home, tmp_path: Path, kind: str, form: str) -> None:
    key = keygen(tmp_path / "key", kind)
    if form == "PEM" and kind != "ed25519":
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "", "-m", "PEM", "-f", key], check=True, capture_output=True)
    sshd.authorized.write_text(public(key))
    assert works(home.host("sharc", sshd, key=key))


def test_files_that_are_no_usable_keys_are_left_aside(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    texts = {
        "garbage": b"\0\xff garbage",
        "empty": b"",
        "damaged": b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n",
        "cut": sshd.user_key.read_bytes()[:200],
        "flipped": sshd.user_key.read_bytes().replace(b"b3Blbn", b"b3Blbm"),
        "pem": b"-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n",
        "pkcs8": b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
    }
    lines = []
    for name, text in texts.items():
        (tmp_path / name).write_bytes(text)
        (tmp_path / name).chmod(0o600)
        lines.append(f"IdentityFile {tmp_path / name}")
    with pytest.raises(LoginRefused) as error:
        connect(home.host("none", sshd, *lines, key=tmp_path / "absent"))
    one_line(error, "nothing to try", *texts)
    assert works(home.host("sharc", sshd, *lines))


def test_a_key_that_others_may_read_is_left_aside_as_by_ssh(sshd: Sshd, home: Home) -> None:
    sshd.user_key.chmod(0o644)
    with pytest.raises(LoginRefused) as error:
        connect(home.host("sharc", sshd))
    one_line(error, "others", "chmod 600")
    assert offered(sshd) == 0


def test_too_many_keys_are_told_with_the_way_out(servers: Callable[..., Sshd], home: Home, tmp_path: Path) -> None:
    sshd = servers("MaxAuthTries 2")
    home.known_hosts.write_text(sshd.known())
    lines = [f"IdentityFile {keygen(tmp_path / f'key{number}')}" for number in range(4)]
    with pytest.raises(LoginRefused) as error:
        connect(home.host("sharc", sshd, *lines))
    one_line(error, "IdentitiesOnly", "key0")


# Passphrases


def test_a_passphrase_is_not_asked_for_without_a_terminal(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    locked = keygen(tmp_path / "locked", passphrase="secret")
    out, err = without_terminal(home.host("sharc", sshd, key=locked))
    assert out.startswith("LoginRefused 4 sharc ")
    assert str(locked) in out
    assert "ssh-add" in out
    assert err == ""


def test_a_passphrase_is_asked_once_at_a_terminal(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    locked = keygen(tmp_path / "locked", passphrase="secret")
    sshd.authorized.write_text(public(locked))
    cluster = home.host("sharc", sshd, key=locked)
    said, shown = at_terminal(cluster, (f"sharc: passphrase of {locked}", "secret"))
    assert said == "in"
    assert "secret" not in shown
    said, shown = at_terminal(cluster, ("passphrase of", "wrong"))
    assert said.startswith("LoginRefused 4 ")
    assert "wrong passphrase" in said
    assert shown.count("passphrase of") == 1


def test_no_passphrase_is_asked_when_another_key_does(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    locked = keygen(tmp_path / "locked", passphrase="secret")
    assert at_terminal(home.host("sharc", sshd, f"IdentityFile {locked}")) == ("in", "")


# Agents


def test_the_agents_key_is_used_and_unlocks_its_file(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    with agent(tmp_path, sshd.user_key) as path:
        subprocess.run(["ssh-keygen", "-q", "-p", "-N", "secret", "-f", sshd.user_key], check=True, capture_output=True)
        assert works(home.host("sharc", sshd, f"IdentityAgent {path}"))
    assert offered(sshd) == 1


def test_identities_only_keeps_the_agents_other_keys_back(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    others = [keygen(tmp_path / f"other{number}", kind) for number, kind in enumerate(("ed25519", "rsa", "ecdsa"))]
    only = Path(f"{sshd.user_key}.pub")
    with agent(tmp_path, *others, sshd.user_key) as path:
        cluster = home.host("sharc", sshd, f"IdentityAgent {path}", "IdentitiesOnly yes", key=only)
        assert works(cluster)
        assert offered(sshd) == 1
        # Without it the listed key still comes first, and then all others.
        assert works(home.host("all", sshd, f"IdentityAgent {path}", key=only))
        assert offered(sshd) == 2
        sshd.authorized.write_text(public(others[1]))
        assert works(home.host("rest", sshd, f"IdentityAgent {path}", key=NO_KEY))


def test_an_agent_that_refuses_to_sign_costs_one_try_only(sshd: Sshd, home: Home, tmp_path: Path) -> None:
    with agent(tmp_path, keygen(tmp_path / "confirmed"), confirm=True) as path:  # and nobody there to confirm
        assert works(home.host("sharc", sshd, f"IdentityAgent {path}"))


@pytest.mark.parametrize("answer", [None, b"", b"\0\0\0\1\5", b"\0\0\0\5\x0c\0\0\0\1", b"\xff" * 50])
def test_l7_a_stale_or_broken_agent_does_not_hang(sshd: Sshd, home: Home, tmp_path: Path, answer: bytes | None) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "stale"))
        server.listen()

        def serve() -> None:
            with server.accept()[0] as client:
                client.recv(100)
                client.sendall(answer or b"")

        thread = threading.Thread(target=serve, daemon=True)
        if answer is not None:
            thread.start()
        assert works(home.host("sharc", sshd, f"IdentityAgent {tmp_path}/stale"))
        if answer is not None:
            thread.join()


def test_an_agent_that_is_gone_is_no_matter(sshd: Sshd, home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSH_AUTH_SOCK", "/no/such/agent")
    assert works(home.host("sharc", sshd))


# Certificates


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("in_agent", [False, True])
def test_a_certificate_is_shown_with_its_key(
    servers: Callable[..., Sshd], home: Home, tmp_path: Path, named: bool, in_agent: bool
) -> None:
    ca = keygen(tmp_path / "ca")
    sshd = servers(f"TrustedUserCAKeys {ca}.pub")
    home.known_hosts.write_text(sshd.known())
    sshd.authorized.write_text("")
    subprocess.run(["ssh-keygen", "-q", "-s", str(ca), "-I", "me", "-n", ME, f"{sshd.user_key}.pub"], check=True)
    certificate = Path(f"{sshd.user_key}-cert.pub")
    lines = []
    if named:
        certificate = certificate.rename(tmp_path / "elsewhere")
        lines = [f"CertificateFile {certificate}"]
    with agent(tmp_path, *([sshd.user_key] if in_agent else [])) as path:
        assert works(home.host("sharc", sshd, f"IdentityAgent {path}", *lines))
    assert "Accepted publickey for" in sshd.said()
    assert offered(sshd) == 1


def test_an_expired_or_broken_certificate_leaves_the_key_itself(
    servers: Callable[..., Sshd], home: Home, tmp_path: Path
) -> None:
    ca = keygen(tmp_path / "ca")
    sshd = servers(f"TrustedUserCAKeys {ca}.pub")
    home.known_hosts.write_text(sshd.known())
    cluster = home.host("sharc", sshd)
    expired = [
        "ssh-keygen",
        "-q",
        "-s",
        str(ca),
        "-I",
        "me",
        "-n",
        ME,
        "-V",
        "20200101:20200102",
        f"{sshd.user_key}.pub",
    ]
    subprocess.run(expired, check=True)
    assert works(cluster)
    assert offered(sshd) == 2
    Path(f"{sshd.user_key}-cert.pub").write_text("ssh-ed25519-cert-v01@openssh.com garbage")
    assert works(cluster)


# Several steps, and what is typed


def test_a_server_that_wants_two_keys_gets_two(servers: Callable[..., Sshd], home: Home, tmp_path: Path) -> None:
    sshd = servers("AuthenticationMethods publickey,publickey")
    home.known_hosts.write_text(sshd.known())
    second, wrong = keygen(tmp_path / "second"), keygen(tmp_path / "wrong")
    sshd.authorized.write_text(f"{public(sshd.user_key)}\n{public(second)}\n")
    lines = [f"IdentityFile {key}" for key in (sshd.user_key, wrong)]
    assert works(home.host("sharc", sshd, *lines, key=second))
    with pytest.raises(LoginRefused):
        connect(home.host("one", sshd))


class Gate(paramiko.ServerInterface):
    """A login node as sites with one-time codes have it: the methods in turn; a code works once."""

    def __init__(self, key: bytes, steps: list[str]) -> None:
        self.key = key
        self.steps = list(steps)
        self.codes = {"123456"}
        self.heard: list[str] = []

    def get_allowed_auths(self, username: str) -> str:
        return self.steps[0] if self.steps else ""

    def _step(self, method: str, right: bool) -> int:
        if self.steps[0] != method:
            return AUTH_FAILED
        self.heard.append(method)
        if not right:
            return AUTH_FAILED
        self.steps.pop(0)
        return AUTH_PARTIALLY_SUCCESSFUL if self.steps else AUTH_SUCCESSFUL

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return self._step("publickey", key.asbytes() == self.key)

    def check_auth_password(self, username: str, password: str) -> int:
        return self._step("password", password == "secret")

    def check_auth_interactive(self, username: str, submethods: str) -> int | InteractiveQuery:
        if self.steps[0] != "keyboard-interactive":
            return AUTH_FAILED
        return InteractiveQuery("Two factors", "Look at\x1b[31m your phone", ("Code: ", False), ("Name: ", True))

    def check_auth_interactive_response(self, responses: list[str]) -> int | InteractiveQuery:
        right = responses[0] in self.codes and responses[1] == "me"
        self.codes.discard(responses[0])
        return self._step("keyboard-interactive", right)


@contextlib.contextmanager
def gate(home: Home, sshd: Sshd, *steps: str) -> Iterator[tuple[int, Gate]]:
    """paramiko's server, since sshd has keyboard-interactive through PAM only, that is, the machine's own accounts."""
    host_key = paramiko.Ed25519Key.from_private_key_file(str(sshd.host_keys[0]))
    gate = Gate(paramiko.Ed25519Key.from_private_key_file(str(sshd.user_key)).asbytes(), list(steps))
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        home.known_hosts.write_text(sshd.known().replace(str(sshd.port), str(port)))

        def serve() -> None:
            client, _ = server.accept()
            transport = paramiko.Transport(client)
            transport.add_server_key(host_key)
            transport.start_server(server=gate, event=threading.Event())
            transport.join(20)
            transport.close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield port, gate
        thread.join()


def test_l5_a_key_and_a_one_time_code_are_asked_for_once(sshd: Sshd, home: Home) -> None:
    with gate(home, sshd, "publickey", "keyboard-interactive") as (port, met):
        cluster = home.host("sharc", port, key=sshd.user_key)
        said, shown = at_terminal(cluster, ("sharc: Code: ", "123456"), ("sharc: Name: ", "me"))
    assert said == "in"
    assert met.heard == ["publickey", "keyboard-interactive"]
    assert "123456" not in shown
    assert "me" in shown
    assert "Two factors\r\nLook at?[31m your phone" in shown  # the server does not steer the terminal


def test_l5_a_wrong_code_is_not_tried_or_asked_for_again(sshd: Sshd, home: Home) -> None:
    with gate(home, sshd, "keyboard-interactive") as (port, met):
        cluster = home.host("sharc", port, key=sshd.user_key)
        said, shown = at_terminal(cluster, ("Code: ", "999999"), ("Name: ", "me"))
    assert said.startswith(f"LoginRefused 4 sharc (127.0.0.1:{port})")
    assert met.heard == ["keyboard-interactive"]
    assert "999999" not in said + shown


def test_a_code_before_the_key_works_too(sshd: Sshd, home: Home) -> None:
    with gate(home, sshd, "keyboard-interactive", "publickey") as (port, met):
        said, _ = at_terminal(home.host("sharc", port, key=sshd.user_key), ("Code: ", "123456"), ("Name: ", "me"))
    assert said == "in"
    assert met.heard == ["keyboard-interactive", "publickey"]


def test_a_password_is_asked_for_once_and_not_shown(sshd: Sshd, home: Home) -> None:
    with gate(home, sshd, "password") as (port, _):
        said, shown = at_terminal(home.host("sharc", port), (f"sharc: password of {ME}: ", "secret"))
    assert said == "in"
    assert "secret" not in shown
    with gate(home, sshd, "password") as (port, met):
        said, shown = at_terminal(home.host("again", port), ("password", "wrong"))
    assert said.startswith("LoginRefused 4 again ")
    assert met.heard == ["password"]
    assert "wrong" not in said + shown


@pytest.mark.parametrize("steps", [("password",), ("publickey", "keyboard-interactive")])
def test_without_a_terminal_what_would_be_asked_is_told_in_one_line(
    sshd: Sshd, home: Home, steps: tuple[str, ...]
) -> None:
    with gate(home, sshd, *steps) as (port, _):
        out, err = without_terminal(home.host("sharc", port, key=sshd.user_key))
    assert out.startswith(f"LoginRefused 4 sharc (127.0.0.1:{port})")
    assert f"takes {steps[-1]}, and there is no terminal" in out
    assert len(out.splitlines()) == 1
    assert err == ""


def test_batch_mode_is_no_terminal(sshd: Sshd, home: Home) -> None:
    with gate(home, sshd, "password") as (port, met):
        said, shown = at_terminal(home.host("sharc", port, "BatchMode yes"))
    assert said.startswith("LoginRefused 4 ")
    assert (shown, met.heard) == ("", [])


@pytest.mark.parametrize("step", ["password", "keyboard-interactive"])
def test_ctrl_c_at_a_prompt_ends_it_at_once(sshd: Sshd, home: Home, step: str) -> None:
    with gate(home, sshd, step) as (port, met):
        said, _ = at_terminal(home.host("sharc", port), (": ", "\x03"))
    assert said.splitlines()[-1] == "KeyboardInterrupt"
    assert met.heard == []
