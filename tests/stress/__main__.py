"""`python -m tests.stress`: faults, tried for real, and what the schedulers themselves say came of them."""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.testbed import bed
from tasks.testbed.cluster import PrivateCluster

from . import truth
from .catalogue import FAULTS
from .fault import Fault, Lane, Tried
from .filling import unmount_below
from .judging import Judgement, judge
from .outages import attend
from .story import NAMES, Hung, Place

LEAST = 300  # faults in the full form
_SETTLING = 300  # seconds until what is left in a queue is left for good
_COLUMNS = (
    "fault", "tried", "asked for", "jobs", "bodies run", "lost", "doubled", "wrongly reported", "hung",
    "its scheduler's own", "peak MB",
)  # fmt: skip


@dataclass
class Row:
    """What came of one fault."""

    name: str
    tried: list[Tried] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)  # attempts that the campaign itself failed at
    judgements: list[Judgement] = field(default_factory=list)
    hung: int = 0
    peak: float = 0.0  # the most memory (MB) that any command had

    @property
    def happened(self) -> int:
        return sum(each.happened for each in self.tried)

    def names(self) -> list[str]:
        return [story.name for each in self.tried for story in each.stories]

    def judge(self, found: Mapping[str, truth.Truth]) -> None:
        """Compare every answer with the truth."""
        stories = [story for each in self.tried for story in each.stories]
        self.judgements = [judge(story.asked, found[story.name]) for story in stories]
        self.peak = max((story.peak() for story in stories), default=0.0)

    def bad(self) -> bool:
        return bool(self.broken) or any(each.lost or each.doubled or each.wrong for each in self.judgements)

    def complaints(self) -> Iterator[str]:
        """Every attempt that failed, and every submission that went wrong, with all that was said about it."""
        yield from self.broken
        stories = [story for each in self.tried for story in each.stories]
        for story, judgement in zip(stories, self.judgements, strict=True):
            if judgement.lost or judgement.doubled or judgement.wrong:
                yield f"{self.name}: {story.name} ({story.kind}): {judgement}\n"
                for answer in story.answers:
                    typed = f"`{' '.join(answer.words)}` ({answer.status})"
                    yield f"  {answer.began:.1f} {answer.ended:.1f} {typed}\n{answer.out}{answer.err}"

    def numbers(self) -> list[int]:
        """The row, without its name."""
        each = self.judgements
        return [
            self.happened, len(each), sum(j.jobs for j in each), sum(j.bodies for j in each),
            sum(j.lost for j in each), sum(j.doubled for j in each), sum(bool(j.wrong) for j in each),
            self.hung, sum(j.not_ours for j in each), round(self.peak),
        ]  # fmt: skip


class Campaign:
    """All lanes side by side, each over a cluster: two clusters, one of which is shaken."""

    def __init__(self, cells: Sequence[PrivateCluster], folder: Path, *, short: bool, every: int) -> None:
        self.short, self.every, self._witnesses = short, every, folder / "witnesses"
        self._witnesses.mkdir()
        self._enough = threading.Event()
        self._cells = {Lane.BUSY: cells[0], Lane.PATIENT: cells[0], Lane.SHAKING: cells[-1]}
        self._places = {
            cell.name: Place(cell, folder / cell.name, self._witnesses, 1 + NAMES * number)
            for number, cell in enumerate(cells)
        }
        for place in self._places.values():
            place.folder.mkdir()

    def run(self, faults: Sequence[Fault[Any]]) -> list[Row]:
        """Try all of them, and judge everything once more at the end: a second job may come late.

        After Ctrl-C nothing more is begun, and what was tried by then is judged.
        """
        rows = {fault.name: Row(fault.name) for fault in faults}
        lanes = [
            threading.Thread(target=self._lane, args=([f for f in faults if f.lane is lane], rows)) for lane in Lane
        ]
        for lane in lanes:
            lane.start()
        while any(lane.is_alive() for lane in lanes):
            try:
                attend(self._cells[Lane.SHAKING])
                time.sleep(5)
            except KeyboardInterrupt:
                if self._enough.is_set():
                    raise
                self._enough.set()
                _say("no more faults are begun; once more to leave off at once")
        names = [name for row in rows.values() for name in row.names()]
        truth.settled([place.cell for place in self._places.values()], names, _SETTLING)
        found: dict[str, truth.Truth] = {}
        for place in self._places.values():  # no name is of two places
            found |= truth.ask(place.cell, self._witnesses, [name for name in names if place.has(name)])
        for row in rows.values():
            row.judge(found)
        return [row for row in rows.values() if row.tried or row.broken]

    def _lane(self, faults: Sequence[Fault[Any]], rows: dict[str, Row]) -> None:
        for fault in faults:
            if self._enough.is_set():
                return
            began, row = time.monotonic(), rows[fault.name]
            place = self._places[self._cells[fault.lane].name]
            try:
                cases = fault.chosen(place, short=self.short, every=self.every)
            except Exception:
                row.broken.append(traceback.format_exc())
                continue
            with ThreadPoolExecutor(fault.at_once) as pool:
                for case, done in [(case, pool.submit(self._attempt, fault, place, case)) for case in cases]:
                    try:
                        row.tried += done.result()
                    except Exception as error:
                        row.hung += isinstance(error, Hung)
                        row.broken.append(f"{fault.name}, {case}: {traceback.format_exc()}")
            if row.tried and not row.happened and not self.short:
                row.broken.append(f"{fault.name}: tried {len(cases)} times, and never happened\n")
            print(f"{fault.name}: {row.happened} of {len(cases)} in {time.monotonic() - began:.0f} s",
                  file=sys.stderr, flush=True)  # fmt: skip

    def _attempt(self, fault: Fault[Any], place: Place, case: object) -> list[Tried]:
        return [] if self._enough.is_set() else [fault.attempt(place, case)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make stress", description=__doc__)
    parser.add_argument("--fault", action="append", help="only faults with this in their names; may be repeated")
    parser.add_argument("--short", action="store_true", help="a few attempts at some of them, a minute long")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th case of every fault")
    parser.add_argument("--slurm", action="store_true", help="over Slurm clusters; else over Grid Engine ones")
    given = parser.parse_args()
    faults = [fault for fault in FAULTS if not given.fault or any(part in fault.name for part in given.fault)]
    faults = [fault for fault in faults if not given.short or fault.short]
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="stress-") as folder:
        os.environ["XDG_STATE_HOME"] = f"{folder}/state"
        shaken = any(fault.lane is Lane.SHAKING for fault in faults)
        try:
            cells = (_up_slurm if given.slurm else _up)(["steady", "shaken"] if shaken else ["steady"])
            rows = Campaign(cells, Path(folder), short=given.short, every=given.every).run(faults)
        except BaseException:
            bed.down()
            traceback.print_exc()
            unmount_below(Path(folder))
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)  # attempts under way would go on for minutes, with nobody there
        bed.down()
    return report(rows, time.monotonic() - began, least=0 if given.fault or given.short or given.every > 1 else LEAST)


def _up(names: Sequence[str]) -> list[PrivateCluster]:
    return bed.up(names, slots=64, accounting_flush="00:00:01", say=_say)


def _up_slurm(names: Sequence[str]) -> list[PrivateCluster]:
    """Their controllers forget no job that has ended as long as the campaign goes on."""
    return bed.up_slurm(names, slots=64, min_job_age=86400, say=_say)


def _say(line: str) -> None:
    print(line, file=sys.stderr)


def report(rows: Sequence[Row], seconds: float, least: int) -> int:
    """Print the table; the exit status."""
    print(f"| {' | '.join(_COLUMNS)} |\n|---|{'--:|' * (len(_COLUMNS) - 1)}")
    for row in rows:
        print(f"| {row.name} | {' | '.join(map(str, row.numbers()))} |")
    *columns, peaks = zip(*(row.numbers() for row in rows), strict=True)
    totals = [*map(sum, columns), max(peaks)]
    print(f"| **all** | {' | '.join(map(str, totals))} |\n\n{totals[0]} faults in {seconds / 60:.0f} min", flush=True)
    for row in rows:
        print(*row.complaints(), sep="\n", end="", file=sys.stderr)
    if totals[0] < least:
        print(f"{totals[0]} faults are fewer than {least}", file=sys.stderr)
    return 1 if totals[0] < least or any(row.bad() for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
