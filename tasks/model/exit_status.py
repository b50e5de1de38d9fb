"""What exit statuses and signals usually mean. Pure."""

from __future__ import annotations

from types import MappingProxyType

_SIGNALS = MappingProxyType({
    1: "HUP", 2: "INT", 3: "QUIT", 4: "ILL", 5: "TRAP", 6: "ABRT", 7: "BUS", 8: "FPE", 9: "KILL", 10: "USR1",
    11: "SEGV", 12: "USR2", 13: "PIPE", 14: "ALRM", 15: "TERM", 24: "XCPU", 25: "XFSZ", 31: "SYS",
})  # fmt: skip
_MEANINGS = MappingProxyType({
    126: "a command could not be executed (no permission, or no program)",
    127: "a command was not found",
})  # fmt: skip
_OF_SIGNALS = MappingProxyType({
    1: "it was told to hang up", 2: "it was interrupted", 4: "an instruction that this CPU does not have",
    6: "it aborted itself", 7: "a bus error", 8: "an arithmetic error", 9: "by somebody, or for want of memory",
    10: "a warning before a limit, as a rule", 11: "a segmentation fault", 12: "a warning before a limit, as a rule",
    15: "it was told to end", 24: "its limit of CPU time", 25: "its limit of a file's size",
})  # fmt: skip


def meaning(status: int | None) -> str:
    """What an exit status usually means; empty: nothing in particular."""
    if status is None:
        return ""
    if status in _MEANINGS:
        return _MEANINGS[status]
    return killed_by(status - 128) if status - 128 in _SIGNALS else ""


def killed_by(number: int) -> str:
    """What a signal says of an end: `killed by signal 11 (SEGV): a segmentation fault`."""
    what = f": {_OF_SIGNALS[number]}" if number in _OF_SIGNALS else ""
    return f"killed by signal {number}{f' ({_SIGNALS[number]})' if number in _SIGNALS else ''}{what}"
