"""Accounts that exist only for some processes: what they see of users and of PAM, by nss_wrapper and pam_wrapper."""

from __future__ import annotations

import os
import pwd
from pathlib import Path

from ..model.errors import InvalidInput
from .cluster import write
from .packages import library


def other_user(folder: Path, home: Path, login_shell: str | None = None) -> dict[str, str]:
    """Variables that make libnss-wrapper show the user with this home and shell to the process with them.

    And with a password that is not locked: without PAM, sshd refuses a locked account, as root's is on many machines.
    """
    wrapper = library("libnss_wrapper.so")
    if not wrapper:
        raise InvalidInput("the testbed needs libnss_wrapper: sudo apt-get install libnss-wrapper")
    home.mkdir(mode=0o700, exist_ok=True)
    me = pwd.getpwuid(os.geteuid())
    line = ":".join([me.pw_name, "x", str(me.pw_uid), str(me.pw_gid), me.pw_gecos,
                     str(home), login_shell or me.pw_shell])  # fmt: skip
    known = Path("/etc/passwd").read_text().splitlines()
    others = [text for text in known if not text.startswith(f"{me.pw_name}:")]
    passwd, group, shadow = (folder / name for name in ("passwd", "group", "shadow"))
    texts = {
        passwd: "\n".join([line, *others]) + "\n",
        group: Path("/etc/group").read_text(),
        shadow: f"{me.pw_name}:*:19000:0:99999:7:::\n",
    }
    for path, text in texts.items():
        # A new file is read anew by the daemons that live, each of whose threads may find nobody meanwhile: sge_qmaster
        # ends itself then.
        if not path.exists() or path.read_text() != text:
            write(path, text)
    return {
        "LD_PRELOAD": str(wrapper),
        "NSS_WRAPPER_PASSWD": str(passwd),
        "NSS_WRAPPER_GROUP": str(group),
        "NSS_WRAPPER_SHADOW": str(shadow),
    }


def own_pam(folder: Path, command: str, preload: str) -> dict[str, str]:
    """Variables that make libpam-wrapper give sshd this PAM service instead of the machine's."""
    services = folder / "pam"
    services.mkdir()
    lines = [f"auth requisite pam_exec.so quiet expose_authtok {command}"]
    lines += [f"{kind} required pam_permit.so" for kind in ("auth", "account", "password", "session")]
    for name in ("sshd", "other"):
        write(services / name, "\n".join(lines) + "\n")
    return {
        "LD_PRELOAD": f"{preload} {library('libpam_wrapper.so')}",
        "PAM_WRAPPER": "1",
        "PAM_WRAPPER_SERVICE_DIR": str(services),
        "PAM_WRAPPER_DEBUGLEVEL": "0",
    }
