"""The template `lines`: which lines of a file are tasks, and what each task finds, whatever is in the file."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tasks.rendering import describe, find

from .plain import ROOT, refusal, rendered

TEMPLATE = (ROOT / "job_templates/lines.sh.j2").read_text()
# As the template's own description has it.
COUNTED = "grep -c '[^[:space:]]' FILE"

# What is in the file, and the lines that somebody wants a job for.
FILES = {
    "plain": (b"one\ntwo\nthree\n", ["one", "two", "three"]),
    "no newline at the end": (b"one\ntwo\nthree", ["one", "two", "three"]),
    "one line without its end": (b"one", ["one"]),
    "blank lines": (b"\none\n\n\ntwo\n\n", ["one", "two"]),
    "lines of blanks and tabs": (b"one\n   \n\t\ntwo\n \t ", ["one", "two"]),
    "Windows": (b"one\r\ntwo\r\n\r\nthree\r\n", ["one", "two", "three"]),
    "Windows without the last end": (b"one\r\ntwo", ["one", "two"]),
    "a byte order mark": (b"\xef\xbb\xbfone\ntwo\n", ["one", "two"]),
    "blanks around": (b"  one \n\ttwo\t\n", ["  one ", "\ttwo\t"]),
    "quotes and dollars": (b'it\'s "a" $(b) `c` $HOME *\n', ['it\'s "a" $(b) `c` $HOME *']),
    "backslashes": (b"a\\nb\\\\ c\\\nd\n", ["a\\nb\\\\ c\\", "d"]),
    "what echo and awk take for options": (b"-n\n-e x\nv=1\n", ["-n", "-e x", "v=1"]),
    "comments are lines": (b"# a\nb # c\n", ["# a", "b # c"]),
    "not UTF-8": (b"caf\xe9\nb\n", ["caf\udce9", "b"]),
    "UTF-8": ("día\nñ\n".encode(), ["día", "ñ"]),
}


def task(folder: Path, number: int, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the script as one task."""
    script = rendered(TEMPLATE, command='printf "%s" "$LINE"', **variables)
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env={"PATH": "/usr/bin:/bin", "TASK": str(number)},
        capture_output=True, text=True, errors="surrogateescape", timeout=20,
    )  # fmt: skip


@pytest.mark.parametrize(("data", "expected"), FILES.values(), ids=FILES.keys())
def test_c6_each_line_that_is_not_blank_is_one_task(tmp_path: Path, data: bytes, expected: list[str]) -> None:
    name = "my 'inputs'"
    (tmp_path / name).write_bytes(data)
    count = COUNTED.replace("FILE", f'"{name}"')
    counted = subprocess.run(["sh", "-c", count], cwd=tmp_path, capture_output=True, text=True).stdout
    assert int(counted) == len(expected)
    done = [task(tmp_path, number, file=name, lines=counted.strip()) for number in range(1, len(expected) + 1)]
    assert [each.stdout for each in done] == expected
    assert [each.returncode for each in done] == [0] * len(expected), done[0].stderr
    beyond = task(tmp_path, len(expected) + 1, file=name, lines=counted.strip())
    assert (beyond.returncode, beyond.stdout) == (1, "")
    assert beyond.stderr == f"{name} has no line {len(expected) + 1}\n"


def test_c6_the_template_says_how_to_count_the_lines() -> None:
    (about,) = [each.about for each in describe(find("lines")).variables if each.name == "lines"]
    assert COUNTED in about


def test_c6_a_file_with_more_lines_than_were_counted_runs_nothing(tmp_path: Path) -> None:
    """`wc -l` counts one line too few where the last has no end: no line is left out in silence."""
    (tmp_path / "inputs").write_text("one\ntwo\nthree")
    done = task(tmp_path, 1, file="inputs", lines="2")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "inputs has more than 2 lines, and so not each of them has a task: count them again\n"


def test_c6_a_file_that_is_missing_is_named(tmp_path: Path) -> None:
    done = task(tmp_path, 1, file="inputs", lines="2")
    assert done.returncode == 1
    assert "inputs: No such file or directory" in done.stderr


@pytest.mark.parametrize(
    ("lines", "said"), [("0", "has no task in it"), ("", "is not a range"), ("x", "is not a range")]
)
def test_c6_an_empty_file_is_refused_before_anything_is_sent(lines: str, said: str) -> None:
    assert said in refusal(TEMPLATE, command="x", file="f", lines=lines)
