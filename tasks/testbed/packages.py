"""The Debian packages that the testbed runs: which are missing, and installing them where we may."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..model.errors import InvalidInput

# A package is there when this file is: faster than dpkg, and right where it came another way.
WITNESSES = {
    "base": {
        "gridengine-master": "/usr/lib/gridengine/sge_qmaster",
        "gridengine-exec": "/usr/lib/gridengine/sge_execd",
        "gridengine-client": "/usr/bin/qsub",
        "gridengine-drmaa1.0": "/usr/lib/gridengine-drmaa/lib/libdrmaa.so.1.0",
        "openssh-server": "/usr/sbin/sshd",
        "openssh-client": "/usr/bin/ssh",
        "openssh-sftp-server": "/usr/lib/openssh/sftp-server",
        "tcsh": "/bin/csh",
        "zsh": "/bin/zsh",
        "libnss-wrapper": "libnss_wrapper.so",
        "libpam-wrapper": "libpam_wrapper.so",
    },
    "slurm": {
        "munge": "/usr/sbin/munged",
        "slurmctld": "/usr/sbin/slurmctld",
        "slurmd": "/usr/sbin/slurmd",
        "slurm-client": "/usr/bin/sbatch",
        "slurm-wlm-basic-plugins": "slurm-wlm/select_cons_tres.so",
    },
    "accounting": {
        "slurmdbd": "/usr/sbin/slurmdbd",
        "slurm-wlm-mysql-plugin": "slurm-wlm/accounting_storage_mysql.so",
        "mariadb-server-core": "/usr/sbin/mariadbd",
    },
}
_POLICY = Path("/usr/sbin/policy-rc.d")


def library(name: str) -> Path | None:
    """A library by its name; its folder is named by the architecture."""
    return next(Path("/usr/lib").glob(f"*-linux-gnu*/{name}"), None)


def missing(groups: Iterable[str] = ()) -> list[str]:
    """Names of the packages that are not installed, of the base and of these groups."""
    wanted = {name: witness for group in ("base", *groups) for name, witness in WITNESSES[group].items()}
    return [name for name, witness in wanted.items() if not _is_there(witness)]


def ensure(say: Callable[[str], None], *groups: str) -> None:
    """Install what is missing if we are root; else raises InvalidInput that names the command.

    The base is always wanted; `slurm` and `accounting` only when named, for they are big.
    """
    names = missing(groups)
    if not names:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *names]
    if os.geteuid() != 0:
        wanted = f"sudo apt-get update && sudo {shlex.join(command)}"
        raise InvalidInput(f"the testbed needs packages that are not installed here: {wanted}")
    if not Path("/usr/bin/apt-get").exists():
        raise InvalidInput(f"the testbed needs Debian's packages, and this is no Debian: {' '.join(names)}")
    say(f"installing {' '.join(names)}")
    with _services_stay_off():
        _apt(["apt-get", "update"])
        if "gridengine-master" in names:
            _no_system_cell()
        _apt(command)
    if still := missing(groups):
        raise InvalidInput(f"apt-get was content, and these packages are still not here: {' '.join(still)}")


def _is_there(witness: str) -> bool:
    return Path(witness).exists() if witness.startswith("/") else bool(library(witness))


def _apt(command: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise InvalidInput(f"`{shlex.join(command)}` failed: {said}")


def _no_system_cell() -> None:
    """Left to itself, gridengine-master makes a cell in /var/lib/gridengine and starts it."""
    answer = "gridengine-common shared/gridengineconfig boolean false\n"
    subprocess.run(["debconf-set-selections"], input=answer, text=True, check=False)


@contextmanager
def _services_stay_off() -> Iterator[None]:
    """Debian starts a service with its package unless policy-rc.d says 101; we need none of them.

    An existing policy is the administrator's and stays as it is.
    """
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text("#!/bin/sh\nexit 101\n")
    try:
        _POLICY.chmod(0o755)
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


# `make test` installs before its workers could do so all at once: `python -m tasks.testbed.packages [GROUP...]`.
if __name__ == "__main__":
    try:
        ensure(lambda line: print(line, file=sys.stderr), *sys.argv[1:])
    except InvalidInput as error:
        raise SystemExit(str(error)) from None
