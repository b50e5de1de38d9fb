"""What comes before a program of ours: the login shell, whose rc files may print, be slow, or be in the way."""

from __future__ import annotations

import time
from collections.abc import Iterator

from ..login_node import NO_PROGRAM
from ..model.listener import Listener
from ..model.wording import one_line
from .transport import Running

_TELL = 5.0  # seconds until a line says what is being waited for
# Seconds that rc files may take: with a slow file system some are slow.
PATIENCE = 120.0
# Bytes that they may print.
_MOST = 32 << 20


class InTheWay(Exception):
    """The login shell never got as far as our program; the message says why."""


def watched(
    running: Running, silence: float, mark: bytes, name: str, listener: Listener
) -> Iterator[tuple[bytes, bytes]]:
    """The pieces of stdout and stderr as they come. Once `mark` is on stdout, the login shell is done.

    Raises InTheWay when the login shell ends without it, takes too long, or prints too much; and what `running` raises.
    """
    began, told, noise, seen, size = time.monotonic(), False, [b"", b""], b"", 0
    passed = False
    for out, err in running.pieces(silence):
        if not passed:
            seen = seen[-len(mark) :] + out
            passed = mark in seen
            noise = [(before + new)[-4096:] for before, new in zip(noise, (out, err), strict=True)]
            lasted = time.monotonic() - began
            size += len(out) + len(err)
            if not passed and size > _MOST:
                raise InTheWay(f"its rc files do not stop printing{last_words(noise)}")
            if not passed and lasted > PATIENCE:
                raise InTheWay(f"its rc files have not ended after {lasted:.0f} s{last_words(noise)}")
            if not passed and not told and lasted > _TELL:
                listener.say(f"{name}: waiting for the login shell on the login node and its rc files ...")
                told = True
        yield out, err
    if not passed and (status := running.exit_status()) is not None:
        raise InTheWay(_reason(status, noise))


def _reason(status: int, noise: list[bytes]) -> str:
    if status == NO_PROGRAM:
        why = "its rc files take our standard input away (they read it, or `exec` another shell)"
    else:
        why = f"it ends, with exit status {status}, before it runs anything of ours{last_words(noise)}"
    return f"{why}: in ~/.bashrc, ~/.cshrc and the like, what only a person needs belongs behind a test for one"


def last_words(noise: list[bytes]) -> str:
    """The last line on stderr, or else on stdout, that is not one of our marks."""
    for stream in reversed(noise):
        lines = stream.decode("utf-8", "replace").splitlines()
        if said := [line for line in lines if line.strip() and not line.startswith("@")]:
            return f", and says '{one_line(said[-1])}'"
    return ""
