"""README's sessions do what README says, but for the cluster's name, its numbers and its times."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT, Person, program

README = (ROOT / "README.md").read_text("utf-8")


def session(script: str) -> list[tuple[str, str]]:
    """The commands of the console block that shows this script, each with what it prints."""
    (block,) = (text for text in re.findall(r"```console\n(.*?)```", README, re.S) if f"$ cat {script}\n" in text)
    parts = re.split(r"^\$ (.*)\n", block, flags=re.M)
    return list(zip(parts[1::2], parts[2::2], strict=True))


def plain(text: str) -> list[str]:
    """What does not differ from run to run. Lines of stdout and stderr may come in any order."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", "TIME", text)
    text = re.sub(r'-[0-9a-f]{10}"', '-KEY"', text)
    text = re.sub(r'"directory": "[^"]*/(?=\.submithost)', '"directory": "HOME/', text)
    text = re.sub(r"after \d+ s", "after N s", text)
    text = re.sub(r"^\w+(?= has deleted )", "USER", text, flags=re.M)
    text = re.sub(r"\(/\S*-[0-9a-f]{10}/", "(HOME/KEY/", text)
    text = re.sub(r"\d (running|pending) again", "1 live again", text)
    lines = [line for line in text.splitlines() if not re.search(r" is (pending|running)$", line)]
    return sorted(lines)


# What is the same on every scheduler, where the causes of failures and their words are not.
ALIKE = ("cat ", "echo ", "fab fetch ")
# What the scheduler answers to a submission is its own.
ANSWER = re.compile(r"^(?:Your job(?:-array)? |Submitted batch job )(\d+).*$", re.M)


@pytest.mark.parametrize("cluster", ["sandbox", "sandbox-slurm"])
@pytest.mark.parametrize(("script", "least"), [("seven.sh", 9), ("sim.sh", 3), ("model.sh", 9)])
def test_the_sessions_are_as_shown(commuter: Person, tmp_path: Path, cluster: str, script: str, least: int) -> None:
    commands = session(script)
    assert len(commands) >= least
    commuter.script(script, dict(commands)[f"cat {script}"])
    settings = commuter.home / ".fabric.yml"  # with a request for memory that the scheduler watches over
    settings.write_text(settings.read_text().replace("memory: rmem", "memory: h_vmem"))
    (commuter.work / "job_templates").symlink_to(ROOT / "job_templates")
    programs = program(tmp_path / "bin" / "fab", f'#!/bin/sh\nexec {sys.executable} -m fabric "$@"\n').parent

    numbers: dict[str, str] = {}
    status = 0
    for command, shown in commands:
        typed = command.replace("sharc", cluster).replace("echo $?", f"echo {status}")
        for number, real in numbers.items():
            typed = typed.replace(number, real)
        done = subprocess.run(
            ["bash", "-c", typed], cwd=commuter.work, text=True, timeout=120, stdin=subprocess.DEVNULL,
            env={**commuter.environment, "PATH": f"{programs}:{commuter.environment['PATH']}"},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        status = done.returncode
        if submitted := ANSWER.search(shown):
            real = ANSWER.search(done.stdout)
            assert real or cluster != "sandbox", done.stdout
            numbers[submitted[1]] = real[1] if real else ""
            shown = shown.replace(submitted[0], real[0]) if real and cluster != "sandbox" else shown
        expected = shown.replace("sharc", cluster)
        for number, real_number in numbers.items():
            expected = expected.replace(number, real_number)
        if (script, cluster) != ("model.sh", "sandbox-slurm") or command.startswith(ALIKE):
            assert plain(done.stdout) == plain(expected), command


def test_the_program_does_what_it_says(person: Person) -> None:
    (text,) = re.findall(r"```python\n(from submithost import .*?)```", README, re.S)
    assert len(text.splitlines()) <= 15
    for shown, here in (("submithost", "tasks"), ("sharc", "sandbox"), ("iceberg", "sandbox2")):
        text = re.sub(rf'(?<=["]){shown}(?=")|(?<=from ){shown}', here, text)
    person.script("model.sh", '#!/bin/sh\necho "$1" >seed\n[ "$1" != 5 ]\n')
    person.script("input.csv", "1,2\n")
    done = subprocess.run(
        [sys.executable, "-c", text], cwd=person.work, env=person.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.stderr == ""
    *succeeded, failed = done.stdout.splitlines()
    assert [line.split()[:2] for line in succeeded] == 3 * [["sandbox", "succeeded"]] + [["sandbox2", "succeeded"]]
    assert re.match(r'job \d+ \("model.sh"\) on sandbox2 failed', failed)
    assert sorted(path.read_text() for path in (person.work / "results").glob("*/seed")) == ["1\n", "2\n", "3\n", "4\n"]


def test_every_task_and_every_flag_that_readme_names_is_there_and_no_other(person: Person) -> None:
    rows = re.findall(r"^\| (`[a-z.`]+(?: `[a-z.]+`)*) \| [^|]+ \|(.*)\|$", README.replace("\\|", "/"), re.M)
    named = {
        task: set(re.findall(r"`--([a-z-]+)", flags)) for tasks, flags in rows for task in re.findall("[a-z.]+", tasks)
    }
    listed = set(re.findall(r"^  ([a-z.]+)  ", person.fab("--list").stdout, re.M))
    root = {task for task in listed if not task.startswith("sandbox")}
    assert set(named) == root
    for task, flags in named.items():
        if task.startswith("testbed"):
            continue
        shown = set(re.findall(r"^  --([a-z-]+)", person.fab("--help", task).stdout, re.M))
        if task.startswith("all."):
            flags = flags | named[task.removeprefix("all.")]
        # `--job` stands for all flags that select jobs, as README says below its table.
        selecting = {"job", *({"group", "state", "since", "all"} if "since" in shown else ())}
        assert flags - selecting == shown - selecting, task
