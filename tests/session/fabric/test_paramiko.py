"""What is used of paramiko beyond what it documents. A release that renames one of these is noticed here: some are set,
or defined anew in a class of ours, where nothing else would fail.
"""

from __future__ import annotations

import inspect
import socket
from collections.abc import Iterator

import paramiko
import pytest
from paramiko.agent import AgentSSH
from paramiko.auth_handler import AuthHandler
from paramiko.packet import Packetizer
from paramiko.pkey import PublicBlob

from tasks.session.fabric import alive, client, keys

# In whose place a method or property of ours stands, and that it calls or reads.
OF_CLASSES = [
    (AuthHandler, "_request_auth", client.KeyAtOnce),
    (AuthHandler, "_parse_service_accept", client.KeyAtOnce),
    (paramiko.Transport, "auth_publickey", client.OpenSSHLikeTransport),
    (paramiko.Transport, "preferred_pubkeys", client.OpenSSHLikeTransport),
    (paramiko.Transport, "_send_user_message", None),
    (Packetizer, "read_message", alive._Ear),
    (Packetizer, "set_keepalive", None),
    (Packetizer, "complete_handshake", None),
    (Packetizer, "handshake_timed_out", None),
    (AgentSSH, "_connect", None),
    (AgentSSH, "_read_all", keys.Agent),
    (AgentSSH, "_close", None),
    (paramiko.AgentKey, "sign_ssh_data", keys._Patient),
    (PublicBlob, "__init__", None),
]
# What an object has, which is set or read.
OF_OBJECTS = [
    ("transport", "auth_handler"),
    ("transport", "auth_timeout"),
    ("transport", "handshake_timeout"),
    ("transport", "remote_version"),
    ("transport", "sock"),
    ("packetizer", "REKEY_BYTES"),
    ("key", "public_blob"),
    ("channel", "remote_chanid"),
    ("channel", "status_event"),
    ("channel", "exit_status"),
]


@pytest.fixture
def objects() -> Iterator[dict[str, object]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        transport = paramiko.Transport(ours)
        yield {
            "transport": transport,
            "packetizer": transport.packetizer,
            "key": paramiko.RSAKey.generate(1024),
            "channel": paramiko.Channel(1),
        }
        transport.close()


@pytest.mark.parametrize(("owner", "name", "ours"), OF_CLASSES)
def test_what_is_used_of_paramikos_classes_is_there(owner: type, name: str, ours: type | None) -> None:
    theirs = inspect.getattr_static(owner, name)
    if ours is None or isinstance(theirs, property):
        assert isinstance(theirs, property) or callable(theirs)
        return
    assert issubclass(ours, owner)
    # Ours can be called in its place: as many parameters, or more that need not be given.
    expected, given = (list(inspect.signature(each).parameters) for each in (theirs, getattr(ours, name)))
    assert len(given) >= len(expected)


@pytest.mark.parametrize(("whose", "name"), OF_OBJECTS)
def test_what_is_used_of_paramikos_objects_is_there(objects: dict[str, object], whose: str, name: str) -> None:
    assert hasattr(objects[whose], name)


def test_paramiko_asks_our_properties_for_what_may_sign() -> None:
    source = inspect.getsource(AuthHandler._finalize_pubkey_algorithm)
    assert "transport.preferred_pubkeys" in source
