"""One submission as its user goes through it: types submit until it is answered, then waits; every answer is kept."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.sshd import Door, main_door
from tests.conftest import Person, move_in
from tests.proxy import Proxy, ssh_config_through

from .judging import Answer, Asked
from .truth import body

Kind = Literal["plain", "put", "array", "bare"]
KINDS: tuple[Kind, ...] = ("plain", "put", "array")
_TASKS = (1, 3)
_LONGEST = 600  # seconds that any command of ours may take: each of its waits has an end
_PERSISTENT = 900  # seconds until a user gives up
_PAUSE = 2.0  # a user reads before typing again
NAMES = 10_000  # of one place
_MEASURE = """\
import atexit, contextlib, os, re

def measure():
    with contextlib.suppress(OSError), open("/proc/self/status") as status, open({peaks}, "a") as peaks:
        peaks.write(re.search(r"VmHWM:\\s*(\\d+)", status.read())[1] + "\\n")

atexit.register(measure)
"""  # what each Python of a person's runs as it begins: at its end it tells its peak memory (KB)


class Hung(Exception):
    """A command that had to be ended: each of ours ends by itself."""


@dataclass
class Story:
    """`process` is the submit under way, if it was begun by `begin`."""

    person: Person
    name: str
    kind: Kind = "plain"
    status: int = 7
    words: tuple[str, ...] = ()
    job_file: bool = False
    answers: list[Answer] = field(default_factory=list)
    process: subprocess.Popen[str] | None = None
    requeued: int = 0  # by hand
    _began: float = 0.0

    @property
    def asked(self) -> Asked:
        """For the judge."""
        tasks = _TASKS if self.kind == "array" else (0,)
        return Asked(self.name, tasks, self.status, tuple(self.answers), self.kind == "bare", self.requeued)

    @property
    def accepted(self) -> bool:
        """Whether a submit has answered 0."""
        return any(answer.status == 0 and "submit" in answer.words for answer in self.answers)

    def submit_words(self) -> tuple[str, ...]:
        """What the user types."""
        words = [
            "-H", "hpc", "submit", f"--script={self.name}.sh", f"--name={self.name}",
            f"--job-file={self.name}.job" if self.job_file else f"--key={self.name}",
        ]  # fmt: skip
        words += {"plain": [], "bare": ["--bare"], "put": ["--put=data"], "array": ["--array=1-3:2"]}[self.kind]
        return (*words, *self.words)

    def begin(self) -> subprocess.Popen[str]:
        """Type submit, and return at once."""
        self._began = time.time()
        self.process = self.person.start(*self.submit_words())
        return self.process

    def end(self, *, killed: bool = False) -> Answer:
        """The answer of what was begun."""
        assert self.process
        try:
            out, err = self.process.communicate(timeout=_LONGEST)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGABRT)
            raise Hung(f"{self.name}: no end after {_LONGEST} s: {self.process.communicate()}") from None
        return self.keep(self.submit_words(), self.process.returncode, out, err, self._began, killed=killed)

    def submit(self, **environment: str) -> Answer:
        """Type submit, and read the answer."""
        return self.type(*self.submit_words(), **environment)

    def type(self, *words: str, **environment: str) -> Answer:
        """Type something, and read the answer."""
        began = time.time()
        try:
            done = self.person.fab(*words, timeout=_LONGEST, **environment)
        except subprocess.TimeoutExpired as expired:
            raise Hung(f"{self.name}: no end after {_LONGEST} s: {words}: {expired.stderr!r}") from None
        return self.keep(words, done.returncode, done.stdout, done.stderr, began)

    def peak(self) -> float:
        """The most memory (MB) that any command of this person's had; one that was killed has told none."""
        peaks = self.person.home.parent / "measure" / "peaks"
        return max(map(int, peaks.read_text().split()), default=0) / 1024 if peaks.exists() else 0.0

    def reference(self) -> str:
        """What `--job` gets."""
        return f"{self.name}.job" if self.job_file else self.name

    def wait_words(self) -> tuple[str, ...]:
        """What the user types to see the end."""
        return "-H", "hpc", "wait", "--json", "--timeout=300", f"--job={self.reference()}"

    def persist(self, **environment: str) -> Story:
        """What a user does after a fault: type the same submit until it is answered, then wait for the end."""
        deadline = time.monotonic() + _PERSISTENT
        while not self.accepted and time.monotonic() < deadline:
            time.sleep(_PAUSE if self.answers else 0)
            self.submit(**environment)
        while self.type(*self.wait_words(), **environment).status not in (0, 3) and time.monotonic() < deadline:
            time.sleep(_PAUSE)
        return self

    def keep(
        self, words: Sequence[str], status: int, out: str, err: str, began: float, *, killed: bool = False
    ) -> Answer:
        """Take in an answer."""
        answer = Answer(tuple(words), status, out, err, began, time.time(), killed)
        self.answers.append(answer)
        return answer


def persist(stories: Sequence[Story]) -> Sequence[Story]:
    """Several users go on, each by himself."""
    with ThreadPoolExecutor(min(len(stories), 8)) as pool:
        list(pool.map(Story.persist, stories))
    return stories


@dataclass
class Place:
    """Where a fault is tried: a cell, and a folder for homes and for what the bodies write down."""

    cell: PrivateCluster
    folder: Path
    witnesses: Path
    first: int = 1  # of its numbers, so that two places have no name in common: each has NAMES of them
    _count: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def submits(self) -> str:
        """The scheduler's command that submits."""
        return "qsub" if isinstance(self.cell, Cell) else "sbatch"

    @property
    def without_log(self) -> str:
        """Its option for a job whose output goes nowhere."""
        return "-o /dev/null -j y" if isinstance(self.cell, Cell) else "--output=/dev/null --error=/dev/null"

    def new(self, what: str) -> str:
        """A name that nothing else has."""
        with self._lock:
            self._count += 1
            return f"{what}-{self.first + self._count - 1}"

    def has(self, name: str) -> bool:
        """Whether this is a name of this place."""
        return 0 <= int(name.rpartition("-")[2]) - self.first < NAMES

    def directory_of(self, story: Story) -> Path:
        """The job directory of a story that has a key, with the default `directory`."""
        return self.cell.home / ".submithost" / "jobs" / story.name

    def mover(self, name: str, proxy: Proxy | None = None, door: Door | None = None, more: str = "") -> Person:
        """Somebody whose cluster `hpc` is behind this door, or this proxy before it; `more` is configuration."""
        door = door or main_door(self.cell)
        config = door.ssh_config
        (self.folder / name).mkdir()
        if proxy:
            config = ssh_config_through(proxy, door, self.folder / name / "ssh_config")
        scheduler = "gridengine" if isinstance(self.cell, Cell) else "slurm"
        text = (
            f"clusters:\n  hpc:\n    host: {door.name}\n    ssh_config: '{config}'\n    scheduler: {scheduler}\n{more}"
        )
        person = move_in(self.folder / name / "home", text)
        person.environment["PYTHONFAULTHANDLER"] = "1"  # so that one without an end says where it is
        measuring = self.folder / name / "measure"
        measuring.mkdir()
        (measuring / "sitecustomize.py").write_text(_MEASURE.format(peaks=repr(str(measuring / "peaks"))))
        person.environment["PYTHONPATH"] = f"{measuring}{os.pathsep}{person.environment['PYTHONPATH']}"
        return person

    def story(
        self,
        what: str,
        proxy: Proxy | None = None,
        door: Door | None = None,
        *,
        person: Person | None = None,
        kind: Kind = "plain",
        seconds: float = 0,
        more: str = "",
        words: tuple[str, ...] = (),
        job_file: bool = False,
        trapping: bool = False,
    ) -> Story:
        """A user with a script; every other body fails, with 7."""
        name = self.new(what)
        person = person or self.mover(name, proxy, door, more)
        status = 7 if int(name.rpartition("-")[2]) % 2 else 0
        person.script(
            f"{name}.sh", body(self.witnesses / name, status, seconds, bare=kind == "bare", trapping=trapping)
        )
        (person.work / "data").write_bytes(b"some data\n" * 10_000)
        return Story(person, name, kind, status, words, job_file)
