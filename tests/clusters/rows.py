"""The rows of the table of all that a job's body inherits: scripts, and ways to submit them.

A row is a combination of `FACTORS`; another case is another value there.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

NO_INTERPRETER = "/no/such/interpreter"
# What a body is: its text, and what `-S` by hand has to say where Grid Engine does not obey a first line.
_SH = 'echo out; echo err >&2\n@SEE@ "$0" "$-" "$@"\nexit 3\n'
_CSH = "echo out\n@SEE@ $0 - $argv:q\nexit 3\n"
_PYTHON = (
    "import subprocess, sys\nsubprocess.run(['@SEE@', sys.argv[0], '-', *sys.argv[1:]], check=True)\nsys.exit(3)\n"
)
_ANY = "echo out\n@SEE@ - -\nexit 3\n"
BODIES = {
    "bash": (f"#!/bin/bash\n{_SH}", "/bin/bash"),
    "sh": (f"#!/bin/sh\n{_SH}", "/bin/sh"),
    "options": (f"#!/bin/bash -u\n{_SH}", "/bin/bash"),
    "login": (f"#!/bin/bash -l\n{_SH}", "/bin/bash"),
    "env": (f"#!/usr/bin/env bash\n{_SH}", "/bin/bash"),
    "python": (f"#!/usr/bin/python3\n{_PYTHON}", "/usr/bin/python3"),
    "tcsh": (f"#!/bin/tcsh\n{_CSH}", "/bin/tcsh"),
    "first_line": (f"#!/bin/bash\n{_ANY}", ""),
    "submits": ("#!/bin/bash\n@SEE@ qsub -\n", "/bin/bash"),
    "given": (f"#$ -S /bin/bash\n{_SH}", ""),
    "neither": (f"# of no shell\n{_ANY}", ""),
}
# Ways to end, which are of interest by what is said of them afterwards.
ENDS = {
    "succeeds": "exit 0",
    "exits_139": "exit 139",
    "killed": "kill -KILL $$",
    "crashes": "ulimit -c 0; kill -SEGV $$",
    "terminated": "kill -TERM $$",
    "kills_its_group": "kill -- -$$; exit 5",
    "becomes_what_aborts": "ulimit -c 0; exec /bin/bash -c 'kill -ABRT $$'",
}
BODIES |= {name: (f"#!/bin/bash\necho out\n@SEE@ - -\n{end}\n", "/bin/bash") for name, end in ENDS.items()}
BODIES["has_no_interpreter"] = (f"#!{NO_INTERPRETER}\n{_ANY}", NO_INTERPRETER)
# Directives: Grid Engine's, Slurm's.
ASKED = {
    "nothing": ("", ""),
    "stdin": ("-i {home}/input", "--input={home}/input"),
    "environment": ("-V -v A='x y',B=2", "--export=ALL,A=1"),
    "none": ("-v B=2", "--export=NONE"),
    "workdir": ("-wd {home}/elsewhere", "--chdir={home}/elsewhere"),
    "logs": ("-j y -o {home}/elsewhere/", "--output={home}/elsewhere/%x.o%A.%a"),
    "limits": ("-l h_stack=64M,s_core=1M", "--propagate=STACK"),
    "resources": ("-pe smp 2 -l rmem=1G", "--ntasks=2 --mem=100M"),
    "name": ("-N named -j y", "--job-name=named"),
    "mail": ("-m bea -M a@example.org", "--mail-type=ALL --mail-user=a@example.org"),
    "mail_of_failure": ("-m a -M a@example.org", "--mail-type=FAIL --mail-user=a@example.org"),
}
# Scheduler (Grid Engine by its start mode) and /bin/sh: each with every body, and with everything that is asked for.
PLACES = tuple(f"{scheduler}-{sh}" for scheduler in ("slurm", "posix", "unix") for sh in ("dash", "bash"))
FACTORS: dict[str, Sequence[str]] = {
    "place": PLACES,
    "login": ("bash", "tcsh", "zsh"),
    "how": ("plain", "array"),
    "body": tuple(BODIES),
    "asked": tuple(ASKED),
}
BARE = {**FACTORS, "how": ("bare",), "body": ("bash",), "asked": ("nothing", "stdin")}
# What a cluster's `options` say in fabric.yml, and by hand somebody types.
OPTIONS = {"slurm": "--comment=usual", "posix": "-P gpu", "unix": "-P gpu"}
ARGUMENTS = ("one", "two words")


def pairwise(
    factors: Mapping[str, Sequence[str]], possible: Callable[[Mapping[str, str]], bool]
) -> Iterator[dict[str, str]]:
    """Rows, as few as a greedy choice finds, in which each pair of values is that is in any possible row."""
    rows = [
        row
        for values in itertools.product(*factors.values())
        if possible(row := dict(zip(factors, values, strict=True)))
    ]
    random.Random(0).shuffle(rows)  # of equally good ones not always the first
    pairs = [frozenset(itertools.combinations(row.items(), 2)) for row in rows]
    left = set(itertools.chain.from_iterable(pairs))
    while left:
        best = max(range(len(rows)), key=lambda n: len(left & pairs[n]))
        left -= pairs[best]
        yield rows[best]


def possible(row: Mapping[str, str]) -> bool:
    """Slurm wants a first line; and where Grid Engine does not obey one, nothing by hand is like options in it."""
    scheduler, body = row["place"].partition("-")[0], row["body"]
    if body in ENDS or body == "has_no_interpreter" or "mail" in row["asked"]:
        return "mail" in row["asked"] and body in (*ENDS, "bash", "has_no_interpreter")
    if scheduler == "slurm":
        return body not in ("given", "neither")
    return scheduler == "unix" or body not in ("options", "login", "env")


@dataclass(frozen=True)
class Row:
    """One combination, and so two jobs."""

    place: str
    login: str
    how: str
    body: str
    asked: str

    def __str__(self) -> str:
        return "-".join(vars(self).values())

    @property
    def scheduler(self) -> str:
        return self.place.partition("-")[0]

    def text(self, home: Path) -> str:
        """The script."""
        slurm = self.scheduler == "slurm"
        first, _, rest = BODIES[self.body][0].replace("@SEE@", str(home / "witness")).partition("\n")
        options = ASKED[self.asked][slurm].format(home=home)
        directive = f"{'#SBATCH' if slurm else '#$'} {options}\n" if options else ""
        return f"{first}\n{directive}{rest}"

    def shell(self) -> list[str]:
        """What Grid Engine has to be told by hand."""
        given = BODIES[self.body][1]
        return ["-S", given] if given and self.scheduler == "posix" else []

    def by_hand(self) -> list[str]:
        """The words typed on the login node."""
        usual = OPTIONS[self.scheduler].split()
        if self.scheduler == "slurm":
            return ["sbatch", "--parsable", *usual, *(["--array=1-3:2"] if self.how == "array" else [])]
        where = [] if self.asked == "workdir" else ["-cwd"]
        return ["qsub", "-terse", *usual, *where, *self.shell(), *(["-t", "1-3:2"] if self.how == "array" else [])]

    def by_us(self) -> list[str]:
        """Flags of `submit`."""
        flags = {"plain": [], "array": ["--array=1-3:2"], "bare": ["--bare"]}[self.how]
        return [*flags, *([f"--option={' '.join(self.shell())}"] if self.shell() and self.how == "bare" else [])]

    @property
    def tasks(self) -> list[str]:
        return ["1", "3"] if self.how == "array" else [""]


def rows() -> list[Row]:
    return [Row(**row) for factors in (FACTORS, BARE) for row in pairwise(factors, possible)]
