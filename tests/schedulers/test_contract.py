"""What every scheduler's module keeps, whichever it is."""

from __future__ import annotations

import contextlib
import inspect
import re
import subprocess
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import InvalidInput, SchedulerError
from tasks.model.job import State
from tasks.model.resources import Resources, TaskRange, parse_resources
from tasks.schedulers import known, scheduler
from tasks.schedulers.gridengine.queue import state_of as state_of_gridengine
from tasks.schedulers.seam import Question, Scheduler
from tasks.schedulers.slurm.states import state_of as state_of_slurm
from tasks.schedulers.values import Submission, Submitted
from tests.conftest import ROOT

EVERY = [scheduler(name) for name in known()]
every = pytest.mark.parametrize("each", EVERY, ids=known())
ASKED = parse_resources(
    time="1:30:00", memory="2G", cores="4", gpus="1", array="1-9:2", at_once="2", name="n", mail="a@b.c", mail_on="ea",
    queue="long", project="p",
)  # fmt: skip
TEXT = st.text(max_size=200) | st.binary(max_size=200).map(lambda data: data.decode("utf-8", "replace"))
PIECES = ["JobId=12 ", "12|1-3|RUNNING|x\n", "12_3|FAILED|1:0|||\n", "<?xml", "</job_info>", "jobnumber 12\n", "=\n"]
LIKE_IT = st.lists(st.sampled_from(PIECES) | TEXT, max_size=8).map("".join)


@pytest.mark.parametrize(
    ("module", "words"),
    [
        ("gridengine", r"qsub|qstat|qacct|qdel|qalter|qhold|qrls|qconf|SGE_"),
        ("slurm", r"slurm|sbatch|squeue|sacct|scancel|scontrol|sinfo"),
    ],
)
def test_no_other_file_speaks_a_schedulers_words(module: str, words: str) -> None:
    tasks = ROOT / "tasks"
    files = [path for path in tasks.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    speaking = {str(path.relative_to(tasks)) for path in files if re.search(words, path.read_text(), re.I)}
    own = (f"schedulers/{module}/", "testbed/", "verbs/testbed.py")
    assert f"schedulers/{module}/request.py" in speaking
    assert not {name for name in speaking if not name.startswith(own)}


@every
def test_it_has_all_that_the_seam_asks_for(each: Scheduler) -> None:
    for name, wanted in vars(Scheduler).items():
        if not name.startswith("_") and callable(wanted):
            theirs = list(inspect.signature(getattr(each, name)).parameters)
            assert theirs == list(inspect.signature(wanted).parameters)[1:], name
    for name in Scheduler.__annotations__:
        assert hasattr(each, name)
    for text in (each.submit_shell(), each.job_shell()):
        subprocess.run(["sh", "-n"], input=text, text=True, check=True)


@every
def test_what_it_would_have_said_is_what_it_reads(each: Scheduler) -> None:
    for array in (None, TaskRange(1, 9, 2)):
        read = each.parse_submission(each.receipt(Submitted("12", "n", array)) + "\n")
        assert read is not None
        assert read.job_id == "12"
    assert each.parse_submission("12 jobs in the queue, quota 95% used\n") is None  # G2


@every
def test_resources_are_directives_and_flags_alike(each: Scheduler) -> None:
    lines = each.directives(ASKED)
    submit = each.submit_variables(Submission("key", ".submithost/job/x", ASKED), {})["submit"]
    for line in lines:
        assert line.split(" ", 1)[1] in submit
    text = "\n".join(lines)
    for wanted in ("1:30:00", "2", "4", "1-9:2", "a@b.c", "long"):
        assert wanted in text
    named = each.directives(ASKED, {"memory": "MEM", "gpus": "GPU", "smp": "SMP"})
    assert {"MEM", "GPU", "SMP"} <= set(re.findall(r"[A-Z]{3}\b", "\n".join(named)))
    assert each.directives(Resources()) == []


@every
def test_values_are_data_in_the_command_line(each: Scheduler, tmp_path: Path) -> None:
    hurting = ("a b", "$(touch pwned)", "'q' \"d\"", "`x`", "-l", "ü *")
    submission = Submission("key", ".submithost/job/x", Resources(name="n"), ("--o=$(touch pwned)",), hurting)
    submit = each.submit_variables(submission, {})["submit"]
    program, rest = submit.split(" ", 1)
    (tmp_path / program).write_text("#!/bin/sh\nprintf '%s\\0' \"$@\"\n")
    (tmp_path / program).chmod(0o755)
    done = subprocess.run(
        ["sh", "-c", f"{program} {rest}"], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert tuple(done.stdout.split("\0")[-1 - len(hurting) : -1]) == hurting
    assert not (tmp_path / "pwned").exists()


def questions(each: Scheduler) -> list[Question[Any]]:
    """All that it is asked."""
    asked = (
        each.queue(), each.alive(), each.load(), each.marks(["1"]), each.by_hand("1"), each.reasons(["1"]),
        each.trace([], []), each.usage(["1"]), each.cancel([]), each.hold([]), each.release([]),
    )  # fmt: skip
    assert all(asked)
    return [question for question in asked if question]


@every
@pytest.mark.parametrize("status", [0, 1])
def test_e13_many_lines_take_little_memory(each: Scheduler, status: int) -> None:
    """More than there can be, each a few bytes: as a list of all of them they would take fifteen times as much."""
    text = "1 1\n" * 400_000
    for question in questions(each):
        tracemalloc.start()
        with contextlib.suppress(SchedulerError):
            question.parse(status, text, text)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert most < 20 << 20, question


@every
@given(status=st.integers(0, 255), out=TEXT | LIKE_IT, err=TEXT)
def test_no_answer_makes_a_parser_raise_anything_else_or_end_a_job(
    each: Scheduler, status: int, out: str, err: str
) -> None:
    each.parse_submission(out)
    each.doubtful(err)
    for question in questions(each):
        with contextlib.suppress(SchedulerError):
            question.parse(status, out, err)
    if status:  # could not ask is never gone
        with pytest.raises(SchedulerError):
            each.queue().parse(status, out, err)
        with pytest.raises(SchedulerError):
            each.trace([], []).parse(status, out, err)


@pytest.mark.parametrize("state_of", [state_of_gridengine, state_of_slurm])
@given(word=TEXT)
def test_an_unheard_of_state_is_unknown(state_of: Callable[[str], State | None], word: str) -> None:
    assert isinstance(state_of(word), State | None)
    assert state_of(f"?{word}") is State.UNKNOWN


@every
@given(name=st.text(max_size=40))
def test_a_legal_name_is_taken_and_stays_as_it_is(each: Scheduler, name: str) -> None:
    legal = each.legal_name(name)
    assert each.legal_name(legal) == legal
    each.check(b"#!/bin/sh\n", Resources(name=legal))
    with pytest.raises(InvalidInput):
        each.check(b"#!/bin/sh\n", Resources(name="a\nb"))
