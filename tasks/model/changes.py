"""What a repeat of a job asks for instead of what the job had asked for: new values, or factors (`x2`). Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction

from .errors import InvalidInput
from .resources import Resources, parse_resources

# What may be asked for as a factor, and to what it is rounded up: whole seconds, and whole megabytes of 2**20 bytes.
RAISED = {"time": 1, "memory": 1 << 20}
_FACTOR = re.compile(r"[xX*](\d{1,4}(?:\.\d{1,4})?)", re.ASCII)


@dataclass(frozen=True)
class Changes:
    """`values` replace what was asked for, `factors` multiply it (by the names in RAISED), `options` are added."""

    values: Resources = field(default_factory=Resources)
    factors: Mapping[str, Fraction] = field(default_factory=dict)
    options: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self != Changes()


def parse_changes(options: tuple[str, ...] = (), **texts: str) -> Changes:
    """Changes from texts as users write them, by the names of Resources; `options` as they are. Raises InvalidInput."""
    factors = {what: _factor(what, texts[what]) for what in RAISED if _is_factor(texts.get(what, ""))}
    values = parse_resources(**{name: text for name, text in texts.items() if name not in factors})
    return Changes(replace(values, array=None), factors, options)


def _is_factor(text: str) -> bool:
    return text.strip()[:1] in ("x", "X", "*")


def _factor(what: str, text: str) -> Fraction:
    match = _FACTOR.fullmatch(text.strip())
    if not match or not float(match[1]):
        raise InvalidInput(f"{what} {text!r} is not a factor like x2 or x1.5")
    return Fraction(match[1])


def times(what: str, amount: int, factor: Fraction) -> int:
    """An amount of `what` (seconds, bytes), multiplied, and rounded up."""
    return math.ceil(amount * factor / RAISED[what]) * RAISED[what]
