"""What OpenSSH would do for a host, as `ssh -G` tells it (F14: paramiko's own reading of ssh_config knows neither
`Include` nor most of `Match`, and ignores UserKnownHostsFile and StrictHostKeyChecking).

`ssh -G` prints one `keyword value` per line, keywords in lower case. Known hosts files and the agent come expanded
(and without the quotes they were written with), key files and certificates come as written: see ssh_config(5), TOKENS.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ...model import project
from ...model.errors import InvalidInput
from . import tokens
from .algorithms import Algorithms
from .destination import METHODS, Destination

_STRICT = {
    "true": "yes",
    "yes": "yes",
    "false": "no",
    "no": "no",
    "off": "no",
    "ask": "ask",
    "accept-new": "accept-new",
}
# Kinds of login that ssh has and we lack.
_OF_SSH_ALONE = {
    "gssapi-with-mic": "gssapiauthentication",
    "gssapi-keyex": "gssapikeyexchange",
    "hostbased": "hostbasedauthentication",
}
# Options that change whom ssh talks to: the harmless value, and what to do about any other. All other options are
# obeyed, or make no such difference (a test lists them all, with reasons).
_REFUSED = {
    "bindinterface": ("", "name one of its addresses in BindAddress"),
    "proxyusefdpass": ("no", "name a ProxyCommand that passes on the data itself, such as `nc %h %p`"),
    "refuseconnection": ("", "remove it for this host"),
}
_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
_NO = ("no", "false")


_OF_SHELLS = frozenset("'`\"$;&<>|(){} \t\n")


def command(host: str, *, user: str | None, port: int | None, ssh_config: Path | None) -> list[str]:
    """The options and the host that lead ssh to the same place: what follows `ssh` on a command line."""
    options = ["-F", str(ssh_config.expanduser())] if ssh_config else []
    options += ["-l", user] if user else []
    options += ["-p", str(port)] if port else []
    return [*options, host]


def destination(host: str, *, user: str | None, port: int | None, ssh_config: Path | None) -> Destination:
    """Ask `ssh -G` about a host. Key files that do not exist are left out.

    Raises InvalidInput: no ssh here, a bad ssh_config (with ssh's own words) or one that others could change, a
    name that cannot be a host's.
    """
    if not host or host.startswith("-") or not host.isprintable():
        raise InvalidInput(f"host {host!r} is not a host's name: it is empty, starts with '-' or cannot be printed")
    for what, word in (("host", host), ("user", user or "")):
        if set(word) & _OF_SHELLS:  # ssh_config's ProxyCommand and Match exec hand them to a shell; ssh refuses too
            raise InvalidInput(f"{what} {word!r} is no {what}'s name: a shell would take part of it for a command")
    *options, name = command(host, user=user, port=port, ssh_config=_own(ssh_config))
    try:
        asked = subprocess.run(
            ["ssh", "-G", *options, "--", name], stdin=subprocess.DEVNULL, capture_output=True, timeout=60, check=False
        )
    except FileNotFoundError:
        raise InvalidInput(
            "ssh is not installed here: install OpenSSH's client (Debian: apt install openssh-client)"
        ) from None
    except subprocess.TimeoutExpired:
        raise InvalidInput(f"ssh -G {host} took more than 60 s: look at the Match exec lines of ssh_config") from None
    except (OSError, ValueError) as error:
        raise InvalidInput(f"ssh -G {host} could not be run: {error}") from None
    if asked.returncode != 0:
        lines = asked.stderr.decode(errors="replace").splitlines()
        # ssh warns of a missing terminal before it says what is wrong
        said = [line for line in lines if not line.startswith("Pseudo-terminal")] or ["it gave no reason"]
        if said[0].startswith("No user exists for uid"):
            raise InvalidInput(f"ssh does not work here: {said[0].strip()}; it needs an entry in /etc/passwd")
        raise InvalidInput(f"host '{host}': ssh does not accept it or its configuration: {said[0].strip()}")
    there = parse_g(asked.stdout.decode(errors="surrogateescape"))
    return replace(
        there,
        host=host,
        identity_files=tuple(path for path in there.identity_files if path.is_file()),
        certificate_files=tuple(path for path in there.certificate_files if path.is_file()),
    )


def _own(ssh_config: Path | None) -> Path | None:
    """The same file, as ssh is to open it: a ProxyCommand in there runs, and of a `-F` file ssh asks no owner."""
    with contextlib.suppress(FileNotFoundError):  # ssh will say so
        return project.current.own(ssh_config.expanduser()) if ssh_config else None
    return ssh_config


def parse_g(text: str) -> Destination:
    """Read what `ssh -G` prints. Raises InvalidInput when it lacks the host or has a number that is none."""
    every = _keywords(text)
    first = {keyword: values[0] for keyword, values in every.items()}
    if not first.get("hostname"):
        raise InvalidInput("ssh -G did not name a host: is `ssh` on PATH OpenSSH's?")
    _refuse(first)
    port = _number(first, "port") or 22
    if port > 65535:
        raise InvalidInput(f"ssh -G: port {port} is not one")
    stand_for = tokens.of(first, port)
    revoked = first.get("revokedhostkeys", "none")
    return Destination(
        host=first.get("host") or first["hostname"],
        hostname=first["hostname"],
        port=port,
        user=stand_for["r"],
        host_key_alias=first.get("hostkeyalias"),
        identity_files=_files(every, "identityfile", stand_for),
        certificate_files=_files(every, "certificatefile", stand_for),
        identities_only=_yes(first, "identitiesonly"),
        identity_agent=_agent(first.get("identityagent", "SSH_AUTH_SOCK")),
        user_known_hosts_files=tokens.paths(first.get("userknownhostsfile", "")),
        global_known_hosts_files=tokens.paths(first.get("globalknownhostsfile", "")),
        revoked_host_keys=None if revoked == "none" else Path(revoked),
        known_hosts_command=_known_hosts_command(first.get("knownhostscommand", "none"), stand_for),
        # It is for addresses, and an alias is a name that somebody gave.
        no_check_of_loopback=_yes(first, "nohostauthenticationforlocalhost") and "hostkeyalias" not in first,
        # a word of the future is taken as the strictest one
        strict_host_key_checking=_STRICT.get(first.get("stricthostkeychecking", "ask"), "yes"),
        check_host_ip=_yes(first, "checkhostip"),
        required_rsa_size=_number(first, "requiredrsasize") or 0,
        algorithms=Algorithms.of(first),
        hash_known_hosts=_yes(first, "hashknownhosts"),
        proxy_jump=_jumps(first.get("proxyjump", "none")),
        proxy_command=_proxy_command(first.get("proxycommand", "none"), stand_for),
        address_family=_FAMILIES.get(first.get("addressfamily", "any"), socket.AF_UNSPEC),
        bind_address=first.get("bindaddress"),
        connect_timeout=_number(first, "connecttimeout"),
        server_alive_interval=_number(first, "serveraliveinterval"),
        server_alive_count_max=_number(first, "serveralivecountmax"),
        # Only the agent of SSH_AUTH_SOCK can be forwarded; a path or another variable means no.
        forward_agent=first.get("forwardagent") == "yes",
        batch_mode=_yes(first, "batchmode"),
        may_ask=first.get("numberofpasswordprompts") != "0",
        interactive_devices=first.get("kbdinteractivedevices", ""),
        methods=_methods(first),
        methods_of_ssh=tuple(method for method, keyword in _OF_SSH_ALONE.items() if first.get(keyword) == "yes"),
    )


def _refuse(first: Mapping[str, str]) -> None:
    """Raises InvalidInput for what would lead ssh elsewhere."""
    for keyword, (harmless, instead) in _REFUSED.items():
        if first.get(keyword, harmless) != harmless:
            raise InvalidInput(f"ssh_config: {keyword} {first[keyword]} is not supported here: {instead}")


def _keywords(text: str) -> dict[str, list[str]]:
    """The values of each keyword, in their order."""
    every: dict[str, list[str]] = {}
    for line in text.split("\n"):
        keyword, _, value = line.strip("\r").partition(" ")
        every.setdefault(keyword, []).append(value)
    return every


def _files(every: Mapping[str, list[str]], keyword: str, stand_for: Mapping[str, str]) -> tuple[Path, ...]:
    return tuple(tokens.path(value, stand_for) for value in every.get(keyword, ()) if value not in ("", "none"))


def _jumps(value: str) -> tuple[str, ...]:
    return () if value == "none" else tuple(filter(None, value.split(",")))


def _yes(first: Mapping[str, str], keyword: str) -> bool:
    return first.get(keyword) in ("yes", "true")


def _methods(first: Mapping[str, str]) -> tuple[str, ...]:
    preferred = first.get("preferredauthentications", ",".join(METHODS)).split(",")
    return tuple(method for method in preferred if method in METHODS and first.get(METHODS[method]) not in _NO)


def _number(first: Mapping[str, str], keyword: str) -> int | None:
    """A number above 0; 0 and `none` are None."""
    value = first.get(keyword, "none")
    if value == "none":
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise InvalidInput(f"ssh -G: {keyword} '{value}' is not a number")
    return int(value) or None


def _agent(value: str) -> str:
    if value == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if value.startswith("$"):
        return os.environ.get(value[1:].strip("{}"), "")
    return tokens.with_home(value)


def _proxy_command(value: str, stand_for: Mapping[str, str]) -> str | None:
    return None if value in ("", "none") else tokens.expand(value, stand_for)


def _known_hosts_command(value: str, stand_for: Mapping[str, str]) -> tuple[str, ...]:
    """Its words. What is known of the host and its key later is left to be expanded."""
    if value in ("", "none"):
        return ()
    later = {token: text.replace("%", "%%") for token, text in stand_for.items()} | {
        token: f"%{token}" for token in "fHIKt"
    }
    try:
        return tuple(tokens.expand(word, later) for word in shlex.split(value))
    except ValueError as error:
        raise InvalidInput(f"ssh_config: KnownHostsCommand '{value}': {error}") from None
