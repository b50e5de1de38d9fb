"""Which tasks go into which range, and a submission that is written down and read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.jobs.repeat_keys import keys
from tasks.model.cluster import Cluster
from tasks.model.job import Job
from tasks.model.key import check_key
from tasks.model.ledger import Ledger
from tasks.model.resources import Resources, TaskRange, ranges_of
from tasks.schedulers.values import Submission
from tasks.tracking.cluster_session import ClusterSession


@pytest.mark.parametrize(
    ("tasks", "ranges"),
    [
        ([2, 3, 4, 9], ["2-4:1", "9-9:1"]),  # G42
        ([3], ["3-3:1"]),
        ([1, 3, 5], ["1-5:2"]),
        ([2, 9], ["2-9:7"]),
        ([1, 9, 10, 11], ["1-1:1", "9-11:1"]),
        ([], []),
    ],
)
def test_g42_few_ranges_have_all_the_tasks(tasks: list[int], ranges: list[str]) -> None:
    assert [str(one) for one in ranges_of(tasks)] == ranges


@given(st.sets(st.integers(1, 200)))
def test_the_ranges_have_exactly_these_tasks(tasks: set[int]) -> None:
    numbers = [number for one in ranges_of(tasks) for number in one.numbers()]
    assert sorted(numbers) == sorted(tasks)
    whole = TaskRange.of(tasks)
    assert list(whole.numbers() if whole else []) == sorted(tasks)
    assert [number for number in range(202) if whole and number in whole] == sorted(tasks)


def test_a_submission_comes_back_as_it_was_written_down() -> None:
    resources = Resources(time=60, array=TaskRange(1, 9, 2), at_once=3, name="n")
    whole = Submission("k", ".submithost/job/x", resources, ("-l", "a=b c"), ("it's", "\udcff"), True, "/w", ("12",))
    for one in (whole, Submission("k", "x", Resources())):
        assert Submission.of(json.loads(json.dumps(one.record()))) == one


@pytest.mark.parametrize("length", [1, 80, 81, 120, 128])
@pytest.mark.parametrize("part", [None, TaskRange(1, 75000), TaskRange(1, 9, also=(TaskRange(50000, 75000, 3),))])
def test_house9_the_keys_of_repeats_can_be_keys_and_are_of_this_submission_alone(
    tmp_path: Path, length: int, part: TaskRange | None
) -> None:
    session = ClusterSession(Cluster("a", "a"))
    session.ledger = Ledger(tmp_path / "ledger.sqlite")
    (key,) = keys(session, Job("k" * length, "a"), [part], ())
    (other,) = keys(session, Job("k" * (length - 1) + "j", "a"), [part], ())
    assert check_key(key) == key != other
    (next_key,) = keys(session, Job("k" * length, "a"), [part], {key})
    assert check_key(next_key) == next_key != key
