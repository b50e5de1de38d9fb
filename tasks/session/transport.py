"""What a session needs from a way to the login node: log in, log out, say whether it is alive, run one command line.

A transport knows nothing of jobs, schedulers or our programs. To add one, derive it from `Transport`, implement what is
abstract, and hand it to a session: nothing else has to change. Its errors are those of model/errors:

    InvalidInput     the user's configuration (ssh_config, a key file) cannot be used
    Unreachable      the login node cannot be reached
    HostKeyRefused   its host key is not known, or not the known one
    LoginRefused     it does not let us in
    ConnectionLost   whatever breaks afterwards; `lost` words it

After ConnectionLost and plain Unreachable a session logs in and tries again.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ..model.errors import ConnectionLost

Passed = Callable[[str, str], None]
"""Called after each step of a login, with its name (`name`, `port`, `host key` or `login`) and what to say of it."""


def _untold(step: str, detail: str) -> None:
    """For those who do not want to be told."""


class Running(Protocol):
    """A command that is running on the login node."""

    @abstractmethod
    def pieces(self, silence: float) -> Iterator[tuple[bytes, bytes]]:
        """Yield (stdout, stderr) as they come, until the command has ended or closed both.

        Yields at least once a second, an empty pair if nothing came. Raises ConnectionLost as soon as the connection is
        known to be broken or the other end dead, and after `silence` seconds in which nothing came and nothing was
        sent; and what `stdin` raised, if that is a SubmithostError.
        """

    @abstractmethod
    def exit_status(self) -> int | None:
        """The command's exit status, to be asked for after the last piece. None: a signal ended it, or the connection
        broke."""

    @abstractmethod
    def close(self) -> None:
        """Stop reading, whether the command has ended or not: its stdin and stdout are closed."""


class Transport(Protocol):
    """The way to one login node. Several commands may run at once, each in its own thread."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether it is logged in, as far as is known here; False once the connection has broken."""

    @abstractmethod
    def log_in(self, passed: Passed = _untold) -> None:
        """Log in, asking the user for what is needed. Called whenever it is not `alive`."""

    @abstractmethod
    def log_out(self) -> None:
        """Let go of everything, whatever the state. Raises nothing."""

    @abstractmethod
    def run(self, command: str, stdin: Iterable[bytes]) -> Running:
        """Start `command`, which the login shell reads. It is always the same, so no value is ever part of it.

        `stdin` is iterated while the answer is read (neither waits for the other), and closed after its last piece.
        The command leads a process group of its own, as under sshd. It does not need the login environment.
        """

    def sftp_trouble(self) -> str | None:
        """What is wrong with SFTP on the login node (empty: nothing; None: unknown). Only `check` asks."""
        return None


def lost(cluster: str, error: object) -> ConnectionLost:
    """The error for a broken connection, with its cause."""
    return ConnectionLost(f"{cluster}: the connection broke: {str(error) or type(error).__name__}")
