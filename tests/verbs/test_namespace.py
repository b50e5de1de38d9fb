"""The collections of tasks as `fab` and `submithost` show them, and what happens before any task runs."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from invoke.collection import Collection

from tasks import namespace
from tasks.verbs.catalogue import all_verbs, verbs_at_once
from tests.conftest import ROOT, Person, move_in, submithost

THREE = """\
clusters:
  sharc: {host: login.sharc.ac.uk, user: te1st, scheduler: gridengine}
  iceberg: {host: iceberg.ac.uk}
  my_hpc:
"""
TASKS = sorted(name.replace("_", "-") for name in map(str, (task.name for task in all_verbs())))
FOR_ALL = [f"all.{task.name}" for task in verbs_at_once()]


@pytest.fixture
def somebody(tmp_path: Path) -> Person:
    """A person with three clusters."""
    return move_in(tmp_path / "home", THREE)


def one_line(done: subprocess.CompletedProcess[str], status: int) -> str:
    """The one line of a failure."""
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (status, "", 1), done.stderr
    return done.stderr


def listed(text: str) -> dict[str, str]:
    """What `--list` says of each task and collection."""
    return dict(re.findall(r"^  ([a-z_-][a-z_.-]*)(?: \[\d+ tasks\])?  +(\S.*)$", text, re.M))


# --- help


def test_each_task_is_one_line_under_each_cluster(somebody: Person) -> None:
    text = somebody.fab("--list").stdout
    lines = listed(text)
    assert text.count("\n") == len(lines) + 3  # so none is of two lines
    clusters = ("sharc.", "iceberg.", "my-hpc.")
    assert "submit" in lines
    assert set(lines) == {f"{cluster}{task}" for cluster in ("", *clusters) for task in TASKS} | {
        "testbed.up", "testbed.down", "testbed.status", *FOR_ALL,
    }  # fmt: skip


@pytest.mark.parametrize("program", ["fab", "submithost"])
def test_each_cluster_is_one_line_at_depth_1(somebody: Person, program: str) -> None:
    words = ("--list", "--list-depth=1")
    done = somebody.fab(*words) if program == "fab" else submithost(somebody, *words)
    lines = listed(done.stdout)
    assert set(lines) == {*TASKS, "sharc", "iceberg", "my-hpc", "testbed", "all"}
    assert lines["sharc"] == "te1st@login.sharc.ac.uk, gridengine"
    assert lines["iceberg"] == "iceberg.ac.uk"
    assert done.stdout.count("\n") == len(lines) + 3


@pytest.mark.parametrize("task", [*TASKS, "sharc.wait", "testbed.up", "testbed.down", "testbed.status", *FOR_ALL])
def test_the_help_of_every_task_has_an_example(somebody: Person, task: str) -> None:
    name = task.removeprefix("sharc.")
    example = rf"(-H \S+ )?{name}\b"
    assert re.search(f"submithost {example}", submithost(somebody, "--help", task).stdout)
    assert re.search(f"fab {example}", str(namespace()[name].__doc__))


def test_every_flag_of_every_task_has_its_help() -> None:
    for context in namespace().to_contexts():
        for argument in context.args.values():
            assert argument.help, f"{context.name} --{argument.name}"


# --- names


def _collections(root: Collection) -> Iterator[Collection]:
    yield root
    for collection in root.collections.values():
        yield from _collections(collection)


def test_f12_copies_of_a_task_share_nothing(somebody: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(somebody.home))
    monkeypatch.setenv("XDG_STATE_HOME", str(somebody.home / "state"))  # another test's clusters may be registered
    copies = [task for collection in _collections(namespace()) for task in collection.tasks.values()]
    assert len(copies) == 4 * len(TASKS) + 3 + len(FOR_ALL)
    assert len({id(task.help) for task in copies}) == len(copies)


def test_f12_a_cluster_with_an_underscore_goes_by_either_name(somebody: Person) -> None:
    done = submithost(somebody, "-H", "my_hpc", "my-hpc.render", "--script=hello")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("clusters", "said"),
    [
        ("sharc.ac.uk:", "dot"),
        ("submit:", "name of a task"),
        ("testbed:", "name of a task or collection"),
        ("all:", "name of a task or collection"),
        ("a_b:\n  a-b:", "one name"),
    ],
)
def test_f12_f20_a_name_that_would_break_the_command_line_is_refused(tmp_path: Path, clusters: str, said: str) -> None:
    person = move_in(tmp_path / "home", f"clusters:\n  {clusters}\n")
    for done in (submithost(person, "--list"), person.fab("--list")):
        line = one_line(done, 2)
        assert said in line
        assert ".fabric.yml" in line


# --- without a cluster


@pytest.mark.parametrize("task", ["submit --script=x", "status", "status --all", "wait", "fetch", "cancel"])
def test_f4_without_a_cluster_no_task_does_anything_here(tmp_path: Path, task: str) -> None:
    person = move_in(tmp_path / "home")
    person.script("x", "#!/bin/sh\ntouch ran\n")
    person.script("qsub", "#!/bin/sh\ntouch ran\n")
    (person.work / "qsub").chmod(0o755)
    before = sorted(person.home.rglob("*"))
    done = submithost(person, *task.split(), PATH=f"{person.work}:{person.environment['PATH']}")
    assert "needs a cluster" in one_line(done, 2)
    assert sorted(person.home.rglob("*")) == before


# --- before a task


SSH_CONFIGS = {
    "ForwardAgent PATH": b"Host *\n  ForwardAgent /tmp/agent\n",
    "ConnectTimeout none": b"Host *\n  ConnectTimeout none\n",
    "Port ${X}": b"Host *\n  Port ${X}\n",
    "CanonicalizeHostname": b"CanonicalizeHostname yes\nCanonicalDomains x.invalid\nCanonicalizeFallbackLocal no\n",
    "not UTF-8": b"# caf\xe9\nHost *\n  User me\n",
    "no ssh_config": b"\x00\xff{}[]\n",
    "Match": b'Match exec "false"\n  Port 1\nMatch nonsense\n',
}


@pytest.mark.parametrize("text", SSH_CONFIGS.values(), ids=SSH_CONFIGS.keys())
def test_f19_no_ssh_config_is_a_traceback(tmp_path: Path, text: bytes) -> None:
    person = move_in(tmp_path / "home")
    (person.home / ".ssh").mkdir()
    file = person.home / ".ssh" / "config"
    file.write_bytes(text)
    # Fabric would read ~/.ssh/config for this, though nothing is to be connected to.
    assert submithost(person, "-H", "x", "render", "--script=hello").stdout.startswith("#!/bin/bash\n")
    person.script("x", "#!/bin/sh\n")
    done = submithost(person, "-S", str(file), "-H", "127.0.0.1:1", "submit", "--script=x", "--key=k")
    assert one_line(done, done.returncode).startswith("submit: ")
    assert done.returncode in (2, 4)


@pytest.mark.parametrize(
    "text", ["clusters: [", "- a\n- b\n", "clusters: &a [*a]\n", "clusters: 3\n", "\t{", "a: *b\n"]
)
@pytest.mark.parametrize("name", [".fabric.yml", "work/fabric.yml"])
def test_f19_a_broken_configuration_is_one_line_and_no_matter_to_version(tmp_path: Path, name: str, text: str) -> None:
    person = move_in(tmp_path / "home")
    (person.home / name).write_text(text)
    assert Path(name).name in one_line(submithost(person, "-H", "x", "status"), 2)
    assert submithost(person, "--version").returncode == 0


def test_f19_fabrics_own_settings_are_not_read(tmp_path: Path) -> None:
    person = move_in(tmp_path / "home", "run: 3\ntasks: {executor_class: nosuch.Thing}\nuser: 5\n")
    (person.home / ".fabric.json").write_text("{")
    (person.home / ".fabric.py").write_text("raise RuntimeError\n")
    done = submithost(person, "-H", "x", "render", "--script=hello", FABRIC_RUN="x", FABRIC_TIMEOUTS_CONNECT="soon")
    assert done.stdout.startswith("#!/bin/bash\n")


@pytest.mark.parametrize(
    "hosts", ["a:b", "a:99999", ",", "a,,b", "-oProxyCommand=x", "@", "[::1", "a b", "a\nb", ":22"]
)
def test_f19_hosts_that_are_none_are_one_line_before_the_first_task(tmp_path: Path, hosts: str) -> None:
    person = move_in(tmp_path / "home")
    done = submithost(person, f"--hosts=x,{hosts}", "render", "--script=hello")
    assert "host" in one_line(done, 2)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch"], "submithost --list shows"),
        (["submitt"], "no task 'submitt'; did you mean 'submit'?"),
        (["status", "weit"], "did you mean 'wait'?"),
        (["submit", "fabfile.py"], "submithost submit --script=fabfile.py"),
        (["--nosuch"], "no flag --nosuch; submithost --help shows"),
        (["--hots=x", "submit"], "did you mean '--hosts'?"),
        (["submit", "--scirpt=x"], "no flag --scirpt of submit; did you mean '--script'?"),
        (["submit", "--zzz"], "submithost --help submit shows"),
        (["submit", "--script"], "--script needs a value"),
        (["-H"], "--hosts needs a value"),
        (["submit", "--lines", "x"], "--lines"),
        (["--list-depth=x", "--list"], "--list-depth takes a number"),
        (["--list-format=x", "--list"], "one of flat, nested, json"),
        (["-H", "x", "--dry", "render", "--script=hello"], "--dry"),
        (["-H", "x", "--", "hostname"], "no commands"),
        (["--print-completion-script", "nosh"], "nosh"),
        (["--list", "nosuch"], "nosuch"),
        (["--help", "submti"], "did you mean 'submit'?"),
    ],
)
def test_wrong_words_are_one_line_and_status_1(tmp_path: Path, words: list[str], said: str) -> None:
    assert said in one_line(submithost(move_in(tmp_path / "home"), *words), 1)


def test_a_reader_that_goes_away_is_no_traceback(tmp_path: Path) -> None:
    person = move_in(tmp_path / "home")
    words = f"{sys.executable} -m tasks --help | true"
    done = subprocess.run(["sh", "-c", words], cwd=person.work, env=person.environment, capture_output=True, text=True)
    assert done.stderr == ""


def test_a_full_disk_and_a_terminal_without_utf_8_are_no_tracebacks(tmp_path: Path) -> None:
    person = move_in(tmp_path / "home", "clusters: {sharc: {host: caf\u00e9}}\n")
    words = [sys.executable, "-m", "tasks", "--list", "--list-depth=1"]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            words, cwd=person.work, env=person.environment, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (2, "[Errno 28] No space left on device\n")
    with open("/dev/full", "w") as full:
        words = [sys.executable, "-m", "tasks", "render", "--script=hello"]
        done = subprocess.run(
            words, cwd=person.work, env=person.environment, stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert (done.returncode, done.stderr) == (2, "render: [Errno 28] No space left on device\n")
    assert r"caf\xe9" in submithost(person, "--list", "--list-depth=1", PYTHONIOENCODING="ascii").stdout


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_bug(tmp_path: Path, closed: str) -> None:
    person = move_in(tmp_path / "home")
    words = f"{sys.executable} -m tasks templates {closed}"
    done = subprocess.run(["sh", "-c", words], cwd=person.work, env=person.environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert ("hello" in done.stdout) == (">&-" not in closed.replace("2>&-", ""))


def test_clusters_says_what_to_do_when_none_is_configured(tmp_path: Path) -> None:
    done = submithost(move_in(tmp_path / "home"), "clusters")
    assert (done.returncode, done.stdout) == (0, "")
    assert "-H ALIAS submit" in done.stderr


def test_a_user_that_is_typed_counts_even_if_it_is_ones_own_name(tmp_path: Path) -> None:
    person = move_in(tmp_path / "home")
    done = submithost(person, "-H", "me@x:22", "render", "--script=hello", LOGNAME="me")
    assert done.stderr == "me@x:22: scheduler not known yet, gridengine assumed\n"


@pytest.mark.parametrize("configured", ["", THREE])
def test_a_list_of_tasks_loads_nothing_that_only_tasks_need(tmp_path: Path, configured: str) -> None:
    person = move_in(tmp_path / "home", configured)
    code = "import sys; from fabric.main import program; program.run(sys.argv, exit=False); print(*sys.modules)"

    def loaded() -> set[str]:
        words = [sys.executable, "-c", code, "--list"]
        done = subprocess.run(
            words, cwd=person.work, env=person.environment, capture_output=True, text=True, check=True
        )
        return set(done.stdout.splitlines()[-1].split())

    ours = loaded()
    assert "tasks.verbs.jobs" in ours
    (person.work / "fabfile.py").write_text("from fabric import task\n\n@task\ndef nothing(c):\n    pass\n")
    # yaml comes with Fabric: Invoke's own copy of it loads the other one.
    assert (ours - loaded()) & {"jinja2", "rich", "yaml", "sqlite3"} == set()


def test_one_namespace_takes_nothing_from_the_next(somebody: Person) -> None:
    """The program words the help of its tasks in its own way, and Invoke takes from it what it has shown."""
    words = "from tasks import namespace; from tasks.program import SubmithostProgram"
    shown = "print([(t.__doc__, sorted(t.help)) for t in map(namespace().__getitem__, ('submit', 'testbed.up'))])"
    once = f"{words}\ntry: SubmithostProgram().run(['submithost', '--help', 'submit'])\nexcept SystemExit: pass"
    said = [
        subprocess.run(
            [sys.executable, "-c", text], cwd=somebody.work, env=somebody.environment,
            capture_output=True, text=True, check=True,
        ).stdout.splitlines()[-1]
        for text in (f"{words}\n{shown}", f"{once}\n{shown}")
    ]  # fmt: skip
    assert said[0] == said[1]


@pytest.mark.parametrize(("flags", "kept"), [([], True), (["-B"], False)])
def test_a_tree_is_compiled_once_and_not_by_every_command_line(tmp_path: Path, flags: list[str], kept: bool) -> None:
    person = move_in(tmp_path / "home", "")
    shutil.copytree(ROOT / "tasks", tmp_path / "tree" / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    environment = {**person.environment, "PYTHONPATH": str(tmp_path / "tree")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(
        [sys.executable, *flags, "-m", "fabric", "--list"], cwd=person.work, env=environment, stdout=subprocess.DEVNULL
    )
    assert done.returncode == 0
    assert bool(list((tmp_path / "tree").rglob("jobs.*.pyc"))) is kept
