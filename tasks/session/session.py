"""One session with one cluster: programs that run on the login node and answer in sections.

Connections that break are made again, since every program may be sent again.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TypeVar

from ..login_node import COMMAND, Program, Sections, TooMuch, envelope, new_mark
from ..model.cluster import Cluster
from ..model.errors import (
    ConnectionLost,
    HostKeyRefused,
    InvalidInput,
    LoginRefused,
    SchedulerError,
    Unreachable,
)
from ..model.listener import Listener, Quiet
from ..model.wording import one_line
from .answers import Answer, Answers, Section
from .environment import Environment
from .login_shell import InTheWay, watched
from .transport import Passed, Transport, lost

# Seconds of silence after which a login node is taken for dead. Programs that run longer say something every second.
SILENCE = 120.0
_TRIES = 4
# Seconds without any progress after which work that is worth waiting for is given up.
GIVE_UP = 180.0
# The longest pause between two tries, in seconds: somebody is waiting.
LONGEST_PAUSE = 10.0
# The most bytes of one answer that are kept in memory, and how many the login environment may add.
_MOST = 96 << 20
_LOGIN = 4 << 20
# Sections that the session itself reads.
_OWN = ("begin", "environment", "refused")
T = TypeVar("T")


class Session:
    """The way to one cluster over a transport: `ask` a program and have its answer, or `follow` one that goes on."""

    def __init__(self, cluster: Cluster, transport: Transport, listener: Listener | None = None) -> None:
        self.cluster = cluster
        self.transport = transport
        self.listener = listener or Quiet()
        self.environment = Environment(cluster, self.listener)
        self.endurance = 0.0  # seconds to go on trying when the network is down
        self._reached = False
        self._answered = False
        self._logging_in = threading.Lock()  # threads that use one session log in once

    @property
    def name(self) -> str:
        """The name of the cluster."""
        return self.cluster.name

    @property
    def reached(self) -> bool:
        """Whether the cluster was logged in to at least once."""
        return self._reached

    def clients(self) -> Mapping[str, str]:
        """What describe.sh needs to know of a scheduler's commands; a plain session has no scheduler."""
        return {}

    def ask(self, program: Program, silence: float = SILENCE) -> Answer:
        """Run `program` on the login node; return its whole answer.

        Raises ConnectionLost when no try brought a whole answer, Unreachable and its subclasses when there was no
        connection at all. Either way, the program may or may not have run.
        """
        return self.persist(lambda: Answer(dict(self._sections(program, silence))))

    def must(self, program: Program, silence: float = SILENCE) -> Answer:
        """As `ask`; raises SchedulerError, with the reason, when the program refuses."""
        answer = self.ask(program, silence)
        if "refused" in answer:
            raise SchedulerError(f"{self.name}: {answer.text('refused')}")
        return answer

    def follow(self, program: Program, silence: float = SILENCE) -> Generator[Section, None, None]:
        """Run `program` and yield each section once it is complete, until the program ends.

        Raises ConnectionLost as soon as the connection breaks: only the caller knows where to resume.
        """
        return self._sections(program, silence, passing=True)

    def persist(self, attempt: Callable[[], T]) -> T:
        """Return what `attempt` returns, trying again when the connection breaks. Raises as `ask`."""
        broke, tries = 0.0, 0
        while True:
            tries += 1
            try:
                return attempt()
            except (HostKeyRefused, LoginRefused):
                raise
            except Unreachable as error:
                # Wait only for a cluster that was reached before; one that never was is not going to be.
                broke = broke or time.monotonic()
                if not self._reached or (tries >= _TRIES and time.monotonic() - broke >= self.endurance):
                    raise
                pause = min(back_off(tries), LONGEST_PAUSE)
                self.listener.say(one_line(f"{error}; trying again in {pause:.0f} s", 1000))
                time.sleep(pause)

    def stream(self, program: Program, wanted: str, silence: float = SILENCE) -> Iterator[bytes]:
        """Run `program` and yield the bytes of its section `wanted` as they come. Raises as `pieces` does."""
        return (piece for name, piece in self.pieces(program, silence) if name == wanted and piece)

    def pieces(self, program: Program, silence: float = SILENCE) -> Generator[tuple[str, bytes], None, None]:
        """Run `program` and yield the bytes of its sections as they come; an empty piece begins a section.

        Raises as `follow` does, and SchedulerError, with the reason, when the program refuses.
        """
        mark = new_mark()
        sections, ended, refused = Sections(mark, _with_login(program.most), program.within), False, b""
        with self._running(program, mark, silence) as pieces:
            for out, _ in pieces:
                for name, piece in sections.feed(out):
                    refused += piece if name == "refused" and len(refused) < 4096 else b""
                    ended = ended or name == "end"
                    if name not in _OWN:
                        yield name, piece
        if refused:
            raise SchedulerError(f"{self.name}: {refused.decode('utf-8', 'replace').strip()}")
        if not ended:
            raise self._not_whole()

    def _sections(self, program: Program, silence: float, *, passing: bool = False) -> Generator[Section, None, None]:
        """One try: run the program, and read up to its last section."""
        mark = new_mark()
        most = _with_login(min(_MOST, program.most or _MOST))
        answers = Answers(mark, most, program.within, passing=passing)
        with self._running(program, mark, silence) as pieces:
            for out, err in pieces:
                for name, reply in answers.feed(out, err):
                    if name == "begin":
                        self.environment.begun(reply, answers.noise, mark)
                    elif name == "environment":
                        self.environment.came(reply)
                    elif name == "end":
                        self._answered = True
                        return
                    else:
                        yield name, reply
        raise self._not_whole()

    @contextmanager
    def _running(self, program: Program, mark: str, silence: float) -> Iterator[Iterator[tuple[bytes, bytes]]]:
        """The program's output, as it comes. Raises ConnectionLost for whatever breaks."""
        environment = self.environment.text
        beginning = f"\n@{mark} {'begin' if environment else 'environment'}\n".encode()
        try:
            transport = self.ready()
            text = program.text(mark, environment, self.cluster.setup, self.clients())
            with closing(transport.run(COMMAND, _stdin(envelope(text, mark), program))) as running:
                yield watched(running, silence, beginning, self.name, self.listener)
        except ConnectionLost:
            self.close()
            raise
        except TooMuch:
            self.close()
            raise SchedulerError(f"{self.name}: the answer is not understood: it goes on and on") from None
        except InTheWay as reason:
            what = f"{self.name}: the login shell on the login node is in the way: {reason}"
            # A login shell that worked before will work again: it was killed, or its file system hangs.
            raise (ConnectionLost if self._answered else LoginRefused)(what) from None

    def _not_whole(self) -> ConnectionLost:
        """The error for an answer without its end. Logs out, so the next program logs in anew."""
        self.close()
        return lost(self.name, "its answer is not whole")

    def ready(self) -> Transport:
        """The transport, logged in. Raises Unreachable and its subclasses, and InvalidInput."""
        with self._logging_in:
            if not self.transport.alive:
                self.transport.log_in()
                self._reached = True
        return self.transport

    def reach(self, passed: Passed) -> None:
        """Log in anew, and run nothing; `passed` is told each step. Raises as `ready`."""
        self.close()
        self.environment.text = ""
        self.transport.log_in(passed)
        self._reached = True

    def close(self) -> None:
        """Log out; the next program logs in again."""
        self.transport.log_out()


def _stdin(head: bytes, program: Program) -> Iterator[bytes]:
    """A program and its data. An OSError in here comes from a local file, never from the transport."""
    yield head
    try:
        yield from program.data
    except OSError as error:
        what = error.strerror or str(error)
        raise InvalidInput(f"cannot read {error.filename}: {what}" if error.filename else what) from None


def _with_login(most: int | None) -> int | None:
    return None if most is None else most + _LOGIN


def back_off(tries: int) -> float:
    """Seconds to wait after so many failed tries: doubled each time up to a minute, and never the same for all."""
    return min(60.0, 2.0 ** (tries - 1)) * random.uniform(0.75, 1.25)  # noqa: S311  # no secret depends on it
