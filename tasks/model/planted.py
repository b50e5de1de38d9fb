"""Files that count because of where one stands, in places like /tmp where anybody may have laid them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import InvalidInput
from .wording import one_line


def refuse_planted(path: Path) -> None:
    """Raises InvalidInput when somebody else laid this into a directory where all may write.

    It may say what is run here (`ssh_config`), or over there. What a colleague keeps in a directory of theirs is a
    user's own choice. Raises FileNotFoundError when there is nothing.
    """
    try:
        status = path.stat()
        above = path.resolve().parent.stat()
    except FileNotFoundError:
        raise
    except OSError:
        return  # who reads it will say why it cannot
    if status.st_uid not in (0, os.geteuid()) and above.st_mode & stat.S_IWOTH:
        raise InvalidInput(f"{one_line(path)}: somebody else laid it here, where all may write; work elsewhere")
