"""What `resubmit` is asked for, as its flags and the API's parameters say it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ..model.changes import Changes, parse_changes
from ..submission.prepare import option_words
from .causes import causes_of


@dataclass(frozen=True)
class Repeating:
    """`failed`: only what did not succeed, or not for one of these causes; `put` are files in place of earlier ones."""

    failed: bool | tuple[str, ...] = False
    put: tuple[str, ...] = ()
    changes: Changes = field(default_factory=Changes)


def repeating(
    failed: bool | str = False,
    put: Sequence[str] = (),
    *,
    time: str | int = "",
    memory: str | int = "",
    cores: str | int = "",
    gpus: str | int = "",
    queue: str = "",
    project: str = "",
    name: str = "",
    at_once: str | int = "",
    option: Sequence[str] = (),
) -> Repeating:
    """It as it is typed: causes with commas between, and resources as their flags. Raises InvalidInput."""
    texts = {"time": time, "memory": memory, "cores": cores, "gpus": gpus, "at_once": at_once}
    texts |= {"queue": queue, "project": project, "name": name}
    changes = parse_changes(option_words(option), **{what: str(text) for what, text in texts.items()})
    return Repeating(causes_of(failed) if isinstance(failed, str) else failed, tuple(put), changes)
