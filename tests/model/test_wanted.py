"""Which jobs are wanted: flags as they are typed, and which jobs of a ledger meet them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tasks.model.errors import InvalidInput
from tasks.model.job import Job, Outcome, State
from tasks.model.ledger import Ledger
from tasks.model.record import from_record, to_record
from tasks.model.wanted import Wanted, moment

NOW = 1_800_000_000  # 2027-01-15T08:00:00Z


@pytest.mark.parametrize(
    ("text", "before"),
    [
        ("3d", 3 * 86400),
        ("2h", 7200),
        ("1w", 7 * 86400),
        ("90m", 5400),
        ("1-00:00:00", 86400),
        ("2027-01-15", 8 * 3600),
        ("2027-01-15T07:59:00", 60),
        ("2027-01-15 07:59", 60),
        ("2027-01-15T08:59+01:00", 60),
        ("2027-01-14T08:00Z", 86400),
    ],
)
def test_since_is_how_long_ago_or_a_date_in_utc(text: str, before: int) -> None:
    assert NOW - moment(text, NOW) == before


@pytest.mark.parametrize("text", ["w", "yesterday", "2027-13-01", "15.1.2027", "1d1w", "-3d", "3 d", "٣d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match=r"neither how long ago \(3d, 2h, 1w\) nor a date"):
        moment(text, NOW)


def test_states_come_one_by_one_or_with_commas_and_a_slip_is_told() -> None:
    assert Wanted.read(state=["failed,vanished", "held"]).state == (State.FAILED, State.VANISHED, State.HELD)
    assert Wanted.read(state=State.FAILED) == Wanted.read(state="failed")
    with pytest.raises(InvalidInput, match="no such state; did you mean 'failed'"):
        Wanted.read(state="faild")
    with pytest.raises(InvalidInput, match="--group needs a value"):
        Wanted.read(group=[""])


def test_only_flags_that_may_mean_more_than_what_is_named_select() -> None:
    assert not Wanted.read(["12", "key", "12.3"]).selects
    assert all(w.selects for w in (Wanted.read(["sim-*"]), Wanted.read(group="a"), Wanted.read(["12"], state="held")))
    assert str(Wanted.read(["a*"], "g", "held", "2027-01-15", all=True)) == (
        "--job a* --group g --state held --since 2027-01-15T00:00:00Z --all"
    )


NAMES = ["sim-1", "sim-2", "Sim-1", "other", "a\udc80b", "né'\n", 'x"', "", "12"]
JOBS = [
    Job(
        f"key-{number}", ("a", "b")[number % 5 == 4], NAMES[number % 9], group=("", "sim", "simple", "g.1")[number % 4],
        job_id=None if number == 5 else str(number), submitted_at=None if number == 5 else NOW - number * 3600,
        outcome=Outcome(list(State)[number % 10]),
    )
    for number in range(40)
]  # fmt: skip


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Ledger:
    found = Ledger(tmp_path_factory.mktemp("state") / "ledger.sqlite")
    found.update(*JOBS)
    return found


GLOBS = st.sampled_from(["sim-*", "*", "key-1?", "[Ss]im-1", "a*b", "*'*", "key-3", "7", "no*"])
WANTED = st.builds(
    Wanted,
    st.lists(GLOBS, max_size=2).map(tuple),
    st.lists(st.sampled_from(["sim", "sim*", "?.1", "none"]), max_size=2).map(tuple),
    st.lists(st.sampled_from(State), max_size=3).map(tuple),
    st.none() | st.integers(NOW - 50 * 3600, NOW),
)


@given(WANTED)
@example(Wanted(("a*b",)))
def test_the_ledger_finds_the_jobs_that_match_and_no_others(ledger: Ledger, wanted: Wanted) -> None:
    assert ledger.matching("a", wanted, wanted.state) == [j for j in JOBS if j.cluster == "a" and wanted.matches(j)]


def test_what_is_live_is_found_beside_the_states_that_are_wanted(ledger: Ledger) -> None:
    found = ledger.matching(None, Wanted(), [State.FAILED], live=True)
    assert {job.state for job in found} == {*State} - {State.SUCCEEDED, State.CANCELLED}
    assert {job.cluster for job in found} == {"a", "b"}


def test_a_group_is_recorded_and_a_job_without_one_has_the_record_that_it_always_had(ledger: Ledger) -> None:
    assert from_record(to_record(JOBS[1])).group == "sim"
    assert "group" not in to_record(JOBS[0])
    assert sorted(ledger.groups("a")) == ["g.1", "sim", "simple"]
    assert ledger.groups("nowhere") == []


def test_globs_are_of_whole_names_and_case_counts() -> None:
    wanted = Wanted.read(["sim-*"])
    matching = [name for name in ("sim-1", "sim-", "Sim-1", "asim-1", "sim") if wanted.means("k", "1", name)]
    assert matching == ["sim-1", "sim-"]


def test_a_ledger_without_a_file_has_no_jobs_that_match(tmp_path: Path) -> None:
    assert Ledger(tmp_path / "none").matching("a", Wanted.read(["*"], "g")) == []
