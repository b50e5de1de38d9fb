"""A third scheduler is one file, whether it can a little or only submit, and so is a new verb."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.sshd import extra_sshd
from tests.conftest import ROOT, Person, move_in


@pytest.fixture(scope="module")
def person(cells: dict[str, Cell], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Person]:
    """Somebody whose tree has these files in it, and nothing else changed; Grid Engine's login node is theirs."""
    place = tmp_path_factory.mktemp("third")
    with extra_sshd(cells["sandbox"], "third") as door:
        at = f"{{host: third, ssh_config: '{door.ssh_config}'"
        person = move_in(place / "person", "")
        (person.work / "fabric.yml").write_text(
            f"clusters:\n  alone: {at}, scheduler: background}}\n  bare: {at}, scheduler: plain}}\n  both: {at}}}\n"
        )
        shutil.copytree(ROOT / "tasks", place / "tree" / "tasks")
        shutil.copytree(
            ROOT / "tests" / "schedulers" / "third", place / "tree" / "tasks" / "schedulers", dirs_exist_ok=True
        )
        shutil.copy(ROOT / "tests" / "verbs" / "added" / "touching.py", place / "tree" / "tasks" / "verbs")
        person.environment["PYTHONPATH"] = str(place / "tree")
        person.script("x", "#!/bin/sh\necho out\nsleep 1\nexit 7\n")
        yield person


def test_a_third_scheduler_is_one_file(person: Person) -> None:
    done = person.fab("-H", "alone", "submit", "--script=x", "--fetch=results")
    assert done.returncode == 3, done.stderr
    assert "failed with exit status 7" in done.stderr
    assert (person.work / "results" / "out.txt").read_text() == "out\n"
    person.script("long", "#!/bin/sh\nexec sleep 100\n")
    assert person.fab("-H", "alone", "submit", "--script=long").returncode == 0
    assert "killed" in person.fab("-H", "alone", "cancel").stdout
    assert person.fab("-H", "alone", "wait").returncode == 3
    assert "no array jobs" in person.fab("-H", "alone", "submit", "--script=x", "--array=1-2").stderr


def test_a_new_verb_is_one_file(person: Person) -> None:
    """It is listed, has help, takes jobs as all do, fails as all do, and works on many clusters at once."""
    assert person.fab("-H", "alone", "submit", "--script=x", "--wait").returncode == 3
    job = person.jobs(cluster="alone")[0]
    done = person.fab("alone.touch", "--job", job["key"], "--file=a b", "touch", "--file=x")
    assert (done.returncode, done.stderr) == (
        2,
        "touch: this task needs a cluster: fab -H CLUSTER TASK, or fab CLUSTER.TASK for a configured one\n",
    )
    assert done.stdout == f"{job['directory']}/a b\n"
    assert person.fab("-H", "alone", "fetch", "--only=a b", "--to=touched").returncode == 0
    assert (person.work / "touched" / "a b").read_bytes() == b""
    none = person.fab("-H", "alone", "touch", "--job=none", "--file=x")
    assert (none.returncode, none.stderr.count("\n")) == (2, 1)
    assert "empty file" in person.fab("--help", "all.touch").stdout
    assert person.fab("all.touch", "--clusters=alone", "--file=c").returncode == 0


def test_of_two_schedulers_that_a_login_node_has_the_one_of_higher_rank_is_found(person: Person) -> None:
    done = person.fab("-H", "both", "queues")
    assert done.returncode == 0, done.stderr
    assert "found gridengine" in done.stderr  # though `background` is there too, and comes first in the alphabet


CANNOT = "the scheduler plain cannot "
ASKED = [
    (("status",), 5, CANNOT + "list jobs"),
    (("wait",), 5, CANNOT + "list jobs"),
    (("cancel",), 5, CANNOT + "cancel jobs"),
    (("hold",), 5, CANNOT + "hold jobs"),
    (("release",), 5, CANNOT + "release jobs"),
    (("queues",), 5, CANNOT + "tell how busy"),
    (("adopt", "--job=12"), 5, CANNOT + "tell of jobs"),
    (("submit", "--script=x", "--array=1-2"), 2, "--array: the scheduler plain has no array jobs"),
    (("submit", "--script=x", "--time=1:00"), 2, "--time: the scheduler plain has no time limits"),
    (("submit", "--script=x", "--hold"), 2, "--hold: the scheduler plain has no holds"),
]


def test_a_scheduler_that_can_only_submit_is_one_file_and_says_of_all_else_that_it_cannot(person: Person) -> None:
    done = person.fab("-H", "bare", "submit", "--script=x")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("request ")
    (person.work / "full").touch()
    refused = person.fab("-H", "bare", "submit", "--script=x", "--put=full")
    assert refused.returncode == 5, refused.stderr
    assert refused.stderr.splitlines()[-1].endswith("no more jobs"), refused.stderr
    for words, status, line in ASKED:
        asked = person.fab("-H", "bare", *words)
        assert asked.returncode == status, (words, asked.stderr)
        assert line in asked.stderr.splitlines()[-1], (words, asked.stderr)
        assert "Traceback" not in asked.stderr
