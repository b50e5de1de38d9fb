"""Files that a person names, read whole. What can be read only once, a pipe, is kept for who asks again."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from .errors import InvalidInput

pipes: dict[str, bytes] = {}
"""What was read from pipes, by their paths; processes that are forked off, and may ask later, are given it."""


def read_whole(path: Path, most: int) -> bytes:
    """All bytes of a file; of one that has more than `most`, one more than that. Raises OSError."""
    name = str(path)
    if name not in pipes:
        with path.open("rb") as file:
            data = file.read(most + 1)
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                return data
        pipes[name] = data
    return pipes[name]


def read_input(path: Path, most: int, called: str, instead: str = "") -> bytes:
    """All bytes of a file, which messages call `called`. Raises InvalidInput, also for more than `most` bytes;
    `instead` is what so large a file is not.
    """
    try:
        data = read_whole(path, most)
    except OSError as error:
        raise InvalidInput(f"{called}: cannot be read: {error.strerror or error}") from None
    check_size(data, most, called, instead)
    return data


def check_size(data: bytes, most: int, called: str, instead: str = "") -> None:
    """Raises InvalidInput for more than `most` bytes."""
    if len(data) > most:
        raise InvalidInput(f"{called}: larger than {most >> 20} MB{f', and {instead}' if instead else ''}")
