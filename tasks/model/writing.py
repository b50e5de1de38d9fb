"""Files that are there whole or not at all: they are written beside their place first."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def write_beside(path: Path, data: bytes, finish: Callable[[str], None]) -> None:
    """Write a new file in the directory of `path`, and hand its name to `finish`, which moves it to its place.

    It is removed if that did not. Raises OSError.
    """
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        finish(temporary)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
