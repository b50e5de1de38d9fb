"""`python -m tests.stress.fuzzing`: every verb against a login node that spoils its answers in every way.

Each has to end with one of its exit statuses and no traceback, in bounded memory and time. Prints a table of them.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tasks.testbed import bed
from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.sshd import extra_sshd
from tests.clusters.hostile import at
from tests.conftest import Person

from . import mutating

MOST_MEMORY = 300  # MB
MOST_SECONDS = 300  # more than any patience of ours
_READS = 20  # seconds
_STATUSES = range(7)
_HEAD = "| spoilt | tried | exit statuses | most MB | most s | broken |\n|---|--:|---|--:|--:|--:|"
# What each verb is given; `array` is a job with tasks that has ended, `held` one that waits.
VERBS: tuple[tuple[str, ...], ...] = (
    ("status", "--job=array"), ("status", "--all", "--json"), ("wait", "--job=held", "--timeout=2"),
    ("logs", "--job=array", "--task=1"), ("fetch", "--job=array", "--to=results"), ("cancel", "--job=held"),
    ("hold", "--job=held"), ("release", "--job=held"), ("resubmit", "--job=array", "--dry-run"), ("reconcile",),
    ("adopt",), ("jobs", "--refresh"), ("clean", "--dry-run", "--unfetched"), ("put", "--source=x", "--target=there"),
    ("get", "--source=tree", "--target=here"), ("check",), ("queues",), ("submit", "--script=x", "--timeout=5"),
)  # fmt: skip


@dataclass(frozen=True)
class Ended:
    """How one command line ended: exit status, seconds, the most memory (MB) that it had, and what it said."""

    words: tuple[str, ...]
    status: int
    seconds: float
    memory: float
    said: str

    @property
    def bad(self) -> str:
        """What is wrong with it; empty: nothing."""
        if self.memory > MOST_MEMORY:
            return f"{self.memory:.0f} MB"
        if self.seconds > MOST_SECONDS:
            return f"{self.seconds:.0f} s"
        if self.status not in _STATUSES or "Traceback" in self.said or "bug in submithost" in self.said:
            return f"exit status {self.status}"
        return ""


def run(person: Person, *words: str) -> Ended:
    """`fab -H hpc WORDS`, and what it took; one that goes on for too long is ended.

    A log is shown for as long as it comes, and may be of any size: after a while its reader presses Ctrl-C.
    """
    patience, ending = (_READS, signal.SIGINT) if words[0] == "logs" else (MOST_SECONDS, signal.SIGKILL)
    with tempfile.TemporaryFile() as said:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-m", "fabric", "-H", "hpc", *words], cwd=person.work, env=person.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=said, start_new_session=True,
        )  # fmt: skip
        status: int | None = None
        while status is None:
            pid, waited, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                status = os.waitstatus_to_exitcode(waited)
            elif time.monotonic() - began > patience:
                os.killpg(process.pid, ending)
                patience, ending = MOST_SECONDS, signal.SIGKILL
            time.sleep(0.02)
        process.returncode = status
        said.seek(0)
        text = said.read(1 << 20).decode("utf-8", "replace")
    return Ended(words, status, time.monotonic() - began, usage.ru_maxrss / 1024, text)


@contextmanager
def victim(cluster: PrivateCluster, folder: Path) -> Iterator[tuple[Person, Path]]:
    """Somebody whose cluster `hpc` spoils its answers as a plan says, once there is one; with jobs and files there."""
    plan = folder / "plan"
    spoil = f"if [ -e {plan} ]; then exec {sys.executable} {mutating.__file__} {plan}; fi"
    program = folder / "program"
    program.write_text(f'#!/bin/sh\n{spoil}\nexec /bin/sh -c "$SSH_ORIGINAL_COMMAND"\n')
    program.chmod(0o755)
    scheduler = "gridengine" if isinstance(cluster, Cell) else "slurm"
    with extra_sshd(cluster, "hpc", [f"ForceCommand {program}"]) as door:
        person = at(door, folder, f"    scheduler: {scheduler}\n    directory: {folder}/jobs\n")
        array = person.fab("-H", "hpc", "submit", "--script=x", "--array=1-3", "--key=array", "wait")
        assert array.returncode == 0, array.stderr
        held = person.fab("-H", "hpc", "submit", "--script=x", "--key=held", "--hold")
        assert held.returncode == 0, held.stderr
        for number in range(20):
            file = folder / "tree" / f"{number}"
            file.parent.mkdir(exist_ok=True)
            file.write_text("x" * number)
        yield person, plan


def plan_is(plan: Path, how: str, place: int) -> None:
    """From now on answers are spoilt so, after so many sections."""
    plan.write_text(json.dumps({"how": how, "at": place}))


@dataclass
class Row:
    """What came of one way to spoil answers."""

    how: str
    ended: list[Ended] = field(default_factory=list)

    def text(self) -> str:
        statuses = ", ".join(map(str, sorted({each.status for each in self.ended})))
        memory, seconds = (max(getattr(each, name) for each in self.ended) for name in ("memory", "seconds"))
        bad = sum(bool(each.bad) for each in self.ended)
        return f"| {self.how} | {len(self.ended)} | {statuses} | {memory:.0f} | {seconds:.0f} | {bad} |"


def peaks(rows: Sequence[Row]) -> Iterator[str]:
    """A table of the most memory (MB): a line for each verb, a column for each way to spoil its answers."""
    yield f"| | {' | '.join(row.how for row in rows)} |\n|---|{'--:|' * len(rows)}"
    for number, verb in enumerate(VERBS):
        cells = (max(each.memory for each in row.ended[number :: len(VERBS)]) for row in rows)
        yield f"| `{' '.join(verb)}` | {' | '.join(f'{each:.0f}' for each in cells)} |"


def campaign(cluster: PrivateCluster, folder: Path, hows: Sequence[str], rounds: int, seed: int) -> list[Row]:
    """Every verb, spoilt in each of these ways, so many times at random places."""
    chance = random.Random(seed)  # no secret
    rows = []
    with victim(cluster, folder) as (person, plan):
        for how in hows:
            row = Row(how)
            for verb in VERBS * rounds:
                words = [word.replace("tree", f"{folder}/tree").replace("there", f"{folder}/there") for word in verb]
                place = chance.randrange(9)
                plan_is(plan, how, place)
                row.ended.append(run(person, *words))
                if bad := row.ended[-1].bad:
                    print(f"{how} at {place}: {' '.join(verb)}: {bad}\n{row.ended[-1].said[-2000:]}", file=sys.stderr)
            plan.unlink()
            rows.append(row)
            print(row.text(), flush=True)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(prog="make stress", description=__doc__)
    parser.add_argument("--how", action="append", choices=list(mutating.HOW), help="only so; may be repeated")
    parser.add_argument("--rounds", type=int, default=1, help="how often each verb is tried in each way")
    parser.add_argument("--seed", type=int, default=int(time.time()), help="to do the same again")
    parser.add_argument("--slurm", action="store_true", help="over a Slurm cluster; else over a Grid Engine one")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    print(f"seed {given.seed}\n\n{_HEAD}")
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        try:
            up = bed.up_slurm if given.slurm else partial(bed.up, accounting_flush="00:00:01")
            (cluster,) = up(["steady"], slots=16)
            rows = campaign(cluster, Path(folder), given.how or list(mutating.HOW), given.rounds, given.seed)
        finally:
            bed.down()
    print("", *peaks(rows), sep="\n")
    return 1 if any(each.bad for row in rows for each in row.ended) else 0


if __name__ == "__main__":
    sys.exit(main())
