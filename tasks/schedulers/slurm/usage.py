"""What jobs asked for and used, and why they ended, by sacct(1), sstat(1) and `scontrol show job`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from ...model.dates import seconds_of
from ...model.failure import Cause
from ...model.resources import TaskRange
from ...model.usage import Asked, Usage
from ...model.wording import number
from ..bounds import check_ranges, lines_of
from ..seam import NOTHING, Question
from ..values import Ran
from ..wording import bytes_in
from .accounting import ABOUT_EACH, accounts_of, remembered
from .reading import facts_of, failed, key_of, ranges
from .states import NOT_LAUNCHED

_FIELDS = "JobID,State,ExitCode,Submit,Start,End,ElapsedRaw,TotalCPU,MaxRSS,ReqTRES,TimelimitRaw,NodeList"
_CPU_TIME = re.compile(r"(?:(\d{1,6})-)?(?:(\d{1,2}):)?(\d{1,9}):(\d{1,2}(?:\.\d{1,6})?)", re.ASCII)
A_YEAR = 365 * 86400
"""For so many seconds Slurm takes a job to run that has no limit of time."""
_KINDS = {
    "TIMEOUT": "time", "DEADLINE": "time", "OUT_OF_MEMORY": "memory", "NODE_FAIL": "node", "BOOT_FAIL": "node",
    "PREEMPTED": "cancelled", "CANCELLED": "cancelled",
}  # fmt: skip
_SAID = {"NODE_FAIL": "its node failed", "BOOT_FAIL": "its node did not boot", "PREEMPTED": "preempted"}
# Who has cancelled is told by number.
_USERS = (
    'printf \'%s\\n\' "$said" | sed -n "s/.*|CANCELLED by \\([0-9]*\\)|.*/\\1/p" | sort -u | '
    'while read -r uid; do echo "user|$uid|$(id -un "$uid")"; done'
)
Tasks = tuple[TaskRange, ...]


def usage(job_ids: Sequence[str], names: Mapping[str, str] = NOTHING) -> Question[list[Ran]]:  # noqa: ARG001  # it has names of its own for all
    """The accounting where there is any, the controller for as long as it remembers, and the steps that run."""
    accounts = accounts_of(job_ids, f"-P -n -o {_FIELDS}")
    steps = accounts_of(job_ids, "-n -P -a -o JobID,AveCPU,NTasks,MaxRSS", "sstat")
    said = f"said=$({accounts}); printf '%s\\n' \"$said\"; {_USERS} 2>/dev/null"
    return Question(f"{ABOUT_EACH}{said}; {steps} | sed 's/^/now|/'; {remembered(job_ids)}; true", parse_usage)


def parse_usage(status: int, out: str, err: str) -> list[Ran]:
    """One for each task, or row of tasks, of what all of them say: what the controller tells is the frame."""
    if status != 0:
        raise failed(err, out)
    found: dict[tuple[str, Tasks], Ran] = {}
    raw: dict[str, tuple[str, Tasks]] = {}
    lines = list(lines_of(out))
    users = dict(line.split("|", 2)[1:] for line in lines if line.startswith("user|") and line.count("|") == 2)
    for line in lines:
        if line.startswith("JobId=") and (ran := _remembered(facts := facts_of(line))):
            raw[facts["JobId"]] = ran.job_id, ran.tasks
            found[ran.job_id, ran.tasks] = ran
    for line in lines:
        if line.count("|") == _FIELDS.count(","):
            _account(found, line.split("|"), users)
    for line in lines:
        if line.startswith("now|") and line.count("|") == 4:
            _, step, cpu, tasks, peak = line.split("|")
            if ran := found.get(raw.get(step.partition(".")[0], ("", ()))):
                each = cpu_time(cpu)
                more = Usage(cpu=None if each is None else each * (number(tasks) or 1), memory=bytes_in(peak))
                found[ran.job_id, ran.tasks] = replace(ran, usage=_with_step(ran.usage, more))
    return list(found.values())


def _remembered(facts: Mapping[str, str]) -> Ran | None:
    """That of a line of scontrol."""
    text, job_id = facts.get("ArrayTaskId", ""), facts.get("ArrayJobId", facts["JobId"])
    check_ranges([text])
    tasks = ranges(text)
    if not job_id.isdecimal() or facts.get("HetJobOffset", "0") != "0":
        return None
    started, ended = seconds_of(facts.get("StartTime", "")), seconds_of(facts.get("EndTime", ""))
    wall = cpu_time(facts.get("RunTime", ""))
    asked = _asked(facts.get("TRES", ""), _limit(facts.get("TimeLimit", "")), facts.get("NumCPUs", ""))
    alive = facts.get("JobState", "") in ("PENDING", "RUNNING", "SUSPENDED", "COMPLETING", "CONFIGURING")
    usage = Usage(
        None, asked, int(wall) if wall and started else None, None, None, asked.cores,
        started, None if alive else ended, facts.get("BatchHost", ""),
    )  # fmt: skip
    place = f"{facts.get('WorkDir', '')} for its working directory, and {facts.get('StdOut', '')} for its output"
    cause = _cause(facts.get("JobState", ""), facts.get("ExitCode", ""), {}, place)
    when = seconds_of(facts.get("SubmitTime", ""))
    return Ran(job_id, tasks, when, usage, cause, key_of(facts.get("Command", "")))


def _account(found: dict[tuple[str, Tasks], Ran], fields: Sequence[str], users: Mapping[str, str]) -> None:
    """Take in a row of sacct: of a job or a task, or after that of one of its steps, which alone tell of memory."""
    whole, state, code, submit, start, end, wall, cpu, peak, asked, limit, host = fields
    job, _, step = whole.partition(".")
    job_id, _, text = job.partition("_")
    job_id, _, part = job_id.partition("+")
    check_ranges([text])
    place = job_id, ranges(text)
    if not job_id.isdecimal() or part not in ("", "0") or (text and not place[1]):
        return
    before = found.get(place)
    if step:
        if before:
            found[place] = replace(before, usage=_with_step(before.usage, Usage(memory=bytes_in(peak))))
        return
    allowed = None if (minutes := number(limit)) is None else minutes * 60
    wanted = _asked(asked, allowed if allowed is None or allowed < A_YEAR else None)
    used = Usage(
        None, wanted, number(wall) if seconds_of(start) else None, cpu_time(cpu), None, wanted.cores,
        seconds_of(start), seconds_of(end), host if host != "None assigned" else "",
    )  # fmt: skip
    when = seconds_of(submit)
    if before and before.submitted_at not in (None, when):  # of another job that has had this ID
        return
    cause = _cause(state, code, users, "its output or its working directory")
    if before:
        used = replace(used, host=used.host or before.usage.host, asked=used.asked.over(before.usage.asked))
        cause = cause if cause.by or not before.cause.kind else before.cause
    found[place] = Ran(*place, when, used, cause, before.key if before else "")


def _with_step(usage: Usage, step: Usage) -> Usage:
    """The largest step's peak; the CPU time of all of them."""
    memory = max((peak for peak in (usage.memory, step.memory) if peak), default=None)
    return replace(usage, memory=memory, cpu=usage.cpu if step.cpu is None else step.cpu + (usage.cpu or 0))


def _cause(state: str, exit_code: str, users: Mapping[str, str], place: str) -> Cause:
    word, _, by = state.partition(" by ")
    word = word.rstrip("+")
    if (word, exit_code) == ("FAILED", NOT_LAUNCHED):
        return Cause("place", f"it could not be started: is there a place, {place}?")
    told = exit_code.partition(":")[2]
    signal = int(told) if told.isdecimal() and len(told) < 4 and int(told) else None
    who = users.get(by) or (f"user {by}" if by else "")
    return Cause(_KINDS.get(word, ""), _SAID.get(word, ""), signal=signal, by=who)


def _asked(tres: str, limit: int | None, cpus: str = "") -> Asked:
    """Parse `cpu=2,mem=400M,node=1`, where the memory is for all CPUs together."""
    told = dict(_pairs(tres))
    count = told.get("cpu") or cpus
    cores = int(count) if count.isdecimal() and len(count) < 9 and int(count) else None
    memory = bytes_in(told.get("mem", ""))
    return Asked(limit, None if memory is None else memory // (cores or 1), cores)


def _pairs(tres: str) -> Iterator[tuple[str, str]]:
    for pair in tres.split(","):
        name, _, value = pair.partition("=")
        yield name, value


def _limit(text: str) -> int | None:
    seconds = cpu_time(text)
    return int(seconds) if seconds and seconds < A_YEAR else None


def cpu_time(text: str) -> float | None:
    """Seconds in `00:00.258`, `01:02:03`, `1-02:03:04`."""
    found = _CPU_TIME.fullmatch(text)
    if not found:
        return None
    return ((int(found[1] or 0) * 24 + int(found[2] or 0)) * 60 + int(found[3])) * 60 + float(found[4])
