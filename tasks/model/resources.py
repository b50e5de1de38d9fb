"""What a job asks for, in units of our own (seconds, bytes per core, cores), which schedulers translate."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

from .errors import InvalidInput

_UNITS = {"": 1, **{unit: 1000**power for power, unit in enumerate("kmgt", 1)}}
_UNITS |= {unit: 1024**power for power, unit in enumerate("KMGT", 1)}
# The number of digits is bounded: Python's int() and float() fail on very long ones.
_TIME = re.compile(r"(?:(\d{1,6})-)?(\d{1,9}):([0-5]?\d)(?::([0-5]?\d))?|(\d{1,12})", re.ASCII)
_WORDS_OF_TIME = re.compile(r"(?=\d)" + "".join(rf"(?:(\d{{1,12}}){unit})?" for unit in "wdhms"), re.ASCII)
_MEMORY = re.compile(r"(\d{1,18})(?:\.(\d{1,9}))?([kKmMgGtT]?)(?:i?[bB])?", re.ASCII)
_ARRAY = re.compile(r"(\d{1,9})(?:-(\d{1,9}))?(?::(\d{1,9}))?", re.ASCII)
_COUNT = re.compile(r"\d{1,9}", re.ASCII)
_MAIL_ON = re.compile(r"n|[beas]+")
# More than schedulers allow in one array job, by far.
MOST_TASKS = 4_000_000
# The most tasks of a job that are followed one by one; by default schedulers allow fewer (max_aj_tasks: 75,000).
MOST_FOLLOWED = 250_000


@dataclass(frozen=True)
class TaskRange:
    """The tasks of an array job: `first`, `first + step`, ... up to `last`, and `also` those of further ranges."""

    first: int
    last: int
    step: int = 1
    also: tuple[TaskRange, ...] = ()

    def __post_init__(self) -> None:
        """Raises ValueError for too many: a login node that claims more could fill our memory."""
        parts = (self, *self.also)
        if any(part.step < 1 for part in parts) or self.size > MOST_TASKS:
            raise ValueError(f"more than {MOST_TASKS} tasks")

    @classmethod
    def of(cls, tasks: Iterable[int]) -> TaskRange | None:
        """The range of exactly these tasks; None if there are none. Raises ValueError for too many."""
        parts = tuple(ranges_of(tasks))
        return replace(parts[0], also=parts[1:]) if parts else None

    @classmethod
    def parse(cls, text: str) -> TaskRange:
        """Read `1-100:2`, `1-100`, `7` (that task alone), or several separated by commas. Raises InvalidInput."""
        try:
            one, *more = (cls._parse_one(part, text) for part in text.split(","))
            return replace(one, also=tuple(more))
        except ValueError as error:
            raise InvalidInput(f"array {text!r}: {error}") from None

    @classmethod
    def _parse_one(cls, text: str, whole: str) -> TaskRange:
        match = _ARRAY.fullmatch(text)
        tasks, _, at_once = text.partition("%")
        if not match and _ARRAY.fullmatch(tasks) and _COUNT.fullmatch(at_once):
            raise InvalidInput(f"array {whole!r}: say it with two flags, --array {tasks} --at-once {at_once}")
        if not match:
            raise InvalidInput(f"array {whole!r} is not a range like 1-100 or 1-100:2")
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if first == 1 and last == 0:
            raise InvalidInput(f"array {whole!r} has no task in it: is what its tasks were counted from empty?")
        if last < first or step < 1:
            raise InvalidInput(f"array {whole!r}: tasks count upwards, in steps of at least 1")
        try:
            return cls(first, last, step)
        except ValueError as error:
            raise InvalidInput(f"array {whole!r}: {error}") from None

    def __str__(self) -> str:
        return ",".join(f"{part.first}-{part.last}:{part.step}" for part in self.parts())

    def __len__(self) -> int:
        return len(self.numbers())

    def __bool__(self) -> bool:
        return self.size > 0

    def __contains__(self, task: int) -> bool:
        numbers = self.numbers()
        if isinstance(numbers, range):
            return task in numbers
        at = bisect_left(numbers, task)
        return at < len(numbers) and numbers[at] == task

    @property
    def size(self) -> int:
        """How many tasks there are at most, without counting."""
        return sum((part.last - part.first) // part.step + 1 for part in (self, *self.also))

    def parts(self) -> tuple[TaskRange, ...]:
        """The single ranges."""
        return (replace(self, also=()), *self.also)

    def numbers(self) -> Sequence[int]:
        """All task numbers, ascending."""
        return self._numbers

    @cached_property
    def _numbers(self) -> Sequence[int]:
        ranges = [range(part.first, part.last + 1, part.step) for part in (self, *self.also)]
        return sorted(set().union(*ranges)) if self.also else ranges[0]


def ranges_of(tasks: Iterable[int]) -> Iterator[TaskRange]:
    """A few ranges of exactly these tasks, in order: 2, 3, 4, 9 are 2-4 and 9."""
    left, at = sorted(set(tasks)), 0
    while at < len(left):
        step = left[at + 1] - left[at] if at + 1 < len(left) else 1
        end = at + 1
        while end < len(left) and left[end] == left[end - 1] + step:
            end += 1
        if end - at == 2 and end < len(left) and left[end] - left[end - 1] < step:
            end = at + 1  # 1, 9, 10, 11: the last three belong together
        yield TaskRange(left[at], left[end - 1], step if end - at > 1 else 1)
        at = end


@dataclass(frozen=True)
class Resources:
    """What is asked for; None: not given. Time is in seconds, memory in bytes per core.

    `cores` are on one node; `mpi`, instead of `cores`, is a number of cores on as many nodes as it takes.
    """

    time: int | None = None
    memory: int | None = None
    cores: int | None = None
    mpi: int | None = None
    gpus: int | None = None
    array: TaskRange | None = None
    at_once: int | None = None
    name: str | None = None
    mail: str | None = None
    mail_on: str | None = None
    queue: str | None = None
    project: str | None = None

    def over(self, defaults: Resources) -> Resources:
        """These resources, completed by those of `defaults`."""
        merged = {}
        for field in fields(self):
            own = getattr(self, field.name)
            merged[field.name] = getattr(defaults, field.name) if own is None else own
        return Resources(**merged)


class Seconds(int):
    """A time in seconds, and how it was written: schedulers read some texts otherwise."""

    written = ""


def parse_time(text: str) -> Seconds:
    """Seconds in `90`, `24:00` (hours:minutes), `1:00:00`, `2-00:00:00`, `1h30m`, `2d`, `1w`. Raises InvalidInput."""
    text = text.strip()
    if words := _WORDS_OF_TIME.fullmatch(text):
        parts = words.groups()
    elif match := _TIME.fullmatch(text):
        parts = (None, *match.groups()[:3], match[5] or match[4])
    else:
        raise InvalidInput(f"time {text!r} is neither seconds nor [D-]HH:MM[:SS] nor like 1h30m")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in parts)
    found = Seconds((((weeks * 7 + days) * 24 + hours) * 60 + minutes) * 60 + seconds)
    found.written = text
    return found


def clock(seconds: int) -> str:
    """`1:30:00`."""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}"


def size(count: int) -> str:
    """`1536M`: bytes with the largest unit that keeps them whole; K M G count in 1024s."""
    for unit, large in (("G", 1024**3), ("M", 1024**2), ("K", 1024)):
        if count % large == 0:
            return f"{count // large}{unit}"
    return str(count)


def parse_memory(text: str) -> int:
    """Bytes in `4G`, `500M`, `1.5G`, `1024`; K M G T count in 1024s, k m g t in 1000s: Grid Engine's rule.

    Raises InvalidInput.
    """
    match = _MEMORY.fullmatch(text.strip())
    amount = 0
    if match:  # in whole numbers: a float would lose bytes
        decimals = match[2] or ""
        amount = int(match[1] + decimals) * _UNITS[match[3]] // 10 ** len(decimals)
    if not amount:
        raise InvalidInput(f"memory {text!r} is not an amount like 4G or 500M")
    return amount


def parse_count(text: str, what: str, least: int = 1) -> int:
    """A whole number of at least `least`. Raises InvalidInput that names `what`."""
    if not _COUNT.fullmatch(text.strip()) or int(text.strip()) < least:
        raise InvalidInput(f"{what} {text!r} is not a whole number from {least} upwards")
    return int(text.strip())


def _sensible(size: int, text: str) -> int:
    if size < 1024**2:
        raise InvalidInput(f"memory {text!r} is {size} bytes; {text.strip()}G?" if text.strip().isdigit() else
                           f"memory {text!r} is less than a megabyte")  # fmt: skip
    return size


def parse_resources(**texts: str | None) -> Resources:
    """Resources from texts as users write them, by the names of the fields. Raises InvalidInput."""

    def text(name: str) -> str | None:
        return texts.get(name) or None

    def count(name: str) -> int | None:
        given = text(name)
        return parse_count(given, name.replace("_", "-")) if given else None

    time, memory, array, mail_on = (text(name) for name in ("time", "memory", "array", "mail_on"))
    seconds = parse_time(time) if time else None
    if seconds == 0:
        raise InvalidInput(f"time {time!r} is no time for a job to run in")
    for name in ("queue", "project", "mail"):  # a space would begin another of the scheduler's options
        if (given := text(name)) and re.search(r"\s", given):
            raise InvalidInput(f"{name} {given!r} has white space in it")
    if mail_on and not _MAIL_ON.fullmatch(mail_on):
        raise InvalidInput(f"mail-on {mail_on!r} is not made of b (begin), e (end), a (abort), s (suspend), n (never)")
    return Resources(
        time=seconds,
        memory=_sensible(parse_memory(memory), memory) if memory else None,
        cores=count("cores"),
        mpi=count("mpi"),
        gpus=count("gpus"),
        array=TaskRange.parse(array) if array else None,
        at_once=count("at_once"),
        name=text("name"),
        mail=text("mail"),
        mail_on=mail_on,
        queue=text("queue"),
        project=text("project"),
    )
