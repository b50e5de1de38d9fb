"""submithost: any machine that can SSH to a login node behaves like a submit host.

`namespace()` is what a fabfile needs: every verb at the root, and again in a collection for each configured cluster.
"""

from __future__ import annotations

import copy
import os
import pkgutil
import sys
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

from invoke.collection import Collection
from invoke.tasks import Task

from . import clusters, control, files, jobs, logs, records, recovery, templates
from .model import configuration
from .model.cluster import Cluster
from .model.errors import InvalidInput
from .model.project import open_project
from .model.wording import one_line
from .testbed import verbs as testbed
from .verb import at_once

_VERBS = (jobs, control, logs, files, recovery, records, clusters, templates)
# Those that run on many clusters at once.
AT_ONCE = (jobs.submit, jobs.status, jobs.wait, jobs.fetch, control.cancel, files.put, clusters.check, clusters.queues)


def namespace() -> Collection:
    """The collection of all tasks. A configuration that is not usable ends the program with one line and status 2.

    Called by a fabfile, the `fabric.yml` and `job_templates` beside that fabfile count.
    """
    open_project()
    root = Collection()
    # Copies: Invoke takes away of a task's help what it has shown, and `submithost` words it in its own way.
    for verb in all_verbs():
        root.add_task(copy.deepcopy(verb))
    own = Collection("testbed", *map(copy.deepcopy, _tasks_of(testbed)))
    own.__doc__ = testbed.__doc__
    root.add_collection(own)
    root.add_collection(_all())
    for name, cluster in _clusters(reserved={*root.task_names, *root.collections}).items():
        own = Collection(name)
        own.__doc__ = cluster.line()
        for verb in all_verbs():
            own.add_task(copy.deepcopy(verb))
        own.configure({"submithost": {"cluster": cluster.name}})
        root.add_collection(own)
    return root


def _all() -> Collection:
    """The verbs for all clusters at once."""
    every = Collection("all")
    every.__doc__ = "All clusters at once, or --clusters=a,b."
    for verb in AT_ONCE:
        every.add_task(at_once(verb))
    return every


def _clusters(reserved: set[str]) -> Mapping[str, Cluster]:
    """The configured clusters. This is before any task, where Fabric would show a traceback (F19)."""
    try:
        clusters = configuration.load(reserved=reserved).clusters
        for cluster in clusters.values():
            if cluster.scheduler and cluster.scheduler not in _schedulers():
                at = f"{cluster.source}: cluster '{cluster.name}': scheduler"
                raise InvalidInput(f"{at} {cluster.scheduler!r} is none of {', '.join(_schedulers())}")
        return clusters
    except InvalidInput as error:
        print(one_line(error, 2000), file=sys.stderr)
        raise SystemExit(error.exit_status) from None


@cache
def _schedulers() -> list[str]:
    """As `schedulers.known` has them: loading that room, for their names alone, would take a fifth of what we add."""
    modules = pkgutil.iter_modules([os.path.join(*__path__, "schedulers")])
    return [module.name for module in modules if "_" not in module.name]


def all_verbs() -> list[Task[Any]]:
    return [verb for module in _VERBS for verb in _tasks_of(module)]


def _tasks_of(module: ModuleType) -> list[Task[Any]]:
    return [member for member in vars(module).values() if isinstance(member, Task)]
