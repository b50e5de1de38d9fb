"""Keys: each names one submission, and the directory of its job."""

from __future__ import annotations

import re
import secrets

from .errors import InvalidInput


def new_key(name: str) -> str:
    """A key for one submission: the job's name made safe, and 40 random bits."""
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "job"
    return f"{safe[:40]}-{secrets.token_hex(5)}"


def check_key(key: str, what: str = "key") -> str:
    """Return `key` if it may name a submission (and a directory), or a group of them. Raises InvalidInput."""
    if not re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}", key, re.ASCII) or key.isdigit():
        raise InvalidInput(
            f"{what} {key!r} is not usable: "
            "at most 128 letters, digits, '_', '.' and '-' (neither first), not all digits"
        )
    if key == "last":
        raise InvalidInput("key 'last' is not usable: --job last means the last job, whatever its key")
    return key
