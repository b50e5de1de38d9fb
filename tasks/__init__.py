"""submithost: any machine that can SSH to a login node behaves like a submit host.

`namespace()` is what a fabfile needs: every verb at the root, and again in a collection for each configured cluster.
"""

from __future__ import annotations

import copy
from types import ModuleType
from typing import Any

from invoke.collection import Collection
from invoke.tasks import Task

from . import jobs, templates
from .model import configuration
from .testbed import verbs as testbed

_VERBS = (jobs, templates)


def namespace() -> Collection:
    """The collection of all tasks. A configuration that is not usable ends the program with one line and status 2."""
    root = Collection()
    for verb in _verbs():
        root.add_task(verb)
    root.add_collection(Collection.from_module(testbed, name="testbed"))
    reserved = {*root.task_names, *root.collections}
    for name, cluster in configuration.load(reserved=reserved).clusters.items():
        own = Collection(name)
        for verb in _verbs():
            own.add_task(copy.deepcopy(verb))  # F12: copies must not share their help
        own.configure({"submithost": {"cluster": cluster.name}})
        root.add_collection(own)
    return root


def _verbs() -> list[Task[Any]]:
    modules: tuple[ModuleType, ...] = _VERBS
    return [member for module in modules for member in vars(module).values() if isinstance(member, Task)]
