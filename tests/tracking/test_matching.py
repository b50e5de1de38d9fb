"""Which records of the accounting are of which job, when IDs are used again and clocks differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tasks.model.job import Job, Outcome, State
from tasks.model.ledger import Ledger
from tasks.schedulers.values import Record, Row
from tasks.tracking.matching import records_of, states_of

HOUR, DAY = 3600, 86400
SUBMITTED = 1_000_000
MINE = Job("key", "hpc", "a.sh", "a.sh", "-", "/d", job_id="7", submitted_at=SUBMITTED, absent_since=SUBMITTED + 9)


def of(submitted_at: int, status: int) -> Record:
    return Record("7", (), submitted_at, Outcome(State.FAILED, status))


@pytest.mark.parametrize("offset", [-HOUR, HOUR])
def test_a_clock_that_is_an_hour_off_hides_no_record(offset: int) -> None:
    late = SUBMITTED + 200
    assert records_of(MINE, [of(SUBMITTED + offset, 3)], late, DAY)[0].exit_status == 3


@pytest.mark.parametrize("offset", [-5 * HOUR, -HOUR, HOUR])
def test_s10_what_carries_its_mark_is_of_it_by_any_clock(offset: int) -> None:
    """On Slurm an ID may be given again within minutes, so that times alone cannot tell."""
    marked = replace(of(SUBMITTED + offset, 3), key="key")
    for waited in (MINE, replace(MINE, absent_since=None)):
        assert records_of(waited, [of(SUBMITTED - HOUR, 1), marked], SUBMITTED + 200)[0].exit_status == 3
    assert records_of(MINE, [replace(marked, key="another")], SUBMITTED + 200) == {}


def test_what_was_submitted_at_that_time_counts_alone_and_else_the_newest() -> None:
    late, old, right = SUBMITTED + 200, of(SUBMITTED - HOUR, 1), of(SUBMITTED + 2, 2)
    for records in ([old, right], [right, old]):
        assert records_of(MINE, records, late, DAY)[0].exit_status == 2
    older = of(SUBMITTED - 5 * HOUR, 4)
    for records in ([old, older], [older, old]):
        assert records_of(MINE, records, late, DAY)[0].exit_status == 1
    assert records_of(MINE, [of(SUBMITTED - 2 * DAY, 1)], late, DAY) == {}
    assert records_of(replace(MINE, absent_since=None), [old], late, DAY) == {}


def test_g29_a_row_is_of_the_job_that_has_the_number_now(tmp_path: Path) -> None:
    """Also where the later job came into the ledger first, as after `adopt`, or has ended."""
    ledger = Ledger(tmp_path / "ledger.sqlite")
    later = replace(MINE, key="later", submitted_at=SUBMITTED + DAY)
    other, elsewhere = replace(MINE, key="other", job_id="8"), replace(MINE, key="elsewhere", cluster="other")
    for job in (later, MINE, other, elsewhere):
        ledger.update(job)
    assert ledger.outlived("hpc") == {"key"}
    found = states_of([Row("7", State.RUNNING), Row("8", State.PENDING)], [MINE, later, other], ledger.outlived("hpc"))
    assert {key: [each.state for each in of_it.values()] for key, of_it in found.items()} == {
        "key": [], "later": [State.RUNNING], "other": [State.PENDING]
    }  # fmt: skip
    ledger.update(replace(later, outcome=Outcome(State.SUCCEEDED)))
    assert ledger.outlived("hpc") == {"key"}
