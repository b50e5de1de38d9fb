"""What jobs asked for and used, and why they ended, in the words of qacct(1), accounting(5) and `qstat -j`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from ...model.dates import seconds_of
from ...model.failure import Cause
from ...model.resources import TaskRange
from ...model.usage import Asked, Usage
from ..seam import NOTHING
from ..values import Ran
from ..wording import bytes_in
from .about import described, mark_of
from .reading import leading_number

LIMIT = 37
"""`failed` of a run that was killed for h_rt, h_cpu or h_vmem: it does not say for which."""
OF_USAGE = "hard resource_list|parallel environment|usage +[0-9]+"
"""The names of further lines of `qstat -j` that are read here."""
# G14: what memory is called; the first one that a job asked for counts, the site's own name before these.
_MEMORY = ("h_vmem", "rmem", "h_rss", "mem_free", "virtual_free", "tmem", "s_vmem", "mem")
_AMOUNT = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?) ?([KMGT]?)B?s?", re.ASCII)
_UNITS = {"": 1, "K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}
_TIME = re.compile(r"(?:(?:(\d{1,9}):)?(\d{1,9}):)?(\d{1,12})", re.ASCII)
# sge_status(5): what `failed` means. The kinds are those of model/reason.py.
_PLACES = {
    26: "the file for its output or input could not be opened (-o, -e, -i)",
    28: "its working directory is not there (-cwd, -wd)",
}
_OF_THE_NODE = (17, 18, 19, 20, 21, 22, 23)
_AT_THE_START = (*range(1, 12), 29, 30, 31, 32)
_OF_A_SIGNAL = 100
# The kernel ends what has used its CPU time a little earlier than is accounted.
_NEARLY = 0.95


def usage_of(facts: Mapping[str, str], names: Mapping[str, str] = NOTHING) -> Usage:
    """The usage in a record of qacct."""
    slots = leading_number(facts.get("slots", ""))
    asked = _asked(requests_of(facts.get("category", "")), slots or 1, names)
    wall, cpu = _amount(facts.get("ru_wallclock", "")), _amount(facts.get("cpu", ""))
    # As tried: 8.1.9 shows ru_maxrss, which is in KiB, as if it were bytes; and maxvmem is 0 of what was short.
    memory = max(_amount(facts.get("maxvmem", "")) or 0, 1024 * (_amount(facts.get("ru_maxrss", "")) or 0))
    return Usage(
        None, asked, None if wall is None else int(wall), cpu, int(memory) or None, slots,
        seconds_of(facts.get("start_time", "")), seconds_of(facts.get("end_time", "")), facts.get("hostname", ""),
    )  # fmt: skip


def cause_of(facts: Mapping[str, str], usage: Usage, names: Mapping[str, str] = NOTHING) -> Cause:
    """Why it ended, by `failed` and `exit_status` (G30), told apart by what it used of what it asked for."""
    code, _, said = facts.get("failed", "").partition(":")
    failed, status = leading_number(code) or 0, leading_number(facts.get("exit_status", "")) or 0
    said, asked = said.strip(), requests_of(facts.get("category", ""))
    signal = status - 128 if failed == _OF_A_SIGNAL and status > 128 else None
    if passed := _passed(asked, usage, signal, names) if failed == LIMIT or signal else None:
        return replace(passed, said=said)
    if failed == LIMIT:
        return Cause("unknown", f"it was over a limit ({said})", signal=signal)
    if failed in _PLACES:
        return Cause("place", _PLACES[failed])
    if failed == 27:
        return Cause("shell", "the shell that -S or the queue names is not there")
    where = f" on {usage.host}" if usage.host else ""
    if failed in _OF_THE_NODE:
        return Cause("node", f"it was lost{where} ({said or f'failed {failed}'})")
    if failed in _AT_THE_START:
        return Cause("start", f"it could not be started{where} ({said or f'failed {failed}'})")
    return Cause("", said, signal=signal)


def still_running(me: str, out: str, names: Mapping[str, str] = NOTHING) -> Iterator[Ran]:
    """The tasks of this user's jobs that `qstat -j` tells the usage of so far."""
    for facts in described(out):
        if facts.get("owner") != me:
            continue
        pe = re.match(r"\S+ range: (\d{1,9})$", facts.get("parallel environment", ""), re.ASCII)
        cores = int(pe[1]) if pe else 1
        asked = _asked(dict(_pairs(facts.get("hard resource_list", ""))), cores, names)
        whole = Usage(None, asked, cores=cores)
        when = seconds_of(facts.get("submission_time", ""))
        told = {name: text for name, text in facts.items() if name.startswith("usage ")}
        one = Ran(facts["job_number"], (), when, whole, key=mark_of(facts))
        yield one
        for name, text in told.items():
            task = leading_number(name.removeprefix("usage "))
            used = dict(pair.strip().partition("=")[::2] for pair in text.split(","))
            peak = _amount(used.get("maxvmem", ""))
            usage = replace(whole, cpu=_time(used.get("cpu", "")), memory=int(peak) if peak else None)
            tasks = (TaskRange(task, task),) if task and facts.get("job-array tasks") else ()
            yield replace(one, tasks=tasks, usage=usage)


def requests_of(category: str) -> dict[str, str]:
    """The hard requests in a category: `-u te1st -l h_rt=300,rmem=2G -pe smp 2`."""
    try:
        words = shlex.split(category)
    except ValueError:
        words = category.split()
    lists = [after for word, after in pairwise(words) if word == "-l"]
    return {name: value for text in lists for name, value in _pairs(text)}


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    for pair in text.split(","):
        name, equals, value = pair.partition("=")
        if equals:
            yield name.strip(), value.strip()


def _asked(requests: Mapping[str, str], cores: int, names: Mapping[str, str]) -> Asked:
    called = [name for name in (names.get("memory", ""), *_MEMORY) if name in requests]
    time = next((_time(requests[name]) for name in ("h_rt", "s_rt") if name in requests), None)
    return Asked(time, next(map(bytes_in, (requests[name] for name in called)), None), cores)


def _passed(asked: Mapping[str, str], usage: Usage, signal: int | None, names: Mapping[str, str]) -> Cause | None:
    """The limit that it exceeded; if that cannot be told, the only one that it had."""
    found = []
    for name, used, warning in (
        ("h_vmem", usage.memory, None), ("h_cpu", usage.cpu, None), ("h_rt", usage.wall, None),
        ("s_rt", usage.wall, 10), ("s_cpu", usage.cpu, 24), ("s_vmem", usage.memory, 24),
    ):  # fmt: skip
        of_memory = name.endswith("vmem")
        limit = bytes_in(asked.get(name, "")) if of_memory else _time(asked.get(name, ""))
        if limit and warning in (None, signal):
            limit *= (usage.cores or 1) if of_memory else 1
            ours = name == "h_rt" or name == names.get("memory", "h_vmem")
            cause = Cause("memory" if of_memory else "time", "", name, limit, ours, signal)
            if used is not None and used >= limit * _NEARLY:
                return cause
            found += [cause] if warning == signal else []
    return found[0] if len(found) == 1 else None


def _amount(text: str) -> float | None:
    """`2s`, `67.801MB`, `0.051`."""
    found = _AMOUNT.fullmatch(text.strip())
    return float(found[1]) * _UNITS[found[2]] if found else None


def _time(text: str) -> int | None:
    """Seconds in `300`, `5:00`, `0:5:0`; None for what is no limit."""
    found = _TIME.fullmatch(text.strip())
    return (int(found[1] or 0) * 60 + int(found[2] or 0)) * 60 + int(found[3]) if found else None
