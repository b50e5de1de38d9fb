"""How much time and memory the lists of `-l` ask for; by submit(1) and sge_types(1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ...model.resources import clock, size
from ..values import Amount
from ..wording import bytes_in
from .options import lists, memory_of
from .request import NAMES, words_of

_TIME = re.compile(r"(?:(\d{0,9}):(\d{0,9}):)?(\d{0,12})", re.ASCII)


def amounts(script: bytes, options: Sequence[str], names: Mapping[str, str]) -> list[Amount]:
    """By `h_rt`, and by whatever name a site has for memory (G14)."""
    memory = memory_of({**NAMES, **names})
    found: dict[str, Amount] = {}
    for item in (item for word in lists([*words_of(script), *options]) for item in word.split(",")):
        name, _, value = item.partition("=")
        if name == "h_rt":
            found[name] = Amount("time", name, _seconds(value))
        elif name in memory:
            found[name] = Amount("memory", name, bytes_in(value))
    return list(found.values())


def _seconds(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    return (hours * 60 + minutes) * 60 + seconds or None


def asking(amount: Amount) -> tuple[str, ...]:
    """`-l h_rt=1:00:00` or `-l rmem=4G`."""
    value = amount.amount or 0
    return "-l", f"{amount.name}={clock(value) if amount.what == 'time' else size(value)}"


def without(options: Sequence[str], what: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Other requests in the same list of `-l` are kept."""
    left = list(options)
    mine = {amount.name for amount in amounts(b"", options, names) if amount.what == what}
    kept: list[str] = []
    while left:
        word = left.pop(0)
        if word != "-l" or not left:
            kept.append(word)
            continue
        items = [item for item in left.pop(0).split(",") if item.partition("=")[0] not in mine]
        kept += ["-l", ",".join(items)] if items else []
    return tuple(kept)
