"""The section `clusters:` of `fabric.yml`, read by our own loader: Fabric's turns `24:00` into 1440 (F11).

In this order: the testbed's registration, `~/.fabric.yml`, the project's `fabric.yml`. A later file wins key by key:
mappings (`resources`, `names`) are merged, everything else is replaced. The other sections are Fabric's.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import platformdirs

from . import project
from .cluster import Cluster
from .errors import InvalidInput, nearest
from .plain_yaml import parse_mapping, read_text
from .project import Project
from .resources import Resources
from .settings import SETTINGS, dashed, kind_of, meant, port_of, ssh_word
from .wording import one_line

_NOT_IN_NAMES = {"/": "a slash", "@": "an @", ":": "a colon", ",": "a comma"}


@dataclass(frozen=True)
class Configuration:
    """The configured clusters by name, the testbed's among them."""

    clusters: Mapping[str, Cluster]

    def cluster(self, name: str) -> Cluster:
        """The cluster of that name; if none is configured, it is a host that ssh may know under this name.

        `_` and `-` are the same, since Invoke shows one as the other (F12).
        """
        if name in self.clusters:
            return self.clusters[name]
        for cluster in self.clusters.values():
            if dashed(cluster.name) == dashed(name):
                return cluster
        return Cluster(name=name, host=name)


def testbed_file() -> Path:
    """Where `testbed.up` registers its clusters: a file like `fabric.yml`."""
    return platformdirs.user_state_path("submithost") / "testbed" / "clusters.yml"


def load(directory: Path | None = None, reserved: Collection[str] = frozenset()) -> Configuration:
    """The configuration as seen from `directory` (default: that of the project).

    `reserved` are the names that no cluster may have: those of tasks and collections. Files that do not exist are
    skipped. Raises InvalidInput, which names the file, the cluster, the key and the nearest right one.
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
    """Whether a YAML file has clusters. Raises InvalidInput when it is not YAML."""
    return path.suffix in (".yml", ".yaml") and bool(parse_mapping(read_text(path), path).get("clusters"))


def _home() -> Path:
    """The user's home. Raises InvalidInput for a user without one: settings and records would have no place."""
    home = Path(os.path.expanduser("~"))
    if not home.is_absolute():
        raise InvalidInput(f"no home directory is known of uid {os.getuid()}: set HOME")
    return home


def parse_host(text: str) -> tuple[str | None, str, int | None]:
    """User, host and port of `me@sharc:2222`, `sharc`, `[::1]:22` or `::1`; None for what is not given.

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
            ssh_word(user, "user")
        return (user if at else None), ssh_word(host, "host"), None if port is None else port_of(port)
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
        raise InvalidInput(f"{one_line(path)}: clusters: is {kind_of(clusters)}, not a mapping of cluster names")
    found: dict[str, dict[str, Any]] = {}
    for name, settings in clusters.items():
        where = f"{one_line(path)}: cluster {one_line(name)!r}"
        if problem := _problem_of_name(name, reserved):
            raise InvalidInput(f"{where}: {problem}")
        if not isinstance(settings or {}, dict):
            raise InvalidInput(f"{where}: is {kind_of(settings)}, not a mapping of keys to values")
        found[name] = {"source": path}
        for key, value in (settings or {}).items():  # type: ignore[union-attr]  # text other than "" was refused above
            if key not in SETTINGS:
                raise InvalidInput(f"{where}: unknown key {one_line(key)!r}{meant(key, SETTINGS)}")
            try:
                found[name][key] = SETTINGS[key](value, path)
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
    if dashed(name) in {dashed(word) for word in reserved}:
        return "this is the name of a task or collection; choose another, and give the SSH alias as 'host'"
    return None


def _refuse_twins(clusters: Mapping[str, Cluster]) -> None:
    seen: dict[str, Cluster] = {}
    for cluster in clusters.values():
        twin = seen.setdefault(dashed(cluster.name), cluster)
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
