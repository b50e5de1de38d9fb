"""The files of one `put`, as they are sent: small ones many at a time, big ones by themselves."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from ..login_node import check_line
from ..model.errors import InvalidInput
from .tree import Entry, There
from .wire import DONE, PLACE, READ, WORDS, header, pieces, sums

# A file of this size goes by itself; smaller ones go together, up to this size or this number.
BIG = 8 << 20
MANY = 1000
# What is sent at once, and how many of these bytes are the user's.
Batch = tuple[bytes, int]


def key_of(name: str) -> str:
    """The part of a part's name that tells which file it is of."""
    return hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:16]


@dataclass(frozen=True)
class Plan:
    """What to send: `here` is the top of the tree, `name` its name on the cluster, `there` what is there already."""

    here: Path
    name: str
    there: There
    changed: Sequence[Entry]

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(entry.size for entry in self.changed)


@dataclass(frozen=True)
class Kept:
    """The part of a big file that is there already, and the digest of the same bytes of the file here."""

    entry: Entry
    digest: hashlib._Hash


class Stream:
    """Everything in a plan, as `receive.sh` and `put.sh` read it. A thread reads and sums the next small files."""

    def __init__(self, plan: Plan, parts: dict[str, Kept], progress: Callable[[int], None]) -> None:
        self._plan, self._parts, self._progress = plan, parts, progress
        self._ahead = ThreadPoolExecutor(1)

    def close(self) -> None:
        """End the thread, even if the sender has not noticed yet that the connection is gone."""
        self._ahead.shutdown()

    def _soon(self, batches: Iterator[Batch]) -> Future[Batch | None]:
        try:
            return self._ahead.submit(next, batches, None)
        except RuntimeError:  # closed
            raise EOFError from None

    def __iter__(self) -> Iterator[bytes]:
        small = [entry for entry in self._plan.changed if entry.size < BIG]
        following = self._batches(small)
        batch = self._soon(following)
        while data := batch.result():
            batch = self._soon(following)
            yield from self._counted(*data)
        for entry in self._plan.changed:
            if entry.size >= BIG:
                yield from self._big(entry)
        yield DONE

    def _counted(self, data: bytes, amount: int) -> Iterator[bytes]:
        """Yield `data`, which has `amount` bytes of the user's, and report these as they go."""
        told = 0
        for at in range(0, len(data), READ):
            yield data[at : at + READ]
            now = min(amount, amount * (at + READ) // len(data))
            self._progress(now - told)
            told = now

    def _name(self, entry: Entry) -> bytes:
        name = f"{self._plan.name}/{entry.path}" if entry.path else self._plan.name
        return name.encode("utf-8", "surrogateescape")

    def _batches(self, small: Sequence[Entry]) -> Iterator[Batch]:
        """The small files, many at a time."""
        members: list[tuple[Entry, bytes]] = []
        size = 0
        for entry in small:
            content = self._content(entry)
            # The content as it is now; if it has changed since it was listed, the next put sends it again.
            members.append((replace(entry, size=len(content)), content))
            size += len(content)
            if size >= BIG or len(members) == MANY:
                yield self._batch(members), size
                members, size = [], 0
        if members:
            yield self._batch(members), size

    def _batch(self, members: Sequence[tuple[Entry, bytes]]) -> bytes:
        if self._plan.there.tar:
            from .archive import archive

            packed = archive((entry, self._name(entry), content) for entry, content in members)
            laid = [header("tar", b".", len(packed)), packed]
        else:
            laid = [self._plain(entry, content) for entry, content in members]
        checks = b"".join(
            check_line(hashlib.sha256(content).hexdigest(), b"./" + self._name(entry))
            for entry, content in members
            if entry.kind == "f"
        )
        return b"".join([*laid, sums(checks), PLACE])

    def _plain(self, entry: Entry, content: bytes) -> bytes:
        mode = entry.mode | (0o700 if entry.kind == "d" else 0)
        content = content or entry.link.encode("utf-8", "surrogateescape")
        return header(WORDS[entry.kind], self._name(entry), len(content), mode, entry.modified) + content

    def _content(self, entry: Entry) -> bytes:
        return b"".join(pieces(self._plan.here / entry.path)) if entry.kind == "f" else b""

    def _big(self, entry: Entry) -> Iterator[bytes]:
        part = self._parts.get(entry.path)
        offset, digest = (part.entry.size, part.digest) if part else (0, hashlib.sha256())
        self._progress(offset)
        name, old = self._name(entry), part.entry.path.rpartition("/")[2] if part else "-"
        yield header("big", name, entry.size, entry.mode, entry.modified)
        yield f"{offset} {key_of(name.decode('utf-8', 'surrogateescape'))} {old}\n".encode()
        path = self._plan.here / entry.path
        # Summed in this thread: a second one would only take turns with it at Python's lock.
        for piece in pieces(path, offset, entry.size - offset):
            digest.update(piece)
            yield piece
            offset += len(piece)
            self._progress(len(piece))
        if offset < entry.size:
            raise InvalidInput(f"{path} became shorter while it was sent: put it again when nothing writes it")
        yield f"{digest.hexdigest()}\n".encode()
