"""The small programs that run on the login node: how they are sent, and how their answers are read.

A program is one or more of the `.sh` files here, after `prelude.sh` and a line `name='value'` for each variable. It is
sent on stdin to a command line that is always the same, so the login shell never reads any of it, and a program that
was cut never runs. Pure: nothing in here connects anywhere. The source is PROTOCOL.md, "Running a program on the login
node".
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

COMMAND = (
    "exec /bin/sh -c '"
    # Drop whatever sshd and rc files have set; describe.sh finds it again in the shell that waits here.
    '/usr/bin/env -i HOME="${HOME-}" USER="${USER-}" LOGNAME="${LOGNAME-}" SHELL="${SHELL-}" LC_ALL=C '
    'PATH="/usr/local/bin:/usr/bin:/bin:${PATH-}" /bin/sh -c "$0"; exit'
    "' '"
    'while read -r w n k; do [ "$w" = submithost ] && break; done; '  # skip what rc files left on stdin
    'p=$(head -c "${n:-0}"); case "$p" in *"#$k") eval "$p";; *) exit 97;; esac'
    "'"
)
NO_PROGRAM = 97
"""The exit status of `COMMAND` when its stdin held no whole program."""
# An rc file that reads a line of stdin gets an empty one, not the program. A shell that an rc file `exec`s takes its
# commands from stdin, and the first one reads the program properly (except in a shell that reads ahead, like dash).
_FOR_RC_FILES = b"\n" * 4 + COMMAND.encode() + b"\n"


def quote(text: str) -> str:
    """Quote a value as one word of a /bin/sh command line. There is no other way for a value into one."""
    return shlex.quote(text)


def quoted(words: Iterable[str]) -> str:
    """Several quoted words."""
    return " ".join(quote(word) for word in words)


def check_line(digest: str, name: bytes) -> bytes:
    """A line as sha256sum(1) writes and reads it; one that begins with a backslash has escapes in the name."""
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"" if escaped == name else b"\\") + digest.encode() + b"  " + escaped + b"\n"


@dataclass(frozen=True)
class Program:
    """A program: the names of its files, its variables, and the data that follows it on stdin.

    `shell` are functions that a scheduler adds. `data` yields bytes, and is iterated again when the program is sent
    again. `most` bounds the bytes of the answer (None: no bound, since it is passed on as it comes); `within` bounds
    single sections.
    """

    parts: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    shell: str = ""
    data: Iterable[bytes] = ()
    most: int | None = 1 << 20
    within: Mapping[str, int] = field(default_factory=dict)

    def text(self, mark: str, environment: str, setup: Iterable[str], clients: Mapping[str, str]) -> bytes:
        """The text of the whole program; its answer has this mark.

        `environment` is the login environment, if an earlier program found it out, or else empty; `clients` are what
        describe.sh needs to know of the schedulers' commands.
        """
        variables = {"mark": mark, "nonce": new_nonce(), "login_environment": environment, **self.variables}
        if not environment:
            variables["setup"] = "".join(f"{line}\n" for line in _reporting(setup))
            variables["describing"] = "\n".join([*_assignments(clients), source("given.sh"), source("describe.sh")])
        lines = [
            *_assignments(variables),
            source("prelude.sh"),
            self.shell,
            *(source(f"{part}.sh") for part in self.parts),
            f"#{mark}",
        ]
        return "\n".join(lines).encode("utf-8", "surrogateescape")


def _assignments(variables: Mapping[str, str]) -> Iterator[str]:
    return (f"{name}={quote(value)}" for name, value in variables.items())


@cache
def source(name: str) -> str:
    """The text of one of the files beside this one."""
    return (Path(__file__).parent / name).read_text("utf-8")


def envelope(text: bytes, mark: str) -> bytes:
    """What is written to the stdin of `COMMAND` before the program's data."""
    return _FOR_RC_FILES + f"submithost {len(text)} {mark}\n".encode() + text


def _reporting(setup: Iterable[str]) -> Iterator[str]:
    """The lines of `setup`, with commands between them that print each one's exit status on stderr, in sh and csh."""
    tell = """/bin/sh -c 'printf "\\n%s=%s\\n" "$submithost_mark" "$0" >&2' """
    for line in setup:
        yield from (f"{tell}setup", line, f"{tell}$?")


def setup_troubles(errors: str, mark: str, setup: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """The lines of `setup` that failed or printed on stderr: the line, its exit status, what it printed.

    The status is empty when the line ended the shell, as csh does on errors.
    """
    found = re.findall(rf"^{mark}=setup\n(.*?)(?:\n{mark}=(\d+)$|\Z)", errors, re.M | re.S)
    for line, (said, status) in zip(setup, found, strict=False):
        if status != "0" or said.strip():
            yield line, status, said.strip()


def new_nonce() -> str:
    """A name that nothing else on the login node has."""
    return secrets.token_hex(16)


def new_mark() -> str:
    """The mark of one program's answer: a secret, so nothing that a cluster prints can look like it.

    Its first letter tells it from other random words.
    """
    return f"m{secrets.token_hex(20)}"


@dataclass
class Reply:
    """One section of an answer: stdout, stderr, and the exit status if it is that of a command."""

    out: bytes = b""
    err: bytes = b""
    status: int | None = None

    @property
    def text(self) -> str:
        """stdout as text, with replacements for what is not UTF-8 (L9)."""
        return self.out.decode("utf-8", "replace")

    @property
    def exact(self) -> str:
        """stdout as text from which the bytes can be restored: for paths, and for text that goes back to a shell."""
        return self.out.decode("utf-8", "surrogateescape")

    @property
    def names(self) -> bytes:
        """stdout without the indentation (of `indent` in prelude.sh)."""
        return self.out.removeprefix(b" ").replace(b"\n ", b"\n")

    @property
    def errors(self) -> str:
        """stderr as text."""
        return self.err.decode("utf-8", "replace")

    def read(self, parse: Callable[[int, str, str], T]) -> T:
        """Parse it as a scheduler's answer; without an exit status it counts as failed. Raises as `parse` does."""
        return parse(1 if self.status is None else self.status, self.text, self.errors)


class TooMuch(Exception):
    """An answer is longer than it can be."""


# How many bytes each section counts for beside its content; and the longest name of a section.
_SECTION = 512
_LONGEST_NAME = 80


class Sections:
    """Cuts a stream into named sections at its marks; whatever precedes the first mark is the login's `noise`.

    A mark is `\\n@MARK NAME\\n`: it brings its first newline along, since the text before may lack one. `size` counts
    the bytes in sections so far.
    """

    def __init__(self, mark: str, most: int | None = None, within: Mapping[str, int] | None = None) -> None:
        self._most, self._within = most, within or {}
        self.size = self._of_this = 0
        self._mark = f"\n@{mark} ".encode()
        self._rest = b""
        self._name = ""
        self.noise = b""

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """Yield (section, bytes) as they come; an empty piece begins a section.

        Raises TooMuch when the answer, or one section, exceeds its bound.
        """
        self._rest += data
        start = 0
        while (at := self._rest.find(self._mark, start)) >= 0:
            yield from self._piece(start, at)
            begins = at + len(self._mark)
            ends = self._rest.find(b"\n", begins, begins + _LONGEST_NAME)
            if ends < 0 and len(self._rest) - begins >= _LONGEST_NAME:
                raise TooMuch
            if ends < 0:
                self._rest = self._rest[at:]
                return
            self._name, start = self._rest[begins:ends].decode("ascii", "replace"), ends + 1
            self._of_this = 0
            self._count(_SECTION)
            yield self._name, b""
        end = self._possible_mark(start)
        yield from self._piece(start, end)
        self._rest = self._rest[end:]

    def _count(self, size: int) -> None:
        self.size += size
        self._of_this += size
        if self._most is not None and self.size > self._most:
            raise TooMuch
        if self._of_this > self._within.get(self._name, self._of_this):
            raise TooMuch

    def _piece(self, start: int, end: int) -> Iterator[tuple[str, bytes]]:
        """Yield a part of the rest."""
        piece = self._rest[start:end]
        if piece and self._name:
            self._count(len(piece))
            yield self._name, piece
        elif piece:
            self.noise = (self.noise + piece)[:4096]

    def _possible_mark(self, start: int) -> int:
        """Where the rest may end with the beginning of a mark."""
        at = self._rest.rfind(b"\n", start)
        return at if at >= 0 and self._mark.startswith(self._rest[at:]) else len(self._rest)
