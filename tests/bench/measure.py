"""Whole commands, timed in turns: ours, theirs, ours, theirs, ..., so that whatever else the machine does hits both."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import Person, move_in

Run = Callable[[], float]


@dataclass(frozen=True)
class Pair:
    """Seconds of each run of one measurement, both sides from the same minutes; `bound` is what is promised for
    `median(ours) / median(theirs)`."""

    what: str
    ours: Sequence[float]
    theirs: Sequence[float]
    bound: float

    @property
    def ratio(self) -> float:
        return statistics.median(self.ours) / statistics.median(self.theirs)

    @property
    def kept(self) -> bool:
        return self.ratio <= self.bound

    def spread(self) -> str:
        """How noisy it was."""
        return f"ours {spread(self.ours)} s, theirs {spread(self.theirs)} s"

    def row(self) -> str:
        """A row of the table in README."""
        ours, theirs = statistics.median(self.ours), statistics.median(self.theirs)
        return f"| {self.what} | {ours:.2f} s | {theirs:.2f} s | {self.ratio:.2f} | {self.bound:.2f} |"


@dataclass(frozen=True)
class Limit:
    """Seconds of each run of what has no plain way to be measured against; `bound` (seconds) is for their median.
    `besides`: whether what else was promised of it is kept."""

    what: str
    ours: Sequence[float]
    bound: float
    besides: bool = True

    @property
    def kept(self) -> bool:
        return statistics.median(self.ours) <= self.bound and self.besides

    def row(self) -> str:
        """A row of the table in README."""
        return f"| {self.what} | {statistics.median(self.ours):.2f} s | | | {self.bound:.0f} s |"

    def spread(self) -> str:
        """How noisy it was."""
        return f"{spread(self.ours)} s"


def in_turns(what: str, ours: Run, theirs: Run, runs: int, bound: float) -> Pair:
    """Run both once unmeasured (bytecode is written, caches are warm), and then `runs` times each."""
    ours()
    theirs()
    times = [(ours(), theirs()) for _ in range(runs)]
    return Pair(what, [one for one, _ in times], [other for _, other in times], bound)


def timed(words: Sequence[str], cwd: Path, env: Mapping[str, str], status: int = 0) -> float:
    """Seconds that a command takes, which has to end with this exit status."""
    began = time.perf_counter()
    done = subprocess.run(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    seconds = time.perf_counter() - began
    assert done.returncode == status, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return seconds


def peak(words: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[float, int]:
    """Seconds, and the most memory (bytes) that the command itself had."""
    began = time.perf_counter()
    process = subprocess.Popen(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, words
    return time.perf_counter() - began, usage.ru_maxrss * 1024 if sys.platform != "darwin" else usage.ru_maxrss


def user(home: Path, fabric_yml: str) -> Person:
    """Somebody with these clusters and Python's own defaults: no warnings as errors, bytecode kept."""
    person = move_in(home, fabric_yml)
    del person.environment["PYTHONWARNINGS"]
    person.environment.pop("PYTHONDONTWRITEBYTECODE", None)  # as a user has it
    return person


def scratch() -> Path:
    """A directory that goes away with the testbed, when everything has been measured.

    Not before: ext4 gives no new file an inode that was freed in the last minutes, and looks through all of those for
    each file (`recently_deleted` in the kernel's fs/ext4/ialloc.c). After 50,000 files were removed, whatever makes
    files is measured by that.
    """
    return Path(tempfile.mkdtemp(dir=os.environ["XDG_STATE_HOME"]))


def fab() -> str:
    """The program beside this interpreter."""
    return str(Path(sys.executable).with_name("fab"))


def spread(times: Sequence[float]) -> str:
    """Least and most, for a look at how noisy it was."""
    return f"{min(times):.2f}-{max(times):.2f}"


def usage() -> float:
    """CPU seconds of all commands so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
