"""The form in which files travel to the login node, for `put` and for a submission: `receive.sh` reads it.

A file is a line `WORD MODE MTIME SIZE LINES`, its name on LINES lines, and SIZE bytes. Checksums follow the files that
they are of. The last line is `done`: data that ends without it was cut.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..login_node import check_line
from ..model.errors import InvalidInput

READ = 8 * 32704  # whole packets
WORDS = {"f": "file", "d": "directory", "l": "link", "c": "copy"}
"""The WORD for each kind of `Entry`, and for `c`, a copy of a file that is on the login node."""
PLACE = b"place\n"
"""For `put`: move what came since the last such line into place."""
DONE = b"done\n"
"""The last line."""


def header(word: str, name: bytes, size: int, mode: int = 0o600, modified: int | None = None) -> bytes:
    """What precedes the `size` bytes of one file. `modified` is in ns since 1970; None: when it arrives."""
    when = "-" if modified is None else "{}.{:09}".format(*divmod(modified, 10**9))
    lines = 1 + name.count(b"\n")
    return f"{word} {mode:o} {when} {size} {lines}\n".encode() + name + b"\n"


def sums(lines: bytes) -> bytes:
    """The checksums (lines of `check_line`) of the files since the last ones; nothing if there were no files."""
    return b"sums - - %d 0\n%b" % (len(lines), lines) if lines else b""


def pieces(path: Path, start: int = 0, most: int | None = None) -> Iterator[bytes]:
    """The bytes of a local file from `start`, at most so many, piece by piece. Raises InvalidInput."""
    left = most
    try:
        with path.open("rb") as file:
            file.seek(start)
            while piece := file.read(READ if left is None else min(left, READ)):
                left = None if left is None else left - len(piece)
                yield piece
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from None


@dataclass(frozen=True)
class Upload:
    """A text or a local file to be sent, and its name in the directory that it goes to.

    `kind` is one of `WORDS`. The content of a link is its target, that of a copy the path of the original. `modified`
    is in ns since 1970; None: when it arrives.
    """

    name: str
    content: bytes | Path
    mode: int = 0o600
    kind: str = "f"
    modified: int | None = None

    def size(self) -> int:
        """Bytes."""
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    def read(self) -> Iterator[bytes]:
        """The content, piece by piece. Raises InvalidInput when the file cannot be read."""
        return iter((self.content,)) if isinstance(self.content, bytes) else pieces(self.content)


@dataclass(frozen=True)
class Bundle:
    """Files as the data of a program; it can be iterated again when the program is sent again.

    Raises InvalidInput for a file that cannot be read, or that changes while it is sent.
    """

    files: Sequence[Upload]
    progress: Callable[[int], None] = lambda _: None

    def __iter__(self) -> Iterator[bytes]:
        checks = b""
        for file in self.files:
            digest, size = hashlib.sha256(), file.size()
            name = file.name.encode("utf-8", "surrogateescape")
            yield header(WORDS[file.kind], name, size, file.mode, file.modified)
            for piece in file.read():
                digest.update(piece)
                size -= len(piece)
                yield piece
                self.progress(len(piece))
            if size:
                raise InvalidInput(f"{file.name} was changed while it was sent; submit again")
            checks += check_line(digest.hexdigest(), name) if file.kind == "f" else b""
        yield sums(checks) + DONE
