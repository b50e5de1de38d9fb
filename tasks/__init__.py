"""submithost: any machine that can SSH to a login node behaves like a submit host.

`namespace()` is what a fabfile needs: every verb at the root, and again in a collection for each configured cluster.
`SubmitHost` is what a program or a notebook needs.
"""

# ruff: noqa: E402  # what follows is to be compiled once

from __future__ import annotations

import copy
import sys
from collections.abc import Mapping, Set
from typing import Any

from invoke.collection import Collection

# Invoke switches it off, and in a tree that nobody has compiled every command line would compile all of this again.
sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)

from .model import command_line, configuration
from .model.cluster import Cluster
from .model.errors import InvalidInput
from .model.project import open_project
from .model.wording import one_line
from .schedulers import known
from .verbs.catalogue import TESTBED, all_verbs, at_once, testbed_verbs, verbs_at_once


def namespace() -> Collection:
    """The collection of all tasks. A configuration that is not usable ends the program with one line and status 2.

    Called by a fabfile, the `fabric.yml` and `job_templates` beside that fabfile count.
    """
    open_project()
    root = Collection()
    # Copies: Invoke takes away of a task's help what it has shown, and `submithost` words it in its own way.
    for verb in all_verbs():
        root.add_task(copy.deepcopy(verb))
    own = Collection("testbed", *map(copy.deepcopy, testbed_verbs()))
    own.__doc__ = TESTBED
    root.add_collection(own)
    root.add_collection(_all())
    command_line.current.reserved = frozenset((*root.task_names, *root.collections))
    for name, cluster in _clusters(command_line.current.reserved).items():
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
    for verb in verbs_at_once():
        every.add_task(at_once(verb))
    return every


def _clusters(reserved: Set[str]) -> Mapping[str, Cluster]:
    """The configured clusters. This is before any task, where Fabric would show a traceback (F19)."""
    try:
        clusters = configuration.load(reserved=reserved).clusters
        for cluster in clusters.values():
            if cluster.scheduler and cluster.scheduler not in known():
                at = f"{cluster.source}: cluster '{cluster.name}': scheduler"
                raise InvalidInput(f"{at} {cluster.scheduler!r} is none of {', '.join(known())}")
        return clusters
    except InvalidInput as error:
        print(one_line(error, 2000), file=sys.stderr)
        raise SystemExit(error.exit_status) from None


def __getattr__(name: str) -> Any:
    """`SubmitHost`, and the errors that it raises: loaded when they are asked for, which no command line does."""
    if name == "SubmitHost":
        from .api.submit_host import SubmitHost

        return SubmitHost
    from .model import errors

    if isinstance(found := getattr(errors, name, None), type) and issubclass(found, errors.SubmithostError):
        return found
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
