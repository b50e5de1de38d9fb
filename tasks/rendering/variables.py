"""What `--set` and `--vars` give to a template. All scalars are text: `24:00` and `no` stay what they are."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ..model import project
from ..model.errors import InvalidInput
from ..model.plain_yaml import Plain, parse_mapping, read_text
from ..model.wording import one_line

BUILT_IN = ("directives", "scheduler", "task_id", "job_id", "cores", "requeue")
"""What every template has already; see the package's docstring."""

_WORDS = {"true", "false", "none", "True", "False", "None"}
_WORDS |= {"and", "or", "not", "in", "is", "if", "else", "self", "super"}
_FLAGS = {"cores": "--cores", "task_id": "--array", "directives": "--time, --memory, --cores, ..."}


def read_variables(set_: Sequence[str] | Mapping[str, object], vars_file: str | None) -> dict[str, object]:
    """The variables of `--vars FILE` (a mapping in YAML, or JSON if so named), and over them `--set K=V`, or a mapping.

    Raises InvalidInput, one line with file and line number, or the flag.
    """
    variables: dict[str, object] = {}
    if vars_file is not None:
        path = Path(vars_file).expanduser()
        project.current.refuse_planted(path)
        try:
            text = read_text(path)
        except FileNotFoundError:
            raise InvalidInput(f"--vars {one_line(vars_file)}: no such file") from None
        variables.update(_parse_json(text, path) if path.suffix == ".json" else parse_mapping(text, path))
    if isinstance(set_, Mapping):
        return {
            **variables,
            **{name: value if isinstance(value, (str, list, dict)) else str(value) for name, value in set_.items()},
        }
    for item in set_:
        name, equals, value = item.partition("=")
        if not equals:
            raise InvalidInput(f"--set {one_line(item)}: not like NAME=VALUE")
        variables[name] = value
    return variables


def check_names(names: Iterable[str], of_scheduler: Iterable[str]) -> None:
    """Raises InvalidInput for a name that a template cannot use, or that it has already."""
    built_in = {*BUILT_IN, *of_scheduler}
    for name in names:
        if name in built_in:
            flag = f", as {_FLAGS[name]} asks for it" if name in _FLAGS else ""
            raise InvalidInput(f"variable '{name}' is built in{flag}; choose another name")
        if not name.isidentifier() or name in _WORDS:
            raise InvalidInput(
                f"variable '{one_line(name)}': no template can use this name; a name is letters, digits and _"
            )


def _parse_json(text: str, path: Path) -> dict[str, Plain]:
    try:
        # numbers as they are written
        value = json.loads(text, object_pairs_hook=_unique, parse_int=str, parse_float=str, parse_constant=str)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"{one_line(path)}:{error.lineno}: {error.msg}") from None
    except RecursionError:
        raise InvalidInput(f"{one_line(path)}: nested too deep") from None
    except InvalidInput as error:
        raise InvalidInput(f"{one_line(path)}: {error}") from None
    if not isinstance(value, dict):
        raise InvalidInput(f"{one_line(path)}:1: not a mapping of names to values")
    return {name: _plain(item) for name, item in value.items()}


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidInput(f"'{one_line(name)}' is given twice")
        found[name] = value
    return found


def _plain(value: object) -> Plain:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return value
    return json.dumps(value)  # true, false, null: the text that stands in the file, as with YAML
