"""The keys that are offered at a login, best first.

Order: `-i`; keys in the agent, those that ssh_config lists first; key files; key files with a passphrase.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import paramiko
from paramiko.pkey import PublicBlob

from ...screen import terminal
from . import algorithms, keys
from .destination import Destination

Offer = tuple[str, paramiko.PKey]
"""What to call a key, and the key."""


class Offers:
    """The keys for one login at one destination; the agent and the key files are opened when their turn comes.

    `ask` asks for a passphrase (None: there is no terminal). `wanted` tells whether the server takes keys at all, which
    costs a round trip, and is asked before a person is. Lines of `aside` say what was not offered, and why.
    """

    def __init__(
        self,
        there: Destination,
        identities: Sequence[Path],
        ask: Callable[[str], str] | None,
        wanted: Callable[[], bool],
    ) -> None:
        self._there = there
        self._identities = identities
        self._ask = ask
        self._wanted = wanted
        self._agent: keys.Agent | None = None
        self._seen: set[bytes] = set()
        self.aside: list[str] = []

    def close(self) -> None:
        """Let the agent go."""
        if self._agent:
            self._agent.close()

    def __iter__(self) -> Iterator[Offer]:
        explicit = [keys.read(path) for path in self._identities]
        files = explicit + [keys.read(path) for path in self._there.identity_files if path not in self._identities]
        certificates = [*self._there.certificate_files, *(Path(f"{file.path}-cert.pub") for file in files)]
        blobs = list(keys.certificates(certificates))
        for what, key in self._keys(explicit, files):
            if key.asbytes() not in self._seen:
                self._seen.add(key.asbytes())
                yield from self._with_certificates(what, key, blobs)

    def _keys(self, explicit: Sequence[keys.KeyFile], files: Sequence[keys.KeyFile]) -> Iterator[Offer]:
        """Every key; some may come twice."""
        for file in explicit:
            if not file.encrypted and not file.problem:
                yield from self._loaded(file)
        held = self._held()
        listed = {file.blob for file in files if file.blob}
        for key in sorted(held, key=lambda key: key.asbytes() not in listed):
            if key.asbytes() in listed or not self._there.identities_only:
                yield f"the agent's {terminal.printable(key.comment) or key.get_name()}", key
        rest = [file for file in files if file.blob not in self._seen]
        for file in rest:
            if not file.encrypted:
                yield from self._loaded(file)
        for file in rest:
            if file.encrypted and not self._ask:
                self.aside.append(f"key {file.path} has a passphrase and no terminal to ask for it: ssh-add it")
            elif self._ask and file.encrypted and self._wanted():
                yield from self._loaded(file, self._ask(f"passphrase of {file.path}: "))

    def _loaded(self, file: keys.KeyFile, passphrase: str | None = None) -> Iterator[Offer]:
        try:
            key = file.load(passphrase)
        except ValueError as problem:
            self.aside.append(f"key {file.path}: {problem}")
            return
        yield f"key {file.path}", key

    def _with_certificates(self, what: str, key: paramiko.PKey, certificates: list[PublicBlob]) -> Iterator[Offer]:
        """The key with each of its certificates, then alone."""
        # By its name, since an agent's key is of a class of its own.
        if key.get_name() == "ssh-rsa" and key.get_bits() < self._there.required_rsa_size:
            self.aside.append(f"{what} is shorter than ssh_config's RequiredRSASize")
            return
        for certificate in certificates:
            certified = keys.with_certificate(key, certificate)
            if certified and self._may_sign(certificate.key_type):
                yield f"{what} with its certificate", certified
        if self._may_sign(key.get_name()):
            yield what, key
        else:
            self.aside.append(
                f"{what} is not among those of ssh_config's PubkeyAcceptedAlgorithms that can be used here"
            )

    def _may_sign(self, kind: str) -> bool:
        return algorithms.may_sign(self._there.algorithms, kind)

    def _held(self) -> list[paramiko.AgentKey]:
        """The agent's keys; none when there is no agent, or a stale one (L7)."""
        if self._there.identity_agent in ("", "none"):
            return []
        try:
            self._agent = keys.Agent(self._there.identity_agent)
        except FileNotFoundError:
            return []  # ssh says nothing of an agent that is gone
        except Exception as error:  # an agent is another program, and may answer anything
            said = "says nothing" if isinstance(error, TimeoutError) else f"is of no use: {error}"
            self.aside.append(f"the agent at {self._there.identity_agent} {said}")
            return []
        return self._agent.keys()
