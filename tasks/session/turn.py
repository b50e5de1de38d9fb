"""One login at a time to each host, whichever of this user's processes it is: sshd drops a crowd (L3, MaxStartups)."""

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
    """Let others log in first who have begun, but wait for no more than `patience` seconds: one may be at a prompt.

    Where no lock can be kept, nobody waits. The system gives a lock back when its process ends, however it does.
    """
    lock = _open(f"{host}:{port}")
    try:
        deadline = time.monotonic() + patience
        while lock is not None and _is_taken(lock) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield
    finally:
        if lock is not None:
            os.close(lock)


def _open(name: str) -> int | None:
    directory = user_state_path("submithost") / "logins"
    with contextlib.suppress(OSError):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(directory / quote(name, safe=":"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    return None


def _is_taken(lock: int) -> bool:
    """Whether somebody else has it; if not, it is ours from now on."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:  # a file system without locks
        return False
    return False
