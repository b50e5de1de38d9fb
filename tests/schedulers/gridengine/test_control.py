"""What qdel says."""

from __future__ import annotations

from tasks.schedulers.gridengine import scheduler as gridengine
from tests.captured import answer

from . import ROUND1, ROUND2


def test_g40_g41_what_qdel_says_is_passed_on_and_a_gone_job_is_no_failure() -> None:
    taken = {"qdel 22": {"22"}, "qdel 23": {"23"}, "qdel 999": set(), "qdel 22 23 99999": set()}
    for command, job_ids in taken.items():
        block = answer(ROUND1, command)
        assert gridengine.cancel([]).parse(block.status, block.out, block.err) == (block.out, job_ids)
    for command in ("qdel 17 -t 2", "qdel 17.3"):
        block = answer(ROUND2, command)
        assert gridengine.cancel([]).parse(block.status, block.out, block.err)[1] == {"17"}
    assert gridengine.cancel([("12", None), ("13", 2)]).command == "qdel 12 13.2"


def test_g33_a_job_on_a_dead_node_was_taken_by_qdel() -> None:
    said = 'te1st unable to sync state with remote execd for the deletion of job "6"\n'
    assert gridengine.cancel([]).parse(1, said, "") == (said, {"6"})
