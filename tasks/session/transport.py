"""What a session needs of a way to the login node: run one constant command line, log in, log out, be alive.

A transport knows nothing of jobs, schedulers or our programs. To add one, derive it from `Transport`, implement what is
abstract, and hand it to a session: nothing else has to change. Its errors are those of model/errors:

    InvalidInput     the user's own configuration of it (ssh_config, a key file) cannot be used
    Unreachable      the login node cannot be reached
    HostKeyRefused   it is not known, or not the known one
    LoginRefused     it does not let us in
    ConnectionLost   whatever breaks afterwards; `lost` words it

Of these a session tries ConnectionLost and plain Unreachable again, by logging in anew.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ..model.errors import ConnectionLost

Passed = Callable[[str, str], None]
"""Is told each step of a login that is behind it: `name`, `port`, `host key` or `login`, and what to say of it."""


def _untold(step: str, detail: str) -> None:
    """Nobody wants to know."""


class Running(Protocol):
    """A command that runs on the login node, and reads stdin there."""

    @abstractmethod
    def pieces(self, silence: float) -> Iterator[tuple[bytes, bytes]]:
        """Yield what comes on stdout and on stderr, as it comes, until the command has ended or closed both.

        Yields at least once a second, an empty pair where nothing came. Raises ConnectionLost as soon as the connection
        is broken or the other end known to be dead, and when for `silence` seconds nothing came and nothing was sent;
        and what `stdin` raised, if that is a SubmithostError.
        """

    @abstractmethod
    def exit_status(self) -> int | None:
        """After the last piece: the command's exit status. None: it has none, for a signal ended it or the connection
        broke."""

    @abstractmethod
    def close(self) -> None:
        """Do not read on, whether the command has ended or not; it is told by its closed stdin and stdout."""


class Transport(Protocol):
    """The way to one login node. Commands that threads of their own started may run at the same time."""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether it is logged in, as far as is known here: False once the connection has broken."""

    @abstractmethod
    def log_in(self, passed: Passed = _untold) -> None:
        """Log in; prompts are its own affair. Called when it is not `alive`, the first time and later ones."""

    @abstractmethod
    def log_out(self) -> None:
        """Let go of everything. Raises nothing, whatever state it is in."""

    @abstractmethod
    def run(self, command: str, stdin: Iterable[bytes]) -> Running:
        """Start `command`, which the login shell reads: it is the same each time, so no value is ever part of it.

        Its stdin are the pieces of `stdin`, which is iterated while the answer is read (neither waits for the other),
        and closed after the last one. It leads a process group, as sshd has it. The login environment is not needed.
        """

    def sftp_trouble(self) -> str | None:
        """What is wrong with SFTP on the login node, for `check` alone; empty: nothing. None: it cannot be told."""
        return None


def lost(cluster: str, error: object) -> ConnectionLost:
    """The error of a connection that broke, by what is known of the reason."""
    return ConnectionLost(f"{cluster}: the connection broke: {str(error) or type(error).__name__}")
