"""What put, get and fetch did, as a value; and which cluster's files are in which local directory."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Transferred:
    """The files that were sent or brought, or with `dry_run` would be.

    `target` is where they went (for `put`, on the cluster); `files` are the changed ones, `unchanged` counts the
    others; `newer` are those that are newer here and were left alone; `said` is all that in words.
    """

    target: str
    files: tuple[Path, ...]
    unchanged: int
    newer: tuple[str, ...]
    said: str


Owners = dict[Path, str]
"""Local directories, each with the cluster whose files went there first."""


def first_there(owners: Owners, place: Path, owner: str) -> str:
    """Note that files of `owner` go into a local directory; return another cluster if its files went there first."""
    first = owners.setdefault(place.resolve(), owner)
    return first if first != owner else ""
