from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.session.fabric.known_hosts import KeyStatus, Line, append, key_types, names_of, new_line, read, status_of


def key(kind: str, body: bytes = b"body") -> bytes:
    return len(kind).to_bytes(4, "big") + kind.encode() + len(body).to_bytes(4, "big") + body


def line(hosts: str, blob: bytes, marker: str = "") -> str:
    kind = blob[4 : 4 + int.from_bytes(blob[:4], "big")].decode()
    return f"{marker} {hosts} {kind} {base64.b64encode(blob).decode()} comment".strip()


ED = key("ssh-ed25519")
OTHER = key("ssh-ed25519", b"other")
RSA = key("ssh-rsa")


def verdict(text: str, host: str = "login", port: int = 22, blob: bytes = ED, alias: str | None = None) -> KeyStatus:
    return status_of([Line(text) for text in text.split("\n")], names_of(host, port, alias), blob).verdict


@pytest.mark.parametrize(
    ("hosts", "host", "port"),
    [
        ("login", "login", 22),
        ("LOGIN", "login", 22),
        ("a,login,b", "login", 22),
        ("*.example.org", "x.example.org", 22),
        ("login?", "login7", 22),
        ("[login]:2222", "login", 2222),
        ("[*.org]:2222", "x.org", 2222),
        ("login", "login", 2222),  # ssh accepts a key known for the host on any port
        ("::1", "::1", 22),
        ("*,!other", "login", 22),
    ],
)
def test_the_host_is_known(hosts: str, host: str, port: int) -> None:
    assert verdict(line(hosts, ED), host, port) is KeyStatus.KNOWN


@pytest.mark.parametrize(
    "hosts", ["other", "log", "logins", "*,!login", "!login", "[login]:22", "|1|x|y", "l[o]gin", "login.*"]
)
def test_the_host_is_not_meant(hosts: str) -> None:
    assert verdict(line(hosts, ED)) is KeyStatus.UNKNOWN


def test_hashed_names_as_ssh_keygen_makes_them(tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_text(line("[login]:2222", ED) + "\n" + line("other", OTHER) + "\n")
    # ssh-keygen wants real keys: take one of its own
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "k"], check=True)
    kind, body, *_ = (tmp_path / "k.pub").read_text().split()
    file.write_text(f"[login]:2222 {kind} {body}\n")
    subprocess.run(["ssh-keygen", "-q", "-H", "-f", file], check=True, capture_output=True)
    assert file.read_text().startswith("|1|")
    assert status_of(read([file]), names_of("login", 2222), base64.b64decode(body)).verdict is KeyStatus.KNOWN
    assert status_of(read([file]), names_of("login", 2223), base64.b64decode(body)).verdict is KeyStatus.UNKNOWN


def test_our_own_hashed_lines_are_ones_that_ssh_keygen_finds(tmp_path: Path) -> None:
    append(tmp_path / "new" / "known", new_line("[login]:2222", ED, salt=bytes(range(20))))
    found = subprocess.run(
        ["ssh-keygen", "-F", "[login]:2222", "-f", tmp_path / "new" / "known"], check=False, capture_output=True
    )
    assert b"found: line 1" in found.stdout


def test_a_changed_key_names_its_line(tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_text(f"# comment\n\n{line('login', OTHER)}\n")
    finding = status_of(read([tmp_path / "absent", file]), ("login",), ED)
    assert (finding.verdict, str(finding.line)) == (KeyStatus.CHANGED, f"{file}:3")


def test_l8_any_of_several_keys_is_right() -> None:
    assert verdict(f"{line('login', OTHER)}\n{line('login', ED)}") is KeyStatus.KNOWN


def test_a_key_known_for_the_bare_host_says_nothing_against_another_port() -> None:
    assert verdict(line("login", OTHER), port=2222) is KeyStatus.UNKNOWN


def test_f22_revoked_wins_over_known_and_stands_anywhere() -> None:
    assert verdict(f"{line('login', ED)}\n{line('*', ED, '@revoked')}") is KeyStatus.REVOKED
    assert verdict(f"{line('login', ED)}\n{line('*', OTHER, '@revoked')}") is KeyStatus.KNOWN


def test_f22_an_authority_alone_is_not_a_known_key() -> None:
    authority = line("*", OTHER, "@cert-authority")
    assert verdict(authority) is KeyStatus.CA_ONLY
    assert verdict(f"{authority}\n{line('login', ED)}") is KeyStatus.KNOWN
    assert verdict(authority, blob=OTHER) is KeyStatus.CA_ONLY


def test_an_alias_stands_for_the_host_and_has_no_port() -> None:
    assert verdict(line("alias", ED), port=2222, alias="alias") is KeyStatus.KNOWN
    assert verdict(line("[login]:2222", ED), port=2222, alias="alias") is KeyStatus.UNKNOWN


def test_a_host_that_is_known_by_a_key_of_another_type_shows_a_changed_one() -> None:
    assert verdict(line("login", RSA)) is KeyStatus.CHANGED


@pytest.mark.parametrize(
    "text",
    [
        "login",
        "login ssh-ed25519",
        "login ssh-ed25519 ####",
        "login 1024 35 1234567890",
        "@new login ssh-ed25519 " + base64.b64encode(ED).decode(),
        "login ssh-rsa " + base64.b64encode(ED).decode(),
        "login ssh-ed25519 é",
        "#" + line("login", ED),
    ],
)
def test_a_line_that_is_not_understood_says_nothing(text: str) -> None:
    assert verdict(text) is KeyStatus.UNKNOWN
    assert verdict(f"{text}\n{line('login', ED)}") is KeyStatus.KNOWN


def test_the_known_types_are_asked_for_first() -> None:
    lines = [Line(line("login", RSA)), Line(line("other", ED)), Line(line("login", key("ecdsa-sha2-nistp256")))]
    assert key_types(lines, ("login",)) == ("ssh-rsa", "ecdsa-sha2-nistp256")


def test_a_torn_last_line_is_ended_before_ours(tmp_path: Path) -> None:
    file = tmp_path / "known"
    file.write_text(line("a", ED))
    append(file, new_line("b", ED))
    assert [status_of(read([file]), (name,), ED).verdict for name in "ab"] == [KeyStatus.KNOWN, KeyStatus.KNOWN]
    assert file.read_text().endswith("\n")


@given(st.text(), st.text(), st.binary())
@example("|1|a|b ssh-rsa AAAA", "h", b"")
@example("*" * 5000 + "a" + " ssh-ed25519 " + base64.b64encode(ED).decode(), "b" * 5000, ED)
def test_no_text_makes_the_check_raise_or_know(text: str, host: str, blob: bytes) -> None:
    lines = [Line(part) for part in text.split("\n")]
    assert status_of(lines, (host,), blob).verdict is not KeyStatus.KNOWN
    assert isinstance(key_types(lines, (host,)), tuple)


@given(st.lists(st.sampled_from(["*", "?", "a", "!", ",", "[", "]", ":2", "|1|", " ", "@revoked", "\\"])).map("".join))
def test_no_pattern_makes_the_check_raise(hosts: str) -> None:
    assert isinstance(verdict(line(hosts, ED), "a"), KeyStatus)
