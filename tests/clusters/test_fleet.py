"""Many clusters at once: `all.TASK`, and with `submithost` `-H a,b`. One of the three here is dead."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.sshd import extra_sshd, main_door
from tests.clusters.bench import until
from tests.clusters.hostile import at_terminal
from tests.conftest import Person, json_lines, move_in, until_there
from tests.session.fabric.person import talk

NAMES = ("sandbox", "sandbox2")
BOTH = "--clusters=sandbox,sandbox2"
DEAD = "clusters:\n  dead: {host: 127.0.0.1, port: 1}\n"
ODD = "#!/bin/sh\ncase $PWD in */sandbox2/*) exit 7;; esac\n"


@pytest.fixture
def somebody(person: Person) -> Person:
    """A person with two clusters that live and one that is dead, and a script `x`."""
    (person.work / "fabric.yml").write_text(DEAD)
    person.script("x", "#!/bin/sh\necho out\n")
    return person


def submithost(person: Person, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `submithost WORDS`."""
    return subprocess.run(
        [sys.executable, "-m", "tasks", *words],
        cwd=person.work, env=person.environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def by_cluster(text: str) -> dict[str, list[str]]:
    """The lines that a pipe got, without the cluster's name."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        name, tab, rest = line.partition("\t")
        assert tab, line
        found.setdefault(name, []).append(rest)
    return found


def states(text: str) -> list[tuple[str, str]]:
    """Cluster and state of each row of a table."""
    return [(row[0], row[3]) for row in (line.split("\t") for line in text.splitlines())]


# --- one table, one line for each cluster


def test_one_table_has_every_cluster_and_a_dead_one_costs_its_row_and_the_exit_status(somebody: Person) -> None:
    submitted = somebody.fab("all.submit", "--script=x", "--hold", BOTH)
    assert submitted.returncode == 0, submitted.stderr
    done = somebody.fab("all.status")
    assert done.returncode == 4
    assert states(done.stdout) == [("sandbox", "held"), ("sandbox2", "held"), ("dead", "unknown")]
    assert len({line.count("\t") for line in done.stdout.splitlines()}) == 1
    dead, *held = sorted(done.stderr.splitlines())
    assert dead.startswith("dead (127.0.0.1:1) cannot be reached")
    assert {line.partition(": job ")[0] for line in held} == set(NAMES)
    assert all(line.endswith(" is held: held by its user; release lets it start") for line in held)
    cancelled = by_cluster(somebody.fab("all.cancel", BOTH).stdout)
    assert [len(said) for said in cancelled.values()] == [1, 1]
    assert states(somebody.fab("all.status", BOTH).stdout) == [(name, "cancelled") for name in NAMES]


@pytest.mark.parametrize("run", [Person.fab, submithost], ids=["fab", "submithost"])
def test_a_line_of_tasks_is_one_login_for_each_cluster_and_a_dead_one_ends_its_own_alone(
    somebody: Person, cells: dict[str, Cell], run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    doors = [main_door(cells[name]) for name in NAMES]
    before = [door.logins() for door in doors]
    line = ("all.submit", "--script=x", "all.wait", "all.status", "all.fetch", "--to=out", "--only=x.o*")
    done = run(somebody, *line)
    assert done.returncode == 4, done.stderr
    assert [door.logins() for door in doors] == [logins + 1 for logins in before]
    assert done.stderr.count("dead (127.0.0.1:1) cannot be reached") == 1
    said = by_cluster(done.stdout)
    for name in NAMES:
        submitted, status, fetched = said[name]
        job_id = submitted.split()[2]
        assert status.split("\t")[:3] == [job_id, "x", "succeeded"]
        assert fetched == f"out/{name}/x.o{job_id}"
        assert (somebody.work / fetched).read_text() == "out\n"
        assert f'{name}: job {job_id} ("x") on {name} succeeded' in done.stderr
    assert said["dead"] == ["-\t-\tunknown\t-\t-\t-\t-"]
    assert all(re.match(r"(sandbox|sandbox2|dead)(: | \()", line) for line in done.stderr.splitlines())


def test_a_failed_job_ends_the_line_of_its_cluster_and_the_highest_exit_status_counts(somebody: Person) -> None:
    somebody.script("odd", ODD)
    done = somebody.fab("all.submit", BOTH, "--script=odd", "all.wait", "all.fetch")
    assert done.returncode == 3, done.stderr
    assert "on sandbox2 failed with exit status 7" in done.stderr
    assert [path.name for path in somebody.work.iterdir() if path.is_dir()] == ["sandbox"]
    job_id = somebody.jobs()[0]["job_id"]
    assert (somebody.work / "sandbox" / f"odd-{job_id}" / f"odd.o{job_id}").exists()
    # Fetched whatever the outcome, and the dead one's 4 is more than the failed one's 3.
    whole = somebody.fab("all.submit", "--script=odd", "--fetch=there")
    assert whole.returncode == 4, whole.stderr
    assert sorted(path.name for path in (somebody.work / "there").iterdir()) == list(NAMES)


def test_what_fails_everywhere_ends_the_line(somebody: Person) -> None:
    done = somebody.fab("all.submit", BOTH, "--script=nosuch", "all.wait")
    assert (done.returncode, done.stdout) == (2, "")
    assert sorted(line.partition(":")[0] for line in done.stderr.splitlines()) == list(NAMES)


def test_json_lines_of_all_clusters_are_whole_and_a_dead_one_has_its_own(somebody: Person) -> None:
    done = somebody.fab("all.submit", "--script=x", BOTH, "--json", "all.wait", "--json", "all.status", "--json")
    assert done.returncode == 0, done.stderr
    objects = json_lines(done.stdout)
    assert sorted(one["cluster"] for one in objects) == ["sandbox"] * 3 + ["sandbox2"] * 3
    assert [one["state"] for one in objects[-2:]] == ["succeeded"] * 2
    status = somebody.fab("all.status", "--json")
    assert status.returncode == 4
    found = {one["cluster"]: one for one in json_lines(status.stdout)}
    assert set(found) == {*NAMES, "dead"}
    assert found["dead"] == {**dict.fromkeys(found["sandbox"]), "cluster": "dead", "state": "unknown"}


@pytest.mark.parametrize("words", [("all.submit", BOTH), ("-H", "sandbox", "submit")], ids=["all", "one"])
def test_json_is_alone_on_stdout_whatever_is_fetched(somebody: Person, words: tuple[str, ...]) -> None:
    done = somebody.fab(*words, "--script=x", "--json", "--wait", "--fetch=there")
    assert done.returncode == 0, done.stderr
    names = NAMES if BOTH in words else NAMES[:1]
    objects = json_lines(done.stdout)
    assert sorted((one["cluster"], one["state"]) for one in objects) == [(name, "succeeded") for name in names]
    for one in objects:
        own = f"/{one['cluster']}" if BOTH in words else ""
        assert f"there{own}/x.o{one['job_id']}\n" in done.stderr


def test_a_dry_run_has_no_json(somebody: Person) -> None:
    words = ("--script=x", "--json", "--dry-run")
    one, every = somebody.fab("-H", "sandbox", "submit", *words), somebody.fab("all.submit", BOTH, *words)
    for done, lines in ((one, 1), (every, 2)):
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", lines)
        assert done.stderr.count("--dry-run shows steps and --json shows jobs") == lines
    shown = by_cluster(somebody.fab("all.submit", BOTH, *words[::2]).stdout)
    assert [lines[0].startswith(f"# on {name}, in ") for name, lines in shown.items()] == [True, True]


def test_a_watched_job_is_unknown_where_its_cluster_cannot_be_reached_any_more(somebody: Person) -> None:
    go = somebody.work / "go"
    somebody.script("slow", f"#!/bin/sh\n{until_there(go)}\n")
    assert somebody.fab("all.submit", "--script=slow", BOTH).returncode == 0
    job_id = somebody.jobs(cluster="sandbox2")[0]["job_id"]
    (somebody.work / "fabric.yml").write_text(f"{DEAD}  sandbox2: {{port: 1}}\n")
    go.touch()
    shown, one = somebody.fab("all.status", BOTH, "--watch"), somebody.fab("-H", "sandbox2", "status", "--watch")
    objects = somebody.fab("all.status", BOTH, "--watch", "--json")
    assert [done.returncode for done in (shown, one, objects)] == [4, 4, 4]
    assert states(shown.stdout)[-1] == ("sandbox", "succeeded")
    assert [state for name, state in states(shown.stdout) if name == "sandbox2"][-1] == "unknown"
    assert one.stdout.splitlines()[-1].split("\t")[:3] == [job_id, "slow", "unknown"]
    last = {one["cluster"]: one for one in json_lines(objects.stdout)}
    assert (last["sandbox2"]["job_id"], last["sandbox2"]["state"]) == (job_id, "unknown")
    assert last["sandbox"]["state"] == "succeeded"


@pytest.mark.parametrize(
    "run",
    [
        lambda person, *more: person.fab("all.queues", *more),
        lambda person, *more: submithost(person, "-H", "sandbox,sandbox2,dead", "queues", *more),
    ],
    ids=["fab", "submithost"],
)
def test_queues_name_each_cluster_once_and_a_dead_one_has_its_row(
    somebody: Person, run: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    done, objects = run(somebody), run(somebody, "--json")
    assert (done.returncode, objects.returncode) == (4, 4), done.stderr
    rows = [line.split("\t") for line in done.stdout.splitlines()]
    assert [row[1] for row in rows].count("(all)") == 2
    assert {len(row) for row in rows} == {6}
    assert rows[-1] == ["dead", *["-"] * 5]
    found = json_lines(objects.stdout)
    assert {tuple(one) for one in found} == {("cluster", "queue", "used", "free", "down", "waiting")}
    assert [one for one in found if one["cluster"] == "dead"] == [{**dict.fromkeys(found[0]), "cluster": "dead"}]
    alone = somebody.fab("all.queues", "--clusters=dead")
    assert (alone.returncode, alone.stdout) == (4, "dead" + "\t-" * 5 + "\n")
    assert len(json_lines(somebody.fab("all.queues", "--clusters=dead", "--json").stdout)) == 1


def test_put_goes_to_every_cluster(somebody: Person, cells: dict[str, Cell]) -> None:
    somebody.script("data", "1 2 3\n")
    done = somebody.fab("all.put", "--source=data", "--target=in", BOTH)
    assert done.returncode == 0, done.stderr
    assert sorted(line.partition(":")[0] for line in done.stderr.splitlines()) == list(NAMES)
    assert [(cells[name].home / "in" / "data").read_text() for name in NAMES] == ["1 2 3\n"] * 2


def test_clusters_work_at_the_same_time(somebody: Person) -> None:
    """Each job waits for the other: one cluster after the other would never get there."""
    there = f"'{somebody.work}'/there"
    somebody.script(
        "meet", f"#!/bin/sh\nmktemp {there}.XXX\nuntil ls {there}.* | grep -c . | grep 2; do sleep 0.2; done\n"
    )
    done = somebody.fab("all.submit", "--script=meet", BOTH, "--wait")
    assert done.returncode == 0, done.stderr


def test_what_comes_from_several_clusters_is_not_mixed(somebody: Person, cells: dict[str, Cell]) -> None:
    for name in ("sandbox", "sandbox2"):
        (cells[name].home / "of").write_text(name)
    done = submithost(somebody, "-H", "sandbox,sandbox2", "get", "--source=of", "--target=back")
    assert done.returncode == 2
    assert done.stderr.endswith("back/of has come from sandbox: get that of sandbox2 with a --target of its own\n")
    assert (somebody.work / "back" / "of").read_text() == "sandbox"
    for name in ("sandbox", "sandbox2"):
        (cells[name].home / "of").unlink()


def test_the_example_in_the_help_of_a_task_for_all_has_the_flags_that_it_needs(somebody: Person) -> None:
    example = {
        name: re.findall(r"Example: fab (all\.\S+ --\S+)", somebody.fab("--help", f"all.{name}").stdout)
        for name in ("submit", "put")
    }
    assert example == {"submit": ["all.submit --script=hello"], "put": ["all.put --source=data"]}
    done = somebody.fab(*example["submit"][0].split(), BOTH)
    assert (done.returncode, sorted(by_cluster(done.stdout))) == (0, list(NAMES)), done.stderr


# --- which clusters, which jobs


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["all.status", "--clusters=sandbox3"], "did you mean 'sandbox'?"),
        (["all.status", "--clusters=zzz"], "there are sandbox, sandbox2, dead"),
        (["all.status", "--clusters=sandbox,"], "no cluster ''"),
        (["-H", "sandbox", "all.status"], "-H and all.status contradict each other"),
        (["all.submit", "--script=x", "--job-file=x.job"], "--job-file=NAME-{cluster}"),
        (["all.wait"], "no job was submitted from here to any of sandbox, sandbox2, dead"),
        (["all.cancel", "--job=12"], "no job '12' was submitted from here to any of sandbox, sandbox2, dead"),
    ],
)
def test_what_cannot_be_meant_is_one_line_before_any_contact(
    somebody: Person, cells: dict[str, Cell], words: list[str], said: str
) -> None:
    before = [main_door(cells[name]).log.read_text() for name in NAMES]
    done = somebody.fab(*words)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1), done.stderr
    assert said in done.stderr
    assert [main_door(cells[name]).log.read_text() for name in NAMES] == before


def test_without_a_configured_cluster_there_is_one_line(tmp_path: Path) -> None:
    done = move_in(tmp_path / "home").fab("all.status", XDG_STATE_HOME=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert "no cluster is configured" in done.stderr


def test_a_job_belongs_to_its_cluster_and_the_others_are_left_alone(somebody: Person, cells: dict[str, Cell]) -> None:
    words = ("all.submit", "--script=x", BOTH, "--hold", "--job-file={cluster}.job")
    first = somebody.fab(*words)
    assert first.returncode == 0, first.stderr
    assert sorted(path.name for path in somebody.work.glob("*.job")) == ["sandbox.job", "sandbox2.job"]
    assert sorted(somebody.fab(*words).stdout.splitlines()) == sorted(first.stdout.splitlines())
    before = main_door(cells["sandbox2"]).logins()
    assert states(somebody.fab("all.status", "--job=sandbox.job").stdout) == [("sandbox", "held")]
    assert main_door(cells["sandbox2"]).logins() == before
    assert somebody.fab("all.cancel", "--job=sandbox.job", "--job=sandbox2.job").returncode == 0
    gone = somebody.fab("all.status", BOTH, "--job={cluster}.job").stdout
    assert states(gone) == [(name, "cancelled") for name in NAMES]


# --- submithost -H a,b


def test_submithost_works_with_several_hosts_at_once(somebody: Person, cells: dict[str, Cell]) -> None:
    before = [main_door(cells[name]).logins() for name in NAMES]
    done = submithost(somebody, "-H", "sandbox2,sandbox,sandbox2,dead", "submit", "--script=x", "--hold", "status")
    assert done.returncode == 4, done.stderr
    assert [main_door(cells[name]).logins() for name in NAMES] == [logins + 1 for logins in before]
    assert [len(by_cluster(done.stdout)[name]) for name in NAMES] == [2, 2]
    assert states("\n".join(done.stdout.splitlines()[-3:])) == [
        ("sandbox2", "held"), ("sandbox", "held"), ("dead", "unknown"),
    ]  # fmt: skip
    submithost(somebody, "-H", "sandbox,sandbox2", "cancel")


def test_submithost_goes_on_one_after_the_other_where_a_task_is_for_one_cluster(somebody: Person) -> None:
    done = submithost(somebody, "-H", "sandbox,sandbox", "status", "render", "--script=hello")
    assert done.returncode == 2
    assert done.stderr.count("no job was submitted to sandbox from here yet") == 1
    rendered = submithost(somebody, "-H", "sandbox,sandbox", "render", "--script=hello")
    assert rendered.stdout == submithost(somebody, "-H", "sandbox", "render", "--script=hello").stdout


# --- a person


def test_a_watched_status_shows_the_changes_of_all_clusters(somebody: Person) -> None:
    somebody.script("slow", "#!/bin/sh\nsleep 8\n")
    somebody.fab("all.submit", "--script=slow", BOTH)
    done = somebody.fab("all.status", BOTH, "--watch")
    assert done.returncode == 0, done.stderr
    for name in NAMES:
        seen = [state for cluster, state in states(done.stdout) if cluster == name]
        assert seen in (["pending", "running", "succeeded"], ["running", "succeeded"])


@pytest.mark.parametrize("words", [("all.status",), ("all.status", "--watch")], ids=["once", "watched"])
def test_a_terminal_shows_one_table(somebody: Person, words: tuple[str, ...]) -> None:
    assert somebody.fab("all.submit", "--script=x", BOTH, "all.wait").returncode == 0
    ours, theirs = os.openpty()
    environment = {**somebody.environment, "TERM": "xterm", "COLUMNS": "100"}
    command = [sys.executable, "-m", "fabric", *words]
    child = subprocess.Popen(command, cwd=somebody.work, env=environment, stdout=theirs, stderr=subprocess.DEVNULL)
    os.close(theirs)
    shown = b""
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        try:
            while piece := terminal.read(4096):
                shown += piece
        except OSError:  # the other end is closed
            pass
    assert child.wait(timeout=60) == 4
    last = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode()).rpartition("cluster")[2].split("\n")
    rows = [line.split() for line in last[1:] if line.strip()]
    assert [(row[0], row[3]) for row in rows] == [
        ("sandbox", "succeeded"), ("sandbox2", "succeeded"), ("dead", "unknown"),
    ]  # fmt: skip


def test_prompts_come_one_at_a_time_each_with_its_clusters_name(cells: dict[str, Cell], tmp_path: Path) -> None:
    with ExitStack() as stack:
        doors = {name: stack.enter_context(extra_sshd(cells[name], f"prompt-{name}")) for name in NAMES}
        section = "clusters:\n"
        for name, door in doors.items():
            subprocess.run(["ssh-keygen", "-q", "-p", "-N", f"words of {name}", "-f", door.client_key], check=True)
            section += f"  {name}: {{host: {door.name}, ssh_config: '{door.ssh_config}', scheduler: gridengine}}\n"
        person = move_in(tmp_path / "person", section)
        person.environment["XDG_STATE_HOME"] = str(tmp_path / "state")
        person.script("x", "#!/bin/sh\n")
        child, terminal = at_terminal(person, "all.submit", "--script=x", "all.wait")
        shown = b""
        for _ in NAMES:
            # The next question does not come before this one has its answer, however long that takes.
            asked = re.compile(rb"(\w+): passphrase of [^\n]*: $")
            while not (question := asked.search(shown)):
                shown += os.read(terminal, 4096)
            time.sleep(1.5)
            os.set_blocking(terminal, False)
            with pytest.raises(BlockingIOError):
                os.read(terminal, 4096)
            os.set_blocking(terminal, True)
            os.write(terminal, b"words of " + question[1] + b"\n")
            shown += b"(answered)"
        out, err, more = talk(child, terminal, limit=40)
        assert child.returncode == 0, (err, more)
        assert sorted(by_cluster(out)) == list(NAMES)
        assert sorted(re.findall(rb"(\w+): passphrase", shown)) == [name.encode() for name in NAMES]
        assert [door.logins() for door in doors.values()] == [1, 1]


@pytest.mark.parametrize("typed", [False, True], ids=["signal", "typed"])
def test_ctrl_c_ends_the_watching_of_each_and_no_job(somebody: Person, typed: bool) -> None:
    """A terminal sends it to all processes of the line, another program to the one that it knows."""
    somebody.script("slow", "#!/bin/sh\nsleep 40\n")
    assert somebody.fab("all.submit", "--script=slow", BOTH).returncode == 0
    child, terminal = at_terminal(somebody, "all.wait", BOTH) if typed else (somebody.start("all.wait", BOTH), None)
    assert child.stderr
    seen = ""
    while seen.count("is running") < 2:
        seen += (line := child.stderr.readline())
        assert line, seen
    if terminal is None:
        child.send_signal(signal.SIGINT)
    else:
        os.write(terminal, b"\x03")
    _, err = child.communicate(timeout=30)
    if terminal is not None:
        os.close(terminal)
    assert child.returncode == 1
    for name in NAMES:
        assert re.search(rf"^{name}: job \d+ .* goes on; watch it again: fab -H {name} wait --job \d+$", err, re.M)
    assert err.count("goes on") == 2
    assert "Traceback" not in err
    assert states(somebody.fab("all.status", BOTH).stdout) == [(name, "running") for name in NAMES]
    somebody.fab("all.cancel", BOTH)


# --- processes


def children(parent: int) -> list[int]:
    """The processes that this one has begun."""
    return [int(pid) for pid in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def waiting(person: Person, *more: str) -> tuple[subprocess.Popen[str], list[int]]:
    """A wait for a job on each cluster, of 8 s, and its workers."""
    person.script("slow", "#!/bin/sh\nsleep 8\n")
    assert person.fab("all.submit", "--script=slow", BOTH, *more).returncode == 0
    child = person.start("all.wait", BOTH)
    assert child.stderr
    assert [child.stderr.readline().partition(": job")[1] for _ in NAMES] == [": job"] * 2
    return child, children(child.pid)


def test_a_worker_that_is_killed_is_one_line_and_the_others_go_on(somebody: Person) -> None:
    child, workers = waiting(somebody)
    os.kill(workers[0], signal.SIGKILL)
    _, err = child.communicate(timeout=60)
    assert child.returncode == 1
    assert "sandbox: its process was ended (SIGKILL)\n" in err
    assert "on sandbox2 succeeded" in err
    assert "on sandbox succeeded" not in err


def test_workers_end_with_their_parent(somebody: Person) -> None:
    child, workers = waiting(somebody, "--hold")
    assert len(workers) == 2
    child.kill()
    child.communicate()
    until(lambda: not any(map(alive, workers)), 30)
    somebody.fab("all.cancel", BOTH)


def test_a_reader_that_goes_away_is_no_traceback(somebody: Person) -> None:
    words = f"{sys.executable} -m fabric all.status | true"
    done = subprocess.run(
        ["sh", "-c", words], cwd=somebody.work, env=somebody.environment, capture_output=True, text=True, timeout=60
    )
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") <= 3
