"""Logging in as OpenSSH would: keys first, each once; then what a person can type, asked once, on a terminal only.

Order: keys (offers.py); keyboard-interactive; password. A server that wants several of them (a key and a one-time
code) gets several. No answer is ever used twice (L5), none is stored or logged.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import paramiko
from paramiko.auth_strategy import AuthSource, AuthStrategy

from ...model.errors import LoginRefused
from ...screen import terminal
from ..transport import Passed
from .destination import Destination
from .offers import Offer, Offers

_TYPED = ("keyboard-interactive", "password")
_OURS = ("publickey", *_TYPED)
_TYPING = 300.0  # seconds to find the code and type it; the server's own limit is usually shorter
_ATTEMPTS = 40  # more than any honest server needs

Questions = list[tuple[str, bool]]  # prompt, and whether the answer may be seen


@dataclass(frozen=True)
class Place:
    """What to call a destination: its name, its name with the address, and the command that logs in there by hand.

    `passed` is called after each step of the way there; `say` takes lines for a person.
    """

    name: str
    where: str
    by_hand: str
    passed: Passed = lambda *_: None
    say: Callable[[str], None] = lambda _: None


class Login(AuthStrategy):
    """One login at one destination; used once."""

    def __init__(self, place: Place, there: Destination, identities: Sequence[Path] = ()) -> None:
        super().__init__(ssh_config=paramiko.SSHConfig())  # not looked at: `ssh -G` has spoken
        self.place = place
        self.there = there
        self.identities = tuple(identities)
        self._terminal = there.may_ask and not there.batch_mode and terminal.present()
        self._offer: Offer | None = None
        self._allowed: set[str] | None = None  # the methods that the server accepts; None: it has not said yet
        self._spent: set[str] = set()  # methods with typed answers that were tried
        self._tried: list[str] = []
        self._aside: list[str] = []  # which keys were not offered, and why
        self._asked = False

    def get_sources(self) -> Iterator[AuthSource]:
        """paramiko's own loop cannot tell "accepted, and more is wanted" from "in"; ours is `authenticate`."""
        return iter(())

    def authenticate(self, transport: paramiko.Transport) -> None:  # type: ignore[override]  # nobody wants a result
        """Log in. Raises LoginRefused; SSHException, OSError, EOFError when it broke before any answer."""
        self.place.passed("host key", transport.get_remote_server_key().get_name())
        offers = Offers(
            self.there,
            self.identities,
            self._passphrase if self._terminal else None,
            lambda: self._takes_keys(transport),
        )
        self._aside = offers.aside
        try:
            self._authenticate(transport, iter(offers))
            self.place.passed("login", f"{self.there.user}, {self._tried[-1] if self._tried else 'with nothing'}")
        finally:
            offers.close()

    def _authenticate(self, transport: paramiko.Transport, offers: Iterator[Offer]) -> None:
        for _ in range(_ATTEMPTS):
            attempt = self._next(offers, transport)
            if transport.is_authenticated():
                return
            if attempt is None:
                break
            method, what, run = attempt
            rest: Sequence[str] = ()
            try:
                rest = run()
            except paramiko.BadAuthenticationType as refusal:
                self._allowed = set(refusal.allowed_types) - {method}
                continue
            except (paramiko.SSHException, OSError, EOFError) as error:
                if not isinstance(error, paramiko.AuthenticationException) and not self._tried:
                    raise
                if "timeout" in str(error):  # the server has not said no: it is dead, or hangs
                    raise paramiko.SSHException(f"no answer to {what}") from None
            self._used(method, what)
            if transport.is_authenticated():
                return
            if not transport.is_active():
                raise self._refused("the server hung up; IdentitiesOnly in ssh_config makes fewer keys be offered")
            if rest:  # accepted, and more is wanted
                self._allowed = set(rest)
                self._spent.clear()
                self._asked = False
        self._learn(transport)
        if not transport.is_authenticated():
            raise self._refused("")

    def _next(
        self, offers: Iterator[Offer], transport: paramiko.Transport
    ) -> tuple[str, str, Callable[[], Sequence[str]]] | None:
        """The next thing to try: method, what to call it, how."""
        user = self.there.user
        typed = {"keyboard-interactive": self._interactive, "password": self._password}
        for method in self.there.methods:
            if not self._may(method):
                continue
            if method == "publickey":
                self._offer = self._offer or next(offers, None)
                if self._offer:
                    what, key = self._offer
                    return method, what, lambda key=key: transport.auth_publickey(user, key)
            # A wrong answer is not asked for again: a site that counts them may lock the account.
            elif method not in self._spent and self._terminal and not self._asked:
                return method, method, lambda run=typed[method]: run(transport)
        return None

    def _may(self, method: str) -> bool:
        return method in self.there.methods and (self._allowed is None or method in self._allowed)

    def _used(self, method: str, what: str) -> None:
        self._tried.append(what)
        self._spent.add(method)
        if method == "publickey":
            self._offer = None

    def _takes_keys(self, transport: paramiko.Transport) -> bool:
        self._learn(transport)
        return self._may("publickey")

    def _learn(self, transport: paramiko.Transport) -> None:
        """Ask the server which methods it accepts, unless it has said so: a round trip that a good key saves."""
        if self._allowed is None and transport.is_active():
            try:
                transport.auth_none(self.there.user)
            except paramiko.BadAuthenticationType as refusal:
                self._allowed = set(refusal.allowed_types)
            except (paramiko.SSHException, OSError, EOFError):
                return

    def _refused(self, reason: str) -> LoginRefused:
        parts = [f"tried {', '.join(self._tried)}" if self._tried else "there was nothing to try", *self._aside]
        wanted = [method for method in _TYPED if self._allowed and self._may(method) and method not in self._spent]
        if wanted and not self._terminal:
            parts.append(f"the server takes {' and '.join(wanted)}, and there is no terminal to ask on")
        parts += [reason] if reason else []
        foreign, cure = self._foreign()
        what = f"{self.place.where} does not let {self.there.user} in ({'; '.join([*parts, *foreign])})"
        return LoginRefused(f"{what}: {cure}")

    def _foreign(self) -> tuple[list[str], str]:
        """Which accepted methods ssh has and we lack, and what to do about the refusal."""
        by_hand, allowed = f"see whether `{self.place.by_hand}` does", self._allowed or set()
        ours = allowed.intersection(_OURS)
        theirs = sorted(allowed.intersection(self.there.methods_of_ssh) if ours else allowed)
        said = [f"the server takes {' and '.join(theirs)}, not supported here"] if theirs else []
        if theirs and not ours:
            return said, "ask its administrators to let you in with a key"
        if theirs and "publickey" in ours:
            return said, f"{by_hand}, and if so, lay your key on the login node with ssh-copy-id"
        return said, by_hand

    # What a person types

    def _passphrase(self, prompt: str) -> str:
        return terminal.ask(f"{self.place.name}: {prompt}")

    def _password(self, transport: paramiko.Transport) -> Sequence[str]:
        self._asked = True
        answer = terminal.ask(f"{self.place.name}: password of {self.there.user}: ")
        return transport.auth_password(self.there.user, answer, fallback=False)

    def _interactive(self, transport: paramiko.Transport) -> Sequence[str]:
        """Keyboard-interactive: the server's own questions, such as a one-time code.

        paramiko asks in the thread that reads from the server. We ask in the main thread, where Ctrl-C arrives.
        """
        asked: queue.Queue[tuple[str, str, Questions] | None] = queue.Queue()
        answers: queue.Queue[list[str]] = queue.Queue()
        outcome: list[Sequence[str] | Exception] = []

        def handler(title: str, instructions: str, questions: Questions) -> list[str]:
            asked.put((title, instructions, questions))
            return answers.get()

        def converse() -> None:
            try:
                outcome.append(transport.auth_interactive(self.there.user, handler, self.there.interactive_devices))
            except Exception as error:  # raised again in the main thread
                outcome.append(error)
            asked.put(None)

        transport.auth_timeout = _TYPING
        thread = threading.Thread(target=converse, daemon=True)
        thread.start()
        try:
            while (question := asked.get()) is not None:
                answers.put(self._answers(*question))
        except BaseException:
            answers.put([])
            transport.close()
            raise
        finally:
            thread.join()
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def _answers(self, title: str, instructions: str, questions: Questions) -> list[str]:
        with terminal.turn():
            for text in filter(None, (title.strip(), instructions.strip())):
                terminal.show(text)
            self._asked = self._asked or bool(questions)
            return [terminal.ask(f"{self.place.name}: {prompt}", echo=echo) for prompt, echo in questions]
