"""The keys of a cluster's configuration: each value is read from plain text, or refused in one line.

Each function raises InvalidInput; its caller adds the file, the cluster and the key.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Collection
from dataclasses import fields
from pathlib import Path

from .errors import InvalidInput, nearest
from .plain_yaml import Plain
from .resources import Resources, parse_count, parse_resources
from .wording import one_line

SITE_NAMES = frozenset({"memory", "gpus", "smp", "mpi", "openmp"})
"""The things for which a site can have other names (`names:`)."""

_RESOURCES = {field.name for field in fields(Resources)}
_SITE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]*", re.ASCII)


def dashed(name: str) -> str:
    """The name as Invoke shows it (F12)."""
    return name.replace("_", "-")


def meant(key: str, known: Collection[str]) -> str:
    """The nearest of `known`, or all of them."""
    return nearest(key.casefold(), known) or "; known are " + ", ".join(sorted(known))


def kind_of(value: Plain) -> str:
    """The kind of a value, in words."""
    return {str: "text", list: "a list", dict: "a mapping"}[type(value)]


def _text(value: Plain) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"is {kind_of(value)}, not text")
    if not value.strip():
        raise InvalidInput("has no value; leave the key out instead")
    if not value.isprintable():
        raise InvalidInput(f"{one_line(value)!r} has a line break or another control character in it")
    return value


def ssh_word(value: Plain, what: str) -> str:
    """A word that can stand in the command line of ssh."""
    word = _text(value) if value else ""
    # `-oProxyCommand=...` would be an option to ssh
    if not word or word.startswith("-") or any(char.isspace() for char in word):
        raise InvalidInput(f"{word!r} is not a {what} name")
    return word


def port_of(text: str) -> int:
    """A TCP port."""
    number = parse_count(text, "port")
    if number > 65535:
        raise InvalidInput(f"port '{number}' is larger than 65535")
    return number


def _file(value: Plain, path: Path) -> Path:
    """A path; a relative one starts from the directory of the configuration file."""
    return Path(os.path.abspath(path.parent / Path(os.path.expanduser(_text(value)))))


def _lines(value: Plain) -> tuple[str, ...]:
    """A list of texts, or a single text."""
    return tuple(_text(item) for item in (value if isinstance(value, list) else [value]))


def _options(value: Plain) -> tuple[str, ...]:
    """Options as they would be typed, with balanced quotes."""
    lines = _lines(value)
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise InvalidInput(f"{line!r}: {error}") from None
        if not words or not words[0].startswith("-"):
            raise InvalidInput(f"{line!r} is not an option of the scheduler, like '-P myproject'")
    return lines


def _names(value: Plain) -> dict[str, str]:
    """A site's names for things: each a word that can be part of a list of resources."""
    names = _mapping(value, SITE_NAMES)
    for key, name in names.items():
        if not _SITE_NAME.fullmatch(name):
            raise InvalidInput(f"{key}: {name!r} is not a name of letters, digits and _.-/:")
    return names


def _mapping(value: Plain, known: Collection[str]) -> dict[str, str]:
    """Texts by key; `at-once` and `at_once` are the same key."""
    if not isinstance(value, dict):
        raise InvalidInput(f"is {kind_of(value)}, not a mapping of keys to values")
    texts: dict[str, str] = {}
    for key, item in value.items():
        name = key.replace("-", "_")
        if name not in known:
            raise InvalidInput(f"unknown key {one_line(key)!r}{meant(key, known)}")
        if name in texts:
            raise InvalidInput(f"'{key}' is given twice, once as '{dashed(key)}' and once as '{name}'")
        try:
            texts[name] = _text(item)
        except InvalidInput as error:
            raise InvalidInput(f"{key}: {error}") from None
    return texts


SETTINGS: dict[str, Callable[[Plain, Path], object]] = {
    "host": lambda value, _: ssh_word(value, "host"),
    "user": lambda value, _: ssh_word(value, "user"),
    "port": lambda value, _: port_of(_text(value)),
    "ssh_config": _file,
    "scheduler": lambda value, _: _text(value),
    "directory": lambda value, _: _text(value),
    "setup": lambda value, _: _lines(value),
    "resources": lambda value, _: parse_resources(**_mapping(value, _RESOURCES)),
    "names": lambda value, _: _names(value),
    "options": lambda value, _: _options(value),
    "mail": lambda value, _: parse_resources(mail=_text(value)).mail,
}
"""For each key, the function that reads its value, given the file that it is in."""
