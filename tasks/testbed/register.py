"""The testbed as a whole: its state directory, the clusters in it, and the files that tell others of them."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import yaml
from platformdirs import user_state_path

from ..model.errors import InvalidInput
from .cluster import PrivateCluster, write
from .kinds import kind_of, load
from .sshd import main_door


def state_directory() -> Path:
    """The testbed's files, a directory for each cluster. Raises InvalidInput for an unusable path."""
    directory = user_state_path("submithost") / "testbed"
    if not directory.is_absolute() or any(character in str(directory) for character in '"\\$\n\r\t'):
        # ssh_config(5) would expand $, and has no way to write the others.
        where = repr(str(directory))
        raise InvalidInput(f"the testbed cannot live in {where}: set XDG_STATE_HOME to a plainer path")
    return directory


def ssh_config() -> Path:
    """The file for `ssh -F` that knows every cluster of the testbed."""
    return state_directory() / "ssh_config"


def registration() -> Path:
    """The clusters of the testbed, in the form of the section `clusters` in fabric.yml."""
    return state_directory() / "clusters.yml"


def clusters() -> list[PrivateCluster]:
    """Every cluster that is remembered, dead or alive, by name."""
    directory = state_directory()
    folders = sorted(directory.iterdir()) if directory.is_dir() else []
    return [cluster for folder in folders if folder.is_dir() and (cluster := load(folder))]


def publish() -> None:
    """Write ssh_config and clusters.yml for the clusters that there are, or remove everything with the last."""
    known = clusters()
    if not known:
        registration().unlink(missing_ok=True)
        ssh_config().unlink(missing_ok=True)
        for folder in (state_directory(), state_directory().parent):
            with contextlib.suppress(OSError):  # the ledger may live beside us
                folder.rmdir()
        return
    write(ssh_config(), "\n".join(main_door(cluster).host_block() for cluster in known))
    section = {
        cluster.name: {"host": cluster.name, "ssh_config": str(ssh_config()), **kind_of(cluster).registered}
        for cluster in known
    }
    text = yaml.safe_dump({"clusters": section}, sort_keys=False)
    write(registration(), f"# written by testbed.up\n{text}")


@contextmanager
def locked() -> Iterator[None]:
    """Only one `up` or `down` at a time; the directory itself is the lock, so that no file of it stays."""
    directory = state_directory()
    while True:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(directory, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            if directory.is_dir() and os.path.samestat(os.fstat(handle), directory.stat()):
                yield
                return
        finally:
            os.close(handle)
