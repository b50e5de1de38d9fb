"""The person at the terminal: /dev/tty, whatever the command line's pipes and redirections."""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
import termios
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Locked by the process whose turn it is at the terminal (see `share`).
_lock: int | None = None
_depth = 0
_threads = threading.RLock()


def share() -> None:
    """From now on this process and those that it forks take turns (see `turn`)."""
    global _lock
    if _lock is None:
        with tempfile.TemporaryFile() as file:
            _lock = os.dup(file.fileno())


@contextmanager
def turn() -> Iterator[None]:
    """Have the terminal to oneself: between question and answer of one cluster comes no line of another."""
    global _depth
    if _lock is None:
        with _threads:
            yield
        return
    if not _depth:
        fcntl.lockf(_lock, fcntl.LOCK_EX)  # it belongs to the process, and ends with it
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
    """Show a prompt, and return the line that is typed. Raises OSError without a terminal."""
    descriptor = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
    with turn(), open(descriptor, "r+b", buffering=0) as tty:
        before = termios.tcgetattr(descriptor)
        quiet = list(before)
        quiet[3] &= ~termios.ECHO
        # Drop what was typed before (TCSAFLUSH): it was not meant as an answer.
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


def agrees(question: str) -> bool:
    """Whether the person at the terminal answers yes. Raises OSError without a terminal."""
    return ask(f"{question} [y/N] ", echo=True).strip().lower() in ("y", "yes")


@contextlib.contextmanager
def left_as_it_was() -> Iterator[None]:
    """Restore the terminal after a block whose threads may ask: a thread that Ctrl-C leaves behind cannot."""
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
    """Show a server's text, as lines. Raises OSError without a terminal."""
    with turn(), open(os.open("/dev/tty", os.O_WRONLY | os.O_NOCTTY), "wb", buffering=0) as tty:
        tty.write(("\n".join(printable(line) for line in text.splitlines()) + "\n").encode())


def printable(text: str) -> str:
    """Replace whatever could steer the terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
