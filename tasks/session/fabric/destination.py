"""Where a host's name leads, and how to log in there: what ssh_config says, as data."""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from pathlib import Path

from .algorithms import Algorithms

METHODS = {
    "publickey": "pubkeyauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "password": "passwordauthentication",
}
"""The kinds of login that we have, and the keyword of ssh_config that allows each."""


@dataclass(frozen=True)
class Destination:
    """Where a host's name leads and how to log in there. Timeouts and intervals in seconds; None: not said.

    `host` is the name as given, `hostname` what it resolves to in ssh_config. `identity_agent` is `none`, a socket's
    path, or empty when there is none to be found. `methods` are the kinds of login that may be tried, best first;
    `methods_of_ssh` those that ssh would try and we cannot; `may_ask` is whether a person may be asked to type
    anything for one of them. `known_hosts_command` still has the tokens that stand for the host and its key: %f %H %I
    %K %t, and %%. `required_rsa_size` is in bits.
    """

    host: str
    hostname: str
    port: int = 22
    user: str = ""
    host_key_alias: str | None = None
    identity_files: tuple[Path, ...] = ()
    certificate_files: tuple[Path, ...] = ()
    identities_only: bool = False
    identity_agent: str = ""
    user_known_hosts_files: tuple[Path, ...] = ()
    global_known_hosts_files: tuple[Path, ...] = ()
    revoked_host_keys: Path | None = None
    known_hosts_command: tuple[str, ...] = ()
    no_check_of_loopback: bool = False
    strict_host_key_checking: str = "ask"
    check_host_ip: bool = False
    required_rsa_size: int = 0
    algorithms: Algorithms = field(default_factory=Algorithms)
    hash_known_hosts: bool = False
    proxy_jump: tuple[str, ...] = ()
    proxy_command: str | None = None
    address_family: int = socket.AF_UNSPEC
    bind_address: str | None = None
    connect_timeout: int | None = None
    server_alive_interval: int | None = None
    server_alive_count_max: int | None = None
    forward_agent: bool = False
    batch_mode: bool = False
    may_ask: bool = True
    interactive_devices: str = ""
    methods: tuple[str, ...] = tuple(METHODS)
    methods_of_ssh: tuple[str, ...] = ()

    @property
    def known_hosts_files(self) -> tuple[Path, ...]:
        """The user's, then the machine's."""
        return self.user_known_hosts_files + self.global_known_hosts_files
