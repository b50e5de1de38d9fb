"""The rows of a sweep: what each of its tasks is given, and the text of them that lies in the job directory.

Line N of that text belongs to task N (of a job that is no array job, line 1): `ROW START SIZE NAME='VALUE' ...`. ROW is
the number of the row in the whole sweep, START and SIZE are where in the file of scripts its own one is, if it has one,
and the rest are words for /bin/sh, in which a newline is `'"$submithost_newline"'`. Pure.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property

from .errors import InvalidInput, nearest
from .wording import number, one_line

Row = Mapping[str, str]
"""The values of one row, by the names of the columns."""
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
# They decide how programs run, or belong to us, or no shell lets anybody set them.
_TAKEN = re.compile(
    r"PATH|IFS|SHELL|HOME|PWD|OLDPWD|ENV|BASH_ENV|SHELLOPTS|BASHOPTS|UID|EUID|PPID|LD_.*|SUBMITHOST.*",
    re.IGNORECASE,
)
_NEWLINE = "'\"$submithost_newline\"'"
_VALUE = re.compile(rf"(\w+)='((?:[^']|'\\''|{re.escape(_NEWLINE)})*)'(?: |$)", re.ASCII)
_ESCAPED = re.compile(rf"'\\''|{re.escape(_NEWLINE)}")
# Characters of all values that are shown of a row, and of each where they are more.
_SHOWN, _EACH = 60, 12


def check_name(name: str) -> str:
    """The name of a column. Raises InvalidInput for one that is no variable of a job's environment."""
    if not NAME.fullmatch(name):
        more = "; are the columns separated by ';'? commas or tabs separate them" if ";" in name else ""
        raise InvalidInput(f"column '{one_line(name)}': a name is letters, digits and _, no digit first{more}")
    if _TAKEN.fullmatch(name):
        raise InvalidInput(f"column '{name}' would change how the job runs: choose another name")
    return name


def line_of(number: int, values: Row, start: int = 0, size: int = 0) -> str:
    """The line of a row."""
    words = (f"{name}={_quoted(value)}" for name, value in values.items())
    return " ".join([f"{number} {start} {size}", *words])


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''").replace("\n", _NEWLINE) + "'"


def _unquoted(match: re.Match[str]) -> str:
    return "'" if match[0] == "'\\''" else "\n"


class Rows(Mapping[int, Row]):
    """The rows of a job by task (0: it is no array job), read when one is asked for; empty where they are not known."""

    def __init__(self, load: Callable[[], str] = str) -> None:
        self._load = load

    @property
    def text(self) -> str:
        """All of it, as it lies in the job directory."""
        return self._load()

    @cached_property
    def _lines(self) -> list[str]:
        return self.text.split("\n")[:-1]

    def __getitem__(self, task: int) -> Row:
        if not 0 <= task <= len(self._lines) or not self._lines:
            raise KeyError(task)
        return {name: _ESCAPED.sub(_unquoted, value) for name, value in _VALUE.findall(self._lines[max(0, task - 1)])}

    def __iter__(self) -> Iterator[int]:
        return iter(range(1, len(self._lines) + 1))

    def __len__(self) -> int:
        return len(self._lines)

    def number(self, task: int) -> int:
        """The number of its row in the whole sweep."""
        head = self._lines[max(0, task - 1)].partition(" ")[0] if task <= len(self._lines) else ""
        known = number(head)
        return task if known is None else known

    def called(self, task: int | None) -> str:
        """`row 3 (alpha=0.1 seed=3)`; empty where it is not known."""
        if task is None or task not in self:
            return ""
        return f"row {self.number(task)} ({shortened(self[task])})"

    def matching(self, text: str) -> list[int]:
        """The tasks whose rows have all these values, `alpha=0.1,seed=3`, or this number. Raises InvalidInput."""
        if text.isdecimal():
            return [task for task in self if self.number(task) == number(text)]
        wanted = {}
        for word in next(csv.reader([text]), []):
            name, equals, value = word.partition("=")
            if not equals:
                raise InvalidInput(f"row {one_line(text)}: not like alpha=0.1,seed=3")
            wanted[name.strip()] = value
        columns = list(self[1]) if self else []
        if unknown := [name for name in wanted if name not in columns]:
            raise InvalidInput(
                f"row {one_line(text)}: no column '{one_line(unknown[0])}'{nearest(unknown[0], columns)}"
            )
        return [task for task in self if wanted.items() <= self[task].items()]


def shortened(row: Row) -> str:
    """The values of a row in a few words, `alpha=0.1 seed=3`."""
    words = " ".join(f"{name}={value}" for name, value in row.items())
    if len(words) > _SHOWN:
        words = " ".join(f"{name}={one_line(value, _EACH)}" for name, value in row.items())
    return one_line(words, _SHOWN)
