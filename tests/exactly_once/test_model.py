"""The state machine of a key, searched: whatever comes in between, one job, its inputs, and an end for every client."""

from __future__ import annotations

from dataclasses import replace

import pytest

from .model import Kind, Model, Rule
from .search import endless, search

TWO = (Model(deaths=0), 2, 0)
DEATH = (Model(deaths=1, refusing=False), 2, 0)
ELSEWHERE = (Model(deaths=0, elsewhere=True), 2, 0)
REMOVED = (Model(deaths=0, removed=True), 2, 0)
BELATED = (Model(deaths=1, refusing=False, prompt=False), 2, 0)
LOOKING = (Model(deaths=0, slow=True, refusing=False), 1, 1)
# What two clients can do to each other that one death makes no worse; and what deaths do.
SEARCHES = {
    "one client, two deaths": (Model(deaths=2), 1, 0),
    "two clients": TWO,
    "two clients, one death": DEATH,
    "a client, and one who only looks, place after place": LOOKING,
    "two clients on login nodes that do not see each other": ELSEWHERE,
    "two clients, and a job directory that is removed": REMOVED,
    "one client, one death, and a job directory that is removed": (Model(deaths=1, removed=True), 1, 0),
    "one client, two deaths, and a scheduler that takes longer than a minute": (Model(deaths=2, prompt=False), 1, 0),
}
# What goes wrong without a rule, and where that is seen.
OTHERS = "a job was made of other inputs"
BROKEN = [
    (Rule.OWN_NAME, DEATH, OTHERS),
    *((rule, where, OTHERS) for rule in (Rule.FENCED_CLEANING, Rule.FENCED_LAYING, Rule.ONE_RENAME)
      for where in (TWO, ELSEWHERE, REMOVED, BELATED)),
    (Rule.LATER_LAST, LOOKING, "an attempt was missed"),
    (Rule.MARK_FIRST, REMOVED, "the inputs of a job were changed"),
    (Rule.WAIT_FOR_THE_DEAD, DEATH, OTHERS),
    (Rule.OWN_DIRECTORY, ELSEWHERE, "a client was told of a job that is none"),
    (Rule.RELEASED, DEATH, "clients that can never come to an end"),
    (Rule.LOOK_AGAIN, TWO, "clients that can never come to an end"),
]  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_e1_e2_e4_in_no_order_of_steps_does_anything_go_wrong(name: str) -> None:
    model, clients, curious = SEARCHES[name]
    worlds, wrong = search(model, clients, curious)
    assert wrong == ""
    assert worlds > 500


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.name.lower())
def test_e1_e2_e4_each_rule_is_needed(rule: Rule) -> None:
    wheres = [(where, wrong) for broken, where, wrong in BROKEN if broken is rule]
    assert wheres
    for (model, clients, curious), wrong in wheres:
        assert search(replace(model, broken=rule), clients, curious)[1] == wrong


def test_e1_a_way_without_an_end_is_found() -> None:
    there, back, end = (1, Kind.SURE), (0, Kind.SURE), (2, Kind.SURE)
    assert endless([[there], [back, end], []], [2]) == "clients that go round in circles"
    assert endless([[(1, Kind.POLL)], [(0, Kind.POLL), end], []], [2]) == ""
    assert endless([[there], [(0, Kind.MAYBE), end], []], [2]) == ""
    assert endless([[there], [(2, Kind.MAYBE)], []], [2]) == "clients that can never come to an end"
