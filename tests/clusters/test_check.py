"""check goes the whole way to a cluster and says where it ends, and queues how busy it is there."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tasks.checks.steps import STEPS
from tasks.testbed import daemons
from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.slurm import SlurmCluster
from tasks.testbed.sshd import Door, extra_sshd, main_door, stop_sshd
from tests.clusters.bench import qsub, until
from tests.clusters.hostile import at, login_node
from tests.clusters.test_logins_full import small
from tests.clusters.test_recovery import ledger_of
from tests.conftest import Person, json_lines, move_in, program

WAY = list(STEPS[:-1])


def steps(done: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    """Result and words of each step, out of the lines."""
    pattern = r"(ok|warning|failed|-) +((?:host key|[a-z]+)) +(?:(?:[0-9.]+ s)|) *(.*)"
    matches = [re.fullmatch(pattern, line) for line in done.stdout.splitlines()]
    return {match[2]: (match[1], match[3]) for match in matches if match}


def fails_at(done: subprocess.CompletedProcess[str], step: str, status: int) -> str:
    """All before it went well, none after it was tried; returns what is said of it, which stderr says as well."""
    found = steps(done)
    place = WAY.index(step)
    assert list(found) == WAY, done.stdout
    assert {result for result, _ in list(found.values())[:place]} <= {"ok", "warning"}, done.stdout
    assert found[step][0] == "failed"
    assert {found[name] for name in WAY[place + 1 :]} <= {("-", "not tried")}
    assert done.returncode == status, done.stderr
    assert done.stderr.splitlines()[-1] == f"check: {found[step][1]}"
    return found[step][1]


def test_each_step_of_the_way_is_told_with_its_time(person: Person, cells: dict[str, Cell]) -> None:
    before = sorted(cells["sandbox"].home.rglob("*"))
    done = person.fab("-H", "sandbox", "check", "--json")
    assert done.returncode == 0, done.stderr
    told = json_lines(done.stdout)
    assert [step["step"] for step in told] == WAY
    assert {(step["cluster"], step["result"]) for step in told} == {("sandbox", "ok")}
    assert all(0 <= step["seconds"] < 60 for step in told)
    details = {step["step"]: step["detail"] for step in told}
    door = main_door(cells["sandbox"])
    assert details["port"] == str(door.port)
    assert f"key {door.client_key}" in details["login"]
    assert re.search(r"gridengine, .*/qsub; your jobs in its queue: \d+$", details["scheduler"])
    assert re.search(r"/\.submithost/jobs.*, [0-9.]+ [MGT]B free$", details["directory"])
    assert sorted(cells["sandbox"].home.rglob("*")) == before  # it leaves nothing
    assert steps(person.fab("sandbox.check")) == {name: ("ok", details[name]) for name in WAY}


def test_a_job_goes_the_whole_way_and_leaves_nothing(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", "#!/bin/sh\n")
    last = person.submit("x", "--wait")
    jobs = cells["sandbox"].home / ".submithost" / "jobs"
    before = set(jobs.iterdir())
    done = person.fab("-H", "sandbox", "check", "--submit")
    assert done.returncode == 0, done.stdout
    assert re.match(r"job \d+ ran: submitted in [0-9.]+ s, ended after \d+ s$", steps(done)["job"][1])
    assert set(jobs.iterdir()) == before
    assert [job["job_id"] for job in person.jobs("--job=last")] == [last]
    assert len(ledger_of(person).jobs()) == 1


def test_a_job_that_does_not_start_in_time_is_cancelled_and_leaves_nothing(
    cells: dict[str, Cell], tmp_path: Path
) -> None:
    with extra_sshd(cells["sandbox"], "busy", home=tmp_path / "home") as door:
        person = at(door, tmp_path, "    options: ['-l rmem=9000G']\n")
        done = person.fab("-H", "hpc", "check", "--submit", "--timeout=3")
        said = steps(done)["job"]
        assert (done.returncode, said[0]) == (6, "failed"), done.stdout
        assert re.search(r"is still pending after 3 s, and was cancelled: is the cluster busy", said[1])
        assert not directories(tmp_path / "home")


def directories(home: Path) -> list[Path]:
    """The job directories below this home."""
    return [path for path in (home / ".submithost/jobs").glob("*") if path.is_dir()]


def in_the_queue(cluster: PrivateCluster) -> str:
    """What the scheduler says of all jobs."""
    words = ["squeue", "--format=%j"] if isinstance(cluster, SlurmCluster) else ["qstat", "-u", "*"]
    return cluster.must(*words)


@pytest.fixture(params=["gridengine", "slurm"])
def cluster(request: pytest.FixtureRequest, cells: dict[str, Cell], slurm: SlurmCluster) -> PrivateCluster:
    """Each scheduler's."""
    return cells["sandbox2"] if request.param == "gridengine" else slurm


def test_after_ctrl_c_neither_job_nor_directory_is_left(cluster: PrivateCluster, tmp_path: Path) -> None:
    hold = "--hold" if isinstance(cluster, SlurmCluster) else "-h"
    with extra_sshd(cluster, "busy", home=tmp_path / "home") as door:
        running = at(door, tmp_path, f"    options: ['{hold}']\n").start("-H", "hpc", "check", "--submit")
        until(lambda: list((tmp_path / "home").glob(".submithost/jobs/*/.submithost/receipt")))
        assert "submitho" in in_the_queue(cluster)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=300)
    assert running.returncode == 1
    assert re.search(r"^failed +job +[0-9.]+ s +interrupted$", out, re.M), out
    # By its key, where Ctrl-C came before the answer did.
    title = r'(job \d+|key submithost-check-\w+) \("submithost-check"\) on hpc'
    assert re.search(f"^{title}: cancelling it, and removing its directory", err, re.M)
    assert not directories(tmp_path / "home"), err
    assert "submitho" not in in_the_queue(cluster)


@pytest.mark.parametrize(("command", "step"), [("qsub", "attempt/asked.*"), ("qconf", "attempt.*/holder.*/survey")])
def test_after_ctrl_c_while_it_is_submitted_nothing_is_left(
    cells: dict[str, Cell], tmp_path: Path, command: str, step: str
) -> None:
    """Nor does what goes on on the login node submit anything after that."""
    cell, home = cells["sandbox2"], tmp_path / "home"
    there = f"{home}/.submithost/jobs/*/.submithost/{step}"
    wait = f"for each in {there}; do [ ! -e $each ] || ! mkdir {tmp_path}/slow || sleep 4; done"
    slow = program(tmp_path / "bin" / command, f'#!/bin/sh\n{wait}\nexec /usr/lib/gridengine/{command} "$@"\n')
    rc_files = {".bash_profile": f"PATH={slow.parent}:$PATH\n"}
    with login_node(cell, tmp_path, "slow", rc_files, more="    options: ['-h']\n") as (person, _):
        running = person.start("-H", "hpc", "check", "--submit")
        until(lambda: list(home.glob(f".submithost/jobs/*/.submithost/{step}")))
        time.sleep(1)
        assert not list(home.glob(".submithost/jobs/*/.submithost/receipt"))
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=300)
    assert running.returncode == 1
    assert re.search(r"^failed +job +[0-9.]+ s +interrupted$", out, re.M), out
    assert not directories(home), err
    assert "submitho" not in in_the_queue(cell)


def test_a_second_ctrl_c_ends_it_and_what_may_be_left_is_told(cells: dict[str, Cell], tmp_path: Path) -> None:
    cell, home = cells["sandbox2"], tmp_path / "home"
    slow = program(tmp_path / "bin" / "qdel", f"#!/bin/sh\n: > '{tmp_path}/asked'\nsleep 20\n")
    rc_files = {".bash_profile": f"PATH={slow.parent}:$PATH\n"}
    with login_node(cell, tmp_path, "twice", rc_files, more="    options: ['-h']\n") as (person, _):
        running = person.start("-H", "hpc", "check", "--submit")
        until(lambda: list(home.glob(".submithost/jobs/*/.submithost/receipt")))
        (directory,) = directories(home)
        running.send_signal(signal.SIGINT)
        until((tmp_path / "asked").exists)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=300)
    (job_id,) = re.findall(r"^Your job (\d+) ", (directory / ".submithost/receipt").read_text(), re.M)
    cell.must("qdel", job_id)
    assert running.returncode == 1
    assert re.search(r"^failed +job +[0-9.]+ s +interrupted$", out, re.M), out
    assert f"(it and its directory {directory} may be left: interrupted)" in err


def test_what_cannot_be_taken_back_is_told(cells: dict[str, Cell], tmp_path: Path) -> None:
    cell = cells["sandbox2"]
    with extra_sshd(cell, "gone", home=tmp_path / "home") as door:
        running = at(door, tmp_path, "    options: ['-h']\n").start("-H", "hpc", "check", "--submit")
        until(lambda: list((tmp_path / "home").glob(".submithost/jobs/*/.submithost/receipt")))
        (directory,) = directories(tmp_path / "home")
        (job_id,) = re.findall(r"^Your job (\d+) ", (directory / ".submithost/receipt").read_text(), re.M)
        time.sleep(2)  # by then it waits
        stop_sshd(door)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=100)
    cell.must("qdel", job_id)
    assert running.returncode == 1
    assert f'job {job_id} ("submithost-check") on hpc (it and its directory {directory} may be left: hpc' in err, err


def test_a_job_that_is_refused_leaves_nothing(cluster: PrivateCluster, tmp_path: Path) -> None:
    option = "--partition=nope" if isinstance(cluster, SlurmCluster) else "-q nope"
    with extra_sshd(cluster, "refuses", home=tmp_path / "home") as door:
        person = at(door, tmp_path, f"    options: ['{option}']\n")
        done = person.fab("-H", "hpc", "check", "--submit")
        assert (done.returncode, steps(done)["job"][0]) == (5, "failed"), done.stdout
        assert "no job was made: " in steps(done)["job"][1]
        assert done.stderr.splitlines()[-1] == f"check: {steps(done)['job'][1]}"
        assert "is left" not in done.stderr
        assert not directories(tmp_path / "home")


def test_a_name_that_nobody_knows(person: Person) -> None:
    assert "check its name" in fails_at(person.fab("-H", "nosuch.invalid", "check"), "name", 4)


def test_an_ssh_config_that_ssh_does_not_accept(cells: dict[str, Cell], tmp_path: Path) -> None:
    config = tmp_path / "ssh_config"
    config.write_text("Nonsense yes\n")
    person = at(main_door(cells["sandbox"]), tmp_path, ssh_config=config)
    assert "ssh does not accept it" in fails_at(person.fab("-H", "hpc", "check"), "name", 2)


def changed(door: Door, tmp_path: Path, old: str, new: str) -> Person:
    """Somebody whose ssh_config differs from what leads to this door."""
    config = tmp_path / "ssh_config"
    text = door.host_block()
    assert re.search(old, text)
    config.write_text(re.sub(old, new, text))
    return at(door, tmp_path, ssh_config=config)


def test_a_port_where_nobody_listens(cells: dict[str, Cell], tmp_path: Path) -> None:
    person = changed(main_door(cells["sandbox"]), tmp_path, r"Port \d+", "Port 1")
    assert "is the port right?" in fails_at(person.fab("-H", "hpc", "check"), "port", 4)


def test_a_host_key_that_is_another(cells: dict[str, Cell], tmp_path: Path) -> None:
    door = main_door(cells["sandbox"])
    keys = (cells["sandbox2"].directory / "sshd" / "known_hosts").read_text()
    other = main_door(cells["sandbox2"])
    (tmp_path / "known_hosts").write_text(keys.replace(f":{other.port}", f":{door.port}"))
    person = changed(door, tmp_path, "UserKnownHostsFile .*", f"UserKnownHostsFile {tmp_path}/known_hosts")
    fails_at(person.fab("-H", "hpc", "check"), "host key", 4)


def test_a_key_that_the_login_node_does_not_take(cells: dict[str, Cell], tmp_path: Path) -> None:
    key = main_door(cells["sandbox2"]).client_key
    person = changed(main_door(cells["sandbox"]), tmp_path, "IdentityFile .*", f"IdentityFile {key}")
    assert f"tried key {key}" in fails_at(person.fab("-H", "hpc", "check"), "login", 4)


def test_an_rc_file_that_ends_the_shell(cells: dict[str, Cell], tmp_path: Path) -> None:
    with login_node(cells["sandbox"], tmp_path, "ends", {".bashrc": "exit 3\n"}) as (person, _):
        assert "exit status 3" in fails_at(person.fab("-H", "hpc", "check"), "shell", 4)


def test_rc_files_that_print_and_take_their_time_are_told_and_no_more(cells: dict[str, Cell], tmp_path: Path) -> None:
    rc_files = {".bashrc": "echo Welcome to hpc\n", ".bash_profile": "echo and again; sleep 4\n"}
    with login_node(cells["sandbox"], tmp_path, "noisy", rc_files) as (person, _):
        done = person.fab("-H", "hpc", "check")
        assert done.returncode == 0, done.stderr
        found = steps(done)
        assert [name for name in WAY if found[name][0] != "ok"] == ["shell", "sftp"]
        assert "print 'Welcome to hpc'" in found["shell"][1]
        assert "are slow" in found["shell"][1]
        assert found["sftp"][1].startswith("is garbled by what rc files print: no matter here")


def test_a_login_node_without_sftp_is_good_enough(cells: dict[str, Cell], tmp_path: Path) -> None:
    with login_node(cells["sandbox"], tmp_path, "bare", {}, sftp=False, options=["MaxSessions 1"]) as (person, _):
        done = person.fab("-H", "hpc", "check")
        assert done.returncode == 0, done.stderr
        assert steps(done)["sftp"] == (
            "warning",
            "is switched off: no matter here, since submithost does not use it; scp and sftp may",
        )


def test_a_scheduler_that_is_not_there(cells: dict[str, Cell], tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".bash_profile").write_text("PATH=/nowhere\n")
    with extra_sshd(cells["sandbox"], "without", home=home) as door:
        found = at(door, tmp_path).fab("-H", "hpc", "check")
        assert "no scheduler found in the login environment on the login node" in fails_at(found, "scheduler", 5)
    with extra_sshd(cells["sandbox"], "without", home=home) as door:
        person = move_in(tmp_path / "other", f"clusters:\n  hpc: {{host: {door.name}, scheduler: gridengine}}\n")
        found = person.fab("-S", str(door.ssh_config), "-H", "hpc", "check")
        assert "no gridengine in the login environment: configure 'setup'" in fails_at(found, "scheduler", 5)


def test_a_line_of_setup_that_fails_is_a_warning(cells: dict[str, Cell], tmp_path: Path) -> None:
    more = "    setup: ['echo loaded >&2', 'false', 'true']\n"
    done = at(main_door(cells["sandbox"]), tmp_path, more).fab("-H", "hpc", "check")
    assert done.returncode == 0, done.stderr
    found = steps(done)
    assert [name for name in WAY if found[name][0] != "ok"] == ["scheduler"]
    said = r"gridengine, .*; your jobs in its queue: \d+; setup 'false' failed with exit status 1"
    assert re.fullmatch(said, found["scheduler"][1])


def test_a_scheduler_that_does_not_answer(person: Person, cells: dict[str, Cell]) -> None:
    daemons.stop_qmaster(cells["sandbox2"])
    try:
        done = person.fab("-H", "sandbox2", "check")
        assert "commlib error" in fails_at(done, "scheduler", 5)
        busy = person.fab("-H", "sandbox2", "queues")
        assert (busy.returncode, busy.stdout, busy.stderr.count("\n")) == (5, "", 1), busy.stderr
    finally:
        daemons.start_qmaster(cells["sandbox2"])


def test_a_full_home_directory(cells: dict[str, Cell], tmp_path: Path) -> None:
    with small(tmp_path / "home") as home, extra_sshd(cells["sandbox"], "full", home=home.path) as door:
        person = at(door, tmp_path)
        done = person.fab("-H", "hpc", "check")
        assert done.returncode == 0, done.stderr
        assert steps(done)["directory"][0] == "warning"
        assert re.search(r", \d+ KB free, that is little", steps(done)["directory"][1])
        home.fill()
        said = fails_at(person.fab("-H", "hpc", "check"), "directory", 5)
        assert re.search(r"cannot be written.*make space there, or configure another 'directory'", said)
        assert [path.name for path in home.path.iterdir() if path.name.startswith(".submithost-")] == []


def test_a_directory_that_cannot_be_made(cells: dict[str, Cell], tmp_path: Path) -> None:
    person = at(main_door(cells["sandbox"]), tmp_path, "    directory: /proc/jobs\n")
    said = fails_at(person.fab("-H", "hpc", "check"), "directory", 5)
    assert said == "hpc: you cannot make files in /proc; configure another 'directory'"


@pytest.mark.parametrize(("amount", "words"), [(+600, "ahead of"), (-600, "behind")])
def test_a_clock_that_differs_is_warned_of(cells: dict[str, Cell], tmp_path: Path, amount: int, words: str) -> None:
    right = shutil.which("date") or ""
    wrong = program(tmp_path / "bin" / "date", f'#!/bin/sh\nexec {tmp_path}/bin/right -d "{amount} seconds" "$@"\n')
    shutil.copy2(right, tmp_path / "bin" / "right")
    with extra_sshd(cells["sandbox"], "hpc", programs={right: str(wrong)}) as door:
        done = at(door, tmp_path).fab("-H", "hpc", "check")
        assert done.returncode == 0, done.stderr
        result, said = steps(done)["clock"]
        assert result == "warning"
        assert re.match(rf"(59\d|60\d) s {words} this one", said)


def test_house7_check_names_the_tools_that_do_not_do_what_they_have_to(cells: dict[str, Cell], tmp_path: Path) -> None:
    """Each is there, and knows all of its options but one."""
    lacks = {
        "stat": ("-c", "stat -c"),
        "find": ("-printf", "find -printf"),
        "xargs": ("-r", "xargs -0 -r"),
        "mv": ("-T", "mv -T"),
        "touch": ("@*", "touch -d @SECONDS"),
        "sha256sum": ("-c", "sha256sum -c"),
        "dd": ("iflag=*", "dd iflag=skip_bytes,count_bytes"),
    }
    programs = {}
    for tool, (option, _) in lacks.items():
        real = os.path.realpath(shutil.which(tool, path="/usr/bin:/bin") or "")
        right = shutil.copy2(real, tmp_path / f"right-{tool}")
        refuse = f"for word; do case $word in {option}) echo '{tool}: invalid option' >&2; exit 1 ;; esac; done"
        programs[real] = str(program(tmp_path / "bin" / tool, f'#!/bin/sh\n{refuse}\nexec {right} "$@"\n'))
    with extra_sshd(cells["sandbox"], "hpc", programs=programs) as door:
        said = fails_at(at(door, tmp_path).fab("-H", "hpc", "check"), "tools", 5)
    named = re.search("lacks (.*), as GNU's", said)
    assert named
    assert sorted(named[1].replace("s,c", "s;c").split(", ")) == sorted(
        w.replace("s,c", "s;c") for _, w in lacks.values()
    )


def test_queues_tell_what_is_used_and_what_waits(person: Person, cells: dict[str, Cell]) -> None:
    cell = cells["sandbox2"]
    before = {row["queue"]: row for row in json_lines(person.fab("-H", "sandbox2", "queues", "--json").stdout)}
    held = qsub(cell, "true\n", "-h")
    done = person.fab("-H", "sandbox2", "queues", "--json")
    after = {row["queue"]: row for row in json_lines(done.stdout)}
    assert list(after) == ["all.q", None]
    assert after[None] == {**before[None], "waiting": before[None]["waiting"] + 1}
    assert {name: after["all.q"][name] for name in ("used", "free", "down")} == {"used": 0, "free": 32, "down": 0}
    plain = person.fab("-H", "sandbox2", "queues")
    assert plain.stdout.splitlines()[0] == "sandbox2\tall.q\t0\t32\t0\t-"
    assert plain.stdout.splitlines()[1:] == [f"sandbox2\t(all)\t-\t-\t-\t{after[None]['waiting']}"]
    cell.must("qdel", held)
