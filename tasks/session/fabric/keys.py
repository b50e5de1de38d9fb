"""Keys to log in with: private key files, their certificates, and the agent's.

A file that is not a key, has a type that paramiko does not know, or can be read by others is skipped, with a reason.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import copy
import os
import socket
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko
from paramiko.agent import AgentSSH
from paramiko.pkey import PublicBlob

from .algorithms import CERTIFICATE

_MAGIC = b"openssh-key-v1\0"
_PROBE = 2.0  # an agent that lists its keys at all does so at once (L7)
_SIGN = 30.0  # a signature may need a touch or a click
_LONGEST = 1 << 18


@dataclass(frozen=True)
class KeyFile:
    """What a key file tells without its passphrase; `problem` is why it cannot be used by itself."""

    path: Path
    kind: str = ""
    blob: bytes | None = None
    encrypted: bool = False
    problem: str = ""

    def load(self, passphrase: str | None = None) -> paramiko.PKey:
        """The private key. Raises ValueError with the reason: wrong passphrase, damaged, unknown type."""
        types: dict[str, type[paramiko.PKey]] = {
            "ssh-ed25519": paramiko.Ed25519Key, "ssh-rsa": paramiko.RSAKey, "ecdsa": paramiko.ECDSAKey
        }  # fmt: skip
        if self.problem:
            raise ValueError(self.problem)
        kind = types.get("ecdsa" if self.kind.startswith("ecdsa-sha2-") else self.kind)
        if kind is None:
            raise ValueError(f"of a type not supported here, {self.kind}: use an agent")
        try:
            return kind.from_private_key_file(str(self.path), passphrase)
        except Exception as error:  # paramiko and cryptography raise all kinds of errors on damaged keys
            wrong = "wrong passphrase, or damaged" if passphrase is not None else f"not readable: {error}"
            raise ValueError(wrong) from None


def read(path: Path) -> KeyFile:
    """Look at a key file: OpenSSH's own format, PEM, or a public key whose private half is in an agent."""
    try:
        data = path.read_bytes()[: 1 << 16]
        mode = path.stat()
    except OSError as error:
        return KeyFile(path, problem=f"not readable: {error.strerror}")
    blob = _public(data)
    if blob:
        return KeyFile(path, _kind(blob), blob, problem="a public key only, and no agent has the private one")
    if b"PRIVATE KEY-----" not in data:
        return KeyFile(path, problem="not a private key")
    key = _openssh(path, data) if b"BEGIN OPENSSH PRIVATE KEY" in data else _pem(path, data)
    if mode.st_uid == os.getuid() and stat.S_IMODE(mode.st_mode) & 0o077:
        # ssh leaves such a key aside too
        return KeyFile(path, key.kind, key.blob, problem="ignored since others may read it: chmod 600")
    return key


def _openssh(path: Path, data: bytes) -> KeyFile:
    """PROTOCOL.key: magic, cipher, kdf, its options, number of keys, public key; all of it in the clear."""
    text = data.partition(b"PRIVATE KEY-----")[2].partition(b"-----END")[0]
    try:
        body = base64.b64decode(b"".join(text.split()), validate=True)
    except binascii.Error:
        return KeyFile(path, problem="damaged")
    if not body.startswith(_MAGIC):
        return KeyFile(path, problem="damaged")
    cipher, rest = _string(body[len(_MAGIC) :])
    _, rest = _string(rest)
    _, rest = _string(rest)
    blob, _ = _string(rest[4:])
    return KeyFile(path, _kind(blob), blob, encrypted=cipher != b"none")


def _pem(path: Path, data: bytes) -> KeyFile:
    kinds = {b"BEGIN RSA PRIVATE": "ssh-rsa", b"BEGIN EC PRIVATE": "ecdsa-sha2-"}
    kind = next((name for begin, name in kinds.items() if begin in data), "PKCS8")
    blob = None
    with contextlib.suppress(OSError):
        blob = _public(Path(f"{path}.pub").read_bytes())
    return KeyFile(path, kind, blob, encrypted=b"ENCRYPTED" in data)


def _public(data: bytes) -> bytes | None:
    """The wire form of a one-line public key or certificate; None for anything else."""
    words = data.split(None, 2)
    with contextlib.suppress(binascii.Error, IndexError):
        blob = base64.b64decode(words[1], validate=True)
        if _string(blob)[0] == words[0]:
            return blob
    return None


def _string(data: bytes) -> tuple[bytes, bytes]:
    end = 4 + int.from_bytes(data[:4], "big")
    return data[4:end], data[end:]


def _kind(blob: bytes) -> str:
    return _string(blob)[0].decode("latin-1")


def certificates(files: Iterable[Path]) -> Iterator[PublicBlob]:
    """The certificates among these files."""
    for file in files:
        with contextlib.suppress(OSError):
            blob = _public(file.read_bytes())
            if blob and _kind(blob).endswith(CERTIFICATE):
                yield PublicBlob(_kind(blob), blob)


def with_certificate(key: paramiko.PKey, certificate: PublicBlob) -> paramiko.PKey | None:
    """The key with this certificate; None when the certificate is for another key."""
    kind, numbers = _string(key.asbytes())
    nonce_and_on = _string(certificate.key_blob)[1]
    if certificate.key_type != kind.decode("latin-1") + CERTIFICATE:
        return None
    if not _string(nonce_and_on)[1].startswith(numbers):
        return None
    certified = copy.copy(key)
    certified.public_blob = certificate
    return certified


class Agent(AgentSSH):
    """An agent on a socket, with a timeout (L7: paramiko waits for a stale one for ever; fabric#2306)."""

    def __init__(self, path: str) -> None:
        """Connect and list the keys. Raises OSError (or its TimeoutError) or SSHException."""
        super().__init__()
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            connection.settimeout(_PROBE)
            connection.connect(path)
            self._connect(connection)  # type: ignore[attr-defined]  # as paramiko's own Agent does
            connection.settimeout(_SIGN)
        except BaseException:
            connection.close()
            raise

    def _read_all(self, wanted: int) -> bytes:
        """Raises SSHException for an answer longer than OpenSSH's agents give: paramiko would wait for gigabytes."""
        if wanted > _LONGEST:
            raise paramiko.SSHException("its answer is no agent's")
        return super()._read_all(wanted)  # type: ignore[misc, no-any-return]  # as above

    def keys(self) -> list[paramiko.AgentKey]:
        """The keys, each of which may refuse to sign."""
        return [_Patient(self, key.blob, key.comment) for key in self.get_keys()]

    def close(self) -> None:
        """Close the socket."""
        self._close()  # type: ignore[attr-defined]  # the same


class _Patient(paramiko.AgentKey):
    """paramiko signs in the thread that reads from the server: an agent's refusal there would end the connection.

    An empty signature is refused by the server instead, and the next key is tried, as with ssh.
    """

    def __copy__(self) -> _Patient:
        return _Patient(self.agent, self.blob, self.comment)  # AgentKey's __getattr__ recurses in copy.copy

    def sign_ssh_data(self, data: Any, algorithm: str | None = None) -> Any:
        try:
            return super().sign_ssh_data(data, algorithm)
        except (paramiko.SSHException, OSError):
            return b""
