"""Starting and ending the daemons of a cluster, whichever they are."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

from ..model.errors import SchedulerError
from .accounts import other_user
from .cluster import PrivateCluster
from .processes import MARK, daemon, end, wait_until
from .shell import with_sh

PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def start(cluster: PrivateCluster, program: str, *arguments: str, **environment: str) -> None:
    """Start a daemon that stays in the foreground, and return at once; it knows the cluster's home as the user's."""
    # Jobs may inherit a daemon's environment: it gets what a service has, and nothing of this session.
    whole = {"PATH": PATH, **cluster.settings(), MARK: str(cluster.directory)}
    whole.update(other_user(cluster.directory, cluster.home), **environment)
    with open(log(cluster, program), "ab") as output:
        # Away from our pipes, our terminal and our parent, or `up | cat` would wait for the daemons.
        subprocess.run(
            with_sh(cluster.sh, "/bin/sh", "-c", '"$0" "$@" & exit 0', program, *arguments),
            env=whole, cwd="/", start_new_session=True, check=True,
            stdin=subprocess.DEVNULL, stdout=output, stderr=output,
        )  # fmt: skip


def comes_up(cluster: PrivateCluster, program: str, answers: Callable[[], object]) -> bool:
    """Wait until it answers; False as soon as it is dead."""

    def alive() -> bool:
        return lives(cluster, program)

    return wait_until(alive, 10) and wait_until(lambda: answers() or not alive(), 60) and alive()


def lives(cluster: PrivateCluster, program: str) -> bool:
    """Whether this daemon of the cluster's lives, answering or not."""
    return daemon(cluster.directory, os.path.basename(program)) is not None


def stop(cluster: PrivateCluster, program: str, how: signal.Signals) -> None:
    """Signal this daemon and wait until it is gone. Raises SchedulerError when it stays."""
    if process := daemon(cluster.directory, os.path.basename(program)):
        end(process, how)
    if not wait_until(lambda: not lives(cluster, program), 20):
        raise SchedulerError(f"{cluster.name}: {program} does not stop")


def log(cluster: PrivateCluster, program: str) -> str:
    """What it says on stdout and stderr."""
    return str(cluster.directory / f"{os.path.basename(program)}.log")
