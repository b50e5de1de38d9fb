"""How an error ends a command line: the one place where errors become a line and an exit status."""

from __future__ import annotations

import os

from ..model.errors import SubmithostError
from ..model.wording import one_line
from ..screen.streams import lose_stdout


def ending(error: Exception) -> tuple[str, int]:
    """The line to show for an error (empty if nobody reads it any more), and the exit status.

    With SUBMITHOST_DEBUG, raises what is a bug of ours.
    """
    if isinstance(error, SubmithostError):
        return one_line(error, 2000), error.exit_status
    if isinstance(error, OSError):
        lose_stdout()  # most likely the disk under it is full, or nobody reads it
        return ("", 1) if isinstance(error, BrokenPipeError) else (one_line(error, 2000), 2)
    if os.environ.get("SUBMITHOST_DEBUG"):
        raise error
    what = f"{type(error).__name__}: {one_line(error, 2000)}"
    return f"a bug in submithost: {what} (SUBMITHOST_DEBUG=1 shows where)", 1
