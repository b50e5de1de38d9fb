"""A day's work with make: results belong to the script as it is now, and nothing is done twice."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tests.clusters.bench import until
from tests.conftest import ROOT, Person, configured, json_lines, move_in, program, until_there

CLUSTERS = ("sandbox", "sandbox-slurm")
README = (ROOT / "README.md").read_text("utf-8")


def submitted(person: Person, cluster: str) -> list[str]:
    """The IDs of all jobs that were submitted to a cluster from here."""
    return [job["job_id"] for job in json_lines(person.fab("-H", cluster, "jobs", "--json").stdout)]


# --- the text under a job file or a key


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c1_another_text_under_a_job_file_is_a_new_job_once_the_one_before_has_ended(
    commuter: Person, cluster: str
) -> None:
    go = commuter.home / "go"
    commuter.script("x", f"#!/bin/sh\n{until_there(go)}\n")
    words = ["-H", cluster, "submit", "--script=x", "--job-file=x.job"]
    first = commuter.fab(*words)
    assert first.returncode == 0, first.stderr
    commuter.script("x", "#!/bin/sh\necho changed\n")
    before = (commuter.work / "x.job").read_bytes()
    alive = commuter.fab(*words)
    assert (alive.returncode, alive.stdout, alive.stderr.count("\n")) == (2, "", 1), alive.stderr
    (job_id,) = submitted(commuter, cluster)
    for word in (f"job {job_id} ", "changed: the script", "wait --job x.job", "cancel --job x.job", "rm x.job"):
        assert word in alive.stderr
    assert (commuter.work / "x.job").read_bytes() == before
    go.touch()
    assert commuter.fab("wait", "--job=x.job").returncode == 0
    second = commuter.fab(*words, "wait")
    assert second.returncode == 0, second.stderr
    assert second.stdout != first.stdout
    assert commuter.fab("logs", "--job=x.job").stdout == "changed\n"
    assert commuter.fab(*words).stdout == second.stdout
    assert len(submitted(commuter, cluster)) == 2


def test_c1_on_many_clusters_at_once_each_job_file_is_of_the_text_as_it_is_now(commuter: Person) -> None:
    words = ["all.submit", "--script=x", "--job-file={cluster}.job", "all.wait", "--job={cluster}.job"]
    for text in ("one", "one", "two", "two"):
        commuter.script("x", f"#!/bin/sh\necho {text}\n")
        done = commuter.fab(*words)
        assert done.returncode == 0, done.stderr
    for cluster in CLUSTERS:
        assert len(submitted(commuter, cluster)) == 2
        assert commuter.fab("logs", f"--job={cluster}.job").stdout == "two\n"


CHANGES = {
    "script": [],
    "argument": ["--arg=b"],
    "resource": ["--time=200"],
    "option": ["--option=-l h_rt=100"],
    "variable": ["--set", "command=echo other"],
    "input": [],
    "input below": [],
    "input that can be run": [],
    "name": ["--name=other"],
    "array": ["--array=1-2"],
    "hold": ["--hold"],
    "workdir": ["--workdir=/tmp"],
    "bare": ["--bare"],
    "after": ["--after=before"],
}


def test_c1_whatever_makes_the_submission_is_its_text(person: Person) -> None:
    """Each change alone is another text, and without any the job of the key is continued, a touched input or not."""
    person.script(
        "x.sh.j2", "#!/bin/sh\n{{ command | default('true') }}\n# {{ range(9999) | random }} {{ lipsum() }}\n"
    )
    person.script("in", "1")
    (person.work / "d").mkdir()
    person.script("d/f", "1")
    person.submit(person.script("first", "#!/bin/sh\n"), "--key=before")
    words = ["--script=x.sh.j2", "--key=k", "--put=in", "--put=d", "--arg=a"]
    first = person.fab("-H", "sandbox", "submit", *words)
    assert first.returncode == 0, first.stderr
    os.utime(person.work / "in", (1, 1))
    assert person.fab("-H", "sandbox", "submit", *words).stdout == first.stdout
    for what, flags in CHANGES.items():
        template = (person.work / "x.sh.j2").read_text()
        if what == "script":
            person.script("x.sh.j2", f"{template}\n")
        if what == "input":
            person.script("in", "2")
        if what == "input below":
            person.script("d/f", "2")
        if what == "input that can be run":
            (person.work / "d/f").chmod(0o755)
        refused = person.fab("-H", "sandbox", "submit", *words, *flags)
        assert (refused.returncode, refused.stdout) == (2, ""), what
        assert "choose another key" in refused.stderr, what
        person.script("x.sh.j2", template)
        person.script("in", "1")
        person.script("d/f", "1")
        (person.work / "d/f").chmod(0o644)
    settings = (person.home / ".fabric.yml").read_text()
    (person.home / ".fabric.yml").write_text(
        settings.replace("  sandbox:\n", "  sandbox:\n    resources: {time: 77}\n")
    )
    refused = person.fab("-H", "sandbox", "submit", *words)
    assert (refused.returncode, "the cluster's defaults" in refused.stderr) == (2, True), refused.stderr
    (person.home / ".fabric.yml").write_text(settings)
    assert person.fab("-H", "sandbox", "submit", *words).stdout == first.stdout


def test_c1_a_key_has_one_text_from_wherever_it_is_submitted(person: Person, cells: dict[str, Cell]) -> None:
    """The job directory knows the text, where neither ledger nor job file do."""
    there = move_in(person.home / "elsewhere", configured(["sandbox"]))
    words = ["-H", "sandbox", "submit", "--script=x", "--key=one-key"]
    for somebody in (person, there):
        somebody.script("x", "#!/bin/sh\n")
    first = person.fab(*words)
    assert first.returncode == 0, first.stderr
    assert there.fab(*words).stdout == first.stdout
    (there.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    there.script("x", "#!/bin/sh\n# changed\n")
    for _ in range(2):
        refused = there.fab(*words)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
        assert "another text (changed: the script)" in refused.stderr


def test_c1_what_an_earlier_version_began_is_continued(person: Person) -> None:
    """It wrote down no more than a digest of the script."""
    words = ["-H", "sandbox", "submit", "--script=x", "--job-file=x.job"]
    person.script("x", "#!/bin/sh\n")
    first = person.fab(*words)
    record = json.loads((person.work / "x.job").read_text())
    del record["digest"], record["in_part_at"]
    (person.work / "x.job").write_text(json.dumps(record))
    (person.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    person.script("x", "#!/bin/sh\n# changed\n")
    again = person.fab(*words)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert "belongs to another text of the script; continuing that submission" in again.stderr


# --- README's Makefile


class Making:
    """README's Makefile, for as many models as wanted, and real make. Each run of a body leaves a line in `ran`."""

    def __init__(self, person: Person, cluster: str, models: int = 1) -> None:
        self.person, self.cluster = person, cluster
        self.ran = person.home / "ran"
        block = re.search(r"```make\n(.*?)```", README, re.S)
        assert block
        rules = block[1].replace("sharc", cluster)
        text = f"all: {' '.join(f'result{n}.csv' for n in range(models))}\n"
        for n in range(models):
            text += rules.replace("model.", f"model{n}.").replace("result.", f"result{n}.")
        (person.work / "Makefile").write_text(text)
        fab = program(person.home / "bin" / "fab", f'#!/bin/sh\nexec {sys.executable} -m fabric "$@"\n')
        self.environment = {**person.environment, "PATH": f"{fab.parent}:{person.environment['PATH']}"}

    def edit(self, words: str, n: int = 0, then: str = "") -> None:
        """Write a script that leaves these words as its result, and `then` goes on."""
        lines = f"echo {words} >> '{self.ran}'\necho {words} > result{n}.csv\n{then}\n"
        self.person.script(f"model{n}.sh", f"#!/bin/sh\n{lines}")

    def make(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["make", *words], cwd=self.person.work, env=self.environment, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=200,
        )  # fmt: skip

    def made(self, words: str, n: int = 0) -> None:
        """Make: that is the result then, and there is nothing left to do."""
        done = self.make()
        assert done.returncode == 0, done.stderr
        assert (self.person.work / f"result{n}.csv").read_text() == f"{words}\n"
        self.nothing_to_do()

    def nothing_to_do(self) -> None:
        again = self.make()
        assert "Nothing to be done" in again.stdout, again.stdout

    def runs(self) -> list[str]:
        return sorted(self.ran.read_text().splitlines())

    def interrupted(self, how: signal.Signals, *words: str, when: Path) -> None:
        """Make, and a signal for all of it when this file is there."""
        making = subprocess.Popen(
            ["make", *words], cwd=self.person.work, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        )  # fmt: skip
        until(when.exists)
        os.killpg(making.pid, how)
        assert making.wait(60) != 0


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c1_readmes_makefile_through_a_day_of_edits_failures_and_repairs(commuter: Person, cluster: str) -> None:
    day = Making(commuter, cluster)
    job_file = commuter.work / "model0.job"
    day.edit("one")
    day.made("one")
    (commuter.work / "model0.sh").touch()  # newer, and the same
    kept = job_file.stat().st_mtime_ns
    assert day.make().returncode == 0
    assert job_file.stat().st_mtime_ns == kept
    day.edit("two")
    day.made("two")
    flag = commuter.home / "flag"
    day.edit("three", then=f"[ -e '{flag}' ] || {{ echo partial > result0.csv; exit 3; }}")
    for _ in range(2):
        failed = day.make()
        assert failed.returncode == 2
        assert "failed with exit status 3" in failed.stderr
        assert (commuter.work / "result0.csv").read_text() == "two\n"
    (commuter.work / "model0.sh").touch()
    assert "run it again: fab resubmit --job model0.job" in day.make().stderr
    flag.touch()
    repaired = commuter.fab("resubmit", "--job=model0.job")
    assert repaired.returncode == 0, repaired.stderr
    assert "model0.job" in repaired.stderr
    day.made("three")
    day.edit("four")
    day.made("four")
    assert day.runs() == sorted(["one", "two", "three", "three", "four"])
    assert len(submitted(commuter, cluster)) == 5


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_c1_make_that_is_ended_while_it_submits_goes_on_with_the_same_jobs(
    commuter: Person, how: signal.Signals
) -> None:
    day = Making(commuter, "sandbox", models=4)
    for n in range(4):
        day.edit(f"first{n}", n)
    day.interrupted(how, "-j4", when=commuter.work / "model2.job")
    assert day.make("-j4").returncode == 0
    day.nothing_to_do()
    day.edit("edited", 1)
    before = (commuter.work / "model1.job").read_bytes()
    making = subprocess.Popen(
        ["make", "-j4"], cwd=commuter.work, env=day.environment, stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    until(lambda: (commuter.work / "model1.job").read_bytes() != before)
    os.killpg(making.pid, how)
    making.wait(60)
    assert day.make("-j4").returncode == 0
    day.nothing_to_do()
    assert day.runs() == ["edited", "first0", "first1", "first2", "first3"]
    assert [(commuter.work / f"result{n}.csv").read_text() for n in range(4)] == [
        "first0\n", "edited\n", "first2\n", "first3\n"
    ]  # fmt: skip


def test_c1_a_submission_that_was_refused_is_repeated_by_make(person: Person) -> None:
    day = Making(person, "sandbox")
    person.script("model0.sh", "#!/bin/sh\n#$ -q nosuch.q\n")
    assert day.make().returncode == 2
    refused = day.make()
    assert refused.returncode == 2
    assert "nosuch.q" in refused.stderr
    day.edit("right")
    day.made("right")
    assert len(submitted(person, "sandbox")) == 1


CHAIN = """\
b.csv: b.job
\tfab wait --job b.job fetch --job b.job --only=b.csv --to=. --force
\ttouch b.csv
b.job: b.sh a.job
\tfab -H sandbox submit --script=b.sh --job-file=b.job --after=a.job
a.job: a.sh
\tfab -H sandbox submit --script=a.sh --job-file=a.job
.PRECIOUS: a.job b.job
"""


def test_c1_a_chain_of_jobs_is_made_again_from_what_was_changed_or_repaired(person: Person) -> None:
    day = Making(person, "sandbox")
    (person.work / "Makefile").write_text(CHAIN)
    data, flag = person.home / "data", person.home / "flag"
    person.script("b.sh", f"#!/bin/sh\ncp '{data}' b.csv\n")
    for text in ("one", "two"):
        person.script("a.sh", f"#!/bin/sh\necho {text} > '{data}'\n")
        done = day.make()
        assert (done.returncode, (person.work / "b.csv").read_text()) == (0, f"{text}\n"), done.stderr
        assert "up to date" in day.make().stdout
    person.script("a.sh", f"#!/bin/sh\n[ -e '{flag}' ] && echo three > '{data}'\n")
    assert day.make().returncode == 2
    flag.touch()
    assert person.fab("resubmit", "--job=a.job").returncode == 0
    done = day.make()
    assert (done.returncode, (person.work / "b.csv").read_text()) == (0, "three\n"), done.stderr
    assert "up to date" in day.make().stdout
    assert len(submitted(person, "sandbox")) == 8  # two of each, one of each that failed, and their repairs
