"""What was accepted is told, whatever this side does with it; and who only reads needs to write nothing."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tasks.model.errors import NotRecorded
from tasks.model.job import Job
from tasks.model.ledger import Ledger
from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tasks.testbed.sshd import main_door
from tests.clusters.bench import until
from tests.conftest import Person, json_lines, program

LEDGER = "submithost/ledger.sqlite"


# --- what goes wrong here; `state` is the directory that has the ledger


@contextmanager
def mounted(place: Path, *options: str) -> Iterator[None]:
    subprocess.run(["mount", *options, str(place)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


@contextmanager
def full(state: Path) -> Iterator[None]:
    """It moves to a disk that has no room for another block."""
    disk, kept = state.with_suffix(".disk"), state.with_suffix(".kept")
    disk.mkdir()
    with mounted(disk, "-t", "tmpfs", "-o", "size=256k", "tmpfs"):
        shutil.copytree(state, disk, dirs_exist_ok=True)
        with contextlib.suppress(OSError), (disk / "much").open("wb", buffering=0) as much:
            while much.write(b"x" * 4096):
                pass
        state.rename(kept)
        state.symlink_to(disk)
        yield
        (disk / "much").unlink()
        shutil.copytree(disk, kept, dirs_exist_ok=True)
        state.unlink()
        kept.rename(state)


@contextmanager
def read_only(state: Path) -> Iterator[None]:
    if os.geteuid() == 0:
        with mounted(state, "--bind", str(state)):
            subprocess.run(["mount", "-o", "remount,bind,ro", str(state)], check=True)
            yield
        return
    modes = {path: path.stat().st_mode for path in (state / "submithost", state / LEDGER)}
    for path, mode in modes.items():
        path.chmod(mode & 0o555)
    yield
    for path, mode in modes.items():
        path.chmod(mode)


@contextmanager
def locked(state: Path) -> Iterator[None]:
    words = "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE')"
    words += "; print('locked', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", words, str(state / LEDGER)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout
        assert holder.stdout.readline()
        try:
            yield
        finally:
            holder.communicate()


@contextmanager
def damaged(state: Path) -> Iterator[None]:
    """Moved away afterwards, as it is told to be."""
    rubbish = b"no ledger" * 1000
    (state / LEDGER).write_bytes(rubbish)
    yield
    assert (state / LEDGER).read_bytes() == rubbish
    (state / LEDGER).unlink()


@dataclass(frozen=True)
class Fault:
    """`said` is in the line that tells it: what, why, and what to do."""

    name: str
    strike: Callable[[Path], AbstractContextManager[None]]
    said: str


FULL = Fault("full", full, r"ledger \S+ cannot be written: No space left on device; make room for it")
READ_ONLY = Fault("read-only", read_only, r"ledger \S+ cannot be written: \w.*; XDG_STATE_HOME names another place")
LOCKED = Fault("locked", locked, r"ledger \S+ is locked by process \d+ \(python\S*\): wait")
DAMAGED = Fault("damaged", damaged, r"ledger \S+ is damaged \(.*\): move it away, and `adopt` makes a new one")
UNWRITABLE = [READ_ONLY, LOCKED, *([FULL] if os.geteuid() == 0 else [])]


# --- a ledger that can be read and not written

# Command lines. After each there is something to record.
LINES = (
    "jobs wait status status --job=fine --json status --job=array logs --follow logs --job=failed --stderr"
    " fetch --to=TO reconcile resubmit --job=failed --dry-run",
    "hold --job=held.TASK cancel --job=held.TASK",
    "jobs --refresh",
    "wait --job=failed --json",
)


def test_e3_who_reads_needs_to_write_nothing_and_what_was_changed_is_told(person: Person, tmp_path: Path) -> None:
    """Each line says, and ends, as with a ledger that can be written, from a copy of one that knows of no end yet."""
    person.script("good", "#!/bin/sh\necho out\n")
    person.script("bad", "#!/bin/sh\necho wrong >&2\nexit 3\n")
    words = "submit --script=good --hold --array=1-99 --key=told-held submit --script=good --array=1-2 --key=array"
    words += " submit --script=bad --key=failed submit --script=good --key=fine"
    submitted = person.fab("-H", "sandbox", *words.split())
    assert submitted.returncode == 0, submitted.stderr
    (held,) = re.findall(r"job-array (\d+)\.1-99", submitted.stdout)
    before = tmp_path / "before"
    shutil.copytree(person.home / ".local" / "state", before)
    ended = person.fab("-H", "sandbox", "wait", "--job=array", "--job=failed", "--job=fine")
    assert ended.returncode == 3, ended.stderr

    def said(case: tuple[int, str, Fault | None]) -> tuple[int, str, list[str]]:
        number, line, fault = case
        state = tmp_path / f"state-{number}"
        shutil.copytree(before, state)
        words = line.replace("held.TASK", f"{held}.{number + 1}").replace("TO", f"to-{number}").split()
        with fault.strike(state) if fault else contextlib.nullcontext():
            done = person.fab("-H", "sandbox", *words, XDG_STATE_HOME=str(state))
        plain = [re.sub(r"\d+", "N", text) for text in (done.stdout, done.stderr)]
        # What is seen of a job before its end is known is a matter of moments.
        told = [each for each in plain[1].splitlines() if not each.endswith((" is pending", " is running"))]
        return done.returncode, plain[0], [done.stderr, *told]

    cases = [
        (line, fault) for fault in (None, *UNWRITABLE) for line in (LINES if fault in (None, READ_ONLY) else LINES[:2])
    ]
    with ThreadPoolExecutor(6) as pool:
        answers = pool.map(said, [(number, *case) for number, case in enumerate(cases)])
        told = dict(zip(cases, answers, strict=True))
    for line, fault in cases:
        status, out, (_, *err) = told[line, None]
        if fault:
            status_now, out_now, (whole, *err_now) = told[line, fault]
            about = [text for text in err_now if "ledger" in text]
            assert (status_now, out_now) == (status, out), f"{line} ({fault.name}): {whole}"
            assert [text for text in err_now if text not in about] == err, f"{line} ({fault.name}): {whole}"
            assert len(about) == 1, f"{line} ({fault.name}): {whole}"
            assert re.search(fault.said, whole), f"{line} ({fault.name}): {whole}"
    assert [told[line, None][0] for line in LINES] == [0, 0, 0, 3], told


# --- what goes wrong between the intention and its record


ASIDE = """\
#!/bin/sh
case " $* " in *' -verify '*) exec {real} "$@" ;; esac
touch "{folder}/${{PWD##*/}}.asked"
until [ -e "{folder}/${{PWD##*/}}.go" ]; do sleep 0.1; done
exec {real} "$@"
"""


@contextmanager
def no_place(state: Path) -> Iterator[None]:
    """The directory of the job file is not there any more."""
    place, away = state / "kept", state / "away"
    place.rename(away)
    yield
    away.rename(place)


@contextmanager
def nothing_here(_: Path) -> Iterator[None]:
    yield


NO_PLACE = Fault("no place for the job file", no_place, r"cannot write job file \S+: No such file or directory")
LOST = r"stdout cannot be written \(%s\); what the scheduler said: .*\d"
NO_SPACE_THERE = Fault("stdout full", nothing_here, LOST % "No space left on device")
NO_READER = Fault("stdout unread", nothing_here, LOST % "Broken pipe")
STRIKES = [*([FULL] if os.geteuid() == 0 else []), READ_ONLY, DAMAGED, NO_PLACE, NO_SPACE_THERE, NO_READER]


def opened(fault: Fault) -> int:
    """Where stdout goes."""
    if fault is NO_SPACE_THERE:
        return os.open("/dev/full", os.O_WRONLY)
    end, begin = os.pipe()
    os.close(end)
    return begin


@pytest.mark.parametrize("cluster", ["sandbox", "sandbox-slurm"])
def test_e3_a_job_that_was_accepted_is_told_and_the_same_submit_continues_it(
    commuter: Person, slurm: SlurmCluster, cluster: str, tmp_path: Path
) -> None:
    command = "sbatch" if cluster == slurm.name else "qsub"
    real = shutil.which(command, path="/usr/lib/gridengine:/usr/bin")
    program(tmp_path / "bin" / command, ASIDE.format(folder=tmp_path, real=real))
    file = commuter.home / ".fabric.yml"
    configured = yaml.safe_load(file.read_text())
    configured["clusters"][cluster]["setup"] = [f"PATH={tmp_path}/bin:$PATH; export PATH"]
    file.write_text(yaml.safe_dump(configured))
    commuter.script("x", "#!/bin/sh\n")

    def words(key: str, json: list[str]) -> list[str]:
        kept = tmp_path / f"state-{key}" / "kept" / "x.job"
        return ["-H", cluster, "submit", "--script=x", f"--key={key}", f"--job-file={kept}", *json]

    def strike(case: tuple[int, Fault]) -> None:
        number, fault = case
        key, json = f"k{number}", ["--json"] if number % 2 and "stdout" not in fault.name else []
        state = tmp_path / f"state-{key}"
        (state / "kept").mkdir(parents=True)
        here = {**commuter.environment, "XDG_STATE_HOME": str(state)}
        out = opened(fault) if "stdout" in fault.name else subprocess.PIPE
        run = [sys.executable, "-m", "fabric", *words(key, json)]
        process = subprocess.Popen(run, cwd=commuter.work, env=here, stdout=out, stderr=subprocess.PIPE, text=True)
        until(lambda: (tmp_path / f"{key}.asked").exists() or process.poll() is not None)
        with fault.strike(state):
            (tmp_path / f"{key}.go").touch()
            shown, said = process.communicate(timeout=300)
        *_, line = said.splitlines()
        assert process.returncode == 2, said
        told = re.search(
            rf'^submit: (job \d+) \("x"\) on {cluster} is submitted, but (.*); the same submit .* {key} ', line
        )
        assert told, said
        assert re.search(fault.said, told[2]), said
        job_id = told[1].removeprefix("job ")
        if json:
            assert json_lines(shown)[0]["job_id"] == job_id
        elif "stdout" not in fault.name:
            assert job_id in re.findall(r"\d+", shown)
        again = commuter.fab(*words(key, []), XDG_STATE_HOME=str(state))
        assert again.returncode == 0, again.stderr
        assert job_id in re.findall(r"\d+", again.stdout)

    def wait_for_the_lock() -> None:
        """What is told is told at once, not only when it can be recorded."""
        state = tmp_path / "state-wait"
        (state / "kept").mkdir(parents=True)
        run = [sys.executable, "-m", "fabric", *words("wait", [])]
        here = {**commuter.environment, "XDG_STATE_HOME": str(state)}
        with subprocess.Popen(run, cwd=commuter.work, env=here, stdout=subprocess.PIPE, text=True) as process:
            until(lambda: (tmp_path / "wait.asked").exists())
            with locked(state):
                (tmp_path / "wait.go").touch()
                assert process.stdout
                assert re.search(r"\d+", process.stdout.readline())
        assert process.returncode == 0

    with ThreadPoolExecutor(7) as pool:
        waiting = pool.submit(wait_for_the_lock)
        list(pool.map(strike, enumerate(STRIKES if cluster == "sandbox" else STRIKES[:2])))
        waiting.result()


@pytest.mark.parametrize("fault", [*UNWRITABLE, DAMAGED], ids=lambda fault: fault.name)
def test_e3_what_cannot_be_noted_is_not_submitted(fault: Fault, tmp_path: Path) -> None:
    """The key has to be known before the cluster is contacted, and nobody waits for ever for a lock."""
    ledger = Ledger(tmp_path / "state" / LEDGER)
    ledger.begin(Job("k", "a"))
    ledger.file.patience = 0.1
    with fault.strike(tmp_path / "state"), pytest.raises(NotRecorded, match=fault.said):
        ledger.begin(Job("another", "a"))


def test_e3_a_refusal_is_one_line_and_no_login(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    state = person.home / ".local" / "state"
    (state / LEDGER).parent.mkdir(parents=True)
    before = main_door(cells["sandbox"]).logins()
    with damaged(state):
        done = person.fab("-H", "sandbox", "submit", "--script=x")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert re.search(DAMAGED.said, done.stderr)
    assert main_door(cells["sandbox"]).logins() == before


@pytest.mark.parametrize("streams", ["2>/dev/full", "2>&-", ">&-", "<&- >&- 2>&-"])
def test_e3_streams_that_take_nothing_lose_no_job(person: Person, streams: str) -> None:
    """Nor what stdout is told, where that is there; what was to be on stderr is a warning."""
    person.script("x", "#!/bin/sh\n#$ -o /nosuch/place/\n")
    words = f"{sys.executable} -m fabric -H sandbox submit --script=x --hold --key=streams {streams}"
    done = subprocess.run(["sh", "-c", words], cwd=person.work, env=person.environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert done.stdout.startswith("Your job ") == streams.startswith("2")
    (known,) = person.jobs("--job=streams")
    assert known["job_id"]
