"""How often the scheduler is asked about what seems to have ended (promise 7)."""

from __future__ import annotations

import itertools

from tasks.tracking.pace import EVERY, Pace


def asked(ends_at: dict[float, set[object]], until: float, *, nothing_else: bool, lagging: bool = False) -> list[float]:
    """When it is asked, looking every tenth of a second; what seems to have ended stays so."""
    pace, ends, times = Pace(), set[object](), list[float]()
    for tenth in range(int(until * 10)):
        now = tenth / 10
        ends |= ends_at.get(now, set())
        if pace.due(ends, now, nothing_else=nothing_else):
            pace.asked(ends, now, lagging=lagging)
            times.append(now)
    return times


def test_d3_what_has_noted_its_end_is_asked_for_at_once_and_then_less_and_less_often() -> None:
    times = asked({5.0: {"a"}}, 300, nothing_else=True)
    assert times[0] == 5.0
    pauses = [round(after - before, 1) for before, after in itertools.pairwise(times)]
    assert pauses == sorted(pauses)
    assert pauses[0] < 1
    assert pauses[-1] == EVERY
    assert len(times) < 18


def test_d3_a_large_array_job_whose_tasks_end_one_by_one_causes_no_question_for_each() -> None:
    ends: dict[float, set[object]] = {float(second): {("job", second)} for second in range(300)}
    pace, times = Pace(), list[float]()
    for second in range(300):  # each is known to have ended as soon as it was asked for
        new = set().union(*(ends[float(one)] for one in range(int(times[-1] + 1) if times else 0, second + 1)))
        if pace.due(new, second, nothing_else=False):
            pace.asked(new, second, lagging=False)
            times.append(second)
    assert len(times) <= 300 / EVERY * 5
    last = asked({299.0: {"last"}}, 301, nothing_else=True)
    assert last[0] == 299.0


def test_d3_while_the_accounting_lags_it_is_asked_every_few_seconds() -> None:
    times = asked({0.0: {"a"}}, 60, nothing_else=True, lagging=True)
    assert max(after - before for before, after in itertools.pairwise(times)) < 6


def test_d3_what_is_new_waits_its_turn_where_it_was_asked_often_lately_and_comes_to_it() -> None:
    many: dict[float, set[object]] = {second / 2: {second} for second in range(20)}
    times = asked(many | {9.5: {"new"}}, 60, nothing_else=False)
    assert [at for at in times if at > 9.5]
