"""The small programs that run on the login node, as they travel, and their answers, as they come back.

A program is one of the `.sh` files beside this one, after `prelude.sh` and a line `name='value'` for each variable.
It goes over on stdin to a command line that is always the same, so no login shell ever reads anything of it, and a
program that was cut is not run at all. Pure: nothing in here connects anywhere. The source is PROTOCOL.md, "Running
a program on the login node".
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
    # Whatever sshd and rc files have set is left behind, and found again by describe.sh in the shell that waits here.
    '/usr/bin/env -i HOME="${HOME-}" USER="${USER-}" LOGNAME="${LOGNAME-}" SHELL="${SHELL-}" LC_ALL=C '
    'PATH="/usr/local/bin:/usr/bin:/bin:${PATH-}" /bin/sh -c "$0"; exit'
    "' '"
    'while read -r w n k; do [ "$w" = submithost ] && break; done; '  # what rc files leave behind is passed over
    'p=$(head -c "${n:-0}"); case "$p" in *"#$k") eval "$p";; *) exit 97;; esac'
    "'"
)
NO_PROGRAM = 97
"""The exit status of `COMMAND` when no whole program came on its stdin."""
# rc files that read a line of stdin get an empty one instead of the program; a shell that they `exec` takes stdin for
# its commands, and the first is to read the program as it should be read (those that read ahead, as dash, cannot).
_FOR_RC_FILES = b"\n" * 4 + COMMAND.encode() + b"\n"


def quote(text: str) -> str:
    """The one way for a value into a command line of /bin/sh: as a single word, whatever is in it."""
    return shlex.quote(text)


def quoted(words: Iterable[str]) -> str:
    """Several words, each as it is."""
    return " ".join(quote(word) for word in words)


def check_line(digest: str, name: bytes) -> bytes:
    """A line as sha256sum(1) writes and reads it: a backslash in front says that the name has escapes."""
    escaped = name.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\r", b"\\r")
    return (b"" if escaped == name else b"\\") + digest.encode() + b"  " + escaped + b"\n"


@dataclass(frozen=True)
class Program:
    """A program by the names of its files, its variables, and the data that it reads from stdin after itself.

    `shell` is more of the program: functions that a scheduler's module supplies. `data` yields bytes; it may be
    iterated again when the program is sent again.

    `most` is how many bytes its answer may have, by what is asked; more is not understood (None: it is passed on as it
    comes, and may be any). `within` are bounds of single sections.
    """

    parts: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    shell: str = ""
    data: Iterable[bytes] = ()
    most: int | None = 1 << 20
    within: Mapping[str, int] = field(default_factory=dict)

    def text(self, mark: str, environment: str, setup: Iterable[str], clients: Mapping[str, str]) -> bytes:
        """The whole program, whose answer has this mark.

        `environment` is the login environment that an earlier program brought, or empty; `clients` are what describe.sh
        has to know of the schedulers' commands.
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
    """The setup's lines, and between them what makes each tell its exit status on stderr, in sh as in csh."""
    tell = """/bin/sh -c 'printf "\\n%s=%s\\n" "$submithost_mark" "$0" >&2' """
    for line in setup:
        yield from (f"{tell}setup", line, f"{tell}$?")


def setup_troubles(errors: str, mark: str, setup: Iterable[str]) -> Iterator[tuple[str, str, str]]:
    """The setup lines that failed or said something on stderr: line, exit status, what it said.

    The status is empty when the line ended the shell: csh does that wherever something is wrong.
    """
    found = re.findall(rf"^{mark}=setup\n(.*?)(?:\n{mark}=(\d+)$|\Z)", errors, re.M | re.S)
    for line, (said, status) in zip(setup, found, strict=False):
        if status != "0" or said.strip():
            yield line, status, said.strip()


def new_nonce() -> str:
    """What nothing else on the login node is called by."""
    return secrets.token_hex(16)


def new_mark() -> str:
    """What marks one program's answer: nothing that a cluster prints can look like it. It is a secret,
    and can be told from other random words by its first letter.
    """
    return f"m{secrets.token_hex(20)}"


@dataclass
class Reply:
    """One section of an answer: what a command on the login node said, and its exit status (None: it has none)."""

    out: bytes = b""
    err: bytes = b""
    status: int | None = None

    @property
    def text(self) -> str:
        """stdout as text: login nodes do not always speak UTF-8 (L9)."""
        return self.out.decode("utf-8", "replace")

    @property
    def exact(self) -> str:
        """stdout as text that goes back as the bytes it was: for paths, and for what a shell is to evaluate."""
        return self.out.decode("utf-8", "surrogateescape")

    @property
    def names(self) -> bytes:
        """What came indented, as it was (prelude.sh, `indent`)."""
        return self.out.removeprefix(b" ").replace(b"\n ", b"\n")

    @property
    def errors(self) -> str:
        """stderr as text."""
        return self.err.decode("utf-8", "replace")

    def read(self, parse: Callable[[int, str, str], T]) -> T:
        """What a scheduler's parser makes of it; without an exit status it has failed. Raises as `parse` does."""
        return parse(1 if self.status is None else self.status, self.text, self.errors)


class TooMuch(Exception):
    """An answer is more than what was asked can have."""


# What a section costs by itself, in bytes; and the longest name of one.
_SECTION = 512
_LONGEST_NAME = 80


class Sections:
    """Cut a stream into named sections at its marks; whatever precedes the first mark is a login's `noise`.

    A mark is `\\n@MARK NAME\\n`: its first newline is its own, since a text before it may lack a last one. `size` is
    what has come in sections so far.
    """

    def __init__(self, mark: str, most: int | None = None, within: Mapping[str, int] | None = None) -> None:
        self._most, self._within = most, within or {}
        self.size = self._of_this = 0
        self._mark = f"\n@{mark} ".encode()
        self._rest = b""
        self._name = ""
        self.noise = b""

    def feed(self, data: bytes) -> Iterator[tuple[str, bytes]]:
        """Yield (section, bytes) as they come; an empty piece tells that a section begins.

        Raises TooMuch when there is more of all, or of one section, than there can be.
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
        """Give away a part of the rest."""
        piece = self._rest[start:end]
        if piece and self._name:
            self._count(len(piece))
            yield self._name, piece
        elif piece:
            self.noise = (self.noise + piece)[:4096]

    def _possible_mark(self, start: int) -> int:
        """Where at the end of the rest a mark may have begun."""
        at = self._rest.rfind(b"\n", start)
        return at if at >= 0 and self._mark.startswith(self._rest[at:]) else len(self._rest)
