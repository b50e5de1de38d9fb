"""YAML whose scalars all stay text: `24:00` is not a number, `no` is not false, and tags build no objects.

It is read from the parser's events: so a repeated key is reported with its line (yaml silently keeps the last), the
depth is bounded, and ten aliases of ten aliases of ... are refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, Union

from .errors import InvalidInput
from .reading import check_size, read_whole
from .wording import one_line

if TYPE_CHECKING:
    import yaml

Plain: TypeAlias = Union[str, "list[Plain]", "dict[str, Plain]"]

_LARGEST_FILE = 8 * 1024**2
_DEEPEST = 40
_MOST_VALUES = 1_000_000


def read_text(path: Path) -> str:
    """The UTF-8 text of a file, without a byte order mark.

    Raises FileNotFoundError when it is missing, InvalidInput when it cannot be read or is not UTF-8.
    """
    try:
        data = read_whole(path, _LARGEST_FILE)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise InvalidInput(f"{one_line(path)}: cannot be read: {error.strerror or error}") from None
    check_size(data, _LARGEST_FILE, one_line(path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise InvalidInput(f"{one_line(path)}:{line}: not UTF-8 text (byte {byte:#04x})") from None


def parse_mapping(text: str, path: Path) -> dict[str, Plain]:
    """The one mapping in `text` (empty for an empty text); `path` is for messages. Raises InvalidInput."""
    import yaml  # not at the top: most command lines have no such file

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return _Builder(path, yaml.parse(text, loader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = error.problem or error.context or "not YAML"
        indent = text.split("\n")[line - 1 : line] or [""]
        if "\t" in indent[0][: len(indent[0]) - len(indent[0].lstrip())]:
            problem = "indented with a tab; YAML wants spaces"
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1  # libyaml counts bytes
        problem = f"{error.reason}"
    except yaml.YAMLError as error:
        line, problem = 1, str(error)
    raise InvalidInput(f"{one_line(path)}:{line}: {one_line(problem)}")


class _Builder:
    """Builds plain values from events. An alias is the value of its anchor itself, and counts each time."""

    def __init__(self, path: Path, events: Iterator[yaml.Event]) -> None:
        self._path = path
        self._events = events
        self._anchors: dict[str, tuple[Plain, int]] = {}
        self._count = 0

    def document(self) -> dict[str, Plain]:
        import yaml

        value: Plain | None = None
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                if value is not None:
                    raise self._error(event, "a second document begins; only one is expected")
                first = next(self._events)
                value = self._value(first, 0)
                if value == "":
                    value = {}
                if not isinstance(value, dict):
                    raise self._error(first, "not a mapping of names to values")
        return value if isinstance(value, dict) else {}

    def _value(self, event: yaml.Event, depth: int) -> Plain:
        import yaml

        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise self._error(event, f"alias '*{event.anchor}' has no anchor before it")
            value, size = self._anchors[event.anchor]
            self._add(event, size)
            return value
        if depth > _DEEPEST:
            raise self._error(event, f"nested more than {_DEEPEST} deep")
        before = self._count
        self._add(event, 1)
        if isinstance(event, yaml.ScalarEvent):
            value = event.value
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
            while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
                value.append(self._value(item, depth + 1))
        else:
            value = self._mapping(depth)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = (value, self._count - before)
        return value

    def _mapping(self, depth: int) -> dict[str, Plain]:
        import yaml

        own: dict[str, Plain] = {}
        merged: dict[str, Plain] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._value(event, depth + 1)
            if not isinstance(key, str):
                raise self._error(event, "a key that is not text")
            value = self._value(next(self._events), depth + 1)
            if key == "<<" and isinstance(value, (dict, list)):  # YAML's "merge": our own keys win over those
                sources = value if isinstance(value, list) else [value]
                for source in reversed(sources):
                    if not isinstance(source, dict):
                        raise self._error(event, "'<<' takes mappings")
                    merged.update(source)
            elif key in own:
                raise self._error(event, f"'{key}' is given twice")
            else:
                own[key] = value
        return {**merged, **own}

    def _add(self, event: yaml.Event, values: int) -> None:
        self._count += values
        if self._count > _MOST_VALUES:
            raise self._error(event, f"more than {_MOST_VALUES} values, aliases included")

    def _error(self, event: yaml.Event, problem: str) -> InvalidInput:
        line = event.start_mark.line + 1 if event.start_mark else 1
        return InvalidInput(f"{one_line(self._path)}:{line}: {one_line(problem)}")
