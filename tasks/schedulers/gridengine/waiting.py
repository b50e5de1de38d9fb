"""Why jobs do not run, by `qstat -j` and `qalter -w`."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...model.job import State
from ...model.reason import Reason
from ..seam import Question
from ..waiting import Reasons
from .about import about
from .reading import failed


def reasons(job_ids: Sequence[str]) -> Question[Reasons]:
    """`qstat -j` of these."""
    return Question(about(job_ids), parse_reasons)


def parse_reasons(status: int, out: str, err: str) -> Reasons:
    """The lines `error reason TASK: TIME [UID:PID]: WHY` of `qstat -j` (G9), one for each task in error: the first."""
    if status != 0 and "do not exist" not in err:
        raise failed(err, out)
    reasons = {}
    for block in re.split(r"^=+$", out, flags=re.M):
        job = re.search(r"^job_number: +(\d+)$", block, re.M | re.ASCII)
        why = re.search(r"^error reason +\d+: +\S+ \S+ \[\S*\]: (?:error: )?(.*)$", block, re.M | re.ASCII)
        if job and why:
            reasons[job[1], State.ERROR] = Reason("error", why[1])
    return reasons
