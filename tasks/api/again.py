"""What `resubmit` takes beside jobs: what selects them, and what they ask for instead of what they had asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from ..jobs.repeating import Repeating, repeating
from .chosen import More


class Again(More, total=False):
    """By the names of `submit`, and `option` is added. `time` and `memory` may be factors, too: "x2"."""

    time: str | int
    memory: str
    cores: str | int
    gpus: str | int
    queue: str
    project: str
    name: str
    at_once: str | int
    option: Sequence[str]


def asked(failed: bool | str, put: Sequence[str], more: Mapping[str, Any]) -> tuple[Repeating, More]:
    """What is asked for, and what selects the jobs. Raises InvalidInput."""
    selecting = {name: value for name, value in more.items() if name in More.__annotations__}
    instead = {name: value for name, value in more.items() if name not in selecting}
    return repeating(failed, put, **instead), cast("More", selecting)
