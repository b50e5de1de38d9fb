"""Accounting that takes long: a file of gigabytes that qacct reads from end to end (G27)."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import yaml

from tasks.testbed.cell import Cell
from tests.conftest import Person, json_lines, program

from .bench import until

SLOW = """\
#!/bin/sh
echo "$$ $*" >>'{seen}'
{then}
exec /usr/bin/qacct "$@"
"""


def slowly(person: Person, tmp_path: Path, then: str) -> Path:
    """Put a qacct before the real one that says what it was asked, and then does this first."""
    seen = tmp_path / "seen"
    program(tmp_path / "bin" / "qacct", SLOW.format(seen=seen, then=then))
    file = person.home / ".fabric.yml"
    configured = yaml.safe_load(file.read_text())
    configured["clusters"]["sandbox"]["setup"] = [f"PATH={tmp_path}/bin:$PATH; export PATH"]
    file.write_text(yaml.safe_dump(configured))
    return seen


def test_the_accounting_is_read_once_for_all_jobs_and_its_signs_of_life_are_no_answer(
    person: Person, tmp_path: Path
) -> None:
    seen = slowly(person, tmp_path, "sleep 11")
    codes = (0, 3, 0)
    jobs = [
        person.submit(person.script(f"b{number}.sh", f"#$ -S /bin/sh\nexit {code}\n"), "--bare")
        for number, code in enumerate(codes)
    ]
    words = [f"--job={job}" for job in jobs]
    done = person.fab("-H", "sandbox", "wait", "--timeout=100", *words)
    assert done.returncode == 3, done.stderr
    found = {job["job_id"]: job["exit_status"] for job in person.jobs(*words)}
    assert found == dict(zip(jobs, codes, strict=True))
    asked = [line.split()[1:] for line in seen.read_text().splitlines()]
    assert all(words[0] == "-o" and words[2:] == ["-j"] for words in asked), asked


def test_a_reading_of_the_accounting_ends_with_whoever_asked_for_it(person: Person, tmp_path: Path) -> None:
    seen = slowly(person, tmp_path, "sleep 1000")
    script = person.script("b.sh", "#$ -S /bin/sh\n")
    assert person.fab("-H", "sandbox", "submit", f"--script={script}", "--bare").returncode == 0
    process = person.start("-H", "sandbox", "wait")
    until(lambda: seen.exists())
    process.send_signal(signal.SIGKILL)
    process.communicate()
    pid = int(seen.read_text().split()[0])
    until(lambda: not os.path.exists(f"/proc/{pid}"))


def test_e6_a_large_accounting_is_read_once_for_all_jobs_and_whoever_waits_is_told(
    person: Person, tmp_path: Path, cells: dict[str, Cell]
) -> None:
    """With other people's records in front, in a pipe that keeps what it has until it is full, as `qacct | grep` is."""
    accounting = cells["sandbox"].root / "default" / "common" / "accounting"
    seen = slowly(
        person,
        tmp_path,
        """/usr/bin/qacct "$@" | grep . >'{kept}'
sleep 4
exec cat '{kept}'""".format(kept=tmp_path / "kept"),
    )
    codes = [0, 3, 0, 0, 4, 0, 0, 0]
    script = person.script("b.sh", "#$ -S /bin/sh\nexit $1\n")
    words = [f"submit --script={script} --bare --arg={code}".split() for code in codes]
    done = person.fab("-H", "sandbox", *(word for line in words for word in line))
    jobs = re.findall(r"Your job (\d+) ", done.stdout)
    accounting.touch()

    def records() -> dict[str, list[str]]:
        lines = [line.split(":") for line in accounting.read_text().splitlines()]
        return {fields[5]: fields for fields in lines if len(fields) > 5}

    until(lambda: set(jobs) <= records().keys())
    other = records()[jobs[0]]
    other[3] = "other"
    with accounting.open("a") as file:
        file.writelines(":".join([*other[:5], str(number), *other[6:]]) + "\n" for number in range(10**6, 10**6 + 5000))
    waited = person.fab("-H", "sandbox", "wait", "--json", "--timeout=100", *(f"--job={job}" for job in jobs))
    assert waited.returncode == 3, waited.stderr
    assert {job["job_id"]: job["exit_status"] for job in json_lines(waited.stdout)} == dict(
        zip(jobs, codes, strict=True)
    )
    assert len(seen.read_text().splitlines()) == 1
    told = [line for line in waited.stderr.splitlines() if "accounting" in line]
    assert told == ["sandbox: still asking how jobs ended; of some only the accounting tells, and that is being read"]
