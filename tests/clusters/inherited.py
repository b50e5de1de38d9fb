"""Jobs submitted twice, by hand and by submithost, and all that their bodies inherit: a table, generated.

A row is a combination of `FACTORS`; each pair of values is in some row. A column is a line of `_WITNESS`, which the
body runs, or of `Job.columns`, which is how the job looks from outside.
"""

from __future__ import annotations

import itertools
import json
import random
import re
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import Cluster
from tasks.testbed.kinds import kind_of
from tasks.testbed.sshd import Door, extra_sshd
from tests.clusters.bench import ssh, until
from tests.clusters.pairs import set_start_mode
from tests.conftest import Person, json_lines, move_in

# Run by the body; `body` is the body's own process.
_WITNESS = r"""#!{python} -IS
import os, re, resource, subprocess, sys

def text(path):
    with open(path, errors="surrogateescape") as file:
        return file.read()

def kind(path):  # what a file is: its name, or that it is a pipe or a terminal
    return re.sub(r":\[\d+\]$", "", os.readlink(path))

def run(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout

pid = os.getppid()
body = f"/proc/{{pid}}"
status = dict(line.split(":\t", 1) for line in text(body + "/status").splitlines() if ":\t" in line)
environment = dict(item.split("=", 1) for item in text("/proc/self/environ").split("\0") if item)
old = os.umask(0)
os.umask(old)
seen = dict(
    environment=environment,
    umask=f"{{old:04o}}",
    **{{name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")}},
    argv=text(body + "/cmdline").split("\0")[:-1],
    arguments=sys.argv[1:],
    stdin_kind=kind("/proc/self/fd/0"),
    stdin=sys.stdin.read(),
    stdout_kind=kind("/proc/self/fd/1"),
    stderr_kind=kind("/proc/self/fd/2"),
    files=sorted(kind(f"{{body}}/fd/{{n}}") for n in os.listdir(body + "/fd") if n > "2" and n != "255"),
    cwd=os.getcwd(),
    ignored=status["SigIgn"],
    blocked=status["SigBlk"],
    caught=status["SigCgt"],
    leads_its_group=os.getpgid(pid) == pid,
    terminal=text(body + "/stat").rpartition(")")[2].split()[4],
    nice=os.getpriority(os.PRIO_PROCESS, pid),
    scheduling=(os.sched_getscheduler(pid), sorted(os.sched_getaffinity(pid))),
    oom_score_adj=text(body + "/oom_score_adj"),
    user=[status[name].split() for name in ("Uid", "Gid")],
    groups=[group for group in status["Groups"].split() if not 20000 <= int(group) < 90000],  # those mark jobs
    capabilities=[status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")],
    namespaces=[kind(f"{{body}}/ns/{{name}}") for name in ("mnt", "pid", "net", "user")],
    locale=run("locale"),
    qsub_from_here=run("qsub", "-verify", "-b", "y", "/bin/true") if "SGE_ROOT" in environment else "",
)
import json
task = environment.get("SGE_TASK_ID", environment.get("SLURM_ARRAY_TASK_ID", ""))
job = environment.get("JOB_ID", environment.get("SLURM_ARRAY_JOB_ID", environment.get("SLURM_JOB_ID")))
note = "{home}/seen/%s.%s" % (job, task.replace("undefined", ""))
with open(note + ".new", "w", errors="surrogateescape") as file:
    json.dump(seen, file)
os.rename(note + ".new", note)
"""

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
PLACES = tuple(f"{scheduler}-{sh}" for scheduler in ("posix", "unix", "slurm") for sh in ("dash", "bash"))
FACTORS: dict[str, Sequence[str]] = {
    "place": PLACES,
    "login": ("bash", "tcsh", "zsh"),
    "how": ("plain", "array"),
    "body": tuple(BODIES),
    "asked": tuple(ASKED),
}
BARE = {**FACTORS, "how": ("bare",), "body": ("bash",), "asked": ("nothing", "stdin")}
ARGUMENTS = ("one", "two words")
_PROFILE = {
    ".bash_profile": """\
module() { echo "module $*"; }; export -f module
ulimit -S -s 16384; ulimit -S -n 512; umask 027; export FROM_PROFILE='x y'
""",
    ".profile": "umask 022; export FROM_PROFILE='sh'\n",
    ".zprofile": "ulimit -S -s 16384; ulimit -S -n 512; umask 027; export FROM_PROFILE='x y'\n",
    ".login": "limit stacksize 16384\nlimit descriptors 512\numask 027\nsetenv FROM_PROFILE 'x y'\n",
}


def pairwise(factors: Mapping[str, Sequence[str]], possible: Any) -> Iterator[dict[str, str]]:
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
        """The words typed over there."""
        if self.scheduler == "slurm":
            return ["sbatch", "--parsable", *(["--array=1-3:2"] if self.how == "array" else [])]
        where = [] if self.asked == "workdir" else ["-cwd"]
        return ["qsub", "-terse", *where, *self.shell(), *(["-t", "1-3:2"] if self.how == "array" else [])]

    def by_us(self) -> list[str]:
        """Flags of `submit`."""
        flags = {"plain": [], "array": ["--array=1-3:2"], "bare": ["--bare"]}[self.how]
        return [*flags, *([f"--option={' '.join(self.shell())}"] if self.shell() and self.how == "bare" else [])]

    @property
    def tasks(self) -> list[str]:
        return ["1", "3"] if self.how == "array" else [""]


@dataclass(frozen=True)
class Job:
    """One job that has ended."""

    row: Row
    cluster: Cluster
    job_id: str
    directory: Path

    def columns(self, task: str) -> dict[str, Any]:
        """All that is known of a task, by column; without what differs between any two jobs."""
        note = self.cluster.home / "seen" / f"{self.job_id}.{task}"
        seen: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
        environment = {f"${n}": text for n, text in seen.pop("environment", {}).items() if n not in _OWN_VARIABLES}
        ended = slurm_facts if self.row.scheduler == "slurm" else gridengine_facts
        argv = seen.get("argv", [])
        kept = {
            "directory": "its own" if ".submithost" in self.directory.parts else "where it was typed",
            "script": "beside the job's files"
            if any(f"{self.directory}/" in word for word in argv)
            else "a copy elsewhere",
        }
        told = {**kept, **ended(self.cluster, self.job_id, task), **self._logs(), "mail": self._mail()}
        return {name: self._plain(value) for name, value in {"runs": bool(seen), **seen, **environment, **told}.items()}

    def _logs(self) -> dict[str, list[str]]:
        """Their names, and what is in them."""
        folders = (self.directory, self.cluster.home / "elsewhere")
        own = re.compile(rf"(\.[oe]|slurm-){self.job_id}([._]\w+)?$")
        logs = sorted(log for folder in folders for log in folder.iterdir() if own.search(log.name))
        return {"logs": [str(log) for log in logs], "output": [log.read_text() for log in logs]}

    def _mail(self) -> list[str]:
        """Subject and address of each."""
        everybodys = (mail.read_text().splitlines()[1:3] for mail in self.cluster.mail.glob("mail.*"))
        found = (
            " ".join(lines) for lines in everybodys if re.search(rf"(Job |task |Job_id=){self.job_id}\b", lines[0])
        )
        return sorted(re.sub(r"time [0-9:]+", "time", line) for line in found)

    def _plain(self, value: Any) -> Any:
        """With words for the job's directory, and for the file that its body is read from."""
        if isinstance(value, list):
            return [self._plain(item) for item in value]
        if not isinstance(value, str):
            return value
        value = value.replace(str(self.directory), "DIRECTORY")
        return re.sub(
            rf"/\S*/job_scripts/{self.job_id}|DIRECTORY/\.submithost/script|/\S*/slurm_script", "SCRIPT", value
        )


# Of one job, and of the shell that it was submitted from, by hand.
_OWN_VARIABLES = (
    "SLURM_JOB_ID",
    "SLURM_JOBID",
    "SLURM_TASK_PID",
    "_",
    "SHLVL",
    "OLDPWD",
    "SSH_CLIENT",
    "SSH_CONNECTION",
)


def gridengine_facts(cell: Cluster, job_id: str, task: str) -> dict[str, Any]:
    """How a task ended, by qacct; one in error state has not."""
    if job_id in alive(cell, in_error=True):
        return {"ended": "error state"}
    ended: list[str] = []

    def accounted() -> bool:  # some seconds later (G26)
        found = cell.run("qacct", "-j", job_id, *(["-t", task] if task else [])).stdout
        ended[:] = re.findall(r"^(?:failed|exit_status) +(.*?) *$", found, re.M)
        return bool(ended)

    until(accounted)
    return {"ended": ended}


# Of one job; and what depends on the moment: a limit that is none is one of a year after some ways to begin.
_OWN_FACTS = re.compile(
    r"(JobId|ArrayJobId|Priority|\w+Time|TimeLimit|AllocNode:Sid|LastSchedEval|Scheduler|Command|WorkDir|Std\w+)$"
)


def slurm_facts(cluster: Cluster, job_id: str, task: str) -> dict[str, Any]:
    """How a task ended, and what was asked for it, by scontrol."""
    for line in cluster.must("scontrol", "-o", "show", "job", job_id).splitlines():
        facts = dict(word.split("=", 1) for word in line.split() if "=" in word)
        if facts.get("ArrayTaskId", "") == task:
            asked = {name: text for name, text in facts.items() if not _OWN_FACTS.match(name)}
            return {"ended": [asked.pop(name) for name in ("JobState", "ExitCode", "Reason")], "asked": asked}
    raise AssertionError(f"no task '{task}' of {job_id}")


def same(hand: Any, ours: Any, ids: tuple[str, str]) -> bool:
    """Whether two values differ in the job's ID at most, wherever it may be."""
    theirs, mine = ids
    pattern = re.escape(json.dumps(hand)).replace(theirs, f"(?:{theirs}|{mine})")
    return bool(re.fullmatch(pattern, json.dumps(ours)))


def rows() -> list[Row]:
    return [Row(**row) for factors in (FACTORS, BARE) for row in pairwise(factors, possible)]


def furnish(cluster: Cluster) -> None:
    """Lay the witness, the profiles, and what scripts read and where they write, into the home over there."""
    home = cluster.home
    for name in ("seen", "elsewhere"):
        (home / name).mkdir(exist_ok=True)
    (home / "input").write_text("input\n")
    (home / "witness").write_text(_WITNESS.format(python=sys.executable, home=home))
    (home / "witness").chmod(0o755)
    for name, text in _PROFILE.items():
        (home / name).write_text(text)


def tidy(cluster: Cluster) -> None:
    """Leave nothing of that to others, and no job in error state."""
    for name in _PROFILE:
        (cluster.home / name).unlink()
    if isinstance(cluster, Cell) and (left := alive(cluster, in_error=True)):
        cluster.must("qdel", *left)


def typed(door: Door, rows: Sequence[Row]) -> dict[Row, Job]:
    """Submit each by hand, in one login."""
    home, lines = door.cluster.home, []
    for row in rows:
        directory = home / "hand" / str(row)
        directory.mkdir(parents=True)
        (directory / f"{row.body}.sh").write_text(row.text(home))
        lines += [f"cd {directory}", shlex.join([*row.by_hand(), f"{row.body}.sh", *ARGUMENTS])]
    said = ssh(door.name, "$SHELL -l", config=door.ssh_config, script="\n".join(lines) + "\n")
    ids = re.findall(r"^(\d+)(?:\.\S*)?$", said, re.M)
    assert len(ids) == len(rows), said
    return {
        row: Job(row, door.cluster, job_id, home / "hand" / str(row)) for row, job_id in zip(rows, ids, strict=True)
    }


def submitted(person: Person, name: str, cluster: Cluster, rows: Sequence[Row]) -> dict[Row, Job]:
    """Submit each with one command line."""
    words = []
    for row in rows:
        folder = person.work / str(row)
        folder.mkdir()
        (folder / f"{row.body}.sh").write_text(row.text(cluster.home))
        words += ["submit", f"--script={folder}/{row.body}.sh", "--json", *row.by_us()]
        words += [f"--arg={argument}" for argument in ARGUMENTS]
    done = person.fab("-H", name, *words, timeout=300)
    assert done.returncode == 0, done.stderr
    jobs = json_lines("\n".join(line for line in done.stdout.splitlines() if line.startswith("{")))
    return {row: Job(row, cluster, job["job_id"], Path(job["directory"])) for row, job in zip(rows, jobs, strict=True)}


def alive(cluster: Cluster, *, in_error: bool = False) -> set[str]:
    """The jobs that have not ended: on Grid Engine those that may still run, or those that are in error state."""
    if not isinstance(cluster, Cell):
        return set(re.findall(r"^\d+", cluster.must("squeue", "-h", "-o", "%F"), re.M))
    rows = re.findall(r"^ *(\d+) +\S+ \S+ +\S+ +(\w+) ", cluster.must("qstat"), re.M)
    return {job_id for job_id, state in rows if ("E" in state) == in_error}


def run_all(places: Mapping[str, Cluster], rows: Sequence[Row], home: Path) -> dict[Row, tuple[Job, Job]]:
    """Submit all rows twice and wait for their ends: by hand, by us. `places` are the clusters by `Row.place`."""
    by_login: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_login.setdefault((row.place, row.login), []).append(row)
    with ExitStack() as stack:
        for place, cluster in places.items():
            furnish(cluster)
            if place.startswith("unix"):
                set_start_mode(cluster, "unix_behavior")
                stack.callback(set_start_mode, cluster, "posix_compliant")

        def open_door(key: tuple[str, str]) -> Door:
            place, login = key
            cluster = places[place]
            return stack.enter_context(extra_sshd(cluster, f"{place}-{login}", login_shell=f"/bin/{login}"))

        with ThreadPoolExecutor(4) as pool:
            doors = dict(zip(by_login, pool.map(open_door, by_login), strict=True))
            known = {
                door.name: {"host": door.name, "ssh_config": str(door.ssh_config), **kind_of(door.cluster).registered}
                for door in doors.values()
            }
            person = move_in(home, yaml.safe_dump({"clusters": known}))
            hand = pool.map(lambda key: typed(doors[key], by_login[key]), by_login)
            ours = pool.map(lambda key: submitted(person, doors[key].name, doors[key].cluster, by_login[key]), by_login)
            pairs = {
                row: (by_hand[row], by_us[row]) for by_hand, by_us in zip(hand, ours, strict=True) for row in by_hand
            }
        for place, cluster in places.items():
            ids = {job.job_id for row, both in pairs.items() if row.place == place for job in both}
            until(lambda cluster=cluster, ids=ids: not ids & alive(cluster), 120)
    return pairs
