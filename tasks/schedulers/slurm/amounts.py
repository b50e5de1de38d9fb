"""How much time and memory options of sbatch ask for; by sbatch(1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ..values import Amount
from .options import MEMORY, of_script, read

# MINUTES, MINUTES:SECONDS, HOURS:MINUTES:SECONDS, and DAYS-HOURS[:MINUTES[:SECONDS]].
_TIME = re.compile(r"(?:(\d{1,6})-)?(\d{1,9})(?::(\d{1,9}))?(?::(\d{1,9}))?", re.ASCII)
_MEMORY = re.compile(r"(\d{1,15})([KMGT]?)B?", re.ASCII | re.I)
_UNITS = {unit: 1024**power for power, unit in enumerate("KMGT", 1)}


def amounts(script: bytes, options: Sequence[str], names: Mapping[str, str]) -> list[Amount]:  # noqa: ARG001  # Slurm's are the same everywhere
    """By `--time`, and by `--mem`, `--mem-per-cpu` or `--mem-per-gpu`, whose amounts are not comparable."""
    found: dict[str, Amount] = {}
    for option in [*of_script(script), *read(options)]:
        if option.name == "time":
            found[option.name] = Amount("time", option.name, _seconds(option.value))
        elif option.name in MEMORY.options:
            found[option.name] = Amount("memory", option.name, _bytes(option.value))
    return list(found.values())


def _seconds(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if not match:
        return None
    days, *parts = match.groups()
    given = [int(part) for part in parts if part is not None]
    if days is not None:
        hours, minutes, seconds = (*given, 0, 0)[:3]
        return ((int(days) * 24 + hours) * 60 + minutes) * 60 + seconds or None
    hours, minutes, seconds = {1: (0, *given, 0), 2: (0, *given), 3: tuple(given)}[len(given)]
    return (hours * 60 + minutes) * 60 + seconds or None


def _bytes(text: str) -> int | None:
    """S6: a bare number is megabytes; 0 is all that the node has."""
    match = _MEMORY.fullmatch(text)
    return int(match[1]) * _UNITS[match[2].upper() or "M"] or None if match else None


def asking(amount: Amount) -> tuple[str, ...]:
    """`--time=60:00`, in minutes and seconds, or `--mem=4096M`."""
    value = amount.amount or 0
    if amount.what == "time":
        return (f"--time={value // 60}:{value % 60:02}",)
    return (f"--{amount.name}={-(-value // 1024**2)}M",)


def without(options: Sequence[str], what: str, names: Mapping[str, str]) -> tuple[str, ...]:
    """Options are recognised in any spelling."""
    mine = {amount.name for amount in amounts(b"", options, names) if amount.what == what}
    return tuple(word for option in read(options) if option.name not in mine for word in option.words)
