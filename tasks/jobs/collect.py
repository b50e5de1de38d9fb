"""One table of a sweep's rows, each with what its task left in a small file: made of what was fetched."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from ..login_node import job_directory
from ..model.errors import InvalidInput
from ..model.job import Job
from ..model.listener import Listener
from ..model.reading import read_input
from ..model.wording import one_line
from ..model.writing import write_beside
from .results import Fetched

_LARGEST = 1 << 20
Cells = dict[str, str]


def table_of(fetched: Iterable[Fetched], collect: str, listener: Listener) -> list[Cells]:
    """A line for each row: `row`, its values, what the one file that matches `collect` has, `state`, `exit_status`.

    Of what is not there, or cannot be read, the cells are empty; the latter is told. Raises InvalidInput for jobs
    without rows.
    """
    lines, jobs = [], list(fetched)
    keys = {one.job.key for one in jobs}
    for one in (one for one in jobs if one.job.origin not in keys):  # what repeats a row is in the results of that row
        if not one.job.rows:
            raise InvalidInput(f"{one.job.title()} has no rows to make a table of: --over or --grid gives them")
        for task in one.tasks or one.job.numbers():
            lines.append(_line(one.job, task, Path(one.target), collect, listener))
    names = list(dict.fromkeys(name for line in lines for name in line if name not in ("state", "exit_status")))
    return [{name: line.get(name, "") for name in (*names, "state", "exit_status")} for line in lines]


def _line(job: Job, task: int, target: Path, collect: str, listener: Listener) -> Cells:
    number, row = job.rows.number(task), job.rows.get(task, {})
    folder = target / job_directory.ROWS / str(number) if job.array else target
    found: Mapping[str, str] = {}
    try:
        found = _collected(folder, collect) if collect else {}
    except InvalidInput as error:
        listener.say(f"row {number}: {error}")
    outcome = job.repairs.get(task, job).of(task)
    status = "" if outcome.exit_status is None else str(outcome.exit_status)
    stem = Path(collect).stem
    taken = {"row", "state", "exit_status", *row}
    own = {(f"{stem}.{name}" if name in taken else name): value for name, value in found.items()}
    return {"row": str(number), **row, **own, "state": str(outcome.state), "exit_status": status}


def _collected(folder: Path, collect: str) -> Cells:
    """What is in the one file; nothing where there is none. Raises InvalidInput."""
    paths = sorted(path for path in folder.glob(collect) if path.is_file()) if folder.is_dir() else []
    if len(paths) > 1:
        raise InvalidInput(f"{len(paths)} files match {collect}, {paths[0].name} and {paths[1].name} among them")
    if not paths:
        return {}
    data = read_input(paths[0], _LARGEST, paths[0].name, "no small result")
    return parse_result(data.decode("utf-8", "replace").removeprefix("\ufeff"), paths[0].name)


def parse_result(text: str, name: str) -> Cells:
    """The columns of a result: a JSON object's, those of a CSV or TSV file with a header and one line, or a single
    value under the name of the file. Raises InvalidInput.
    """
    suffix, stem = Path(name).suffix.lower(), Path(name).stem
    if suffix in (".csv", ".tsv"):
        try:
            lines = [line for line in csv.reader(io.StringIO(text, newline=""), _SEPARATORS[suffix]) if line]
        except csv.Error as error:
            raise InvalidInput(f"{name}: {error}") from None
        if len(lines) != 2 or len(lines[0]) != len(lines[1]):
            raise InvalidInput(f"{name}: not a header and one line with as many values")
        return dict(zip(lines[0], lines[1], strict=True))
    with suppress(ValueError, RecursionError):
        value = json.loads(text, parse_int=str, parse_float=str)
        if isinstance(value, dict):
            plain = json.loads(text)  # for what is nested
            return {key: _cell(each if isinstance(each, str) else plain[key]) for key, each in value.items()}
        return {stem: _cell(value)}
    if suffix == ".json":
        raise InvalidInput(f"{name}: not understood as JSON")
    if len(text.strip().splitlines()) > 1:
        raise InvalidInput(f"{name}: neither a JSON object nor a single value")
    return {stem: text.strip()}


def _cell(value: object) -> str:
    """Numbers as they are written; nothing for null; lists and objects as JSON."""
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


class _Tabs(csv.excel_tab):
    lineterminator = "\n"


class _Commas(csv.excel):
    lineterminator = "\n"


_SEPARATORS = {".csv": _Commas, ".tsv": _Tabs}


def written(table: Sequence[Mapping[str, str]], suffix: str) -> str:
    """The text of a table: TSV or JSON lines by the suffix of its file, else CSV."""
    if suffix in (".jsonl", ".ndjson", ".json"):
        return "".join(f"{json.dumps(line)}\n" for line in table)
    out = io.StringIO()
    lines = csv.DictWriter(out, list(table[0]) if table else [], dialect=_SEPARATORS.get(suffix, _Commas))
    lines.writeheader()
    lines.writerows(table)
    return out.getvalue()


def write(table: Sequence[Mapping[str, str]], path: Path) -> None:
    """Write it, whole or not at all. Raises InvalidInput."""
    data = written(table, path.suffix.lower()).encode("utf-8", "surrogateescape")

    def finish(temporary: str) -> None:
        os.chmod(temporary, 0o666 & ~_umask())
        os.replace(temporary, path)

    try:
        write_beside(path, data, finish)
    except OSError as error:
        raise InvalidInput(f"cannot write {one_line(path)}: {error.strerror}") from None


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before


def check_flags(table: str, collect: str) -> None:
    """Raises InvalidInput, before anything is fetched, for a place where no table can be, or a pattern without one."""
    if collect and not table:
        raise InvalidInput("--collect goes with --table: where is it to be written?")
    if collect and (Path(collect).is_absolute() or ".." in Path(collect).parts):
        raise InvalidInput(f"--collect {one_line(collect)}: a file, or a pattern, in the directory of each row")
    if table and table != "-" and (Path(table).is_dir() or not Path(table).parent.is_dir()):
        raise InvalidInput(f"--table {one_line(table)}: a directory, or in one that is not there")
