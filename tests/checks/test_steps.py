"""The steps of `check`: their order, what is said of each, and how a login node's answers are read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.checks.steps import STEPS, Step, _clock, _Steps, _unwritten, free_space, quota


def shown(steps: list[Step]) -> list[tuple[str, str, str]]:
    return [(step.name, step.result, step.detail) for step in steps]


def test_steps_are_shown_once_each_and_in_their_order() -> None:
    told: list[Step] = []
    steps = _Steps(told.append)
    steps.done("host key", "known")  # behind a jump host: nobody here has looked up the name
    steps.done("login", "as me")
    steps.done("host key", "known")  # a login that is tried again
    assert shown(told) == [
        ("name", "-", "left to the way there"),
        ("port", "-", "left to the way there"),
        ("host key", "ok", "known"),
        ("login", "ok", "as me"),
    ]
    assert [step.seconds is None for step in told] == [True, True, False, False]


def test_the_first_step_that_is_left_has_failed_and_no_other_is_tried() -> None:
    told: list[Step] = []
    steps = _Steps(told.append)
    for name in STEPS[: STEPS.index("scheduler")]:
        steps.done(name, "", "warning")
    told.clear()
    steps.over("not there", "clock")
    assert shown(told) == [
        ("scheduler", "failed", "not there"),
        ("directory", "-", "not tried"),
        ("clock", "-", "not tried"),
    ]


@pytest.mark.parametrize(("last", "left"), [("clock", []), ("job", [("job", "-", "not tried")])])
def test_a_job_that_was_not_asked_for_is_no_step(last: str, left: list[tuple[str, str, str]]) -> None:
    told: list[Step] = []
    steps = _Steps(told.append)
    steps.done("clock", "as here")
    told.clear()
    steps.over("", last)
    assert shown(told) == left


@pytest.mark.parametrize(
    ("there", "here", "result", "words"),
    [
        ("1000", 1001.9, "ok", "as here"),
        ("1002", 1000.0, "ok", "2 s ahead of this one"),
        ("1000", 1120.0, "ok", "120 s behind this one"),
        ("1000", 1121.0, "warning", "121 s behind this one: is the time here right?"),
        ("1121", 1000.0, "warning", "121 s ahead of this one: is the time here right?"),
        ("no date", 1000.0, "ok", "as here"),
    ],
)
def test_a_clock_that_differs(there: str, here: float, result: str, words: str) -> None:
    told: list[Step] = []
    _clock(_Steps(told.append), there, here)
    assert told[-1].result == result
    assert told[-1].detail.startswith(words)


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        (
            "head: error writing 'standard output': No space left on device\n",
            "cannot be written: No space left on device; make",
        ),
        ("sh: 1: cannot create /d/x: Disk quota exceeded", "cannot be written: Disk quota exceeded; make"),
        ("", "cannot be written; make space"),  # shorter than it should be, and without a word
        ("sh: 1: cannot create /d/x: Permission denied", "files in /d: Permission denied; configure"),
        ("sh: 1: cannot create /proc/x: Directory nonexistent", "files in /d; configure"),
        ("sh: line 1: /proc/x: No such file or directory", "files in /d; configure"),
    ],
)
def test_what_cannot_be_written_has_the_systems_reason_and_a_cure(errors: str, words: str) -> None:
    assert words in _unwritten("/d", errors)


def test_free_space_is_read_from_df() -> None:
    df = (
        "Filesystem     1024-blocks     Used Available Capacity Mounted on\n"
        "/dev/vda         264212084 27936128  78454784      27% /\n"
    )
    assert free_space(df) == 78454784
    assert free_space("a b  100 200 -5 101% /with space\n") == -5
    assert free_space("df: no such file\n") is None


def test_quotas_are_read_as_quota_prints_them() -> None:
    said = (
        "Disk quotas for user te1st (uid 1001): \n"
        "     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace\n"
        "nfs:/home 9437184  10485760 11534336               0       0       0        \n"
        "/data 10485761*  10485760 11534336   6days       0       0       0        \n"
        "/unlimited   10       0       0               0       0       0        \n"
    )
    assert quota(said) == [
        ("quota of nfs:/home: 9.0 GB of 10 GB used", False),
        ("quota of /data: 10 GB of 10 GB used", True),
    ]
    assert quota("Disk quotas for user te1st (uid 1001): none\n") == []


@given(st.text() | st.lists(st.sampled_from(["a:b", " ", "\n", "1024", "-5", "27%", "/", "*", "9" * 30])).map("".join))
def test_whatever_df_and_quota_print_is_no_traceback(text: str) -> None:
    assert isinstance(free_space(text), (int, type(None)))
    assert all(isinstance(line, str) for line, _ in quota(text))
