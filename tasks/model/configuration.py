"""The section `clusters:` of `fabric.yml`, read by our own loader: Fabric's turns `24:00` into 1440 (F11).

Lowest first: the testbed's registration, `~/.fabric.yml`, the project's `fabric.yml`. A later file wins key by key:
mappings (`resources`, `names`) merge, everything else replaces. What else is in there belongs to Fabric.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import platformdirs

from . import project
from .cluster import Cluster
from .errors import InvalidInput, nearest
from .plain_yaml import Plain, parse_mapping, read_text
from .project import Project
from .resources import Resources, parse_count, parse_resources
from .wording import one_line

SITE_NAMES = frozenset({"memory", "gpus", "smp", "mpi", "openmp"})
"""What a site can call differently (`names:`)."""

_RESOURCES = {field.name for field in fields(Resources)}
_SITE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./:-]*", re.ASCII)
_NOT_IN_NAMES = {"/": "a slash", "@": "an @", ":": "a colon", ",": "a comma"}


@dataclass(frozen=True)
class Configuration:
    """The configured clusters by name, the testbed's among them."""

    clusters: Mapping[str, Cluster]

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name; not configured, it is a host that ssh may know under this name.

        `_` and `-` are the same, since Invoke shows one as the other (F12).
        """
        if name in self.clusters:
            return self.clusters[name]
        for cluster in self.clusters.values():
            if _dashed(cluster.name) == _dashed(name):
                return cluster
        return Cluster(name=name, host=name)


def testbed_file() -> Path:
    """Where `testbed.up` registers its clusters, in the shape of a `fabric.yml`."""
    return platformdirs.user_state_path("submithost") / "testbed" / "clusters.yml"


def load(directory: Path | None = None, reserved: Collection[str] = frozenset()) -> Configuration:
    """The configuration as seen from `directory` (default: that of the project).

    `reserved` are the names that no cluster may have: those of tasks and collections. Files that do not
    exist are passed over. Raises InvalidInput: the file, the cluster, the key and the nearest right one.
    """
    home, here = _home(), Project()
    own = Project(directory) if directory else project.current
    found: dict[str, dict[str, Any]] = {}
    for place, file in ((here, testbed_file()), (here, home / ".fabric.yml"), (own, "fabric.yml")):
        try:
            path = place.path(file)
            text = read_text(path)
        except FileNotFoundError:
            continue
        for name, settings in _read_clusters(text, path, reserved).items():
            merged = found.setdefault(name, {})
            for key, value in settings.items():
                merged[key] = _merge(merged.get(key), value)
    clusters = {name: Cluster(**{"name": name, "host": name, **settings}) for name, settings in found.items()}
    _refuse_twins(clusters)
    return Configuration(clusters)


def names_clusters(path: Path) -> bool:
    """Whether a YAML file has clusters. Raises InvalidInput when it is none."""
    return path.suffix in (".yml", ".yaml") and bool(parse_mapping(read_text(path), path).get("clusters"))


def _home() -> Path:
    """Raises InvalidInput for somebody without a home: where would settings and records lie?"""
    home = Path(os.path.expanduser("~"))
    if not home.is_absolute():
        raise InvalidInput(f"no home directory is known of uid {os.getuid()}: set HOME")
    return home


def parse_host(text: str) -> tuple[str | None, str, int | None]:
    """User, host and port of `me@sharc:2222`, `sharc`, `[::1]:22` or `::1`; None where it does not say.

    Raises InvalidInput.
    """
    user, at, rest = text.rpartition("@")
    host, port = rest, None
    if rest.startswith("["):
        host, closed, tail = rest[1:].partition("]")
        if not closed or (tail and not tail.startswith(":")):
            raise InvalidInput(f"host {one_line(text)!r} is not like [::1]:22")
        port = tail[1:] if tail else None
    elif rest.count(":") == 1:  # more colons and no brackets: an IPv6 address
        host, _, port = rest.partition(":")
    try:
        if at:
            _ssh_word(user, "user")
        return (user if at else None), _ssh_word(host, "host"), None if port is None else _port(port)
    except InvalidInput as error:
        raise InvalidInput(f"host {one_line(text)!r}: {error}") from None


def _read_clusters(text: str, path: Path, reserved: Collection[str]) -> dict[str, dict[str, Any]]:
    """The settings that one file gives to each of its clusters, checked and typed."""
    top = parse_mapping(text, path)
    if "clusters" not in top:
        for key in top:
            if near := nearest(key, ["clusters"]):
                raise InvalidInput(f"{one_line(path)}: unknown key {one_line(key)!r}{near}")
        return {}
    clusters = top["clusters"] or {}  # `clusters:` with nothing under it
    if not isinstance(clusters, dict):
        raise InvalidInput(f"{one_line(path)}: clusters: is {_kind(clusters)}, not a mapping of cluster names")
    found: dict[str, dict[str, Any]] = {}
    for name, settings in clusters.items():
        where = f"{one_line(path)}: cluster {one_line(name)!r}"
        if problem := _problem_of_name(name, reserved):
            raise InvalidInput(f"{where}: {problem}")
        if not isinstance(settings or {}, dict):
            raise InvalidInput(f"{where}: is {_kind(settings)}, not a mapping of keys to values")
        found[name] = {"source": path}
        for key, value in (settings or {}).items():  # type: ignore[union-attr]  # text other than "" was refused above
            if key not in _SETTINGS:
                raise InvalidInput(f"{where}: unknown key {one_line(key)!r}{_meant(key, _SETTINGS)}")
            try:
                found[name][key] = _SETTINGS[key](value, path)
            except InvalidInput as error:
                raise InvalidInput(f"{where}: {key}: {error}") from None
    return found


def _problem_of_name(name: str, reserved: Collection[str]) -> str | None:
    if not name:
        return "a cluster's name cannot be empty"
    if "." in name:  # F12: breaks every command
        return "a cluster's name cannot have a dot; give the host name as 'host'"
    if name.startswith("-"):
        return "a cluster's name cannot begin with '-'"
    if any(char.isspace() or not char.isprintable() for char in name):
        return "a cluster's name cannot have blanks"
    for char, what in _NOT_IN_NAMES.items():
        if char in name:
            return f"a cluster's name cannot have {what}"
    if _dashed(name) in {_dashed(word) for word in reserved}:
        return "this is the name of a task or collection; choose another, and give the SSH alias as 'host'"
    return None


def _refuse_twins(clusters: Mapping[str, Cluster]) -> None:
    seen: dict[str, Cluster] = {}
    for cluster in clusters.values():
        twin = seen.setdefault(_dashed(cluster.name), cluster)
        if twin is not cluster:  # F12, F20: Invoke turns `_` into `-` and keeps the later one without a word
            raise InvalidInput(
                f"{one_line(cluster.source)}: cluster '{cluster.name}' and '{twin.name}'"
                f" in {one_line(twin.source)} are one name on the command line; rename one"
            )


def _merge(lower: object, higher: object) -> object:
    if isinstance(higher, Resources) and isinstance(lower, Resources):
        return higher.over(lower)
    if isinstance(higher, dict) and isinstance(lower, dict):
        return {**lower, **higher}
    return higher


def _dashed(name: str) -> str:
    return name.replace("_", "-")


def _meant(key: str, known: Collection[str]) -> str:
    """The nearest of `known`, or all of them."""
    return nearest(key.casefold(), known) or "; known are " + ", ".join(sorted(known))


def _kind(value: Plain) -> str:
    return {str: "text", list: "a list", dict: "a mapping"}[type(value)]


# What each key takes. Each returns the typed value, or raises InvalidInput without saying where.


def _text(value: Plain) -> str:
    if not isinstance(value, str):
        raise InvalidInput(f"is {_kind(value)}, not text")
    if not value.strip():
        raise InvalidInput("has no value; leave the key out instead")
    if not value.isprintable():
        raise InvalidInput(f"{one_line(value)!r} has a line break or another control character in it")
    return value


def _ssh_word(value: Plain, what: str) -> str:
    word = _text(value) if value else ""
    # `-oProxyCommand=...` would be an option to ssh
    if not word or word.startswith("-") or any(char.isspace() for char in word):
        raise InvalidInput(f"{word!r} is not a {what} name")
    return word


def _port(text: str) -> int:
    number = parse_count(text, "port")
    if number > 65535:
        raise InvalidInput(f"port '{number}' is larger than 65535")
    return number


def _file(value: Plain, path: Path) -> Path:
    """A relative path is meant from the directory of the file that it stands in."""
    return Path(os.path.abspath(path.parent / Path(os.path.expanduser(_text(value)))))


def _lines(value: Plain) -> tuple[str, ...]:
    """A list of texts; a single text is a list of one."""
    return tuple(_text(item) for item in (value if isinstance(value, list) else [value]))


def _options(value: Plain) -> tuple[str, ...]:
    """Options as they would be typed; quotes are closed."""
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
    """What a site calls things: each a word that can stand in a list of resources."""
    names = _mapping(value, SITE_NAMES)
    for key, name in names.items():
        if not _SITE_NAME.fullmatch(name):
            raise InvalidInput(f"{key}: {name!r} is not a name of letters, digits and _.-/:")
    return names


def _mapping(value: Plain, known: Collection[str]) -> dict[str, str]:
    """Texts by key; `at-once` and `at_once` are the same key."""
    if not isinstance(value, dict):
        raise InvalidInput(f"is {_kind(value)}, not a mapping of keys to values")
    texts: dict[str, str] = {}
    for key, item in value.items():
        name = key.replace("-", "_")
        if name not in known:
            raise InvalidInput(f"unknown key {one_line(key)!r}{_meant(key, known)}")
        if name in texts:
            raise InvalidInput(f"'{key}' is given twice, once as '{_dashed(key)}' and once as '{name}'")
        try:
            texts[name] = _text(item)
        except InvalidInput as error:
            raise InvalidInput(f"{key}: {error}") from None
    return texts


_SETTINGS: dict[str, Callable[[Plain, Path], object]] = {
    "host": lambda value, _: _ssh_word(value, "host"),
    "user": lambda value, _: _ssh_word(value, "user"),
    "port": lambda value, _: _port(_text(value)),
    "ssh_config": _file,
    "scheduler": lambda value, _: _text(value),
    "directory": lambda value, _: _text(value),
    "setup": lambda value, _: _lines(value),
    "resources": lambda value, _: parse_resources(**_mapping(value, _RESOURCES)),
    "names": lambda value, _: _names(value),
    "options": lambda value, _: _options(value),
    "mail": lambda value, _: parse_resources(mail=_text(value)).mail,
}
