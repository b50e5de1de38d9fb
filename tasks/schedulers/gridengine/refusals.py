"""What qmaster's words for why a job cannot run mean; by captured answers of `qalter -w`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from ...model.reason import Reason
from ...model.wording import one_line
from ..wording import bytes_in
from .options import GPUS, MEMORY

_OFFER = re.compile(
    r"\(-l (\S+)\) cannot run (?:at host|in queue|globally).* because it offers only (..):([^=]+)=(\S+)"
)
_SLOTS = re.compile(r'cannot run in PE "([^"]*)" because it only offers (\d{1,9}) slots', re.ASCII)
_RULE = re.compile(r'exceeds limit "[^"]*" in rule "([^"]*)/([^"/]*)"')
_DROPPED = re.compile(r'queue instance "([^"]*)" dropped because it is (?!full|overloaded)')
FACTS = ("execution_time", "hard resource_list", "parallel environment", "maximum concurrency")
_NOWHERE = "verification: no suitable queues"
# What a host has to offer changes with its load: `hl`, `gl`, `ql`; the others are what it was given to share out.
_LOAD = re.compile(r"[ghq]l")
# Lines that are kept of what is said of one job: a cluster may have thousands of queues that cannot run it.
_MOST = 10_000
# So many queues are named.
_NAMED = 5


@dataclass
class Said:
    """Of one job: facts of `qstat -j`, what the scheduler noted of its last run (`info`), and what it said when it was
    asked whether the job could run on an empty cluster (`verified`) and on this one (`possible`)."""

    facts: dict[str, str] = field(default_factory=dict)
    error: str = ""
    info: list[str] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    possible: list[str] = field(default_factory=list)


class Asked:
    """The whole answer, read line by line."""

    def __init__(self) -> None:
        self.jobs: dict[str, Said] = {}
        self.places: dict[str, int] = {}
        self.waiting: int | None = None
        self.slots: dict[str, int] = {}
        self.rules: dict[str, list[str]] = {}
        self.most_jobs = ""
        self._said = Said()
        self._to: list[str] = []

    def read(self, line: str) -> None:
        """Take one line."""
        name, _, value = line.partition(":")
        if found := re.fullmatch(r"check ([vp]) (\d{1,20})", line, re.ASCII):
            said = self.jobs.setdefault(found[2], Said())
            self._to = said.verified if found[1] == "v" else said.possible
        elif found := re.fullmatch(r"job_number: +(\d{1,20})", line, re.ASCII):
            self._said = self.jobs.setdefault(found[1], Said())
            self._to = []
        elif found := re.match(r"error reason +\d+: +\S+ \S+ \[\S*\]: (?:error: )?(.*)", line):
            self._said.error = self._said.error or found[1]
        elif name == "scheduling info":
            self._to = self._said.info
            self._keep(value.strip())
        elif name in FACTS:
            self._said.facts[name] = value.strip()
        elif not self._number(line.split(" ", 2)):
            self._keep(line.strip())

    def _keep(self, line: str) -> None:
        if len(self._to) < _MOST:
            self._to.append(line)

    def _number(self, words: list[str]) -> bool:
        """Keep the line if it holds a count; return whether it does."""
        match words:
            case ["place", job_id, number] if number.isdecimal():
                self.places[job_id] = int(number[:9])
            case ["waiting", number] if number.isdecimal():
                self.waiting = int(number[:9])
            case ["slots", number, name] if number.isdecimal():
                self.slots[name] = int(number[:9])
            case ["rule", name, text]:
                self.rules.setdefault(name, []).append(text)
            case ["most", number]:
                self.most_jobs = number
            case _:
                return False
        return True

    def rule(self, name: str, number: str) -> str:
        """The text of a limit that is called `NAME/NUMBER`, or by its own name."""
        texts = self.rules.get(name, [])
        own = [text for text in texts if text.startswith(f"name {number} ")]
        if number.isdecimal() and 0 < int(number[:9]) <= len(texts):
            own = own or [texts[int(number[:9]) - 1]]
        return f" ({one_line(own[0], 200)})" if own else ""


def never(said: Said, asked: Asked) -> Reason | None:
    """The reason if not even an empty cluster could run it: which request is too large, and what the most is."""
    if _NOWHERE not in said.verified:
        return None
    if lacking := _lacking(said.verified):
        flags = [flag for name, offers in lacking.items() if (flag := _flag(name, offers))]
        text = " and ".join(_no_node_has(name, offers) for name, offers in lacking.items())
        return Reason("never", text, f"submit it with {' '.join(flags)} at most" if flags else "")
    slots = _first(_SLOTS, said.verified)
    cores = _too_many(slots[1], int(slots[2]), said, asked) if slots else None
    if cores and cores.advice:
        return cores
    if rule := _first(_RULE, said.possible):
        name, number = rule.groups()
        return Reason("never", f"it asks for more than the limit {name}/{number} allows{asked.rule(name, number)}")
    if any("requests unknown resource" in line for line in said.verified):
        return None  # which changes with the load, and an empty cluster has none
    return cores or Reason("never", f"no queue can run it: {_words(said.verified)}")


def _too_many(environment: str, offered: int, said: Said, asked: Asked) -> Reason:
    """The reason if a parallel environment has too few slots. With `$pe_slots`, qmaster always says 0."""
    wanted = re.search(r"range: +(\d{1,9})", said.facts.get("parallel environment", ""), re.ASCII)
    many, largest = int(wanted[1]) if wanted else 0, asked.slots.get(environment, 0)
    if offered:
        return Reason("never", f"it asks for {many} cores, and the parallel environment {environment} has {offered}")
    if 0 < largest < many:
        text = f"no node has {many} cores; the largest has {largest}"
        return Reason("never", text, f"submit it with --cores={largest} at most")
    beside = said.facts.get("hard resource_list", "")
    return Reason("never", f"no node has {many} cores{f' with {beside} for each' if beside else ''}")


def limit_of(said: Said, asked: Asked, running: int) -> Reason | None:
    """The reason if it only waits for a limit: of a rule, a user, or an array job with so many tasks `running`."""
    lines = [*said.possible, *said.info]
    at_once = said.facts.get("maximum concurrency", "")
    if rule := _first(_RULE, lines):
        return Reason("limit", f"the limit {rule[1]}/{rule[2]} is reached{asked.rule(rule[1], rule[2])}")
    if any("dropped because of user limitations" in line for line in lines):
        most = f" ({asked.most_jobs})" if asked.most_jobs else ""
        return Reason("limit", f"as many jobs of one user run as may run at once{most}")
    if at_once.isdecimal() and running >= int(at_once[:9]):
        return Reason("limit", f"at most {at_once} of its tasks run at once (--at-once)")
    if any("'max_aj_instances'" in line for line in lines):
        return Reason("limit", "as many tasks of one array job run as may run at once (max_aj_instances)")
    return None


def out_of_order(said: Said) -> Reason | None:
    """The reason if all queues that could run it are disabled, suspended or down."""
    queues = dict.fromkeys(found[1] for line in said.possible if (found := _DROPPED.search(line)))
    if not queues or any(_OFFER.search(line) for line in said.possible):
        return None
    names = list(queues)
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    text = f"what could run it is disabled, suspended or down: {', '.join(names[:_NAMED])}{more}"
    return Reason("down", one_line(text, 500), "it starts when that is back; the cluster's administrators know")


def now_lacking(said: Said) -> str:
    """The resources that change with the load, and that no node has enough of at the moment; empty: none."""
    found = _lacking([line for line in said.possible if (offer := _OFFER.search(line)) and _LOAD.fullmatch(offer[2])])
    return " and ".join(_no_node_has(name, offers, " at the moment") for name, offers in found.items())


def _first(pattern: re.Pattern[str], lines: Iterable[str]) -> re.Match[str] | None:
    return next((found for line in lines if (found := pattern.search(line))), None)


def _lacking(lines: Iterable[str]) -> dict[str, list[tuple[str, str]]]:
    """By resource, what was asked for and what one host offers; without slots."""
    found: dict[str, list[tuple[str, str]]] = {}
    for line in lines:
        if (offer := _OFFER.search(line)) and offer[3] != "slots":
            asked = dict(item.partition("=")[::2] for item in offer[1].split(","))
            found.setdefault(offer[3], []).append((asked.get(offer[3], ""), _tidy(offer[4])))
    return found


def _no_node_has(name: str, offers: list[tuple[str, str]], when: str = "") -> str:
    wanted, largest = offers[0][0], _largest(offers)
    if _amount(largest) is None:
        return f"no node has {name}={wanted}{when}; there is {largest}"
    return f"no node has {wanted} of {name}{when}; the largest has {largest}"


def _largest(offers: list[tuple[str, str]]) -> str:
    return max((offer for _, offer in offers), key=lambda text: _amount(text) or 0)


def _amount(text: str) -> int | None:
    """`4.5G`, `3`; None for what is none, as `lx-amd64`."""
    if re.fullmatch("0[kKmMgGtT]?", text):
        return 0
    return bytes_in(text)


def _tidy(text: str) -> str:
    """`64G` for `64.000G`, `4` for `4.000000`."""
    return re.sub(r"\.?0+(?=[kKmMgGtT]?$)", "", text) if re.fullmatch(r"\d+\.\d+[kKmMgGtT]?", text, re.ASCII) else text


def _flag(name: str, offers: list[tuple[str, str]]) -> str:
    """The flag of `submit` that asks for this, with what there is at most; empty: none does."""
    largest = _largest(offers)
    if not _amount(largest):
        return ""
    return f"--memory={largest}" if name in MEMORY else f"--gpus={largest}" if name in GPUS else ""


def _words(lines: Iterable[str]) -> str:
    """The scheduler's own words, without those that it always prints."""
    words = [re.sub(r"^Job \d+ ", "", line) for line in lines if not line.startswith("verification:")]
    return one_line(" / ".join(words[:3]), 500)
