"""Which algorithms to use: those of paramiko's that ssh_config allows. If there are none, one line says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...model.errors import InvalidInput

CERTIFICATE = "-cert-v01@openssh.com"
_GCM = "-gcm@openssh.com"  # these need no MAC
# One algorithm under two names (RFC 8731), of which paramiko knows the second.
_SAME = {"curve25519-sha256": "curve25519-sha256@libssh.org"}
# What to allow as well: paramiko, and every ssh of the last ten years, have it.
_ADVICE = {
    "KexAlgorithms": "curve25519-sha256@libssh.org",
    "HostKeyAlgorithms": "ssh-ed25519 or rsa-sha2-512",
    "Ciphers": "aes128-gcm@openssh.com",
    "MACs": "hmac-sha2-256",
}

Names = tuple[str, ...]


@dataclass(frozen=True)
class Algorithms:
    """What ssh_config allows, best first; None where ssh did not say.

    `known_first`: ask a host for the types of its known keys before the others.
    """

    key_exchange: Names | None = None
    host_keys: Names | None = None
    ciphers: Names | None = None
    macs: Names | None = None
    signatures: Names | None = None
    known_first: bool = True

    @classmethod
    def of(cls, said: Mapping[str, str]) -> Algorithms:
        """From what `ssh -G` prints: there +, -, ^ and wildcards are resolved."""

        def names(keyword: str) -> Names | None:
            return tuple(filter(None, said[keyword].split(","))) if keyword in said else None

        host_keys = names("hostkeyalgorithms")
        return cls(
            names("kexalgorithms"),
            host_keys,
            names("ciphers"),
            names("macs"),
            names("pubkeyacceptedalgorithms"),
            _in_ssh_s_order(host_keys or (), names("hostbasedacceptedalgorithms") or ()),
        )


def _in_ssh_s_order(names: Names, default: Names) -> bool:
    """Whether a list is the default one, or was made from it by + or -: then ssh asks for known host keys first.

    What it was made from is the list of another option that nobody sets. A list that was written out looks like one
    with something taken away when it has the same order: who takes away leaves more than half.
    """
    rest = iter(default)
    kept = [name for name in names if name in default]
    in_order = all(name in rest for name in kept) and list(names[: len(kept)]) == kept
    return in_order and 2 * len(kept) >= len(default)


def kind_of(algorithm: str) -> str:
    """The type of the plain keys that an algorithm is for."""
    plain = algorithm.replace(CERTIFICATE, "@openssh.com" if algorithm.startswith("sk-") else "")
    return "ssh-rsa" if plain.startswith("rsa-sha2-") else plain


def host_key_order(allowed: Algorithms, known: Iterable[str], possible: Sequence[str]) -> Names:
    """The host key algorithms to ask for, where keys of these types are known for the host.

    As ssh does it: its own order if a key of the best type is known, else those of known types first. paramiko would
    ask for Ed25519 where RSA is known.
    """
    names = possible if allowed.host_keys is None else allowed.host_keys
    kinds = set(known)
    if allowed.known_first and names and kind_of(names[0]) not in kinds:
        names = sorted(names, key=lambda name: kind_of(name) not in kinds)
    return tuple(name for name in names if name in possible)


def may_sign(allowed: Algorithms, kind: str) -> bool:
    """Whether a key or certificate of this type may be offered (PubkeyAcceptedAlgorithms)."""
    if allowed.signatures is None:
        return True
    rsa = kind in ("ssh-rsa", f"ssh-rsa{CERTIFICATE}")
    ways = [kind.replace("ssh-rsa", hashed) for hashed in ("rsa-sha2-512", "rsa-sha2-256")] if rsa else [kind]
    return any(way in allowed.signatures for way in ways)


def restrict(transport: Any, allowed: Algorithms, known: Iterable[str], where: str) -> None:
    """Let a paramiko transport use what is allowed. Raises InvalidInput, naming the option, when it has none of that.

    `known` are the types of the keys that are known for the host.
    """
    options = transport.get_security_options()
    ciphers = _common("Ciphers", allowed.ciphers, options.ciphers, where)
    # The fastest first: those that need no MAC are more than twice as fast.
    options.ciphers = tuple(sorted(ciphers, key=lambda name: not name.endswith(_GCM)))
    options.kex = _common("KexAlgorithms", allowed.key_exchange, options.kex, where)
    _common("HostKeyAlgorithms", allowed.host_keys, options.key_types, where)
    options.key_types = host_key_order(allowed, known, options.key_types)
    without_mac = tuple(name for name in options.ciphers if name.endswith(_GCM))
    if without_mac and not _both(allowed.macs, options.digests):
        options.ciphers = without_mac
    else:
        options.digests = _common("MACs", allowed.macs, options.digests, where)
    transport.signatures = allowed.signatures


def _both(allowed: Names | None, possible: Names) -> Names:
    if allowed is None:
        return possible
    return tuple(dict.fromkeys(same for name in allowed if (same := _SAME.get(name, name)) in possible))


def _common(option: str, allowed: Names | None, possible: Names, where: str) -> Names:
    both = _both(allowed, possible)
    if not both:
        raise InvalidInput(
            f"{where}: ssh_config's {option} allows {', '.join(allowed or ()) or 'nothing'}, which is not supported "
            f"here: allow {_ADVICE[option]} as well"
        )
    return both
