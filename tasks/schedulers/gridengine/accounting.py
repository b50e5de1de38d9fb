"""How jobs ended, by qacct(1) and accounting(5), beside what `qstat -j` still knows of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ...model.dates import seconds_of
from ...model.failure import Facts, reason_of
from ...model.job import Outcome, State
from ...model.resources import MOST_TASKS, TaskRange
from ..bounds import bounded, check_many, lines_of
from ..seam import NOTHING, Question
from ..values import ByHand, Ran, Record, Submitted, Traced
from .about import about, alive, described, submitted_of
from .reading import failed, leading_number
from .usage import LIMIT, OF_USAGE, cause_of, still_running, usage_of

# Seconds. IDs count up to ten million before one is used again (G29): clocks may be an hour apart, or a time zone.
_A_DAY = 86400
_READ = "jobnumber|taskid|qsub_time|start_time|end_time|failed|exit_status"
# What it used is read of each where that is asked for, else of those that were killed for a limit.
_USED = "hostname|slots|ru_wallclock|ru_maxrss|cpu|maxvmem|category"
_ACCOUNTED = re.compile(f"^({_READ}|{_USED}|jobname|owner) +(.*)$", re.M)
# Of all records those of the jobs in the first file; fails where what says that qacct came to its end is missing.
_OF_THESE = f"""
FILENAME == "/dev/fd/3" {{ wanted[$1] = 1; next }}
$1 == "=ended" {{ whole = $2 < 128 }}
/^=+$/ {{ if (mine) printf "%s", record; record = "=\\n"; mine = 0; used = all }}
$1 == "jobnumber" {{ mine = $2 in wanted }}
$1 == "failed" && $2 == {LIMIT} {{ used = 1 }}
$1 ~ /^({_READ})$/ || used && $1 ~ /^({_USED})$/ {{ $1 = $1; record = record $0 "\\n" }}
END {{ if (mine) printf "%s", record; exit !whole }}
"""
_CUT = "the accounting could not be read to its end"


def trace(job_ids: Sequence[str], silent: Sequence[str]) -> Question[Traced]:
    """`qstat -j` of all of them; and of those that have noted no end the accounting, which may have gigabytes (G27), in
    one pass: `qacct -j` takes one ID at most.

    Only the lines that are read come back, of these jobs alone.
    """
    return Question(f"id -un\n{about(job_ids)}\n{_accounts(silent) if silent else ''}\ntrue", parse_trace)


def _accounts(job_ids: Sequence[str], *, used: bool = False) -> str:
    """The records of these jobs, from one pass over the accounting; `used`: with what each of them used."""
    awk = f"awk -v all={int(used)} {shlex.quote(_OF_THESE)} /dev/fd/3 -"
    return f"""\
{{ qacct -o "$(id -un)" -j; echo "=ended $?"; }} | {awk} 3<<END || echo {_CUT} >&2
{chr(10).join(job_ids)}
END"""


def parse_trace(status: int, out: str, err: str) -> Traced:
    """Take each ended task's last record (G29: a requeue leaves several). A missing one may still come (G26)."""
    if status != 0:
        raise failed(err, out)
    me, _, rest = out.partition("\n")
    records = {}
    for facts in bounded(_records(rest)):
        outcome = _outcome(facts)
        if outcome.state.ended:
            record = Record(facts["jobnumber"], _task(facts), seconds_of(facts.get("qsub_time", "")), outcome)
            records[record.job_id, record.tasks] = record
    troubles = any(line.strip() and not re.match(r"error: .* not found$", line.strip()) for line in lines_of(err))
    found = (*records.values(), *alive(me, rest))
    accounted = _CUT not in err and (not troubles or bool(records))
    return Traced(found, accounted, last_runs=True, ids_last=_A_DAY)


def _records(out: str) -> Iterator[dict[str, str]]:
    """The records of `qacct -j`, each as its lines `name value`. Raises SchedulerError for too many."""
    check_many(out.count("\n="))
    for block in re.split(r"^=+$", out, flags=re.M):
        facts = {line[1]: line[2].strip() for line in _ACCOUNTED.finditer(block)}
        if facts.get("jobnumber", "").isdigit():
            yield facts


def _task(facts: Mapping[str, str]) -> tuple[TaskRange, ...]:
    """The task's number; None for `undefined`."""
    task = facts.get("taskid", "")
    return (TaskRange(int(task), int(task)),) if task.isdecimal() and len(task) < 10 else ()


# Grid Engine's `failed` of a run that was not the last one: migrating, rescheduling.
_NO_ENDS = (24, 25)


def _outcome(facts: Mapping[str, str]) -> Outcome:
    """How it ended, by `failed` and `exit_status` (G30); UNKNOWN when it has not, or the record is not understood."""
    code, _, why = facts.get("failed", "").partition(":")
    failed, exit_status = leading_number(code), leading_number(facts.get("exit_status", ""))
    started_at, ended_at = seconds_of(facts.get("start_time", "")), seconds_of(facts.get("end_time", ""))
    if failed is None or exit_status is None or failed in _NO_ENDS:
        return Outcome(State.UNKNOWN)
    if failed == 0:
        return Outcome(State.FAILED if exit_status else State.SUCCEEDED, exit_status, started_at, ended_at)
    # A body that is killed leaves its end note, which tells more than this: only qdel takes both.
    state = State.CANCELLED if failed == 100 and exit_status == 137 else State.FAILED
    reason = "" if state is State.CANCELLED else why.strip() or f"failed {failed}"
    outcome = Outcome(state, exit_status, started_at, ended_at, reason)
    cause = cause_of(facts, used := usage_of(facts))
    if state is State.FAILED and cause.kind in ("time", "memory"):
        return replace(outcome, reason=reason_of(Facts(outcome, cause, used)).text)
    return outcome


def usage(job_ids: Sequence[str], names: Mapping[str, str] = NOTHING) -> Question[list[Ran]]:
    """`qstat -j` of those that are alive; the accounting of the others."""
    command = f"id -un\n{about(job_ids, OF_USAGE)}\n{_accounts(job_ids, used=True)}\ntrue"

    def parse(status: int, out: str, err: str) -> list[Ran]:
        """Of each task the last record: a run before a requeue has one, too."""
        if status != 0:
            raise failed(err, out)
        me, _, rest = out.partition("\n")
        return [*map(partial(_ran, names), bounded(_records(rest))), *still_running(me, rest, names)]

    return Question(command, parse)


def _ran(names: Mapping[str, str], facts: Mapping[str, str]) -> Ran:
    used, when = usage_of(facts, names), seconds_of(facts.get("qsub_time", ""))
    return Ran(facts["jobnumber"], _task(facts), when, used, cause_of(facts, used, names))


def by_hand(job_id: str) -> Question[ByHand | None]:
    """`qstat -j` while it is alive; after that `qacct`, of this user's own jobs."""
    one = shlex.quote(job_id)
    # An array job has a record for each of its tasks.
    records = "grep -E '^(=+$|(jobnumber|taskid|owner|jobname|qsub_time) )'"
    return Question(f'id -un; qstat -j {one}; qacct -o "$(id -un)" -j {one} | {records}', parse_by_hand)


def parse_by_hand(status: int, out: str, err: str) -> ByHand | None:  # noqa: ARG001  # G25: it tells nothing
    """A job that is alive comes first: an ended one with the same ID is older (G29)."""
    me, _, rest = out.partition("\n")
    for facts in described(rest):
        if facts.get("owner") == me:
            directory = facts.get("cwd") or facts.get("sge_o_home", "")
            return ByHand(submitted_of(facts), directory, seconds_of(facts.get("submission_time", "")))
    if "commlib error" in err or "unable to" in err:
        raise failed(err)
    ended = [facts for facts in bounded(_records(rest)) if facts.get("owner") == me]
    if not ended:
        return None
    last = ended[-1]
    tasks = [part.first for facts in ended for part in _task(facts)]
    array = TaskRange(min(tasks), max(tasks)) if tasks and max(tasks) <= MOST_TASKS else None
    submitted = Submitted(last["jobnumber"], last.get("jobname", ""), array)
    return ByHand(submitted, "", seconds_of(last.get("qsub_time", "")))
