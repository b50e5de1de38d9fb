"""One login at a time to each host, among all of this user's processes: sshd drops a crowd (L3, MaxStartups)."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from platformdirs import user_state_path


@contextmanager
def turn(host: str, port: int, patience: float) -> Iterator[None]:
    """Let others log in first, but wait at most `patience` seconds for each: it may be waiting at a prompt.

    Where no lock can be made, nobody waits. The system releases the lock of a process that ends, however it ends.
    """
    lock = _open(f"{host}:{port}")
    try:
        if lock is not None:
            _wait(lock, patience)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _open(name: str) -> int | None:
    directory = user_state_path("submithost") / "logins"
    with contextlib.suppress(OSError):
        for folder in (directory.parent, directory):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        file = directory / quote(name, safe=":", errors="surrogateescape")
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return None


def _wait(lock: int, patience: float) -> None:
    """The file's time tells when the lock changed hands: each holder has `patience` seconds."""
    holder, deadline = -1, 0.0
    while _is_taken(lock):
        if holder != (holder := os.fstat(lock).st_mtime_ns):
            deadline = time.monotonic() + patience
        if time.monotonic() > deadline:
            return
        time.sleep(0.02)
    os.utime(lock)


def _is_taken(lock: int) -> bool:
    """Whether somebody else has the lock; if not, we have it now."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False
