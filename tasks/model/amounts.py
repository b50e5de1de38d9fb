"""Amounts as a person reads them, and as a flag takes them. Pure."""

from __future__ import annotations

from .resources import clock


def span(seconds: float) -> str:
    """How long something took: `3 s`, `12:05` (minutes), `1:30:00`, `2-03:00:00`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02}"
    days, rest = divmod(whole, 86400)
    return f"{days}-{clock(rest).rjust(8, '0')}" if days else clock(rest)


def memory_flag(size: int) -> str:
    """`--memory` for so many bytes: `2G`, `300M`; rounded up to whole ones."""
    mib = -(-size // 1024**2)
    return f"{mib // 1024}G" if mib % 1024 == 0 else f"{mib}M"


def percent(part: float | None) -> str:
    """`37 %`, or `-` for what is not known."""
    return "-" if part is None else f"{part * 100:.0f} %"
