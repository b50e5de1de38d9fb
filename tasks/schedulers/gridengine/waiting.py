"""Why jobs do not run, by `qstat -j`, `qalter -w` and `qconf`; what follows from that is in `refusals`."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence

from ...model.dates import seconds_of
from ...model.job import State, iso
from ...model.reason import Reason
from ..bounds import lines_of
from ..seam import Question
from ..waiting import Reasons, in_line, listed_reasons
from ..wording import shell
from .about import about
from .queue import parse_queue, queue
from .refusals import FACTS, Asked, limit_of, never, now_lacking, out_of_order

# Of what `qstat -j` says of a job, what tells why it waits.
_FACTS = "|".join((*FACTS, "scheduling info"))
_WAITING = shell(__file__, "waiting.sh")


def reasons(job_ids: Sequence[str]) -> Question[Reasons]:
    """The list, which tells holds and predecessors; `qstat -j` of these; and of those that only wait for their turn
    what `qalter -w v` (on an empty cluster) and `-w p` (as it is) say, which change no job."""
    described = f"described() {{\n{about(job_ids, _FACTS)}\n}}"
    return Question(
        f"{queue().command}\necho; echo =reasons\n{_WAITING}{described}\nwaiting {shlex.join(job_ids)}; true",
        lambda *answer: parse_reasons(job_ids, *answer),
    )


def parse_reasons(job_ids: Sequence[str], status: int, out: str, err: str) -> Reasons:
    """Lines of `qstat -j`; `check HOW ID` and what that said; `place ID N`, `waiting N`, `slots N PE`, `rule NAME TEXT`
    and `most N`."""
    listed, _, rest = out.partition("\n=reasons\n")
    rows = parse_queue(status, listed, err)
    found = listed_reasons(rows, job_ids)
    running = Counter[str]()
    for row in rows:
        running[row.job_id] += sum(map(len, row.tasks)) if row.state is State.RUNNING else 0
    asked = Asked()
    for line in lines_of(rest):
        asked.read(line)
    for job_id, said in asked.jobs.items():
        if said.error:
            found[job_id, State.ERROR] = Reason("error", said.error)
        if said.verified or said.possible:
            found[job_id, State.PENDING] = _why(asked, job_id, running[job_id])
    return found


def _why(asked: Asked, job_id: str, running: int) -> Reason:
    """Why a job waits that is neither held nor waiting for others: the most serious reason."""
    said = asked.jobs[job_id]
    starts = seconds_of(said.facts.get("execution_time", ""))
    return (
        never(said, asked)
        or limit_of(said, asked, running)
        or (Reason("begin", f"it is not to start before {iso(starts)}") if starts else None)
        or out_of_order(said)
        or Reason(
            "busy", in_line(now_lacking(said) or "it waits for its turn", asked.places.get(job_id), asked.waiting)
        )
    )
