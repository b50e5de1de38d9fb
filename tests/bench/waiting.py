"""What is promised in seconds: the first job of a new testbed, and the end of a job."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from tasks.testbed import register
from tasks.testbed.cell import Cell

from .measure import Limit, fab, timed, user


def end_known(cell: Cell, runs: int, bound: float) -> Limit:
    """From a job's last command until `wait` has told of its end and is gone; accounting comes up to 15 s later."""
    with tempfile.TemporaryDirectory() as directory:
        person = user(Path(directory) / "home", register.registration().read_text())
        person.script("x", f"#!/bin/bash\nsleep 3\ndate +%s.%N > '{person.work}/end'\n")
        words = [fab(), "-H", cell.name, "submit", "--script=x", "wait"]

        def late() -> float:
            timed(words, person.work, person.environment)
            known = time.time()
            return known - float((person.work / "end").read_text())

        return Limit("`wait` tells of a job's end, after its last command", [late() for _ in range(runs)], bound)


def first_job(runs: int, scheduler: str, name: str, flags: Sequence[str], bound: float) -> Limit:
    """`testbed.up` with these flags of clusters that are new, and a job that the one of this name ran."""

    def once() -> float:
        with tempfile.TemporaryDirectory() as directory:
            person = user(Path(directory) / "home", "")
            person.script("x", "#!/bin/sh\n")
            try:
                seconds = timed([fab(), "testbed.up", *flags], person.work, person.environment)
                words = [fab(), "-H", name, "submit", "--script=x", "wait"]
                return seconds + timed(words, person.work, person.environment)
            finally:
                timed([fab(), "testbed.down"], person.work, person.environment)

    what = f"`testbed.up` of {scheduler} from nothing, and its first job ended"
    return Limit(what, [once() for _ in range(runs)], bound)
