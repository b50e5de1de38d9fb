"""Two clients submit one key while one of them is stopped, dies or goes on late; and job directories that are removed.

Of the clients, `first` is stopped in the middle of its upload, and `second` is another machine of the same user.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tasks.model.errors import NotSubmitted
from tasks.model.job import Job
from tasks.model.ledger import Ledger
from tasks.submission.inspection import GRACE
from tasks.submission.prepare import Wanted
from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import until
from tests.conftest import Person, configured, json_lines, move_in, program, until_there
from tests.exactly_once.striking import Struck

BIG = 60 << 20


@dataclass
class Two:
    """Two machines of one user, and their cluster; `second` finds a submit command that waits for the file `go`."""

    cluster: PrivateCluster
    first: Person
    second: Person
    go: Path

    def mine(self, key: str) -> Path:
        return self.cluster.home / ".submithost" / "jobs" / key / ".submithost"

    def submit(self, person: Person, key: str) -> subprocess.Popen[str]:
        """Begin to submit, with an input that takes a while."""
        return person.start(*self.words(key))

    def words(self, key: str) -> list[str]:
        return ["-H", self.cluster.name, "submit", "--script=x", "--put=input", f"--key={key}"]

    def stopped(self, begun: subprocess.Popen[str], key: str, but: Collection[int] = ()) -> None:
        """Stop it as soon as its input comes in, through another shell than these."""
        inputs = ("input", ".submithost/attempt.*/holder.*/draft/input")

        def coming() -> bool:
            found = [path for pattern in inputs for path in self.mine(key).parent.glob(pattern)]
            return bool(self.shells(key) - set(but)) and any(path.stat().st_size for path in found)

        until(lambda: begun.poll() is not None or coming())
        begun.send_signal(signal.SIGSTOP)
        assert begun.poll() is None, begun.communicate()
        long_ago = time.time() - GRACE - 2  # it has been so for more than a minute
        for sign in self.mine(key).glob("attempt*/holder.*"):
            for path in [sign, *sign.glob("process")]:
                os.utime(path, (long_ago, long_ago))

    def shells(self, key: str) -> set[int]:
        """The processes on the login node that submit it."""
        signs = [*self.mine(key).glob("attempt*/holder.*/process"), *self.mine(key).glob("attempt/holder.*")]
        return {int(words[1]) for sign in signs if sign.is_file() and len(words := sign.read_text().split()) > 1}

    def marked(self, key: str) -> list[str]:
        """The jobs of this key, by the scheduler's word."""
        if isinstance(self.cluster, Cell):
            listed = self.cluster.run("qstat", "-j", "*").stdout.split("job_number:")[1:]
            return [job.split()[0] for job in listed if f"submithost={key}\n" in job]
        listed = self.cluster.must("squeue", "-h", "-t", "all", "-o", "%F %o").splitlines()
        return sorted({line.split()[0] for line in listed if f"/{key}/.submithost/" in line})


@pytest.fixture(params=["sandbox", "sandbox-slurm"])
def two(request: pytest.FixtureRequest, cells: dict[str, Cell], slurm: SlurmCluster, tmp_path: Path) -> Two:
    cluster: PrivateCluster = {**cells, slurm.name: slurm}[request.param]
    people = [move_in(tmp_path / name, configured([cluster.name])) for name in ("first", "second")]
    folder, go = tmp_path / "bin", tmp_path / "go"
    command = "qsub" if isinstance(cluster, Cell) else "sbatch"
    real = cluster.program(command) if isinstance(cluster, Cell) else f"/usr/bin/{command}"
    wait = f"echo >>'{folder}/asked'; {until_there(go)}"
    program(folder / command, f'#!/bin/sh\ncase " $* " in *" -verify "*) ;; *) {wait} ;; esac\nexec {real} "$@"\n')
    (people[1].work / "fabric.yml").write_text(
        f'clusters:\n  {cluster.name}:\n    setup: ["PATH={folder}:$PATH; export PATH"]\n'
    )
    for person in people:
        person.script("x", f"#!/bin/sh\n{until_there(tmp_path / 'end')}\nwc -c <input\n")
        with (person.work / "input").open("wb") as file:
            file.truncate(BIG)
    return Two(cluster, *people, go)


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def test_e1_a_client_that_is_stopped_and_dies_takes_nothing_from_the_one_who_goes_on(two: Two) -> None:
    key = f"dies-{two.cluster.name}"
    first = two.submit(two.first, key)
    two.stopped(first, key)
    shells = two.shells(key)
    second = two.submit(two.second, key)
    until((two.go.parent / "bin" / "asked").exists)  # the scheduler is busy
    first.kill()
    first.communicate()
    until(lambda: all(map(gone, shells)))
    two.go.touch()
    out, err = second.communicate(timeout=100)
    assert second.returncode == 0, err
    assert (two.go.parent / "bin" / "asked").read_text() == "\n"
    (job_id,) = two.marked(key)
    assert job_id in out
    again = two.first.fab(*two.words(key))
    assert (again.returncode, again.stdout) == (0, out), again.stderr
    (two.go.parent / "end").touch()
    ended = two.second.wait(cluster=two.cluster.name)
    assert (ended["job_id"], ended["state"]) == (job_id, "succeeded")


def test_e1_a_client_that_was_never_stopped_goes_on_when_one_dies_that_was(two: Two) -> None:
    key = f"never-{two.cluster.name}"
    two.go.touch()
    first = two.submit(two.first, key)
    two.stopped(first, key)
    shells = two.shells(key)
    second = two.submit(two.second, key)
    two.stopped(second, key, shells)
    first.kill()
    first.communicate()
    until(lambda: all(map(gone, shells)))
    second.send_signal(signal.SIGCONT)
    out, err = second.communicate(timeout=100)
    assert second.returncode == 0, err
    assert ".submithost" not in err
    assert two.marked(key)[0] in out
    (two.go.parent / "end").touch()
    assert two.second.wait(cluster=two.cluster.name)["state"] == "succeeded"


def test_e2_a_client_that_goes_on_late_changes_no_input_of_a_job(two: Two) -> None:
    """Nor does it fail: it is told of the job that there is."""
    key = f"late-{two.cluster.name}"
    two.go.touch()
    first = two.submit(two.first, key)
    two.stopped(first, key)
    done = two.second.fab(*two.words(key))
    assert done.returncode == 0, done.stderr
    laid = two.mine(key).parent / "input"
    before = laid.stat()
    first.send_signal(signal.SIGCONT)
    out, err = first.communicate(timeout=100)
    assert (first.returncode, out) == (0, done.stdout), err
    assert laid.stat() == before
    assert before.st_size == BIG
    (job_id,) = two.marked(key)
    assert job_id in out
    (two.go.parent / "end").touch()
    assert two.second.wait(cluster=two.cluster.name)["state"] == "succeeded"
    logs = two.second.fab("-H", two.cluster.name, "logs")
    assert logs.stdout.split() == [str(BIG)]
    assert not [path for path in two.mine(key).iterdir() if path.name.startswith(("attempt.", "dropped."))]


def test_e4_a_job_whose_directory_was_removed_is_found_by_its_mark(two: Two) -> None:
    kinds = {"plain": ["--hold"], "array": ["--hold", "--array=1-3:2"], "bare": ["--hold", "--bare"], "runs": []}
    here = ("-H", two.cluster.name)
    two.first.script("x", f"#!/bin/sh\n#$ -S /bin/sh\n{until_there(two.go.parent / 'end')}\n")
    ids = {}
    ledger = Ledger(two.first.home / ".local" / "state" / "submithost" / "ledger.sqlite")
    for kind, words in kinds.items():
        key = f"removed-{kind}-{two.cluster.name}"
        ids[key] = two.first.submit("x", f"--key={key}", *words, cluster=two.cluster.name)
    until(lambda: two.first.jobs(f"--job={key}", cluster=two.cluster.name)[0]["state"] == "running")
    ledger.path.unlink()
    for key in ids:
        directory = two.mine(key).parent
        shutil.rmtree(directory)
        ledger.begin(Job(key, two.cluster.name, "x", directory=str(directory)))
    mute = two.go.parent / "mute"
    for name in ("qstat", "squeue"):
        program(mute / name, "#!/bin/sh\necho 'error: commlib error: got select error' >&2\nexit 1\n")
    local = two.first.work / "fabric.yml"
    local.write_text(f'clusters:\n  {two.cluster.name}:\n    setup: ["PATH={mute}:$PATH; export PATH"]\n')
    unknown = two.first.fab(*here, "reconcile")
    assert (unknown.returncode, "made no job" in unknown.stderr) == (5, False), unknown.stderr
    local.unlink()
    reconciled = two.first.fab(*here, "reconcile", "--json")
    assert {job["key"]: job["job_id"] for job in json_lines(reconciled.stdout)} == ids, reconciled.stderr
    assert "made no job" not in reconciled.stderr
    # And when the ledger is lost as well, as for anybody else.
    for (key, job_id), words in zip(ids.items(), kinds.values(), strict=True):
        again = two.second.fab(*here, "submit", "--script=x", f"--key={key}", *words)
        assert again.returncode == 0, again.stderr
        assert job_id in again.stdout
        assert two.marked(key) == [job_id]
    two.first.fab(*here, "cancel", *(f"--job={key}" for key in ids))


def test_e1_e2_a_shell_that_is_killed_or_stopped_before_a_rename(two: Two, tmp_path: Path) -> None:
    """Every rename of a submission in turn, by whichever process takes it, and the submit command.

    What was stopped goes on when somebody else has submitted the key.
    """
    name = two.cluster.name
    two.go.touch()
    script, put = two.first.work / "x", two.first.work / "small"
    put.mkdir()
    (put / "input").write_text("some data")
    (two.first.work / "plain").write_text("more data")
    whole = Struck(two.cluster, tmp_path / "whole", f"whole-{name}", 0, "KILL")
    other = move_in(tmp_path / "other", yaml.safe_dump({"clusters": {name: whole.configuration()}}))
    wanted = Wanted(str(script), put=(str(put), str(two.first.work / "plain")), hold=True)
    whole.begin(wanted).join()
    assert whole.job, whole.failure
    assert whole.steps >= 4
    cases = [
        Struck(two.cluster, tmp_path / f"{how}-{number}", f"{how.lower()}-{number}-{name}", number, how)
        for how in ("KILL", "STOP")
        for number in range(1, whole.steps + 1)
    ]
    cases += [
        Struck(two.cluster, tmp_path / f"{how}-{when}", f"{how.lower()}-{when}-{name}", 0, how, command=when)
        for how in ("KILL", "STOP")
        for when in ("asking", "accepted")
    ]
    with ThreadPoolExecutor(4) as pool:
        told = list(pool.map(lambda each: submitted_twice(two, each, other, wanted), cases))
    for each, (first, second) in zip(cases, told, strict=True):
        assert second == two.marked(each.key), each
        assert first in (second, "nothing submitted"), (each, each.failure)
        assert (each.mine.parent / "small" / "input").read_text() == "some data"
        assert not [path for path in each.mine.iterdir() if path.name.startswith("dropped.")]
    assert sum(bool(each.shell()) for each in cases) >= len(cases) - 2
    other.fab("-H", name, "cancel", "--all")


def submitted_twice(two: Two, struck: Struck, other: Person, wanted: Wanted) -> tuple[list[str] | str, list[str]]:
    """What the client is told of whose processes one is struck, and what another one is told.

    A subshell that is killed is a step that fails: when that is told, nothing has been submitted.
    """
    said: list[subprocess.CompletedProcess[str]] = []
    inputs: list[list[tuple[int, int]]] = []
    job = struck.mine.parent
    laid = [job / "small" / "input", job / "plain", struck.mine / "script"]
    puts = [f"--put={put}" for put in wanted.put]
    words = [f"--script={wanted.script}", *puts, f"--key={struck.key}", "--hold", "--json"]

    def found() -> list[tuple[int, int]]:
        return [(stat.st_ino, stat.st_mtime_ns) for stat in map(os.stat, laid)]

    def submit() -> None:
        assert not isinstance(struck.failure, NotSubmitted) or two.marked(struck.key) == [], struck
        said.append(other.fab("-H", struck.cluster.name, "submit", *words))
        inputs.append(found())

    struck.race(wanted, submit)
    assert inputs == [found()], struck  # whoever goes on late lays nothing
    first = "nothing submitted" if struck.signal == "KILL" and isinstance(struck.failure, NotSubmitted) else []
    ids = [job["job_id"] for job in json_lines(said[0].stdout)] or [said[0].stderr]
    return [struck.job.job_id or ""] if struck.job else first, ids
