"""Jobs submitted twice, by hand and by submithost, and all that their bodies inherit.

A column is a line of `witness.py`, which the body runs, or of `Job.columns`, for how the job looks from outside.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.kinds import kind_of
from tasks.testbed.sshd import Door, extra_sshd
from tests.clusters import pairs
from tests.clusters.bench import qacct_records, ssh, until
from tests.clusters.rows import ARGUMENTS, OPTIONS, Row
from tests.conftest import Person, json_lines, move_in

# What the login shells read at login, and what /bin/sh does when Grid Engine starts it as one.
_PROFILE = {
    ".bash_profile": """\
module() { echo "module $*"; }; export -f module
ulimit -S -s 16384; ulimit -S -n 512; umask 027; export FROM_PROFILE='x y'
""",
    ".profile": "umask 022; export FROM_PROFILE='sh'\n",
    ".zprofile": "ulimit -S -s 16384; ulimit -S -n 512; umask 027; export FROM_PROFILE='x y'\n",
    ".login": "limit stacksize 16384\nlimit descriptors 512\numask 027\nsetenv FROM_PROFILE 'x y'\n",
}


@dataclass(frozen=True)
class Job:
    """One job that has ended."""

    row: Row
    cluster: PrivateCluster
    job_id: str
    directory: Path

    def columns(self, task: str, ended: Mapping[str, Any]) -> dict[str, Any]:
        """All that is known of a task, by column; without what differs between any two jobs. `ended` is of `ends`."""
        note = self.cluster.home / "seen" / f"{self.job_id}.{task}"
        seen: dict[str, Any] = json.loads(note.read_text()) if note.exists() else {}
        environment = {f"${n}": text for n, text in seen.pop("environment", {}).items() if n not in _OWN_VARIABLES}
        words = seen.pop("words", [])
        script = next((n for n, word in enumerate(words) if self._plain(word) == "SCRIPT"), 0)
        told = {
            "interpreter": words[:script],
            "argv": words[script:],
            "runs": bool(seen),
            "directory_of_its_own": ".submithost" in self.directory.parts,
            "script_beside_files": any(word.startswith(f"{self.directory}/") for word in words),
            "mail": self._mail(),
            **self._logs(),
        }
        return {name: self._plain(value) for name, value in {**seen, **environment, **ended, **told}.items()}

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


# Of one job; and what depends on the moment: a limit that is none is one of a year after some ways to begin.
_OWN_FACTS = re.compile(
    r"(JobId|ArrayJobId|Priority|\w+Time|TimeLimit|AllocNode:Sid|LastSchedEval|Scheduler|Command|WorkDir|Std\w+)$"
)


def ends(cluster: PrivateCluster) -> dict[tuple[str, str], dict[str, Any]]:
    """How every task ended, by job ID and task, as the scheduler tells it; on Slurm also what was asked for it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    if isinstance(cluster, Cell):
        for facts in qacct_records(cluster.run("qacct", "-j").stdout):
            task = facts["taskid"].replace("undefined", "")
            found[facts["jobnumber"], task] = {"ended": [facts["failed"], facts["exit_status"]]}
        for job_id in alive(cluster, in_error=True):
            found |= {(job_id, task): {"ended": "error state"} for task in ("", "1", "3")}
        return found
    for line in cluster.must("scontrol", "-o", "show", "job").splitlines():
        facts = dict(word.split("=", 1) for word in line.split() if "=" in word)
        ended = {"ended": [facts.pop(name) for name in ("JobState", "ExitCode", "Reason")]}
        asked = {f"asked {name}": text for name, text in facts.items() if not _OWN_FACTS.match(name)}
        found[facts.get("ArrayJobId", facts["JobId"]), facts.get("ArrayTaskId", "")] = {**ended, **asked}
    return found


def same(hand: Any, ours: Any, ids: tuple[str, str]) -> bool:
    """Whether two values differ in the job's ID at most, wherever it may be."""
    theirs, mine = ids
    pattern = re.escape(json.dumps(hand)).replace(theirs, f"(?:{theirs}|{mine})")
    return bool(re.fullmatch(pattern, json.dumps(ours)))


def furnish(cluster: PrivateCluster) -> None:
    """Lay the witness, the profiles, and what scripts read and where they write, into the home on the login node."""
    pairs.furnish(cluster)
    home = cluster.home
    (home / "elsewhere").mkdir(exist_ok=True)
    (home / "input").write_text("input\n")
    for name, text in _PROFILE.items():
        (home / name).write_text(text)


def tidy(cluster: PrivateCluster) -> None:
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


def submitted(person: Person, door: Door, rows: Sequence[Row]) -> dict[Row, Job]:
    """Submit each with one command line."""
    words = []
    for row in rows:
        folder = person.work / str(row)
        folder.mkdir()
        (folder / f"{row.body}.sh").write_text(row.text(door.cluster.home))
        words += ["submit", f"--script={folder}/{row.body}.sh", "--json", *row.by_us()]
        words += [f"--arg={argument}" for argument in ARGUMENTS]
    done = person.fab("-H", door.name, *words, timeout=300)
    assert done.returncode == 0, done.stderr
    jobs = json_lines("\n".join(line for line in done.stdout.splitlines() if line.startswith("{")))
    return {
        row: Job(row, door.cluster, job["job_id"], Path(job["directory"])) for row, job in zip(rows, jobs, strict=True)
    }


def alive(cluster: PrivateCluster, *, in_error: bool = False) -> set[str]:
    """The jobs that have not ended: on Grid Engine those that may still run, or those that are in error state."""
    if not isinstance(cluster, Cell):
        return set(re.findall(r"^\d+", cluster.must("squeue", "-h", "-o", "%F"), re.M))
    rows = re.findall(r"^ *(\d+) +\S+ \S+ +\S+ +(\w+) ", cluster.must("qstat"), re.M)
    return {job_id for job_id, state in rows if ("E" in state) == in_error}


Jobs = dict[Row, tuple[Job, Job]]
Ends = dict[str, dict[tuple[str, str], dict[str, Any]]]


def run_all(places: Mapping[str, PrivateCluster], rows: Sequence[Row], home: Path) -> tuple[Jobs, Ends]:
    """Submit all rows twice, by hand and by us, and wait for their ends, which are returned by place.

    `places` are the clusters by `Row.place`.
    """
    by_login: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        by_login.setdefault((row.place, row.login), []).append(row)
    with ExitStack() as stack:
        for place, cluster in places.items():
            furnish(cluster)
            if isinstance(cluster, Cell) and place.startswith("unix"):
                pairs.set_start_mode(cluster, "unix_behavior")
                stack.callback(pairs.set_start_mode, cluster, "posix_compliant")

        def open_door(key: tuple[str, str]) -> Door:
            place, login = key
            return stack.enter_context(extra_sshd(places[place], f"{place}-{login}", login_shell=f"/bin/{login}"))

        with ThreadPoolExecutor(4) as pool:
            doors = dict(zip(by_login, pool.map(open_door, by_login), strict=True))
            known = {
                door.name: {
                    "host": door.name,
                    "ssh_config": str(door.ssh_config),
                    **kind_of(door.cluster).registered,
                    "options": [OPTIONS[place.partition("-")[0]]],
                }
                for (place, _), door in doors.items()
            }
            person = move_in(home, yaml.safe_dump({"clusters": known}))
            hand = pool.map(lambda key: typed(doors[key], by_login[key]), by_login)
            ours = pool.map(lambda key: submitted(person, doors[key], by_login[key]), by_login)
            jobs = {
                row: (by_hand[row], by_us[row]) for by_hand, by_us in zip(hand, ours, strict=True) for row in by_hand
            }
        return jobs, {place: ends_of(cluster, place, jobs) for place, cluster in places.items()}


def ends_of(cluster: PrivateCluster, place: str, jobs: Jobs) -> dict[tuple[str, str], dict[str, Any]]:
    """Wait until all of a place have ended, and are known to have."""
    here = [job for row, both in jobs.items() if row.place == place for job in both]
    wanted = {(job.job_id, task) for job in here for task in job.row.tasks}
    found: dict[tuple[str, str], dict[str, Any]] = {}

    def known() -> bool:  # G26: qacct lags
        if {job.job_id for job in here} & alive(cluster):
            return False
        found.update(ends(cluster))
        return wanted <= set(found)

    until(known, 120)
    return found
