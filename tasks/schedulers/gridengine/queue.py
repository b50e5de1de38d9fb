"""Which jobs are alive, and how busy the cluster is, by qstat(1) and sge_status(5)."""

from __future__ import annotations

import re

from ...model.errors import SchedulerError
from ...model.job import State
from ..bounds import check_ranges, lines_of
from ..seam import Question
from ..values import Load, Queue, Row
from ..wording import shell, waited_for
from .reading import failed, leading_number, ranges
from .xml import BEFORE, elements, first

_LIST = shell(__file__, "defaults.sh") + shell(__file__, "list.sh")
_IDS = r"sed -n 's/^ *<JB_job_number>\([0-9]\{1,\}\)<.*/\1/p'"
_STATES = "dEhrRsSTtwqz"


def state_of(letters: str) -> State | None:
    """The state by qstat's letters, in any mix (G24); None: it is not alive any more (`z`)."""
    found = set(letters)
    if not found or found - set(_STATES):
        return State.UNKNOWN
    if "z" in found:
        return None
    if "E" in found:
        return State.ERROR
    if found & set("sST"):
        return State.SUSPENDED
    if found & set("rt"):
        return State.RUNNING
    if "h" in found:
        return State.HELD
    return State.PENDING if found & set("qw") else State.UNKNOWN


_HOLDS = {
    "u": "held by its user; release lets it start",
    "o": "held by an operator, who can release it",
    "s": "held by an administrator, who can release it",
}


def queue() -> Question[list[Row]]:
    """XML, since text cuts names (G21), with the jobs that each waits for; nothing of other people's.

    `h` in a state may be a hold, or that it waits for others, or both: which of them are held, and by whom, is asked
    only where there is such a state.
    """
    holds = (
        f"for kind in {' '.join(_HOLDS)}; do "
        f'some=$(list -u "$(id -un)" -s "h$kind") || exit; '
        f'printf \'%s\\n\' "$some" | {_IDS} | sed "s/^/held $kind /"; done'
    )
    held = "printf '%s\\n' \"$rows\" | grep -q '<state>[A-Za-z]*h'"
    rows = 'rows=$(list -u "$(id -un)" -s a -r) || exit; printf \'%s\\n\' "$rows"'
    return Question(f"{_LIST} {rows}; if {held}; then {holds}; fi", parse_queue)


def parse_queue(status: int, out: str, err: str) -> list[Row]:
    """Rows of `qstat -xml`: one job may have several (G22); and lines `held KIND ID`."""
    jobs = elements(status, out, err, "job_list")
    holds = {job_id: kind for kind, job_id in re.findall(r"^held ([uos]) (\d+)$", out, re.M | re.ASCII)}
    rows = []
    check_ranges(text for job in jobs for text in job.get("tasks", ()))
    for job in jobs:
        job_id, state = first(job, "JB_job_number"), state_of(first(job, "state"))
        if job_id and state:
            reason = ""
            if state is State.HELD:
                others = [text for name in BEFORE for text in job.get(name, ()) if text]
                reason = _HOLDS.get(holds.get(job_id, ""), "")
                if others and not reason:
                    state, reason = State.PENDING, f"waits for {waited_for(others)}"
            rows.append(Row(job_id, state, ranges(first(job, "tasks")), reason=reason))
    return rows


def alive() -> Question[set[str]]:
    """The IDs in the XML of qstat."""
    command = f"""{_LIST} rows=$(list -u "$(id -un)" -s a) && printf '%s\\n' "$rows" | {_IDS}"""
    return Question(command, parse_alive)


def parse_alive(status: int, out: str, err: str) -> set[str]:
    """The answer is empty when there are no jobs (G20)."""
    found = set(lines_of(out)) if status == 0 else {""}
    if not all(map(str.isdecimal, found)):
        raise failed(err, out)
    return found


def load() -> Question[Load]:
    """Queues as XML, and how many jobs of everybody's wait: counted on the login node, where there may be thousands."""
    count = f"printf '%s\\n' \"$rows\" | {_IDS} | sort -u | {{ printf 'waiting '; wc -l; }}"
    return Question(f"{_LIST} list -g c && rows=$(list -s p -u '*') && {count}", parse_load)


def parse_load(status: int, out: str, err: str) -> Load:
    """Slots that are neither used, free nor reserved count as down."""
    queues = []
    for element in elements(status, out, err, "cluster_queue_summary"):
        words = [first(element, tag) for tag in ("used", "available", "resv", "total")]
        numbers = [leading_number(word) for word in words]
        used, free, reserved, total = (number or 0 for number in numbers)
        if None in numbers:
            raise SchedulerError("Grid Engine: the answer of qstat -g c is not understood")
        down = max(0, total - used - free - reserved)
        queues.append(Queue(first(element, "name"), used, free, down))
    waiting = re.search(r"^waiting +(\d{1,9})$", out, re.M | re.ASCII)
    if not waiting:
        raise SchedulerError("Grid Engine: the answer of qstat is not understood (no number of jobs that wait)")
    return Load(tuple(queues), int(waiting[1]))
