"""The verbs: all that are in files of this folder, and among them those that work on many clusters at once."""

from __future__ import annotations

import inspect
import os
import pkgutil
import re
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from invoke.collection import Collection
from invoke.context import Context
from invoke.tasks import Task

from . import testbed
from .verb import Verb, verb

# Files of this folder that have no verbs.
_HELPERS = ("catalogue", "ending", "host", "selecting", "showing", "verb", "where")
TESTBED = testbed.__doc__
"""What the collection of the testbed's verbs is about."""


@cache
def _families() -> list[ModuleType]:
    """Every other file of this folder: so a new verb needs no entry anywhere."""
    here = __name__.rpartition(".")[0]
    names = [module.name for module in pkgutil.iter_modules([os.path.dirname(__file__)])]
    return [import_module(f"{here}.{name}") for name in names if name not in (*_HELPERS, "testbed")]


def all_verbs() -> list[Task[Any]]:
    """Every verb at the root, which is also in each cluster's own collection."""
    return [each for family in _families() for each in _verbs_of(family)]


def verbs_at_once() -> list[Task[Any]]:
    """The verbs that can run on many clusters at once."""
    return [each for each in all_verbs() if isinstance(each, Verb) and each.at_once]


def testbed_verbs() -> list[Task[Any]]:
    """The verbs of the testbed."""
    return _verbs_of(testbed)


def by_name() -> dict[str, Task[Any]]:
    """Every verb by its name."""
    return {str(each.name): each for each in all_verbs()}


def at_once(one: Task[Any]) -> Task[Any]:
    """The task that runs a verb on many clusters at once: it takes the same flags, and `--clusters`."""
    name = str(one.name)

    def run(c: Context, clusters: str = "", **flags: Any) -> None:
        from ..fleet import fleet
        from ..model.errors import InvalidInput
        from .where import named_cluster

        if named_cluster(c):
            raise InvalidInput(
                f"-H and all.{name} contradict each other: --clusters=a,b names some of the configured ones"
            )
        fleet.run(c, name, clusters, flags, by_name())

    which = inspect.Parameter("clusters", inspect.Parameter.KEYWORD_ONLY, default="")
    own = inspect.signature(one.body)
    run.__signature__ = own.replace(parameters=[*own.parameters.values(), which])  # type: ignore[attr-defined]  # any function may have one
    run.__name__ = f"all.{name}"
    summary = (one.__doc__ or "").partition("\n")[0]
    example = re.search(r"fab -H \S+ (.*)", one.__doc__ or "")  # keep its flags: some verbs do nothing without them
    words = example[1] if example else name
    run.__doc__ = f"{summary}\n\nOn every configured cluster at once.\n\nExample: fab all.{words}"
    help = {**one.help, "clusters": "only these clusters, with commas between: a,b; counts for what follows as well"}
    return verb(help=help, iterable=one.iterable, name=name)(run)


def _verbs_of(family: ModuleType) -> list[Task[Any]]:
    return [member for member in vars(family).values() if isinstance(member, Task)]


def call_it_submithost(tasks: Collection) -> None:
    """Replace `fab` by `submithost` in the examples of the tasks' help."""
    members: list[Task[Any]] = list(tasks.tasks.values())
    for task in members:
        task.__doc__ = (task.__doc__ or "").replace("fab ", "submithost ")
        task.help = {flag: text.replace("`fab ", "`submithost ") for flag, text in task.help.items()}
    for collection in tasks.collections.values():
        call_it_submithost(collection)
