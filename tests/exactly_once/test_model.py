"""The state machine of a key, searched: whatever comes in between, one job, its inputs, and an end for every client."""

from __future__ import annotations

import pytest

from .model import Model, Rule, search

# Everything that two clients, or three, can do to each other that one death makes no worse; and what deaths do.
SEARCHES = {
    "one client, two deaths": (Model(deaths=2), 1, 0),
    "two clients": (Model(deaths=0), 2, 0),
    "two clients, one death": (Model(deaths=1, refusing=False), 2, 0),
    "a client, and one who only looks, place after place": (Model(deaths=0, slow=True, refusing=False), 1, 1),
    "two clients on login nodes that do not see each other": (Model(deaths=0, elsewhere=True), 2, 0),
    "two clients, and a job directory that is removed": (Model(deaths=0, removed=True), 2, 0),
    "one client, one death, and a job directory that is removed": (Model(deaths=1, removed=True), 1, 0),
}
# What goes wrong without a rule, and where that is seen.
BROKEN = {
    Rule.OWN_NAME: (Model(refusing=False, broken=Rule.OWN_NAME), 2, 0, "the inputs of a job were changed"),
    Rule.FENCED_LAYING: (Model(broken=Rule.FENCED_LAYING), 2, 0, "the inputs of a job were changed"),
    Rule.ONE_RENAME: (Model(broken=Rule.ONE_RENAME), 2, 0, "the inputs of a job were changed"),
    Rule.LATER_LAST: (Model(deaths=0, slow=True, broken=Rule.LATER_LAST), 1, 1, "an attempt was missed"),
    Rule.MARK_FIRST: (
        Model(deaths=0, removed=True, broken=Rule.MARK_FIRST), 2, 0, "the inputs of a job were changed",
    ),
    Rule.WAIT_FOR_THE_DEAD: (Model(broken=Rule.WAIT_FOR_THE_DEAD), 2, 0, "the inputs of a job were changed"),
    Rule.OWN_DIRECTORY: (
        Model(deaths=0, elsewhere=True, refusing=False, broken=Rule.OWN_DIRECTORY), 2, 0,
        "a client was told of a job that is none",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEARCHES)
def test_e1_e2_e4_in_no_order_of_steps_does_anything_go_wrong(name: str) -> None:
    model, clients, curious = SEARCHES[name]
    worlds, wrong = search(model, clients, curious)
    assert wrong == ""
    assert worlds > 500


@pytest.mark.parametrize("rule", Rule, ids=lambda rule: rule.name.lower())
def test_e1_e2_e4_each_rule_is_needed(rule: Rule) -> None:
    model, clients, curious, wrong = BROKEN[rule]
    assert search(model, clients, curious)[1] == wrong
