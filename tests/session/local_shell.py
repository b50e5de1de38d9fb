"""A transport in one file: the login node is this machine, and /bin/sh is the way to it."""

from __future__ import annotations

import contextlib
import os
import pwd
import selectors
import subprocess
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from tasks.model.errors import SubmithostError
from tasks.session.transport import Passed, Running, Transport, lost


def logged_in(home: Path, **more: str) -> dict[str, str]:
    """The environment of somebody who has logged in to this machine."""
    me = pwd.getpwuid(os.getuid()).pw_name
    return {"HOME": str(home), "USER": me, "LOGNAME": me, "SHELL": "/bin/sh", "PATH": os.environ["PATH"], **more}


class LocalShell(Transport):
    """`environment` is that of whoever has logged in: HOME, SHELL, and what the scheduler's commands need."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = dict(environment)
        self.logins = 0
        self.commands: set[str] = set()
        self._alive = False

    @property
    def alive(self) -> bool:
        return self._alive

    def log_in(self, passed: Passed = lambda *_: None) -> None:
        self.logins += 1
        self._alive = True

    def log_out(self) -> None:
        self._alive = False

    def run(self, command: str, stdin: Iterable[bytes]) -> Running:
        self.commands.add(command)
        return _Process(command, self.environment, stdin)


class _Process(Running):
    def __init__(self, command: str, environment: Mapping[str, str], stdin: Iterable[bytes]) -> None:
        self._process = subprocess.Popen(
            [environment["SHELL"], "-c", command], cwd=environment["HOME"], env=environment, bufsize=0,
            start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        self._failure: SubmithostError | None = None
        self._writer = threading.Thread(target=self._write, args=(stdin,), daemon=True)
        self._writer.start()

    def _write(self, stdin: Iterable[bytes]) -> None:
        assert self._process.stdin
        with contextlib.suppress(BrokenPipeError), self._process.stdin as pipe:
            try:
                for piece in stdin:
                    while piece:
                        piece = piece[pipe.write(piece) :]
            except SubmithostError as error:
                self._failure = error

    def pieces(self, silence: float) -> Iterator[tuple[bytes, bytes]]:
        streams = self._process.stdout, self._process.stderr
        with selectors.DefaultSelector() as selector:
            for stream in filter(None, streams):
                selector.register(stream, selectors.EVENT_READ)
            heard = time.monotonic()
            while selector.get_map():
                came = dict.fromkeys(streams, b"")
                for key, _ in selector.select(timeout=1):
                    came[key.fileobj] = os.read(key.fd, 1 << 16)  # type: ignore[index]  # one of the two
                    if not came[key.fileobj]:  # type: ignore[index]  # the same
                        selector.unregister(key.fileobj)
                if self._failure:
                    raise self._failure
                now = time.monotonic()
                heard = now if any(came.values()) or self._writer.is_alive() else heard
                if now - heard > silence:
                    raise lost("this machine", f"no answer for {silence:.0f} s")
                yield came[streams[0]], came[streams[1]]

    def exit_status(self) -> int | None:
        status = self._process.wait()
        return status if status >= 0 else None

    def close(self) -> None:
        for stream in (self._process.stdout, self._process.stderr):
            if stream:
                stream.close()
        self._process.wait()
        self._writer.join()
