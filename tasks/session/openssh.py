"""What OpenSSH would do for a host, as `ssh -G` tells it (F14: paramiko's own reading of ssh_config knows neither
`Include` nor most of `Match`, and ignores UserKnownHostsFile and StrictHostKeyChecking).

`ssh -G` prints one `keyword value` per line, keywords in lower case. Known hosts files and the agent come expanded
(and without the quotes they were written with), key files and certificates come as written: see ssh_config(5), TOKENS.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shlex
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..model.errors import InvalidInput

_STRICT = {
    "true": "yes",
    "yes": "yes",
    "false": "no",
    "no": "no",
    "off": "no",
    "ask": "ask",
    "accept-new": "accept-new",
}
_METHODS = {
    "publickey": "pubkeyauthentication",
    "keyboard-interactive": "kbdinteractiveauthentication",
    "password": "passwordauthentication",
}
# ssh can log in by these, we cannot.
_OF_SSH_ALONE = {
    "gssapi-with-mic": "gssapiauthentication",
    "gssapi-keyex": "gssapikeyexchange",
    "hostbased": "hostbasedauthentication",
}
_FAMILIES = {"inet": socket.AF_INET, "inet6": socket.AF_INET6}
_NO = ("no", "false")


@dataclass(frozen=True)
class Destination:
    """Where a host's name leads and how to log in there. Timeouts and intervals in seconds; None: not said.

    `host` is the name as given, `hostname` what it resolves to in ssh_config. `identity_agent` is `none`, a socket's
    path, or empty when there is none to be found. `methods` are the kinds of login that may be tried, best first;
    `methods_of_ssh` those that ssh would try and we cannot. In the words of `known_hosts_command` are left the tokens
    that stand for the host and its key: %f %H %I %K %t, and %%.
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
    host_key_algorithms: tuple[str, ...] = ()
    ciphers: tuple[str, ...] = ()
    hash_known_hosts: bool = False
    proxy_jump: tuple[str, ...] = ()
    proxy_command: str | None = None
    address_family: int = socket.AF_UNSPEC
    connect_timeout: int | None = None
    server_alive_interval: int | None = None
    server_alive_count_max: int | None = None
    forward_agent: bool = False
    batch_mode: bool = False
    methods: tuple[str, ...] = tuple(_METHODS)
    methods_of_ssh: tuple[str, ...] = ()

    @property
    def known_hosts_files(self) -> tuple[Path, ...]:
        """The user's, then the machine's."""
        return self.user_known_hosts_files + self.global_known_hosts_files


_OF_SHELLS = frozenset("'`\"$;&<>|(){} \t\n")


def command(host: str, *, user: str | None, port: int | None, ssh_config: Path | None) -> list[str]:
    """The options and the host that lead ssh to the same place: what follows `ssh` on a command line."""
    options = ["-F", str(ssh_config.expanduser())] if ssh_config else []
    options += ["-l", user] if user else []
    options += ["-p", str(port)] if port else []
    return [*options, host]


def destination(host: str, *, user: str | None, port: int | None, ssh_config: Path | None) -> Destination:
    """Ask `ssh -G` about a host. Key files that do not exist are left out.

    Raises InvalidInput: no ssh here, a bad ssh_config (with ssh's own words), a name that cannot be a host's.
    """
    if not host or host.startswith("-") or not host.isprintable():
        raise InvalidInput(f"host {host!r} is not a host's name: it is empty, starts with '-' or cannot be printed")
    for what, word in (("host", host), ("user", user or "")):
        if set(word) & _OF_SHELLS:  # ssh_config's ProxyCommand and Match exec hand them to a shell; ssh refuses too
            raise InvalidInput(f"{what} {word!r} is no {what}'s name: a shell would take part of it for a command")
    *options, name = command(host, user=user, port=port, ssh_config=ssh_config)
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


def parse_g(text: str) -> Destination:
    """Read what `ssh -G` prints. Raises InvalidInput when it lacks the host or has a number that is none."""
    first: dict[str, str] = {}
    identities: list[str] = []
    certificates: list[str] = []
    for line in text.split("\n"):
        keyword, _, value = line.strip("\r").partition(" ")
        if keyword == "identityfile":
            identities.append(value)
        elif keyword == "certificatefile":
            certificates.append(value)
        else:
            first.setdefault(keyword, value)
    if not first.get("hostname"):
        raise InvalidInput("ssh -G did not name a host: is `ssh` on PATH OpenSSH's?")
    port = _number(first, "port") or 22
    if port > 65535:
        raise InvalidInput(f"ssh -G: port {port} is not one")
    tokens = _tokens(first, port)
    revoked = first.get("revokedhostkeys", "none")
    return Destination(
        host=first.get("host") or first["hostname"],
        hostname=first["hostname"],
        port=port,
        user=tokens["r"],
        host_key_alias=first.get("hostkeyalias"),
        identity_files=tuple(_path(value, tokens) for value in identities if value not in ("", "none")),
        certificate_files=tuple(_path(value, tokens) for value in certificates if value not in ("", "none")),
        identities_only=first.get("identitiesonly") in ("yes", "true"),
        identity_agent=_agent(first.get("identityagent", "SSH_AUTH_SOCK")),
        user_known_hosts_files=_paths(first.get("userknownhostsfile", "")),
        global_known_hosts_files=_paths(first.get("globalknownhostsfile", "")),
        revoked_host_keys=None if revoked == "none" else Path(revoked),
        known_hosts_command=_known_hosts_command(first.get("knownhostscommand", "none"), tokens),
        # It is for addresses, and an alias is a name that somebody gave.
        no_check_of_loopback=first.get("nohostauthenticationforlocalhost") == "yes" and "hostkeyalias" not in first,
        # a word of the future is taken as the strictest one
        strict_host_key_checking=_STRICT.get(first.get("stricthostkeychecking", "ask"), "yes"),
        host_key_algorithms=tuple(filter(None, first.get("hostkeyalgorithms", "").split(","))),
        ciphers=tuple(filter(None, first.get("ciphers", "").split(","))),
        hash_known_hosts=first.get("hashknownhosts") in ("yes", "true"),
        proxy_jump=()
        if first.get("proxyjump", "none") == "none"
        else tuple(filter(None, first["proxyjump"].split(","))),
        proxy_command=_proxy_command(first.get("proxycommand", "none"), tokens),
        address_family=_FAMILIES.get(first.get("addressfamily", "any"), socket.AF_UNSPEC),
        connect_timeout=_number(first, "connecttimeout"),
        server_alive_interval=_number(first, "serveraliveinterval"),
        server_alive_count_max=_number(first, "serveralivecountmax"),
        # Only the agent of SSH_AUTH_SOCK can be forwarded; a path or another variable means no.
        forward_agent=first.get("forwardagent") == "yes",
        batch_mode=first.get("batchmode") in ("yes", "true"),
        methods=tuple(method for method, keyword in _METHODS.items() if first.get(keyword) not in _NO),
        methods_of_ssh=tuple(method for method, keyword in _OF_SSH_ALONE.items() if first.get(keyword) == "yes"),
    )


def _number(first: Mapping[str, str], keyword: str) -> int | None:
    """A number above 0; 0 and `none` are None."""
    value = first.get(keyword, "none")
    if value == "none":
        return None
    if not re.fullmatch(r"[0-9]{1,9}", value):
        raise InvalidInput(f"ssh -G: {keyword} '{value}' is not a number")
    return int(value) or None


def _paths(value: str) -> tuple[Path, ...]:
    """Several paths on one line, spaces in them unquoted: a word that does not start a path continues one."""
    if value in ("", "none"):
        return ()
    found: list[str] = []
    for word in value.split(" "):
        if found and not word.startswith(("/", "~")):
            found[-1] += f" {word}"
        else:
            found.append(word)
    return tuple(Path(_home(path.strip('"'))) for path in found if path)


def _tokens(first: Mapping[str, str], port: int) -> dict[str, str]:
    """The % tokens of ssh_config(5), without their %."""
    my_name, my_home = _me()
    hostname, machine, jump = first["hostname"], socket.gethostname(), first.get("proxyjump", "")
    user = first.get("user") or my_name
    name = first.get("host") or hostname
    everything = "".join((machine, hostname, str(port), user, jump))
    return {
        "%": "%",
        "C": hashlib.sha1(everything.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest(),
        "L": machine.partition(".")[0],
        "d": my_home,
        "h": hostname,
        "i": str(os.getuid()),
        "j": jump,
        "k": first.get("hostkeyalias", name),
        "l": machine,
        "n": name,
        "p": str(port),
        "r": user,
        "u": my_name,
    }


def _me() -> tuple[str, str]:
    """My name and home in the password database; in a container that has no entry for me, what the environment says.

    Raises InvalidInput when that says nothing either.
    """
    try:
        entry = pwd.getpwuid(os.getuid())
    except KeyError:
        name, home = os.environ.get("LOGNAME") or os.environ.get("USER"), os.environ.get("HOME")
        if name and home:
            return name, home
        raise InvalidInput(f"no user exists for uid {os.getuid()}: set HOME and USER") from None
    return entry.pw_name, entry.pw_dir


def expand(value: str, tokens: Mapping[str, str]) -> str:
    """The value with its % tokens replaced. Raises InvalidInput for an unknown one."""

    def token(match: re.Match[str]) -> str:
        if match[1] not in tokens:
            raise InvalidInput(f"ssh_config: '{value}' has the unknown token '{match[0]}'")
        return tokens[match[1]]

    return re.sub(r"%(.?)", token, value, flags=re.DOTALL)


def _path(value: str, tokens: Mapping[str, str]) -> Path:
    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise InvalidInput(f"ssh_config: '{value}' needs the environment variable {match[1]}, which is not set")
        return os.environ[match[1]]

    return Path(_home(re.sub(r"\$\{([^}]*)\}", variable, expand(value.strip('"'), tokens))))


def _home(path: str) -> str:
    """`~` as ssh sees it: the home directory of the password database, whatever HOME says."""
    if not path.startswith("~"):
        return path
    user, slash, rest = path[1:].partition("/")
    try:
        home = pwd.getpwnam(user).pw_dir if user else _me()[1]
    except (KeyError, ValueError):
        return path
    return home + slash + rest


def _agent(value: str) -> str:
    if value == "SSH_AUTH_SOCK":
        return os.environ.get("SSH_AUTH_SOCK", "")
    if value.startswith("$"):
        return os.environ.get(value[1:].strip("{}"), "")
    return _home(value)


def _proxy_command(value: str, tokens: Mapping[str, str]) -> str | None:
    return None if value in ("", "none") else expand(value, tokens)


def _known_hosts_command(value: str, tokens: Mapping[str, str]) -> tuple[str, ...]:
    """Its words. What is known of the host and its key later is left to be expanded."""
    if value in ("", "none"):
        return ()
    later = {token: text.replace("%", "%%") for token, text in tokens.items()} | {
        token: f"%{token}" for token in "fHIKt"
    }
    try:
        return tuple(expand(word, later) for word in shlex.split(value))
    except ValueError as error:
        raise InvalidInput(f"ssh_config: KnownHostsCommand '{value}': {error}") from None
