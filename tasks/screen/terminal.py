"""The person at the terminal: /dev/tty, so that pipes and redirections of the command line stay what they are."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# What processes that share this terminal lock while one of them has it (share).
_lock: int | None = None
_depth = 0
_threads = threading.RLock()


def share() -> None:
    """From now on processes that are forked off and this one take turns: see `turn`."""
    global _lock
    if _lock is None:
        with tempfile.TemporaryFile() as file:
            _lock = os.dup(file.fileno())


@contextmanager
def turn() -> Iterator[None]:
    """Have the terminal to oneself: question and answer of one cluster, no line of another in between."""
    global _depth
    if _lock is None:
        with _threads:
            yield
        return
    if not _depth:
        fcntl.lockf(_lock, fcntl.LOCK_EX)  # a process's own, and gone with it
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        if not _depth:
            fcntl.lockf(_lock, fcntl.LOCK_UN)


def present() -> bool:
    """Is there a terminal to ask on?"""
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True


def ask(prompt: str, *, echo: bool = False) -> str:
    """Show a prompt, return the line that is typed, without its end. Raises OSError without a terminal."""
    descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    with turn(), open(descriptor, "r+b", buffering=0) as tty:
        before = termios.tcgetattr(descriptor)
        quiet = list(before)
        quiet[3] &= ~termios.ECHO
        # What was typed ahead is dropped (TCSAFLUSH): it was not meant as an answer.
        termios.tcsetattr(descriptor, termios.TCSAFLUSH, before if echo else quiet)
        try:
            tty.write(printable(prompt).encode())
            line = tty.readline()
        finally:
            termios.tcsetattr(descriptor, termios.TCSANOW, before)
            if not echo:
                with contextlib.suppress(OSError):
                    tty.write(b"\n")
    return line.rstrip(b"\r\n").decode(errors="surrogateescape")


@contextlib.contextmanager
def left_as_it_was() -> Iterator[None]:
    """Threads may ask in here: one that is left behind by Ctrl-C cannot give back what is typed its echo."""
    try:
        tty = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    except OSError:
        yield
        return
    try:
        before = termios.tcgetattr(tty)
        try:
            yield
        finally:
            termios.tcsetattr(tty, termios.TCSANOW, before)
    finally:
        os.close(tty)


def show(text: str) -> None:
    """Show a text of the server's, as lines. Raises OSError without a terminal."""
    with turn(), open(os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY), "wb", buffering=0) as tty:
        tty.write(("\n".join(printable(line) for line in text.splitlines()) + "\n").encode())


def printable(text: str) -> str:
    """A server's words must not steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
