"""What `status --watch` shows below its table: how many are in which state, and what changed last. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..model.command_line import Cells
from ..model.job import State
from ..model.wording import one_line

# As a row's state has it: `running (12 pending, 3 running, 2 repaired by job 15, 1 failed again in job 15)`.
_PART = re.compile(r"(\d+) (\w+)(?: again in job \d+| by job \d+)?", re.ASCII)
_KNOWN = frozenset(state.value for state in State)
_NAME = 24


def counts_of(cell: str) -> Counter[str]:
    """How many jobs or tasks are in which state, by the state of one row."""
    state, _, tally = cell.partition(" (")
    found = Counter[str]()
    for part in tally.rstrip(")").split(", ") if tally else ():
        if match := _PART.fullmatch(part):
            word = State.SUCCEEDED.value if match[2] == "repaired" else match[2]
            found[word] += int(match[1]) if word in _KNOWN else 0
    return +found or Counter({state: 1})


@dataclass(frozen=True)
class Change:
    """What changed last: of which job, and its news: `running -> failed`, or `1 more failed`, `2 more running`."""

    job: str = ""
    name: str = ""
    news: tuple[str, ...] = ()

    def lines(self, width: int) -> list[str]:
        """It in words, without the job's name where that has no room."""
        begin = f"last: {self.job} {self.name}: "
        if len(begin) + len(", ".join(self.news)) > width:
            begin = f"{self.job}: "
        return list(lines_of(self.news, width, begin))


def change_of(columns: Sequence[str], before: Cells, now: Cells, last: Change) -> Change:
    """The change of the last of these rows that has changed; `last` where none has, or where they are the first."""
    place, name = columns.index("state"), columns.index("name")
    keys = [at for at, column in enumerate(columns) if column in ("cluster", "job")]
    known = {tuple(row[at] for at in keys): row[place] for row in before}
    for row in now:
        key = tuple(row[at] for at in keys)
        news = _news(known[key], row[place]) if key in known else ()
        if news:
            last = Change(" ".join(key), one_line(row[name], _NAME), news)
    return last


def _news(old: str, new: str) -> tuple[str, ...]:
    """That it is not known yet how something ended is none."""
    before, now = counts_of(old), counts_of(new)
    if "(" in new and before.total() == now.total():
        return tuple(f"{many} more {state}" for state, many in (now - before).items() if state != State.UNKNOWN)
    old, new = old.partition(" (")[0], new.partition(" (")[0]
    return (f"{old} -> {new}",) if new not in (old, State.UNKNOWN) else ()


def summary(shown: int, cells: Sequence[str], order: Sequence[State], width: int) -> list[str]:
    """How many jobs, or tasks, are in which state, by the states of all rows, of which so many are `shown`."""
    counts = Counter[str]()
    for cell in cells:
        counts += counts_of(cell)
    if counts.total() < 2:
        return []
    jobs = f"{f'{shown} of ' if shown < len(cells) else ''}{len(cells)} jobs" if len(cells) > 1 else ""
    tasks = f"{counts.total()} tasks" if counts.total() != len(cells) else ""
    begin = " with ".join(filter(None, (jobs, tasks)))
    parts = [f"{counts[state.value]} {state}" for state in order if counts[state.value]]
    return list(lines_of(parts, width, f"{begin}: "))


def lines_of(parts: Sequence[str], width: int, begin: str) -> Iterator[str]:
    """Parts with commas between, in lines none of which breaks one; what they `begin` with has a line of its own where
    there is no room beside it."""
    line = begin
    for at, part in enumerate(parts):
        more = f"{part}," if at + 1 < len(parts) else part
        if line and len(line) + 1 + len(more) > width:
            yield line.rstrip()
            line = ""
        line += more if not line or line.endswith(" ") else f" {more}"
    yield line
