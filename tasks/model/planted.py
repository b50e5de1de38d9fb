"""Files that count because of where one stands, in places like /tmp where anybody may have laid them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import InvalidInput
from .wording import one_line


def refuse_planted(path: Path, *, only_own: bool = False) -> None:
    """Raises InvalidInput when somebody else laid this into a directory where all may write: a link, or what it
    leads to.

    It may say what is run here (`ssh_config`), or over there. What a colleague keeps in a directory of theirs is a
    user's own choice, where the user went there; with `only_own` it is not, since nobody chose it: then it has to be
    one's own, or root's, and nobody else's to write to. Raises FileNotFoundError when there is nothing.
    """
    try:
        looks = [(path.lstat(), path.absolute().parent.stat()), (path.stat(), path.resolve().parent.stat())]
    except FileNotFoundError:
        raise
    except OSError:
        return  # who reads it will say why it cannot
    for status, above in looks:
        foreign = status.st_uid not in (0, os.geteuid())
        if foreign and above.st_mode & stat.S_IWOTH:
            raise InvalidInput(f"{one_line(path)}: somebody else laid it here, where all may write; work elsewhere")
        if only_own and (foreign or (status.st_mode & stat.S_IWOTH and not stat.S_ISLNK(status.st_mode))):
            whose = "is another user's" if foreign else "may be written by others"
            raise InvalidInput(
                f"{one_line(path)}: {whose}, and does not count in directories below: work in {one_line(path.parent)}"
            )
