"""What put, get and fetch have done, as a value; and whose files are in which directory here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Transferred:
    """Files that were sent or brought, or with `dry_run` would be.

    `target` is where they went, on the cluster for `put` and here otherwise; `files` are the changed ones, `unchanged`
    is how many were the same already, `newer` which ones here are newer and were left; `said` is all that in words.
    """

    target: str
    files: tuple[Path, ...]
    unchanged: int
    newer: tuple[str, ...]
    said: str


Owners = dict[Path, str]
"""Whose files were put into which local directory."""


def first_there(owners: Owners, place: Path, owner: str) -> str:
    """Note whose files go into a local directory; return who was first if that is somebody else, else empty."""
    first = owners.setdefault(place.resolve(), owner)
    return first if first != owner else ""
