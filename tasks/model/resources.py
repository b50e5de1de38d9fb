"""What a job asks for, in units of our own: seconds, bytes per core, cores. Schedulers translate."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields

from .errors import InvalidInput

_UNITS = {"": 1, "k": 1000, "K": 1024, "m": 1000**2, "M": 1024**2, "g": 1000**3, "G": 1024**3, "t": 1000**4, "T": 1024**4}
_TIME = re.compile(r"(?:(?:(\d+)-)?(\d+):)?(\d+):(\d+)|(\d+)", re.ASCII)
_MEMORY = re.compile(r"(\d+(?:\.\d+)?)([kKmMgGtT]?)(?:i?[bB])?", re.ASCII)
_ARRAY = re.compile(r"(\d+)(?:-(\d+))?(?::(\d+))?", re.ASCII)
_MAIL_ON = re.compile(r"n|[beas]+")


@dataclass(frozen=True)
class TaskRange:
    """The tasks of an array job: `first`, `first + step`, ... up to `last`."""

    first: int
    last: int
    step: int = 1

    @classmethod
    def parse(cls, text: str) -> TaskRange:
        """Read `1-100:2`, `1-100` or `7` (that task alone). Raises InvalidInput."""
        match = _ARRAY.fullmatch(text)
        if not match:
            raise InvalidInput(f"array '{text}' is not a range like 1-100 or 1-100:2")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if first < 1 or last < first or step < 1:
            raise InvalidInput(f"array '{text}': tasks count upwards from 1, in steps of at least 1")
        return cls(first, last, step)

    def __str__(self) -> str:
        return f"{self.first}-{self.last}:{self.step}"

    def __len__(self) -> int:
        return len(self.numbers())

    def numbers(self) -> range:
        """All task numbers."""
        return range(self.first, self.last + 1, self.step)


@dataclass(frozen=True)
class Resources:
    """What is asked for; None where nothing was said. Time in seconds, memory in bytes per core."""

    time: int | None = None
    memory: int | None = None
    cores: int | None = None
    gpus: int | None = None
    array: TaskRange | None = None
    at_once: int | None = None
    name: str | None = None
    mail: str | None = None
    mail_on: str | None = None
    queue: str | None = None
    project: str | None = None

    def over(self, defaults: Resources) -> Resources:
        """These resources, and where they say nothing, those of `defaults`."""
        merged = {}
        for field in fields(self):
            own = getattr(self, field.name)
            merged[field.name] = getattr(defaults, field.name) if own is None else own
        return Resources(**merged)


def parse_time(text: str) -> int:
    """Seconds in `90`, `1:30` (minutes:seconds), `1:00:00` or `2-00:00:00`. Raises InvalidInput."""
    match = _TIME.fullmatch(text.strip())
    if not match:
        raise InvalidInput(f"time '{text}' is neither seconds nor [D-]HH:MM:SS")
    if match[5] is not None:
        return int(match[5])
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups()[:4])
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def parse_memory(text: str) -> int:
    """Bytes in `4G`, `500M`, `1.5G`, `1024`; K M G T count in 1024s, k m g t in 1000s, as in sge_types(1).

    Raises InvalidInput.
    """
    match = _MEMORY.fullmatch(text.strip())
    if not match or not int(float(match[1]) * _UNITS[match[2]]):
        raise InvalidInput(f"memory '{text}' is not an amount like 4G or 500M")
    return int(float(match[1]) * _UNITS[match[2]])


def parse_count(text: str, what: str, least: int = 1) -> int:
    """A whole number of at least `least`. Raises InvalidInput that names `what`."""
    if not re.fullmatch(r"\d+", text.strip(), re.ASCII) or int(text) < least:
        raise InvalidInput(f"{what} '{text}' is not a whole number from {least} upwards")
    return int(text)


def parse_resources(**texts: str | None) -> Resources:
    """Resources from texts as users write them, by the names of the fields. Raises InvalidInput."""

    def text(name: str) -> str | None:
        return texts.get(name) or None

    def count(name: str) -> int | None:
        given = text(name)
        return parse_count(given, name.replace("_", "-")) if given else None

    time, memory, array, mail_on = (text(name) for name in ("time", "memory", "array", "mail_on"))
    if mail_on and not _MAIL_ON.fullmatch(mail_on):
        raise InvalidInput(f"mail-on '{mail_on}' is not made of b (begin), e (end), a (abort), s (suspend), or n (never)")
    return Resources(
        time=parse_time(time) if time else None,
        memory=parse_memory(memory) if memory else None,
        cores=count("cores"),
        gpus=count("gpus"),
        array=TaskRange.parse(array) if array else None,
        at_once=count("at_once"),
        name=text("name"),
        mail=text("mail"),
        mail_on=mail_on,
        queue=text("queue"),
        project=text("project"),
    )
