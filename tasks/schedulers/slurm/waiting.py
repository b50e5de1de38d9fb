"""Why jobs do not run, by squeue(1), scontrol(1), sinfo(1) and sacctmgr(1); by the reasons that squeue(1) lists."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ...model.dates import seconds_of
from ...model.job import State, iso
from ...model.reason import Reason
from ...model.resources import clock
from ...model.wording import number, one_line
from ..bounds import lines_of
from ..seam import Question
from ..waiting import Reasons, in_line, listed_reasons
from ..wording import bytes_in, shell
from .accounting import ABOUT_EACH, remembered
from .queue import parse_queue, queue
from .reading import facts_of
from .usage import A_YEAR, cpu_time

_WAITING = shell(__file__, "waiting.sh")
_BUSY = re.compile("Resources|Priority|None|Licenses|BurstBuffer.*|Cleaning|Prolog|Reservation")
_DOWN = re.compile(
    "ReqNodeNotAvail.*|Nodes required.*|NodeDown|FrontEndDown|PartitionDown|PartitionInactive|Reserved for maintenance"
)
_NEVER = re.compile(
    "PartitionConfig|PartitionNodeLimit|PartitionTimeLimit|BadConstraints|Max ?Mem ?Per ?Limit|"
    "(Account|QOS)NotAllowed|Invalid(Account|QOS)|(Assoc|QOS)(Max|Min).*(PerJob|PerNode).*"
)
_LIMIT = re.compile("Assoc.*|QOS.*|Max.*PerAccount|JobArrayTaskLimit")
# What a limit in the name of a reason is called by sacctmgr, beside the list of all that can be counted (TRES).
_COUNTED = {"Cpu": "cpu", "CPU": "cpu", "Mem": "mem", "Node": "node", "GRES": "gres", "Billing": "billing"}


@dataclass(frozen=True)
class _Nodes:
    """Some nodes of a partition that are alike."""

    partition: str
    many: int
    cores: int
    megabytes: int
    limit: int | None  # seconds


@dataclass
class _Told:
    """What is told beside the jobs themselves: the nodes, the line, and the limits by their table's columns."""

    nodes: list[_Nodes] = field(default_factory=list)
    places: dict[str, tuple[int, int]] = field(default_factory=dict)
    limits: list[dict[str, str]] = field(default_factory=list)
    drained: dict[str, str] = field(default_factory=dict)
    _columns: list[str] = field(default_factory=list)

    def read(self, line: str) -> None:
        """Take one line of waiting.sh."""
        kind, *words = line.split("|")
        if kind == "has" and len(words) == 8:
            self._node(words)
        elif kind == "place" and len(words) == 3 and all(word.isdecimal() and len(word) < 10 for word in words[1:]):
            self.places[words[0]] = int(words[1]), int(words[2])
        elif kind == "limit" and words[0] in ("Name", "Account"):
            self._columns = words
        elif kind == "limit" and len(words) == len(self._columns):
            self.limits.append(dict(zip(self._columns, words, strict=True)))

    def _node(self, words: list[str]) -> None:
        partition, _, many, cores, memory, limit, state, why = words
        counts = [int(word.rstrip("+")[:9]) if word.rstrip("+").isdecimal() else 0 for word in (many, cores, memory)]
        self.nodes.append(_Nodes(partition, counts[0], counts[1], counts[2], seconds_of_limit(limit)))
        if why not in ("none", ""):
            self.drained[partition] = one_line(f"{state}: {why}", 100)


def seconds_of_limit(text: str) -> int | None:
    """A time as Slurm writes it: `10:00` are minutes, `1-00:00:00` a day; None for `infinite` and `UNLIMITED`."""
    found = cpu_time(text)
    return None if found is None else int(found)


def reasons(job_ids: Sequence[str]) -> Question[Reasons]:
    """The list, which tells holds and dependencies; what the controller knows of each of these that is pending; and
    beside them the nodes, and where the jobs are in the line."""
    ids = shlex.join(job_ids)
    described = f"{ABOUT_EACH}described() {{\n{remembered(job_ids)}\n}}"
    return Question(
        f"{queue().command} || exit; echo =reasons\n{_WAITING}{described}\nwaiting {ids}; true",
        lambda *answer: parse_reasons(job_ids, *answer),
    )


def parse_reasons(job_ids: Sequence[str], status: int, out: str, err: str) -> Reasons:
    """Lines of `scontrol -o`, and `has|` a kind of nodes, `place|ID|N|OF`, `limit|` a table of the accounting."""
    listed, _, rest = out.rpartition("=reasons\n")
    found = listed_reasons(parse_queue(status, listed, err), job_ids)
    told, jobs = _Told(), list[Mapping[str, str]]()
    for line in lines_of(rest):
        if line.startswith("JobId="):
            jobs.append(facts_of(line))
        else:
            told.read(line)
    for facts in jobs:
        job_id = facts.get("ArrayJobId", facts["JobId"])
        found.setdefault((job_id, State.PENDING), _why(job_id, facts, told))
    return found


def _why(job_id: str, facts: Mapping[str, str], told: _Told) -> Reason:
    """What a reason of Slurm's means."""
    said = facts.get("Reason", "").replace("_", " ")
    kinds: tuple[tuple[re.Pattern[str], Callable[[], Reason]], ...] = (
        (_NEVER, lambda: _never(said, facts, told)),
        (_DOWN, lambda: _down(said, facts, told)),
        (_LIMIT, lambda: _limit(said, facts, told)),
        (re.compile("BeginTime"), lambda: Reason("begin", f"it is not to start before {_when(facts)}")),
        (_BUSY, lambda: _busy(said, job_id, facts, told)),
    )
    return next((make() for kind, make in kinds if kind.fullmatch(said)), Reason("unknown", f"Slurm says: {said}"))


def _when(facts: Mapping[str, str]) -> str:
    return iso(seconds_of(facts.get("StartTime", ""))) or ""


def _busy(said: str, job_id: str, facts: Mapping[str, str], told: _Told) -> Reason:
    what = "it waits for its turn" if said in ("Resources", "Priority", "None") else f"it waits ({said})"
    text = in_line(what, *told.places.get(job_id, (None, None)))
    starts, looked = (seconds_of(facts.get(fact, "")) for fact in ("StartTime", "LastSchedEval"))
    known = starts and looked and starts - looked < A_YEAR - 86400
    return Reason("busy", f"{text}, and is expected to start at {_when(facts)}" if known else text)


def _down(said: str, facts: Mapping[str, str], told: _Told) -> Reason:
    partition = facts.get("Partition", "")
    why = told.drained.get(partition, "")
    what = said if said.startswith("ReqNodeNotAvail") or not partition else f"partition {partition} cannot run it now"
    return Reason("down", f"{what}{f' ({why})' if why else f' ({said})' if what != said else ''}")


def _limit(said: str, facts: Mapping[str, str], told: _Told) -> Reason:
    if said == "JobArrayTaskLimit":
        most = facts.get("ArrayTaskThrottle", "")
        return Reason("limit", f"at most {most or 'so many'} of its tasks run at once (--at-once)")
    values = (_value(said, row) for row in told.limits if _is_meant(row, said, facts))
    value = next(filter(None, values), "")  # an account's own is not that of its users
    return Reason("limit", f"a limit is reached: {said}{f' = {value}' if value else ''}")


def _is_meant(row: Mapping[str, str], said: str, facts: Mapping[str, str]) -> bool:
    """Whether a row of the accounting is that of the job's QOS, or account."""
    if said.startswith("Assoc"):
        return "Account" in row and facts.get("Account", "(null)") in ("(null)", row["Account"])
    return row.get("Name") == facts.get("QOS")


def _value(said: str, row: Mapping[str, str]) -> str:
    """The value of the limit that a reason names."""
    whole = "Grp" if "Grp" in said else "Max"
    whose = "PA" if "PerAccount" in said else "PU" if "PerUser" in said else ""
    if "Jobs" in said:
        return row.get(f"{whole}Jobs{whose}", "")
    counted = next((name for word, name in _COUNTED.items() if word in said), "")
    every = dict(pair.partition("=")[::2] for pair in row.get(f"{whole}TRES{whose}", "").split(","))
    return every.get(counted, "")


def _never(said: str, facts: Mapping[str, str], told: _Told) -> Reason:
    partition = facts.get("Partition", "")
    nodes = [each for each in told.nodes if each.partition in partition.split(",")]
    where = f"of partition {partition} " if partition else ""
    if said == "PartitionTimeLimit":
        limit = max((each.limit for each in nodes if each.limit), default=None)
        asked = seconds_of_limit(facts.get("TimeLimit", ""))
        asks = f"it asks for {clock(asked)}" if asked else "it asks for no time limit"
        if limit:
            return Reason(
                "never",
                f"{asks}, and partition {partition} allows {clock(limit)}",
                f"submit it with --time={clock(limit)} at most",
            )
    if said in ("PartitionConfig", "BadConstraints") and (found := _too_large(facts, nodes, where)):
        return found
    many = number(facts.get("NumNodes", "").partition("-")[0])
    if said in ("PartitionConfig", "PartitionNodeLimit") and many is not None and nodes:
        there = sum(each.many for each in nodes)
        if many > there:
            return Reason("never", f"it asks for {many} nodes, and partition {partition} has {there}")
    return Reason("never", f"no node {where}can run it, says Slurm ({said})")


def _too_large(facts: Mapping[str, str], nodes: Sequence[_Nodes], where: str) -> Reason | None:
    """Which request no node can meet, and the largest possible one."""
    cores = int(found[0]) if (found := re.match(r"\d{1,9}", facts.get("MinCPUsNode", ""), re.ASCII)) else 1
    largest = max((each.cores for each in nodes), default=0)
    if 0 < largest < cores:
        text = f"no node {where}has {cores} cores; the largest has {largest}"
        return Reason("never", text, f"submit it with --cores={largest} at most")
    memory, largest = _megabytes(facts, cores), max((each.megabytes for each in nodes), default=0)
    if 0 < largest < memory:
        text = f"no node {where}has {_size(memory)}; the largest has {_size(largest)}"
        return Reason("never", text, f"submit it with --memory={largest // cores}M (per core) at most")
    return None


def _megabytes(facts: Mapping[str, str], cores: int) -> int:
    """What it asks of one node."""
    for name, times in (("MinMemoryNode", 1), ("MinMemoryCPU", cores)):
        text = facts.get(name, "")
        if re.fullmatch(r"[1-9]\d{0,9}(\.\d+)?[KMGT]?", text):
            return (bytes_in(text if text[-1].isalpha() else f"{text}M") or 0) * times // 1024**2
    return 0


def _size(megabytes: int) -> str:
    return f"{megabytes // 1024} GB" if megabytes % 1024 == 0 else f"{megabytes} MB"
