"""The listener of a command line: a person at a terminal."""

from __future__ import annotations

from .output import say, while_slow
from .progress import transfer


class Screen:
    """The listener of a command line (model/listener.py): lines on stderr, bars on a terminal."""

    say = staticmethod(say)
    slow = staticmethod(while_slow)
    transfer = staticmethod(transfer)
