"""What is asked for instead: values, and factors."""

from __future__ import annotations

from fractions import Fraction

import pytest

from tasks.model.changes import Changes, parse_changes, times
from tasks.model.errors import InvalidInput
from tasks.model.resources import Resources


def test_a_factor_is_told_from_a_value() -> None:
    assert not parse_changes(time="", memory="", name="")
    changes = parse_changes(time="x1.5", memory="8G", cores="4", name="again")
    assert changes == Changes(Resources(memory=8 << 30, cores=4, name="again"), {"time": Fraction(3, 2)})
    assert parse_changes(("-l", "x=y")) == Changes(options=("-l", "x=y"))


@pytest.mark.parametrize("text", ["x", "x0", "x0.0", "x-2", "x2x", "xx2", "x1e3", "x99999", "x1:00"])
@pytest.mark.parametrize("what", ["time", "memory"])
def test_what_is_no_factor_is_refused(what: str, text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a factor like x2"):
        parse_changes(**{what: text})


def test_only_time_and_memory_have_factors() -> None:
    with pytest.raises(InvalidInput, match="cores 'x2' is not a whole number"):
        parse_changes(cores="x2")


@pytest.mark.parametrize(
    ("what", "amount", "factor", "new"),
    [
        ("time", 3600, "2", 7200),
        ("time", 1, "1.5", 2),
        ("memory", 1 << 30, "1.5", 1536 << 20),
        ("memory", 1 << 30, "1.1", 1127 << 20),  # 1126.4 MB
        ("memory", 1 << 20, "0.5", 1 << 20),
    ],
)
def test_a_multiple_is_rounded_up(what: str, amount: int, factor: str, new: int) -> None:
    assert times(what, amount, Fraction(factor)) == new
