"""What a site allows; by sge_conf(5)."""

from __future__ import annotations

import re

from ..seam import Question
from ..wording import failed


def most_tasks() -> Question[int | None]:
    """`max_aj_tasks`: how many tasks an array job may have; 0: any number."""

    def parse(status: int, out: str, err: str) -> int | None:
        found = re.search(r"^max_aj_tasks +([0-9]{1,12})$", out, re.M)
        if status or not found:
            raise failed("qconf", err)
        return int(found[1]) or None

    return Question("qconf -sconf", parse)
