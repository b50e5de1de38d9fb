"""Accounting that takes long: a file of gigabytes that qacct reads from end to end (G27)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import yaml

from tests.conftest import Person, program

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
