"""What the way in and Fabric itself do to naive programs; each test is named by its number in the list of quirks."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime, timezone
from itertools import pairwise
from pathlib import Path

import pytest
from fabric.main import Fab

from tasks.session.session import back_off
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import extra_sshd, main_door
from tasks.verbs.catalogue import all_verbs
from tests.clusters.hostile import at
from tests.conftest import ROOT, Person, json_lines, move_in, program

CHAIN = ("submit", "--script=x", "wait", "fetch", "--to=out")


def customized(person: Person, text: str) -> dict[str, str]:
    """The variable that makes every Python of this person run `text` first."""
    (person.home / "sitecustomize.py").write_text(text)
    return {"PYTHONPATH": f"{person.home}:{ROOT}"}


# --- the way in


@pytest.fixture
def hostile(cells: dict[str, Cell], tmp_path: Path) -> Iterator[Person]:
    """A cluster `hpc`: tcsh whose rc files print what is no UTF-8, no SFTP, one session at a time."""
    cell, home = cells["sandbox"], tmp_path / "over there"
    home.mkdir()
    (home / ".cshrc").write_text("printf 'caf\\351\\n'\nset noclobber\n")
    settings = cell.settings() | {"PATH": "/usr/bin:/bin"}
    (home / ".login").write_text("".join(f"setenv {name} '{value}'\n" for name, value in settings.items()))
    options = {"login_shell": "/bin/tcsh", "home": home, "set_env": False, "sftp": False}
    with extra_sshd(cell, "hostile", ["MaxSessions 1"], **options) as door:
        config = f"    host: {door.name}\n    ssh_config: '{door.ssh_config}'\n    directory: '~/my jobs'\n"
        yield move_in(tmp_path / "person", f"clusters:\n  hpc:\n{config}")


def test_l1_l2_l3_l6_l9_f18_a_noisy_csh_without_sftp_and_with_one_session_is_a_cluster(
    hostile: Person, tmp_path: Path
) -> None:
    """With the garbage collector at every turn: paramiko keeps channels weakly (F18)."""
    hostile.script("x", "#!/bin/sh\nprintf 'caf\\351\\n'\necho in >&2\n")
    variables = customized(hostile, "import gc\ngc.set_threshold(1)\n")
    done = hostile.fab("-H", "hpc", *CHAIN, **variables)
    assert done.returncode == 0, done.stderr
    (log,) = (hostile.work / "out").glob("x.o*")
    assert log.read_bytes() == b"caf\xe9\n"
    assert len(list((tmp_path / "over there" / "my jobs").glob("x-*"))) == 1
    shown = hostile.fab("-H", "hpc", "logs")
    assert shown.stdout.encode("utf-8", "surrogateescape") == b"caf\xe9\n"
    assert hostile.fab("-H", "hpc", "get", "--source=~/.login").returncode == 0
    assert "SGE_ROOT" in (hostile.work / ".login").read_text()


def test_l4_after_each_failed_login_the_next_one_waits_longer() -> None:
    pauses = [[back_off(tries) for _ in range(20)] for tries in range(1, 10)]
    for shorter, longer in pairwise(pauses[:6]):
        assert max(shorter) < min(longer)
    assert max(max(each) for each in pauses) <= 75
    assert len(set(pauses[0])) > 1  # many clients that were cut at once do not come back at once


@pytest.mark.parametrize("hours", [1, -1])
def test_l10_a_laptop_whose_clock_is_wrong_tells_the_clusters_times(person: Person, hours: int) -> None:
    person.script("x", "#!/bin/sh\nsleep 1\n")
    text = f"import time\nright = time.time\ntime.time = lambda: right() + {hours * 3600}\n"
    done = person.fab("-H", "sandbox", "submit", "--script=x", "wait", "--json", **customized(person, text))
    assert done.returncode == 0, done.stderr
    (job,) = json_lines(done.stdout[done.stdout.index("{") :])
    times = [
        datetime.fromisoformat(job[f"{what}_at"].replace("Z", "+00:00")) for what in ("submitted", "started", "ended")
    ]
    assert times == sorted(times)
    assert all(abs((when - datetime.now(timezone.utc)).total_seconds()) < 600 for when in times)


def test_l11_an_input_that_arrives_empty_without_an_error_is_noticed(cells: dict[str, Cell], tmp_path: Path) -> None:
    """What takes it in on the login node takes everything and keeps nothing, as a full quota may."""
    head, size = shutil.which("head") or "", 12345
    right = shutil.copy2(head, tmp_path / "right")
    loses = f"[ \"$*\" != '-c {size}' ] || exec '{right}' -c {size} >/dev/null"
    lossy = program(tmp_path / "lossy", f"#!/bin/sh\n{loses}\nexec '{right}' \"$@\"\n")
    with extra_sshd(cells["sandbox"], "lossy", programs={head: str(lossy)}) as door:
        person = at(door, tmp_path, "    scheduler: gridengine\n")
        person.script("in", "x" * size)
        words = ("-H", "hpc", "submit", "--script=x", "--put=in", "--key=empty")
        done = person.fab(*words)
        assert (done.returncode, done.stdout) == (5, "")
        assert "in did not arrive whole: is the disk or the quota full?" in done.stderr
        assert len(done.stderr.splitlines()) == 1
        program(lossy, f"#!/bin/sh\nexec '{right}' \"$@\"\n")
        assert person.fab(*words, "wait").returncode == 0


# --- Fabric


def test_f5_hosts_take_turns_and_the_first_failure_ends_the_line(person: Person) -> None:
    done = person.fab("-H", "sandbox,sandbox2", "clusters", "status")
    assert done.returncode == 2
    assert "no job was submitted to sandbox from here yet" in done.stderr
    assert "sandbox2 from" not in done.stderr


@pytest.mark.parametrize("task", ["submit --script=x --key=dry", "status", "cancel", "put --source=x"])
def test_f6_dry_is_refused_since_it_would_stop_nothing(person: Person, cells: dict[str, Cell], task: str) -> None:
    person.script("x", "#!/bin/sh\n")
    before = main_door(cells["sandbox"]).logins()
    done = person.fab("--dry", "-H", "sandbox", *task.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert "--dry-run" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert main_door(cells["sandbox"]).logins() == before


def test_f7_f9_flags_for_fabrics_own_commands_change_nothing(person: Person) -> None:
    person.script("x", "#!/bin/sh\necho out\nexit 7\n")
    done = person.fab("-w", "-p", "-e", "--hide=both", "-H", "sandbox", "submit", "--script=x", "wait", "--json")
    assert done.returncode == 3  # and not the job's own 7, nor 0
    answer, job = done.stdout.splitlines()
    assert answer.startswith("Your job ")
    assert json_lines(job)[0]["exit_status"] == 7


def test_f8_a_loop_that_reads_lines_around_fab_goes_on(person: Person) -> None:
    (person.work / "list").write_text("one\ntwo\nthree\n")
    person.script("x", '#!/bin/sh\necho "$1"\n')
    line = f"'{sys.executable}' -m fabric -H sandbox submit --script=x --arg=\"$word\" --hold"
    loop = f"while read -r word; do {line} || exit; done <list"
    done = subprocess.run(["sh", "-c", loop], cwd=person.work, env=person.environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 3
    person.fab("-H", "sandbox", "cancel", *(f"--job={job['job_id']}" for job in person.jobs("--all")))


def test_f13_no_flag_of_a_task_is_one_of_fabs_own() -> None:
    own = {name for argument in Fab().core_args() for name in argument.names}
    for verb in all_verbs():
        # F12: what is asked for its arguments loses its help
        flags = {name for argument in deepcopy(verb).get_arguments() for name in argument.names}
        assert not {flag for flag in flags if len(flag) == 1}
        assert not own & flags, verb.name


def test_f16_invoke_3_is_not_installed_with_it() -> None:
    wanted = re.search(r'^ *"(invoke\b.*?)",', (ROOT / "pyproject.toml").read_text(), re.M)
    assert wanted
    assert "<3" in wanted[1].split(",")


def test_f21_a_name_that_only_submithost_knows_is_a_host(person: Person, cells: dict[str, Cell]) -> None:
    door = main_door(cells["sandbox"])
    known = f"    host: {door.name}\n    ssh_config: '{door.ssh_config}'\n"
    (person.work / "fabric.yml").write_text(f"clusters:\n  nobody-knows-this:\n{known}")
    person.script("x", "#!/bin/sh\n")
    done = person.fab("-H", "nobody-knows-this", "submit", "--script=x", "wait")
    assert done.returncode == 0, done.stderr


def test_ctrl_c_ends_the_watching_and_not_the_job(person: Person) -> None:
    person.script("x", "#!/bin/sh\nwhile [ ! -e enough ]; do sleep 0.2; done\n")
    job_id = person.submit("x")
    # A shell that runs tests in the background makes them ignore it.
    text = "import signal\nsignal.signal(signal.SIGINT, signal.default_int_handler)\n"
    environment = person.environment | customized(person, text)
    words = [sys.executable, "-m", "fabric", "-H", "sandbox", "wait"]
    with subprocess.Popen(words, cwd=person.work, env=environment, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr
        # Nothing more is said of it until its end.
        running = next(line for line in waiting.stderr if "is running" in line)
        time.sleep(0.3)  # no person is faster
        waiting.send_signal(signal.SIGINT)
        said = waiting.stderr.read()
    assert f"job {job_id} " in running
    assert waiting.returncode == 1
    assert said == f'job {job_id} ("x") on sandbox goes on; watch it again: fab -H sandbox wait --job {job_id}\n'
    (job,) = person.jobs()
    Path(job["directory"], "enough").touch()
    assert person.wait()["state"] == "succeeded"
