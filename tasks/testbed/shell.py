"""A login node and compute nodes on which /bin/sh is another program than here: bash, as on Red Hat's systems.

The daemons run in a mount namespace of their own, where that program covers /bin/sh; so does all that they start. The
files are the same otherwise, and /proc, signals and ports know nothing of it.
"""

from __future__ import annotations

import os
import subprocess

from ..model.errors import InvalidInput

_COVER = 'mount --bind "$0" /bin/sh && exec "$@"'


def with_sh(sh: str, *command: str) -> list[str]:
    """The words of a command that runs `command` where /bin/sh is the program `sh`; as it is when `sh` is empty."""
    if not sh:
        return list(command)
    if os.geteuid() == 0:
        return ["unshare", "--mount", "/bin/sh", "-c", _COVER, sh, *command]
    # Only root may mount: in a namespace where we are root, and then in one where we are ourselves again.
    again = ["unshare", "--user", f"--map-user={os.geteuid()}", f"--map-group={os.getegid()}"]
    return ["unshare", "--user", "--map-root-user", "--mount", "/bin/sh", "-c", _COVER, sh, *again, *command]


def check(sh: str) -> None:
    """Raise InvalidInput when this machine does not allow it, as some do not to ordinary users."""
    if not sh:
        return
    done = subprocess.run(with_sh(sh, "/bin/true"), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        said = " ".join(done.stderr.split())
        raise InvalidInput(f"/bin/sh cannot be {sh} for a cluster on this machine, but as root: {said}")
