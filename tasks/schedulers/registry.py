"""Which schedulers there are. Their names are found without loading them, since every command line needs the names."""

from __future__ import annotations

import importlib
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

from ..model.errors import InvalidInput, nearest

if TYPE_CHECKING:
    from .seam import Scheduler

_HERE = Path(__file__).parent
_IS_ONE = re.compile(rb"^scheduler(: [A-Za-z]+)? = ", re.M)


@cache
def known() -> tuple[str, ...]:
    """The names of all schedulers: of the files and folders here that have a line `scheduler = ...`."""
    names = [entry.name.removesuffix(".py") for entry in os.scandir(_HERE)]
    return tuple(sorted(name for name in names if name.isidentifier() and _is_one(name)))


def _is_one(name: str) -> bool:
    for file in (_HERE / f"{name}.py", _HERE / name / "__init__.py"):
        if file.is_file():
            return bool(_IS_ONE.search(file.read_bytes()))
    return False


@cache
def scheduler(name: str) -> Scheduler:
    """The scheduler of that name. Raises InvalidInput."""
    if name not in known():
        raise InvalidInput(f"unknown scheduler '{name}'{nearest(name, known())} (known: {', '.join(known())})")
    return cast("Scheduler", importlib.import_module(f".{name}", __package__).scheduler)


@cache
def by_rank() -> tuple[Scheduler, ...]:
    """All schedulers; if a login node has several, the first of these is used."""
    return tuple(sorted(map(scheduler, known()), key=lambda each: -each.rank))


def assumed() -> Scheduler:
    """The scheduler whose words are used when no cluster is named."""
    return by_rank()[0]


@cache
def clients(name: str | None = None) -> Mapping[str, str]:
    """What describe.sh has to know of this scheduler's commands; None: of all, to find out which one there is."""
    every = [scheduler(each).clients for each in ([name] if name else known())]
    return {
        "submits": " ".join(each.submits for each in every),
        "asks": " ".join(command for each in every for command in each.asks),
        "places": "|".join(name for each in every for name in each.places),
        "ambient": "|".join(each.ambient for each in every if each.ambient),
        "fixed": " ".join(["LC_ALL=C", "TZ=UTC", *(word for each in every for word in each.fixed)]),
        "short_cut": "".join(each.short_cut for each in every),
    }
