"""The channel of a command that runs on the login node: one thread writes its stdin, another reads its output."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

from ...model.errors import SubmithostError
from .alive import SteadyTransport

# What paramiko puts into one packet. Given more, it copies all the rest again for each packet.
PACKET = 32768 - 64
# As much as may be under way to us, so that one read takes all there is: paramiko moves what it leaves to the front
# each time.
WINDOW = 2 << 20


def begin(channel: paramiko.Channel, command: str) -> None:
    """Start a command on the login node as `exec_command` does, but without waiting to hear that it runs.

    A server that refuses closes the channel. Raises SSHException and OSError when the connection is gone.
    """
    assert channel.transport
    request = paramiko.Message()
    request.add_byte(cMSG_CHANNEL_REQUEST)
    request.add_int(channel.remote_chanid)
    request.add_string("exec")
    request.add_boolean(True)
    request.add_string(command)
    channel.transport._send_user_message(request)  # type: ignore[attr-defined]  # as every method of Channel does


class Sender(threading.Thread):
    """Writes stdin, and closes it, while the answer is read: neither waits for the other.

    `failure` is what stdin itself raised (a local file cannot be read); a channel that broke is seen where the answer
    is read. `active` is when a piece went out last.
    """

    def __init__(self, channel: paramiko.Channel, stdin: Iterable[bytes]) -> None:
        super().__init__(daemon=True)
        self._channel, self._stdin = channel, stdin
        self.active = time.monotonic()
        self.failure: SubmithostError | None = None

    def run(self) -> None:
        with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
            try:
                for piece in self._stdin:
                    self._send(piece)
                self._channel.shutdown_write()
            except SubmithostError as error:
                self.failure = error
                self._channel.close()  # the reader may have closed the connection by now

    def _send(self, data: bytes) -> None:
        for at in range(0, len(data), PACKET):
            rest = data[at : at + PACKET]
            while rest:
                # The reader of the answer has set a short timeout; the login node may take longer to read what we send.
                with contextlib.suppress(TimeoutError):
                    sent = self._channel.send(rest)
                    if not sent:
                        raise EOFError
                    rest = rest[sent:]
                    self.active = time.monotonic()


def receive(channel: paramiko.Channel, sender: Sender, silence: float) -> Iterator[tuple[bytes, bytes]]:
    """What comes on stdout and stderr, until the channel closes.

    Raises OSError after `silence` seconds in which the program said nothing, or as soon as the other end is dead; and
    the sender's own failure. Seconds are counted here: whoever was stopped (Ctrl-Z, a laptop asleep) has missed none.
    """
    channel.settimeout(1.0)
    transport = channel.get_transport()
    assert isinstance(transport, SteadyTransport)
    before: tuple[float, float] = (0.0, 0.0)
    quiet = unheard = 0
    ended = False
    while not ended:
        out = err = b""
        try:
            out = channel.recv(WINDOW)
            ended = not out  # and nothing more comes on stderr either: they end together
        except TimeoutError:
            quiet, unheard = quiet + 1, unheard + 1
        while channel.recv_stderr_ready():
            err += channel.recv_stderr(WINDOW)
        now = (sender.active, transport.heard)
        quiet = 0 if out or err or now[0] != before[0] else quiet
        unheard = 0 if now[1] != before[1] else unheard
        before = now
        if sender.failure:
            raise sender.failure
        if unheard > transport.patience:
            raise OSError(f"no sign of life for {unheard} s")
        if quiet > silence:
            raise OSError(f"no answer for {quiet} s")
        yield out, err
