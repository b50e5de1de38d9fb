"""Tar archives that keep any name and exact times, and that every tar can read."""

from __future__ import annotations

import tarfile
from collections.abc import Iterable
from itertools import count

from .tree import Entry

_TYPES = {"f": tarfile.REGTYPE, "d": tarfile.DIRTYPE, "l": tarfile.SYMTYPE}


def archive(members: Iterable[tuple[Entry, bytes, bytes]]) -> bytes:
    """An archive of these entries, each with its name and its content.

    Names are stored as GNU tar does, byte for byte: those in a pax header would be recoded from UTF-8 by the tar that
    reads them. Times are in a pax header, the only place with fractions of a second.
    """
    blocks = []
    for entry, name, content in members:
        header = _header(name, len(content), entry.mode | (0o700 if entry.kind == "d" else 0), _TYPES[entry.kind])
        header.mtime = max(entry.modified // 10**9, 0)
        header.linkname = entry.link
        record = _record(f"mtime={entry.modified // 10**9}.{entry.modified % 10**9:09}\n")
        times = _header(b"times", len(record), 0o600, tarfile.XHDTYPE)
        for head, data in ((times, record), (header, content)):
            blocks += [head.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape"), data, bytes(-len(data) % 512)]
    size = sum(map(len, blocks)) + 1024
    return b"".join([*blocks, bytes(1024 + -size % tarfile.RECORDSIZE)])


def _header(name: bytes, size: int, mode: int, kind: bytes) -> tarfile.TarInfo:
    header = tarfile.TarInfo(name.decode("utf-8", "surrogateescape"))
    header.size, header.mode, header.type = size, mode, kind
    return header


def _record(text: str) -> bytes:
    """`LENGTH TEXT`, where the length counts itself, too."""
    length = next(n for n in count(len(text) + 2) if n == len(f"{n} {text}"))
    return f"{length} {text}".encode()
