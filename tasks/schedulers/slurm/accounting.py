"""How jobs ended: by scontrol(1) while the controller remembers them, and by sacct(1)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ...model.dates import seconds_of
from ...model.job import State
from ..bounds import check_ranges, lines_of
from ..seam import Question
from ..values import ByHand, Record, Submitted, Traced
from ..wording import shell
from .reading import facts_of, failed, key_of, ranges, together
from .states import outcome_of, state_of, why

# What scontrol tells in place of tasks when `scancel -u` took those of an array job that had not started.
_REST = "4294967294"
ABOUT_EACH = shell(__file__, "about_each.sh")
# Asking about so many jobs one by one takes longer than asking for all that the controller remembers.
_MANY = 100


def trace(job_ids: Sequence[str], silent: Sequence[str]) -> Question[Traced]:  # noqa: ARG001  # sacct answers all at once
    """Ask the controller, which forgets after a while (S3), and the accounting where there is one."""
    accounts = accounts_of(job_ids, "-X -P -n -o JobID,State,ExitCode,Submit,Start,End")
    return Question(f"{ABOUT_EACH}{accounts}; {remembered(job_ids)}; true", parse_trace)


def remembered(job_ids: Sequence[str]) -> str:
    """The command that shows what the controller remembers of these, after `ABOUT_EACH`."""
    if len(job_ids) > _MANY:
        return 'all=$(scontrol -o show job) || exit; printf \'%s\\n\' "$all" | grep -F "($(id -u)) "'
    return f"about_each {shlex.join(job_ids)}"


def accounts_of(job_ids: Sequence[str], options: str, command: str = "sacct") -> str:
    """The command that shows what the accounting has of these, or nothing where there is none."""
    ids = [",".join(job_ids[at : at + _MANY * 10]) for at in range(0, len(job_ids), _MANY * 10)]
    return f"{{ {'; '.join(f'{command} {options} -j {shlex.quote(some)}' for some in ids)}; }} 2>/dev/null"


def parse_trace(status: int, out: str, err: str) -> Traced:
    """Records of both; what the controller says comes last and counts, since the accounting lags (S4). sacct shows no
    mark, so of an ID that was used twice it may tell the later job."""
    if status != 0:
        raise failed(err, out)
    return Traced(tuple(record for line in lines_of(out) for record in _record(line)))


def _record(line: str) -> Iterator[Record]:
    """The record in a line of scontrol, or of sacct if that tells of an end: what it calls alive may be lost."""
    if line.startswith("JobId="):
        facts = facts_of(line)
        job_id, task = facts.get("ArrayJobId", facts["JobId"]), facts.get("ArrayTaskId", "")
        part = facts.get("HetJobOffset", "0")
        words = [facts.get(fact, "") for fact in ("JobState", "ExitCode", "SubmitTime", "StartTime", "EndTime")]
        outcome = outcome_of(*words)
        if outcome.state is State.PENDING:
            state = state_of("PENDING", facts.get("Reason", ""), facts.get("Priority", "")) or State.PENDING
            reason = why(state, facts.get("Reason", ""), facts.get("Dependency", ""))
            outcome = replace(outcome, state=state, reason=reason)
        alive, key = words[0] not in ("", "REVOKED"), key_of(facts.get("Command", ""))
    elif line.count("|") == 5:
        whole, *words = line.split("|")
        job_id, _, task = whole.partition("_")
        job_id, _, part = job_id.partition("+")
        outcome, alive, key = outcome_of(*words), False, ""
    else:
        return
    check_ranges([task])
    tasks = ranges(task)
    # The first part of a heterogeneous job runs the script.
    named = job_id.isdecimal() and part in ("", "0") and (tasks or task in ("", _REST))
    if named and (alive or outcome.state.ended):
        yield Record(job_id, tasks, seconds_of(words[2]), outcome, key)


def by_hand(job_id: str) -> Question[ByHand | None]:
    """scontrol while the controller remembers the job, sacct after that."""
    one = shlex.quote(job_id)
    accounts = f"sacct -X -P -n -o JobID,User,JobName,Submit,WorkDir -j {one} 2>/dev/null"
    return Question(f"id -un; scontrol -o show job {one}; {accounts}", parse_by_hand)


def parse_by_hand(status: int, out: str, err: str) -> ByHand | None:  # noqa: ARG001  # the last of several commands
    """Join the rows of one job: an array job has one for each task."""
    me, _, rest = out.partition("\n")
    found = [facts for line in lines_of(rest) if line.startswith("JobId=") for facts in [facts_of(line)]]
    mine = [facts for facts in found if facts.get("UserId", "").partition("(")[0] == me]
    rows = [line.split("|", 8) for line in lines_of(rest)]
    owned = [row for row in rows if len(row) >= 5 and row[1] == me]
    if mine:
        last = mine[-1]
        when = last.get("SubmitTime", "")
        # The accounting has those that the controller has forgotten, and may have another job of this ID.
        tasks = [facts.get("ArrayTaskId", "") for facts in mine]
        tasks += [row[0].partition("_")[2] for row in owned if row[3] == when]
        submitted = Submitted(last.get("ArrayJobId", last["JobId"]), last.get("JobName", ""), together(tasks))
        return ByHand(submitted, last.get("WorkDir", ""), seconds_of(when))
    if owned:
        last_id, _, name, when, directory = owned[-1][:5]
        tasks = [row[0].partition("_")[2] for row in owned]
        return ByHand(Submitted(last_id.partition("_")[0], name, together(tasks)), directory, seconds_of(when))
    if "Unable to contact" in err or "timed out" in err:
        raise failed(err)
    return None
