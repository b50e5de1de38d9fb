"""One channel, while a program runs over there: its stdin is written by a thread, what it says is read."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator

import paramiko

from ..login_node import Program
from ..model.errors import SubmithostError

# What paramiko puts into one packet. Of more it sends so much and copies all the rest, for each packet again.
PACKET = 32768 - 64
# As much as may be under way to us, so that one read takes all there is: of more, paramiko moves what is left to the
# front each time.
WINDOW = 2 << 20


class Sender(threading.Thread):
    """Writes a program and its data, and closes stdin, while the answer is read: neither waits for the other.

    `failure` is what the data itself went wrong with (a local file that cannot be read); a channel that broke is
    seen where the answer is read. `active` is when a piece went out last.
    """

    def __init__(self, channel: paramiko.Channel, head: bytes, program: Program) -> None:
        super().__init__(daemon=True)
        self._channel, self._head, self._program = channel, head, program
        self.active = time.monotonic()
        self.failure: SubmithostError | None = None

    def run(self) -> None:
        try:
            self._send(self._head)
            for piece in self._program.data:
                self._send(piece)
            self._channel.shutdown_write()
        except SubmithostError as error:
            self.failure = error
            self._channel.close()
        except (paramiko.SSHException, OSError, EOFError):
            pass

    def _send(self, data: bytes) -> None:
        for at in range(0, len(data), PACKET):
            rest = data[at : at + PACKET]
            while rest:
                # Whoever reads the answer has set a short timeout; over there it may take longer to look at what came.
                with contextlib.suppress(TimeoutError):
                    sent = self._channel.send(rest)
                    if not sent:
                        raise EOFError
                    rest = rest[sent:]
                    self.active = time.monotonic()


def receive(channel: paramiko.Channel, sender: Sender, silence: float) -> Iterator[tuple[bytes, bytes]]:
    """What comes on stdout and stderr, until the channel closes.

    Raises OSError after `silence` seconds in which nothing moved, and the sender's own failure.
    """
    channel.settimeout(1.0)
    heard = time.monotonic()
    ended = False
    while not ended:
        out = err = b""
        try:
            out = channel.recv(WINDOW)
            ended = not out  # and nothing more comes on stderr either: they end together
        except TimeoutError:
            pass
        while channel.recv_stderr_ready():
            err += channel.recv_stderr(WINDOW)
        if out or err:
            heard = time.monotonic()
        elif sender.failure:
            raise sender.failure
        elif time.monotonic() - max(heard, sender.active) > silence:
            raise OSError(f"no answer for {silence:.0f} s")
        yield out, err
