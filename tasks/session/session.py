"""One verified connection to one cluster; programs that run over there and answer in sections.

Connections that break are made again, since every program may be sent again.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import paramiko
from fabric.connection import Connection

from ..login_node import COMMAND, Program, Reply, Sections, TooMuch, envelope, new_mark, setup_troubles
from ..model.cluster import Cluster
from ..model.errors import ConnectionLost, HostKeyRefused, LoginRefused, SchedulerError, Unreachable
from ..model.ledger import Ledger
from ..model.listener import Listener, Quiet
from ..model.wording import one_line
from ..schedulers import MOST_OF_A_QUEUE, Scheduler, assumed, clients, known, scheduler
from .answers import Answers
from .fabric import sftp
from .fabric.alive import Transport
from .fabric.channel import Sender, begin, receive
from .fabric.connection import connect
from .login_shell import InTheWay, last_words, watched

# A login node that says nothing for that long, in seconds, is taken for dead. The programs that go on for longer say
# something every second.
SILENCE = 120.0
_TRIES = 4
# Seconds without any progress after which the cluster counts as gone, for work that is worth waiting.
GIVE_UP = 180.0
# Seconds between two tries: somebody waits for this work.
LONGEST_PAUSE = 10.0
# Bytes of one answer that is kept in memory, whatever its program says, and of what comes with the login environment.
_MOST = 96 << 20
_LOGIN = 4 << 20
# Sections that are for the session itself.
_OWN = ("begin", "environment", "refused")
Section = tuple[str, Reply]
T = TypeVar("T")


@dataclass
class Answer:
    """A whole answer: its sections by name (the last one where a name comes twice)."""

    sections: Mapping[str, Reply]

    def __contains__(self, name: str) -> bool:
        return name in self.sections

    def __getitem__(self, name: str) -> Reply:
        return self.sections.get(name, Reply())

    def text(self, name: str) -> str:
        """A section's stdout without its last newline."""
        return self[name].text.rstrip("\n")


class Session:
    """The way to one cluster: `ask` a program and have its answer, or `follow` one that goes on."""

    def __init__(
        self,
        cluster: Cluster,
        identities: Sequence[Path] = (),
        listener: Listener | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        self.cluster = cluster
        self.listener = listener or Quiet()
        self.ledger = ledger or Ledger()
        self.ledger.told = self.listener.say
        self._identities = identities
        self._connection: Connection | None = None
        self._environment = ""
        self._reached = False
        self._answered = False
        self._told: set[str] = set()
        self.passed: Callable[[str, str], None] = lambda *_: None  # is told each step of the next login
        self.endurance = 0.0  # seconds for which a network that has gone is waited for, though a few tries do not help
        self.noise = b""  # what the login shell's rc files printed first
        self.failed_setup: list[str] = []  # which lines of `setup` failed, and how
        self._scheduler: Scheduler | None = None

    @property
    def name(self) -> str:
        """The cluster's."""
        return self.cluster.name

    @property
    def reached(self) -> bool:
        """Whether the cluster was logged in to at least once."""
        return self._reached

    @property
    def scheduler(self) -> Scheduler:
        """The cluster's scheduler: as configured, as remembered, or found out now and told."""
        if not self._scheduler:
            self._scheduler = scheduler(self._known_scheduler() or self._find_out())
        return self._scheduler

    def scheduler_unasked(self) -> Scheduler:
        """The scheduler as far as it is known without asking the cluster; else an assumption, which is told."""
        if not self._known_scheduler():
            print(f"{self.name}: scheduler not known yet, {assumed().name} assumed", file=sys.stderr)
            return assumed()
        return self.scheduler

    def _known_scheduler(self) -> str | None:
        return self.cluster.scheduler or self.ledger.scheduler(self.name)

    def _find_out(self) -> str:
        probes = "; ".join(f"{{ {scheduler(name).probe}; }} >/dev/null 2>&1 && echo {name}" for name in known())
        said = self.ask(Program(("ask",), {"command": probes})).text("answer").split()
        found = [name for name in known() if name in said]
        if not found:
            raise SchedulerError(
                f"{self.name}: no scheduler found in the login environment over there "
                f"(looked for {', '.join(known())}); configure 'setup' or 'scheduler'"
            )
        print(f"{self.name}: found {found[0]}; remembered", file=sys.stderr)
        with self.ledger.leniently():
            self.ledger.remember_scheduler(self.name, found[0])
        return found[0]

    def ask(self, program: Program, silence: float = SILENCE) -> Answer:
        """Run `program` over there; return its whole answer.

        Raises ConnectionLost when it could not be had whole in several tries, Unreachable and its kinds when there is
        no connection at all. Nothing is known of what was asked then.
        """
        return self.persist(lambda: Answer(dict(self._sections(program, silence))))

    def query(self, command: str, parse: Callable[[int, str, str], T], most: int = MOST_OF_A_QUEUE) -> T:
        """Ask the scheduler `command`; return what `parse` makes of it, of so many bytes at most. Raises as `ask` and
        as `parse` do."""
        return self.ask(Program(("ask",), {"command": command}, most=most))["answer"].read(parse)

    def must(self, program: Program, silence: float = SILENCE) -> Answer:
        """As `ask`; raises SchedulerError with the reason of a program that refuses."""
        answer = self.ask(program, silence)
        if "refused" in answer:
            raise SchedulerError(f"{self.name}: {answer.text('refused')}")
        return answer

    def follow(self, program: Program, silence: float = SILENCE) -> Generator[Section, None, None]:
        """Run `program` and yield its sections as they come whole; only a program that has ended ends this.

        Raises ConnectionLost as soon as the connection breaks: the caller knows where to go on.
        """
        return self._sections(program, silence, passing=True)

    def persist(self, attempt: Callable[[], T]) -> T:
        """What `attempt` returns, which asks; tried again where the connection breaks. Raises as `ask`."""
        broke, tries = 0.0, 0
        while True:
            tries += 1
            try:
                return attempt()
            except (HostKeyRefused, LoginRefused):
                raise
            except Unreachable as error:
                # What was never reached is not going to be: only what was there before is waited for.
                broke = broke or time.monotonic()
                if not self._reached or (tries >= _TRIES and time.monotonic() - broke >= self.endurance):
                    raise
                pause = min(back_off(tries), LONGEST_PAUSE)
                print(one_line(f"{error}; trying again in {pause:.0f} s", 1000), file=sys.stderr)
                time.sleep(pause)

    def stream(self, program: Program, wanted: str, silence: float = SILENCE) -> Iterator[bytes]:
        """Run `program` and yield the bytes of its section `wanted` as they come. Raises as `pieces` does."""
        return (piece for name, piece in self.pieces(program, silence) if name == wanted and piece)

    def pieces(self, program: Program, silence: float = SILENCE) -> Generator[tuple[str, bytes], None, None]:
        """Run `program` and yield the bytes of its sections as they come; an empty piece tells that one begins.

        Raises as `follow` does, and SchedulerError with the reason of a program that refuses.
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
            raise self._lost("its answer is not whole")

    def _sections(self, program: Program, silence: float, *, passing: bool = False) -> Generator[Section, None, None]:
        """One try: open a channel, send, and read until the last section."""
        mark = new_mark()
        most = _with_login(min(_MOST, program.most or _MOST))
        answers, login = Answers(mark, most, program.within, passing=passing), Reply()
        with self._running(program, mark, silence) as pieces:
            for out, err in pieces:
                for name, reply in answers.feed(out, err):
                    if name == "begin":
                        login, self.noise = reply, answers.noise
                        self._warn(login.errors, mark)
                    elif name == "environment":
                        self._environment = reply.exact
                        if not reply.out:
                            without = f"ends without a word of its environment{last_words([login.err])}"
                            self._tell_once(f"the login shell over there {without}")
                    elif name == "end":
                        self._answered = True
                        return
                    else:
                        yield name, reply
        raise self._lost("its answer is not whole")

    def _warn(self, errors: str, mark: str) -> None:
        """Tell what `setup` said."""
        for line, status, said in setup_troubles(errors, mark, self.cluster.setup):
            how = {"": "ended the login shell", "0": "said"}.get(status, f"failed with exit status {status}")
            trouble = f"setup '{one_line(line)}' {how}{': ' if said else ''}{one_line(said, 500)}"
            if status != "0" and trouble not in self.failed_setup:
                self.failed_setup.append(trouble)
            self._tell_once(trouble)

    def _tell_once(self, warning: str) -> None:
        """What is found out with each connection need not be said each time."""
        if warning not in self._told:
            self._told.add(warning)
            print(one_line(f"{self.name}: {warning}", 1000), file=sys.stderr)

    @contextmanager
    def _running(self, program: Program, mark: str, silence: float) -> Iterator[Iterator[tuple[bytes, bytes]]]:
        """What a program says, as it comes. Raises ConnectionLost for whatever breaks in between."""
        try:
            with self._channel() as channel:
                begin(channel, COMMAND)
                commands = clients(self._known_scheduler())
                text = envelope(program.text(mark, self._environment, self.cluster.setup, commands), mark)
                sender = Sender(channel, text, program)
                sender.start()
                beginning = f"\n@{mark} {'begin' if self._environment else 'environment'}\n".encode()
                yield watched(receive(channel, sender, silence), channel, beginning, self.name)
        except (paramiko.SSHException, OSError, EOFError) as error:
            raise self._lost(error) from None
        except TooMuch:
            self.close()
            raise SchedulerError(f"{self.name}: the answer is not understood: it goes on and on") from None
        except InTheWay as reason:
            what = f"{self.name}: the login shell over there is in the way: {reason}"
            # One that has answered before will again: it was killed, or its file system hangs.
            raise (ConnectionLost if self._answered else LoginRefused)(what) from None

    def _lost(self, error: object) -> ConnectionLost:
        """The error that the connection is no use any more; the next program makes another."""
        self.close()
        what = str(error) or type(error).__name__
        return ConnectionLost(f"{self.name}: the connection broke: {what}")

    def _transport(self) -> Transport:
        if not (self._connection and self._connection.is_connected):
            self.close()
            self._connection = connect(self.cluster, self._identities, self.passed)
            self._reached = True
        transport = self._connection.transport
        if not isinstance(transport, Transport):
            raise EOFError
        return transport

    def _channel(self) -> paramiko.Channel:
        transport = self._transport()
        for tries in range(40):
            try:
                return transport.open_session(timeout=transport.patience)
            except paramiko.ChannelException:
                # L3: with MaxSessions 1 a channel is often refused right after another has closed.
                if tries == 39:
                    raise
                time.sleep(0.05 + 0.01 * tries)
        raise AssertionError  # the last try returned or raised

    def reach(self) -> None:
        """Log in anew, and run nothing. Raises Unreachable and its kinds, and InvalidInput."""
        self.close()
        self._environment = ""
        self._transport()

    def sftp(self) -> str:
        """What is wrong with SFTP over there; empty: nothing."""
        return sftp.trouble(self._channel())

    def close(self) -> None:
        """Log out; the next program logs in again."""
        if self._connection:
            connection, self._connection = self._connection, None
            connection.close()  # type: ignore[no-untyped-call]  # fabric has no annotations


def _with_login(most: int | None) -> int | None:
    return None if most is None else most + _LOGIN


def back_off(tries: int) -> float:
    """Seconds to wait after that many failed tries: doubled each time up to a minute, and never all at once."""
    return min(60.0, 2.0 ** (tries - 1)) * random.uniform(0.75, 1.25)  # noqa: S311  # no secret depends on it
