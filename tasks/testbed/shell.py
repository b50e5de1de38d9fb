"""A login node and compute nodes on which a program is another than here: /bin/sh is bash, as on Red Hat's systems.

The daemons run in a mount namespace of their own, where one file covers another; so does all that they start. The files
are the same otherwise, and /proc, signals and ports know nothing of it.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping

from ..model.errors import InvalidInput

_COVER = 'while [ "$1" != -- ]; do mount --bind "$2" "$1" && shift 2 || exit; done; shift; exec "$@"'


def with_sh(sh: str, *command: str) -> list[str]:
    """The words of a command that runs `command` where /bin/sh is the program `sh`; as it is when `sh` is empty."""
    return with_programs({"/bin/sh": sh} if sh else {}, *command)


def with_programs(programs: Mapping[str, str], *command: str) -> list[str]:
    """The same with any programs, by the paths that they cover. What /dev/null covers cannot be run."""
    if not programs:
        return list(command)
    cover = ["/bin/sh", "-c", _COVER, "sh", *(word for pair in programs.items() for word in pair), "--"]
    if os.geteuid() == 0:
        return ["unshare", "--mount", *cover, *command]
    # Only root may mount: in a namespace where we are root, and then in one where we are ourselves again.
    again = ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}"]
    return ["unshare", "--user", "--map-root-user", "--mount", *cover, *again, *command]


def must_work(sh: str) -> None:
    """Raise InvalidInput when this machine does not allow it, as some do not to ordinary users."""
    if not sh:
        return
    done = subprocess.run(with_sh(sh, "/bin/true"), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        raise InvalidInput(f"/bin/sh cannot be {sh} for a cluster on this machine, but as root: {said}")
