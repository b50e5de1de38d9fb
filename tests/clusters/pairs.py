"""Scripts submitted twice, by hand and by submithost: what qmaster is asked, and what the script's body sees."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tests.clusters.bench import ssh, until
from tests.conftest import Person, json_lines, program

_WITNESS = Path(__file__).parent / "witness.py"
# Of what it notes, what is compared here.
_COLUMNS = ("arguments", "environment", "stdin", "umask", "cwd", "ignored", "blocked", "files")
# Of one job and no other.
_OWN = ("JOB_ID", "JOB_SCRIPT", "_", "SHLVL", "OLDPWD", "SSH_CLIENT", "SSH_CONNECTION")
_OWN_FACTS = ("job_number", "exec_file", "submission_time", "script_file")


@dataclass(frozen=True)
class Kind:
    """A script, and how it is submitted: `hand` and `ours` are options of qsub and flags of `submit`."""

    name: str
    text: str
    hand: Sequence[str] = ()
    ours: Sequence[str] = ()
    arguments: Sequence[str] = ("one", "two words")
    file: str = ""


@dataclass
class Run:
    """One job: its directory there, what `qstat -j` said of it while it was held, and what was left of it."""

    job_id: str
    directory: Path
    asked: dict[str, str]
    home: Path
    ended: dict[str, Any] = field(default_factory=dict)

    def facts(self) -> dict[str, str]:
        """`qstat -j` without what differs between any two jobs."""
        facts = {name: self._plain(text) for name, text in self.asked.items() if name not in _OWN_FACTS}
        items = [item for item in facts.pop("context", "").split(",") if item and not item.startswith("submithost=")]
        return {**facts, "context": ",".join(items)}

    def seen(self, task: str = "undefined") -> dict[str, Any]:
        """What the body's child noted."""
        noted = json.loads(self._note(task).read_text())
        seen = {name: noted[name] for name in _COLUMNS}
        environment = {n: self._plain(t) for n, t in seen["environment"].items() if n not in _OWN}
        # the script itself is open where the interpreter reads it, and the testbed's own files where it shows a home
        own = (
            f"/job_scripts/{self.job_id}",
            "/.submithost/script",
            *(str(self.home.parent / n) for n in ("passwd", "group")),
        )
        files = [name for name in seen["files"] if not name.endswith(own)]
        return {**seen, "environment": environment, "cwd": self._plain(seen["cwd"]), "files": files}

    def has_seen(self, task: str) -> bool:
        return self._note(task).exists()

    def _note(self, task: str) -> Path:
        return self.home / "seen" / f"{self.job_id}.{task.replace('undefined', '')}"

    def output(self, stream: str) -> bytes:
        """What the job wrote to stdout (`o`) or stderr (`e`), of each task; without the script's own path."""
        logs = sorted(self.directory.glob(f"*.{stream}{self.job_id}*"))
        assert logs
        return re.sub(
            rb"/\S*/(job_scripts/\d+|\.submithost/script)", b"SCRIPT", b"".join(log.read_bytes() for log in logs)
        )

    def _plain(self, text: str) -> str:
        text = text.replace(str(self.directory), "DIRECTORY")
        return re.sub(rf"(?<=[/oe]){self.job_id}(?![0-9])", "ID", text)


def furnish(cluster: PrivateCluster) -> None:
    """Lay the witness into the home directory on the login node."""
    (cluster.home / "seen").mkdir(exist_ok=True)
    program(cluster.home / "witness", f"#!{sys.executable} -IS\n{_WITNESS.read_text()}")


def text_of(cell: Cell, kind: Kind) -> bytes:
    return kind.text.replace("@SEE@", str(cell.home / "witness")).encode("utf-8", "surrogateescape")


def held_by_hand(cell: Cell, kinds: Sequence[Kind]) -> dict[str, Run]:
    """Type qsub for each there, in a directory of its own whose `.sge_request` says -cwd as a job directory's."""
    lines = []
    for kind in kinds:
        directory = cell.home / "hand" / kind.name
        directory.mkdir(parents=True)
        (directory / ".sge_request").write_text("-cwd\n")
        file = kind.file or f"{kind.name}.sh"
        (directory / file).write_bytes(text_of(cell, kind))
        words = shlex.join(["qsub", "-terse", "-h", *kind.hand, file, *kind.arguments])
        lines.append(f"cd {shlex.quote(str(directory))} && {words} </dev/null 2>&1 | tail -n 1\n")
    said = ssh(cell.name, "$SHELL -l", script="".join(lines)).splitlines()[-len(kinds) :]
    ids = {kind.name: line.partition(".")[0] for kind, line in zip(kinds, said, strict=True)}
    assert all(job_id.isdecimal() for job_id in ids.values()), ids
    asked = facts_of(cell, list(ids.values()))
    return {name: Run(i, cell.home / "hand" / name, asked[i], cell.home) for name, i in ids.items()}


def held_by_us(cell: Cell, person: Person, kinds: Sequence[Kind]) -> dict[str, Run]:
    """`submit --hold` for each."""

    def one(kind: Kind) -> tuple[str, Path]:
        folder = person.work / cell.name / kind.name
        folder.mkdir(parents=True)
        script = folder / (kind.file or f"{kind.name}.sh")
        script.write_bytes(text_of(cell, kind))
        words = [f"--script={script}", "--hold", "--json", *kind.ours, *(f"--arg={a}" for a in kind.arguments)]
        done = person.fab("-H", cell.name, "submit", *words)
        assert done.returncode == 0, done.stderr
        (job,) = json_lines(done.stdout[done.stdout.index("{") :])
        return job["job_id"], Path(job["directory"])

    with ThreadPoolExecutor(8) as pool:
        made = dict(zip([kind.name for kind in kinds], pool.map(one, kinds), strict=True))
    asked = facts_of(cell, [job_id for job_id, _ in made.values()])
    return {name: Run(job_id, directory, asked[job_id], cell.home) for name, (job_id, directory) in made.items()}


def facts_of(cell: Cell, job_ids: Sequence[str]) -> dict[str, dict[str, str]]:
    """`qstat -j`, by job ID. A value may have several lines."""
    found = {}
    for block in re.split(r"^=+$", cell.must("qstat", "-j", ",".join(job_ids)), flags=re.M)[1:]:
        facts: dict[str, str] = dict(re.findall(r"^([a-z][^:\n]*): +((?:.*\n)(?: .*\n)*)", block, re.M))
        found[facts["job_number"].strip()] = {name.strip(): text.strip() for name, text in facts.items()}
    return found


def _range(text: str) -> tuple[int, int, int]:
    first, last, step = map(int, re.findall(r"\d+", text))
    return first, last + 1, step


def settle(cell: Cell, runs: Sequence[Run]) -> None:
    """Wait until all have left the queue and are in accounting, and note how they ended."""
    ids = {run.job_id for run in runs}
    until(lambda: not ids & set(re.findall(r"^ *(\d+) ", cell.must("qstat"), re.M)), 60)
    for run in runs:
        tasks = len(range(*_range(run.asked.get("job-array tasks", "1-1:1"))))

        def records(run: Run = run) -> str:
            return cell.run("qacct", "-j", run.job_id).stdout

        until(lambda records=records, tasks=tasks: records().count("\nexit_status ") >= tasks)
        said = records()
        run.ended = {w: sorted(re.findall(rf"^{w} +(\d+)", said, re.M)) for w in ("failed", "exit_status")}


def set_start_mode(cell: Cell, mode: str) -> None:
    """Change how the queue starts scripts, and have it noticed at once: it is remembered there for an hour."""
    cell.must("qconf", "-mattr", "queue", "shell_start_mode", mode, "all.q")
    (cell.home / ".submithost" / "jobs" / ".queues").unlink(missing_ok=True)
