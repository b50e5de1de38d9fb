"""What a site allows; by slurm.conf(5)."""

from __future__ import annotations

import re

from ..seam import Question
from ..wording import failed


def most_tasks() -> Question[int | None]:
    """S7: `MaxArraySize` is one more than the highest number of a task, however many tasks there are."""

    def parse(status: int, out: str, err: str) -> int | None:
        found = re.search(r"^MaxArraySize += ([0-9]{1,12})$", out, re.M)
        if status or not found:
            raise failed("scontrol", err)
        return max(1, int(found[1]) - 1)

    return Question("scontrol show config", parse)
