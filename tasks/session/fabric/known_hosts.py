"""A server's key against known_hosts, line by line, as sshd(8) describes the file.

F22: paramiko refuses a whole file for one `@revoked` or `@cert-authority` line. Here a line that is not understood is
ignored. All but the end is pure; the end reads the files and appends to them.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

from .algorithms import kind_of

_KINDS = frozenset(
    [
        "ssh-ed25519", "ssh-rsa", "ssh-dss", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521",
        "sk-ssh-ed25519@openssh.com", "sk-ecdsa-sha2-nistp256@openssh.com",
    ]
)  # fmt: skip


class KeyStatus(Enum):
    """What known_hosts says of a key."""

    KNOWN = "known"
    CHANGED = "changed"  # the host is listed, but only with other keys
    CA_ONLY = "ca only"  # only a certificate authority is listed for the host
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Line:
    """One line of a known_hosts file, and where it is."""

    text: str
    file: str = "known_hosts"
    number: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.number}"


@dataclass(frozen=True)
class KnownKey:
    """The verdict, and the line that it rests on (None for UNKNOWN)."""

    verdict: KeyStatus
    line: Line | None = None


def host_name(host: str, port: int) -> str:
    """The host's name in known_hosts: `host`, or `[host]:port` away from port 22."""
    return host if port == 22 else f"[{host}]:{port}"


def names_of(host: str, port: int, alias: str | None = None) -> tuple[str, ...]:
    """The names to look for, in this order. Like ssh, an alias stands alone; a key that is known for the host counts on
    any port of which nothing is known."""
    if alias:
        return (alias,)
    return tuple(dict.fromkeys((host_name(host, port), host)))


def status_of(lines: Sequence[Line], names: Sequence[str], key: bytes, told: Sequence[Line] = ()) -> KnownKey:
    """What the lines say of a key (its wire form) that a host of these names shows.

    As in ssh, a key that is known by the second name, the host's without its port, counts where nothing is known of
    the first; and what a program told (KnownHostsCommand) is about the first name alone.
    """
    first = _check((*lines, *told), names[0], key)
    others = (_check(lines, name, key) for name in names[1:])
    if first.verdict in (KeyStatus.UNKNOWN, KeyStatus.CA_ONLY):
        return next((other for other in others if other.verdict in _ON_ANY_PORT), first)
    return first


_ON_ANY_PORT = (KeyStatus.KNOWN, KeyStatus.REVOKED, KeyStatus.CA_ONLY)


def _check(lines: Iterable[Line], name: str, key: bytes) -> KnownKey:
    """A revoked key is revoked whatever else is known. Any line with the key makes it known (L8: the login nodes behind
    one name have different keys). As in ssh, any other key that is known makes this one a changed key, whatever its
    type.
    """
    found: dict[KeyStatus, Line] = {}
    for line in lines:
        entry = _parse(line.text)
        if entry is None or not _match(entry.hosts, name):
            continue
        if entry.marker == "@revoked":
            if entry.key == key:
                return KnownKey(KeyStatus.REVOKED, line)
        elif entry.marker == "@cert-authority":
            found.setdefault(KeyStatus.CA_ONLY, line)
        else:
            found.setdefault(KeyStatus.KNOWN if entry.key == key else KeyStatus.CHANGED, line)
    verdict = next((each for each in (KeyStatus.KNOWN, KeyStatus.CHANGED, KeyStatus.CA_ONLY) if each in found), None)
    return KnownKey(verdict, found[verdict]) if verdict else KnownKey(KeyStatus.UNKNOWN)


def key_types(lines: Iterable[Line], names: Sequence[str]) -> tuple[str, ...]:
    """The types of the keys known for the host under the first of these names, in the order of the lines.

    They are asked for first: a host known by its RSA key would otherwise show its Ed25519 key, which is not known.
    """
    return tuple(dict.fromkeys(_types(lines, names[0])))


def _types(lines: Iterable[Line], name: str) -> Iterator[str]:
    for line in lines:
        entry = _parse(line.text)
        if entry and not entry.marker and _match(entry.hosts, name):
            yield entry.kind


def new_line(name: str, key: bytes, *, salt: bytes | None = None) -> str:
    """The line that makes a key known; with a salt (20 random bytes) the host's name is hashed."""
    shown = name
    if salt:
        shown = "|".join(("", "1", _base64(salt), _base64(hmac.digest(salt, name.encode(), "sha1"))))
    return f"{shown} {_kind(key)} {_base64(key)}"


@dataclass(frozen=True)
class _Entry:
    marker: str
    hosts: str
    kind: str
    key: bytes


def _parse(text: str) -> _Entry | None:
    """The parts of a line; None for comments, blank lines and lines that are not understood."""
    words = re.split(r"[ \t]+", text.strip(" \t\r"))
    if words[0].startswith("#"):
        return None
    marker = words.pop(0) if words[0].startswith("@") else ""
    if marker not in ("", "@revoked", "@cert-authority") or len(words) < 3:
        return None
    hosts, kind, encoded = words[:3]
    try:
        key = base64.b64decode(encoded.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    # ssh takes the name of an RSA key's signature for its type, too, but no base64 that is written in another way.
    understood = _kind(key) == kind_of(kind) and _kind(key) in _KINDS and _base64(key) == encoded
    return _Entry(marker, hosts, _kind(key), key) if understood else None


def _kind(key: bytes) -> str:
    """The type that a key's wire form starts with; empty when it is no key."""
    length = int.from_bytes(key[:4], "big")
    return key[4 : 4 + length].decode("latin-1") if 0 < length <= len(key) - 4 else ""


def _match(hosts: str, name: str) -> bool:
    if hosts.startswith("|"):
        return _hashed(hosts, name)
    name = name.lower()
    found = False
    for pattern in hosts.lower().split(","):
        if pattern.startswith("!"):
            if _like(pattern[1:], name):
                return False  # a negated pattern wins over all others
        elif not found:
            found = _like(pattern, name)
    return found


def _like(pattern: str, name: str) -> bool:
    """`*` and `?` only: fnmatch would take the brackets of `[host]:port` for a set of letters."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == name
    parts = (
        ".*" if part.startswith("*") else "." if part == "?" else re.escape(part)
        for part in re.split(r"(\*+|\?)", pattern)
    )
    return re.fullmatch("".join(parts), name, re.DOTALL) is not None


def _hashed(hosts: str, name: str) -> bool:
    match = re.fullmatch(r"\|1\|([^|]+)\|([^|]+)", hosts)
    if not match:
        return False
    try:
        salt, expected = (base64.b64decode(part.encode("ascii"), validate=True) for part in match.groups())
    except (binascii.Error, UnicodeEncodeError):
        return False
    return any(
        hmac.compare_digest(hmac.digest(salt, text.encode(errors="surrogateescape"), "sha1"), expected)
        for text in {name, name.lower()}
    )


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def read(files: Iterable[Path]) -> tuple[Line, ...]:
    """The lines of all files that can be read; the others are ignored, as ssh does."""
    lines: list[Line] = []
    for file in files:
        with contextlib.suppress(OSError, ValueError):
            text = file.read_bytes().decode(errors="surrogateescape")
            lines += [Line(line, str(file), number) for number, line in enumerate(text.split("\n"), 1) if line]
    return tuple(lines)


def append(file: Path, line: str) -> None:
    """Add a line in one write, on a line of its own. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    with open(descriptor, "r+b", buffering=0) as stream:
        size = stream.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        stream.write(("\n" * torn + line + "\n").encode(errors="surrogateescape"))
