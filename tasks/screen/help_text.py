"""Help in columns, for a terminal of any width."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

# The fewest columns for a text beside its name; with less room it goes below.
_BESIDE = 24


def wrapped(text: str, width: int, indent: str = "") -> str:
    """`text` in lines that leave the last column free; a longer word is kept whole, so that it can be copied."""
    return textwrap.fill(
        text, max(width - 1, len(indent) + 10), initial_indent=indent, subsequent_indent=indent,
        break_on_hyphens=False, break_long_words=False,
    )  # fmt: skip


def beside(rows: Sequence[tuple[str, str | None]], width: int, indent: str, padding: int) -> Iterator[str]:
    """Names with their texts: beside them if there is room, or else below."""
    left = indent + " " * (max(len(name) for name, _ in rows) + padding)
    for name, about in rows:
        if width - len(left) < _BESIDE:
            yield indent + name
            yield wrapped(about or "", width, indent * 3)
        else:
            yield (indent + name).ljust(len(left)) + wrapped(about or "", width, left).lstrip()
