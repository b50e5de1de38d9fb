"""A log on its way to stdout. It may hold anything: the job wrote it, and the login node sent it."""

from __future__ import annotations

import re
import sys
from codecs import getincrementaldecoder
from collections.abc import Sequence
from typing import TextIO

# A colour, which is kept; characters that are no text, or turn its direction; the beginning of a colour.
_STEERS = re.compile(
    r"(\x1b\[[0-9;:]{0,32}m)|[^\t\n\r\b -~\xa0-\U0010ffff]|[\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)
# Cyan, yellow, magenta, green, blue: what they mean is told by the labels.
_COLOURS = (36, 33, 35, 32, 34)
_CUT_COLOUR = re.compile(r"\x1b(\[[0-9;:]{0,32})?\Z")


class Log:
    """Writes to a pipe byte for byte, and to a terminal as `less -R` does: of all that steers it, only colours.

    Carriage return and backspace pass, since progress bars need them. `begun`: something was written.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._decode = getincrementaldecoder("utf-8")("backslashreplace").decode
        self._stream = stream or sys.stdout
        self._watched = self._stream.isatty()
        self._rest = ""
        self.begun = False

    def write(self, piece: bytes) -> None:
        """Write the next bytes."""
        self.begun = True
        if self._watched:
            text = self._rest + self._decode(piece)
            cut = _CUT_COLOUR.search(text)
            self._rest = cut[0] if cut else ""
            piece = harmless(text[: len(text) - len(self._rest)], self._stream.encoding)
        self._out(piece)

    def close(self) -> None:
        """Write what was held back, and end any colour."""
        if self._watched and self.begun:
            self._out(harmless(self._rest, self._stream.encoding) + b"\x1b[m")

    def _out(self, data: bytes) -> None:
        self._stream.flush()
        self._stream.buffer.write(data)
        self._stream.buffer.flush()


def harmless(text: str, encoding: str) -> bytes:
    """Escape whatever steers a terminal; `encoding` is the terminal's."""
    shown = _STEERS.sub(lambda found: found[1] or repr(found[0])[1:-1], text)
    return shown.encode(encoding, "backslashreplace")


class LabelledLog:
    """Lines of several logs on stdout, each behind its label: in colours on a terminal, plain in a pipe."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._width = max(map(len, labels), default=0)
        self._colours = {label: _COLOURS[at % len(_COLOURS)] for at, label in enumerate(dict.fromkeys(labels))}
        self._watched = sys.stdout.isatty()

    def write(self, label: str, line: bytes) -> None:
        """A whole line, with its end."""
        begin = f"{label:<{self._width}}| "
        sys.stdout.flush()
        if self._watched:
            text = harmless(line.decode("utf-8", "backslashreplace"), sys.stdout.encoding)
            begin, line = f"\x1b[{self._colours[label]}m{begin}\x1b[m", text.removesuffix(b"\n") + b"\x1b[m\n"
        sys.stdout.buffer.write(begin.encode(sys.stdout.encoding, "backslashreplace") + line)
        sys.stdout.buffer.flush()
