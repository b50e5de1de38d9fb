"""`status --watch` on small terminals, and who is told when a wait ends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import Person, json_lines, program, until_there
from tests.terminal import Terminal

STATES = "pending|held|running|succeeded|failed"
# Three tasks that end when they are told to, one of them badly.
TASKS = """#!/bin/sh
{wait}
[ "${{SGE_TASK_ID:-$SLURM_ARRAY_TASK_ID}}" -ne 2 ]
"""


@pytest.mark.parametrize(("cluster", "columns"), [("sandbox", 80), ("sandbox-slurm", 40)])
def test_what_is_watched_fits_the_screen_and_says_what_changed_last(
    commuter: Person, tmp_path: Path, cluster: str, columns: int
) -> None:
    commuter.script("x", TASKS.format(wait=until_there(tmp_path / "go")))
    commuter.script("held", "#!/bin/sh\n")
    held = ["submit", "--script=held", "--hold", "--name=a-name-that-is-longer-than-others"]
    done = commuter.fab("-H", cluster, "submit", "--script=x", "--array=1-3", *held)
    assert done.returncode == 0, done.stderr
    with Terminal(commuter, ["fabric", "-H", cluster, "status", "--all", "--watch"], columns) as terminal:
        terminal.until(lambda text: re.search(r"2 jobs with 4 tasks:\s+3 running,\s+1 held", text))
        assert not terminal.scrolled()
        (tmp_path / "go").touch()
        terminal.until(lambda text: re.search(r"1 failed,\s+1 held,\s+2 succeeded", text))
        head, first, second, *below = terminal.screen()
        assert not terminal.scrolled()
        terminal.type("\x03")
        assert terminal.to_the_end() == 1
        left = terminal.text()
    # No state is broken or cut; and in the end the table alone is left.
    assert [row.split()[2] for row in (first, second)] == ["failed", "held"]
    assert all(len(line) <= columns - 2 for line in (head, first, second, *below))
    news = rf"(last: )?\d+( x)?: \d more ({STATES})(, \d more ({STATES}))*"
    assert re.fullmatch(rf"{news} 2 jobs with 4 tasks: 1 failed, 1 held, 2 succeeded", " ".join(below)), below
    assert "tasks" not in left
    commuter.fab("-H", cluster, "cancel", "--all", "--yes")


NOTE = 'echo "$SUBMITHOST_CLUSTER $SUBMITHOST_STATE $SUBMITHOST_JOB" >> noted; echo said'


def test_who_wants_to_be_told_is_told_however_a_wait_ends(person: Person) -> None:
    """By the command line's own words, the bell, and the desktop where there is one; a failing command is a warning."""
    desktop = program(person.home / "bin" / "notify-send", '#!/bin/sh\nfor word; do echo "$word"; done >> desktop\n')
    person.environment["PATH"] = f"{desktop.parent}:{person.environment['PATH']}"
    person.script("x", "#!/bin/sh\nexit $1\n")
    told = ("--notify", f"--notify-command={NOTE}")
    waited = person.fab("-H", "sandbox", "submit", "--script=x", "--arg=0", "--wait", "--json", *told)
    assert waited.returncode == 0, waited.stderr
    (job,) = json_lines(waited.stdout)  # what the command prints is no data
    assert waited.stderr.endswith("said\n")
    words = ["submit", "--script=x", "--arg=3", "--name=odd", "submit", "--script=x", "--hold", "--arg=0"]
    timed_out = person.fab("-H", "sandbox", *words, "wait", "--job=last", "--timeout=1", *told)
    assert timed_out.returncode == 6, timed_out.stderr
    ids = re.findall(r"^Your job (\d+)", timed_out.stdout, re.M)
    with Terminal(
        person, ["fabric", "-H", "sandbox", "wait", f"--job={ids[0]}", "--notify", "--notify-command=exit 7"]
    ) as terminal:
        assert terminal.to_the_end() == 3
        assert terminal.raw.count(b"\a") == 1
        assert "--notify-command failed with exit status 7: exit 7" in terminal.text()
    assert (person.work / "noted").read_text().splitlines() == [
        f"sandbox succeeded {job['job_id']}", f"sandbox held {ids[1]}"
    ]  # fmt: skip
    assert (person.work / "desktop").read_text().splitlines() == [
        word
        for text in (
            f'job {job["job_id"]} ("x") on sandbox: succeeded',
            f'job {ids[1]} ("x") on sandbox: held',
            f'job {ids[0]} ("odd") on sandbox: failed',
        )
        for word in ("--app-name=submithost", "--", "submithost", text)
    ]
    person.fab("-H", "sandbox", "cancel", f"--job={ids[1]}")
    for words in (["submit", "--script=x", "--notify"], ["status", f"--notify-command={NOTE}"]):
        refused = person.fab("-H", "sandbox", *words)
        assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (2, "", 1), refused.stderr
