"""What values of ssh_config stand for: % tokens, `~`, environment variables (ssh_config(5), TOKENS)."""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import socket
from collections.abc import Mapping
from pathlib import Path

from ...model.errors import InvalidInput


def of(first: Mapping[str, str], port: int) -> dict[str, str]:
    """The % tokens of ssh_config(5), without their %."""
    my_name, my_home = me()
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


def me() -> tuple[str, str]:
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


def path(value: str, tokens: Mapping[str, str]) -> Path:
    """The path of a key file, as it is written. Raises InvalidInput: an unknown token, a variable that is not set."""

    def variable(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise InvalidInput(f"ssh_config: '{value}' needs the environment variable {match[1]}, which is not set")
        return os.environ[match[1]]

    return Path(with_home(re.sub(r"\$\{([^}]*)\}", variable, expand(value.strip('"'), tokens))))


def with_home(path: str) -> str:
    """`~` as ssh sees it: the home directory of the password database, whatever HOME says."""
    if not path.startswith("~"):
        return path
    user, slash, rest = path[1:].partition("/")
    try:
        home = pwd.getpwnam(user).pw_dir if user else me()[1]
    except (KeyError, ValueError):
        return path
    return home + slash + rest


def paths(value: str) -> tuple[Path, ...]:
    """Several paths on one line, spaces in them unquoted: a word that does not start a path continues one."""
    if value in ("", "none"):
        return ()
    found: list[str] = []
    for word in value.split(" "):
        if found and not word.startswith(("/", "~")):
            found[-1] += f" {word}"
        else:
            found.append(word)
    return tuple(Path(with_home(path.strip('"'))) for path in found if path)
