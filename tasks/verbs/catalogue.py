"""Which verbs there are, and those of them that work on many clusters at once."""

from __future__ import annotations

import inspect
import re
from types import ModuleType
from typing import Any

from invoke.context import Context
from invoke.tasks import Task

from . import clusters, control, files, jobs, logs, records, recovery, templates
from . import testbed as testbed
from .verb import verb

_FAMILIES = (jobs, control, logs, files, recovery, records, clusters, templates)
AT_ONCE = (jobs.submit, jobs.status, jobs.wait, jobs.fetch, control.cancel, files.put, clusters.check, clusters.queues)
"""Those that run on many clusters at once."""
TESTBED = testbed.__doc__
"""What the collection of the testbed's verbs is about."""


def all_verbs() -> list[Task[Any]]:
    """Every verb that stands at the root, and in each cluster's own collection."""
    return [each for family in _FAMILIES for each in _verbs_of(family)]


def testbed_verbs() -> list[Task[Any]]:
    """The verbs of the testbed."""
    return _verbs_of(testbed)


def by_name() -> dict[str, Task[Any]]:
    """Every verb by its name."""
    return {str(each.name): each for each in all_verbs()}


def at_once(one: Task[Any]) -> Task[Any]:
    """The task that runs a verb on many clusters at once: the same flags, and `--clusters`."""
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
    example = re.search(r"fab -H \S+ (.*)", one.__doc__ or "")  # with its flags: some verbs do nothing without
    words = example[1] if example else name
    run.__doc__ = f"{summary}\n\nOn every configured cluster at once.\n\nExample: fab all.{words}"
    help = {**one.help, "clusters": "only these clusters, with commas between: a,b; counts for what follows as well"}
    return verb(help=help, iterable=one.iterable, name=name)(run)


def _verbs_of(family: ModuleType) -> list[Task[Any]]:
    return [member for member in vars(family).values() if isinstance(member, Task)]
