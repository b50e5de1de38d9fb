"""What `--over` and `--grid` give: a table with one row for each task of a sweep. All values are text as it is written.

--over FILE      CSV with a header, TSV, or JSON lines: by the suffix, else by the first line; `-` is stdin
--grid A=1,2     each of these values with each row, and with each value of other grids; `1-10` and `1-10:2` count
"""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..model import project
from ..model.errors import InvalidInput
from ..model.reading import check_size, pipes, read_input
from ..model.resources import MOST_FOLLOWED
from ..model.rows import check_name
from ..model.wording import one_line

_LARGEST_FILE = 256 * 1024**2
# What Linux takes as one variable, and what of the room for all of a process's is left to the others.
_LONGEST, _LONGEST_ROW = 100_000, 1_000_000
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})(?::(\d{1,9}))?", re.ASCII)
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".tab": "tsv", ".jsonl": "json", ".ndjson": "json"}


@dataclass(frozen=True)
class Table:
    """Rows, the names of their columns, and where each of them was given, for messages: `params.csv:7`."""

    columns: tuple[str, ...]
    rows: tuple[dict[str, str], ...]
    places: tuple[str, ...]
    source: str


def read_table(over: str, grids: Sequence[str]) -> Table:
    """The rows of `--over` (empty: one without values), each with each combination of the grids, the last one fastest.

    Raises InvalidInput: one line, with the line number or the flag.
    """
    table = parse_table(text_of(over), over) if over else Table((), ({},), ("",), "")
    for text in grids:
        name, values = parse_grid(text)
        if name in table.columns:
            raise InvalidInput(f"--grid {one_line(text)}: column '{name}' is there already")
        if len(table.rows) * len(values) > MOST_FOLLOWED:
            raise InvalidInput(f"--grid {one_line(text)}: that makes more than {MOST_FOLLOWED} rows")
        rows = tuple({**row, name: value} for row in table.rows for value in values)
        places = tuple(place for place in table.places for _ in values)
        table = Table((*table.columns, name), rows, places, table.source)
    _check(table)
    return table


def _check(table: Table) -> None:
    """Raises InvalidInput for values that no environment takes."""
    for number, (row, place) in enumerate(zip(table.rows, table.places, strict=True), 1):
        for name, value in row.items():
            if "\0" in value or len(value) > _LONGEST:
                what = "holds a NUL byte" if "\0" in value else f"has more than {_LONGEST} characters"
                raise InvalidInput(f"{place or f'row {number}'}: the value of '{name}' {what}")
        if sum(map(len, row.values())) > _LONGEST_ROW:
            raise InvalidInput(f"{place or f'row {number}'}: more than {_LONGEST_ROW} characters in one row")


def parse_grid(text: str) -> tuple[str, list[str]]:
    """Name and values of `alpha=0.1,0.2` or `seed=1-10:2`. Raises InvalidInput."""
    name, equals, given = text.partition("=")
    try:
        if not equals or not given:
            raise InvalidInput("not like alpha=0.1,0.2 or seed=1-10")
        check_name(name.strip())
        values = [value for word in next(csv.reader([given], strict=True)) for value in _counted(word)]
    except (InvalidInput, csv.Error, StopIteration) as error:
        raise InvalidInput(f"--grid {one_line(text)}: {error}") from None
    return name.strip(), values


def _counted(word: str) -> list[str]:
    """The values of a range, with the zeros that its first number begins with; of anything else, itself."""
    match = _RANGE.fullmatch(word)
    if not match:
        return [word]
    first, last, step = int(match[1]), int(match[2]), int(match[3] or 1)
    if last < first or step < 1:
        raise InvalidInput(f"{word} counts upwards, in steps of at least 1")
    if (last - first) // step >= MOST_FOLLOWED:
        raise InvalidInput(f"{word} has more than {MOST_FOLLOWED} values")
    width = len(match[1]) if match[1].startswith("0") else 0
    return [str(value).zfill(width) for value in range(first, last + 1, step)]


def text_of(over: str) -> str:
    """The text of the file, or of stdin; bytes that are no UTF-8 stay what they are. Raises InvalidInput."""
    called = f"--over {one_line(over)}"
    if over == "-":
        if "-" not in pipes:
            pipes["-"] = sys.stdin.buffer.read(_LARGEST_FILE + 1)
        data = pipes["-"]
        check_size(data, _LARGEST_FILE, called)
    else:
        path = Path(over).expanduser()
        project.current.refuse_planted(path)
        data = read_input(path, _LARGEST_FILE, called)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InvalidInput(f"{one_line(over)}:1: UTF-16; save it as UTF-8")
    return data.decode("utf-8", "surrogateescape").removeprefix("\ufeff")


def parse_table(text: str, source: str) -> Table:
    """The rows of a text; `source` is what it is called in messages, and its suffix may tell its format.

    Raises InvalidInput.
    """
    called = "stdin" if source == "-" else one_line(source)
    first = next((line for line in text.splitlines() if line.strip()), "")
    form = _SUFFIXES.get(Path(source).suffix.lower())
    form = form or ("json" if first.lstrip().startswith(("{", "[")) else "tsv" if "\t" in first else "csv")
    columns: tuple[str, ...] = ()
    rows: list[dict[str, str]] = []
    places: list[str] = []
    read = _json_lines(text, called) if form == "json" else _separated(text, called, "\t" if form == "tsv" else ",")
    for line, row in read:
        columns = columns or tuple(row)
        if len(rows) == MOST_FOLLOWED:
            raise InvalidInput(f"{called}:{line}: more than {MOST_FOLLOWED} rows")
        rows.append(row)
        places.append(f"{called}:{line}")
    if not rows:
        raise InvalidInput(f"{called}: no rows in it{'' if first else ', it is empty'}")
    return Table(columns, tuple(rows), tuple(places), called)


def _named(names: Sequence[str], where: str) -> list[str]:
    """Raises InvalidInput for names that are no names, or are there twice."""
    found: list[str] = []
    for name in names:
        try:
            check_name(name)
        except InvalidInput as error:
            raise InvalidInput(f"{where}: {error}") from None
        if name in found:
            raise InvalidInput(f"{where}: column '{name}' is there twice")
        found.append(name)
    return found


def _separated(text: str, called: str, separator: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of CSV or TSV, each with the number of the line that it begins in; blank lines are none."""
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    header: list[str] = []
    begins = 1
    try:
        for values in lines:
            at, begins = begins, lines.line_num + 1
            if not values:
                continue
            if not header:
                header = _named([value.strip() for value in values], f"{called}:{at}")
            elif len(values) != len(header):
                raise InvalidInput(f"{called}:{at}: {_many(len(values), 'value')} for {_many(len(header), 'column')}")
            else:
                yield at, dict(zip(header, values, strict=True))
    except csv.Error as error:
        raise InvalidInput(f"{called}:{begins}: {error}") from None


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _json_lines(text: str, called: str) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of JSON lines, all with the same names; numbers as they are written."""
    columns: list[str] = []
    for at, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line, object_pairs_hook=list, parse_int=str, parse_float=str, parse_constant=str)
        except (ValueError, RecursionError) as error:
            raise InvalidInput(f"{called}:{at}: {one_line(error)}") from None
        if not line.lstrip().startswith("{"):
            raise InvalidInput(f"{called}:{at}: not an object of names and values, one a line")
        names = _named([name for name, _ in row], f"{called}:{at}")
        columns = columns or names
        if missing := [name for name in columns if name not in names]:
            raise InvalidInput(f"{called}:{at}: column '{missing[0]}' is missing")
        if added := [name for name in names if name not in columns]:
            raise InvalidInput(f"{called}:{at}: column '{added[0]}' is in no row before")
        if nested := [name for name, value in row if isinstance(value, list)]:
            raise InvalidInput(f"{called}:{at}: the value of '{nested[0]}' is a list or an object; text is meant")
        found = {name: value if isinstance(value, str) else json.dumps(value) for name, value in row}
        yield at, {name: found[name] for name in columns}
