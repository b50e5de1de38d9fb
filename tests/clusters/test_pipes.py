"""What can be read only once is read once: scripts and variables that a program makes, `--script=<(make-script)`."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys

from tasks.testbed.cell import Cell
from tests.conftest import Person, json_lines


def bash(person: Person, words: str) -> subprocess.CompletedProcess[str]:
    """Type `fab WORDS` in a bash."""
    command = f"{shlex.quote(sys.executable)} -m fabric {words}"
    return subprocess.run(
        ["bash", "-c", command], cwd=person.work, env=person.environment, input="#!/bin/sh\necho on stdin\n",
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_house6_all_clusters_get_the_script_and_the_variables_that_one_pipe_has(
    person: Person, cells: dict[str, Cell]
) -> None:
    """And those of the next task on the line, when the workers are there already."""
    person.script("x.sh.j2", "#!/bin/sh\necho {{ what }}\n")
    lines = ["<(printf '#!/bin/sh\\necho made\\n')", "x.sh.j2 --vars=<(echo 'what: given')", "/dev/stdin"]
    done = bash(person, " ".join(f"all.submit --hold --json --script={line}" for line in lines))
    assert done.returncode == 0, done.stderr
    texts: dict[str, set[str]] = {}
    for job in json_lines(done.stdout):
        (script,) = list(cells[job["cluster"]].home.glob(f".submithost/jobs/{job['key']}/.submithost/script"))
        texts.setdefault(job["cluster"], set()).add(script.read_text().splitlines()[1])
    assert texts == {key: {"echo made", "echo given", "echo on stdin"} for key in cells}


def test_house6_one_pipe_is_one_submission(person: Person) -> None:
    """However often the script is looked at; with a job file it is looked at again."""
    words = "-H sandbox submit --hold --job-file=x.job --script=<(printf '#!/bin/sh\\necho made\\n')"
    first, second = bash(person, words), bash(person, words)
    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert first.stdout == second.stdout
    assert re.fullmatch(r"Your job \d+ .*\n", first.stdout)


def test_house6_what_is_empty_is_refused_as_by_hand(person: Person) -> None:
    for words in ("all.submit --script=<(true)", "-H sandbox submit --script=<(true)"):
        done = bash(person, words)
        assert (done.returncode, done.stdout) == (2, ""), words
        assert "the script is empty" in done.stderr
    put = bash(person, "-H sandbox submit --script=/dev/stdin --put=<(echo some)")
    assert (put.returncode, put.stdout) == (2, "")
    assert "neither a file nor a directory" in put.stderr
