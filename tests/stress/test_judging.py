"""The judge of the fault campaign sees what is wrong: each lie here is one that an answer of ours could tell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from .judging import Answer, Asked, judge
from .truth import Body, Truth

SUBMITTED, ENDED = 1000.0, 1010.0
SUBMIT = Answer(("submit",), 0, 'Your job 5 ("x") has been submitted\n', "", SUBMITTED, SUBMITTED + 1)
TRUTH = Truth({"5": int(SUBMITTED)}, (Body("5", 0, SUBMITTED + 2, ENDED),), {("5", 0): 7})


def waited(when: float = ENDED + 1, status: int = 3, **changed: object) -> Answer:
    """What `wait --json` says, right unless something is changed."""
    job = {"job_id": "5", "state": "failed", "exit_status": 7} | changed
    return Answer(("wait", "--json"), status, json.dumps(job), "x: job 5 failed", SUBMITTED + 1, when)


RIGHT = Asked("x", (0,), 7, (SUBMIT, waited()))


def test_what_is_right_is_not_held_against_us() -> None:
    judged = judge(RIGHT, TRUTH)
    assert (judged.jobs, judged.bodies, judged.lost, judged.doubled, judged.wrong) == (1, 1, False, False, ())
    unsure = Answer(("submit",), 5, "", "not known yet whether key x became a job", SUBMITTED, SUBMITTED + 1)
    cut = Answer(("submit",), 4, "", "the connection broke", SUBMITTED, SUBMITTED + 1)
    early = Answer(("submit",), 5, "", "no job was made: commlib error", SUBMITTED - 9, SUBMITTED - 3)
    assert judge(replace(RIGHT, answers=(unsure, cut, early, *RIGHT.answers)), TRUTH).wrong == ()


def test_a_job_that_is_not_there_or_did_not_run_is_lost() -> None:
    assert judge(RIGHT, Truth()).lost
    assert judge(RIGHT, replace(TRUTH, bodies=())).lost
    assert judge(replace(RIGHT, tasks=(1, 3)), replace(TRUTH, bodies=(Body("5", 1, 1.0, 2.0),))).lost


def test_two_jobs_and_two_runs_of_one_body_are_doubled() -> None:
    assert judge(RIGHT, replace(TRUTH, jobs={"5": 1000, "6": 1001})).doubled
    assert judge(RIGHT, replace(TRUTH, bodies=TRUTH.bodies * 2)).doubled
    assert not judge(RIGHT, replace(TRUTH, bodies=TRUTH.bodies * 2, requeued={("5", 0): 1})).doubled
    assert judge(RIGHT, replace(TRUTH, bodies=TRUTH.bodies * 3, requeued={("5", 0): 1})).doubled


def test_a_run_that_a_requeue_broke_off_is_no_end_and_the_run_after_it_is_no_double() -> None:
    broken_off, again = Body("5", 0, SUBMITTED + 1), Body("5", 0, SUBMITTED + 6, ENDED)
    twice = replace(TRUTH, bodies=(broken_off, again))
    asked = replace(RIGHT, requeued=1)
    assert judge(asked, twice) == replace(judge(RIGHT, TRUTH), bodies=2)
    for too_early in (waited(SUBMITTED + 3), waited(SUBMITTED + 8)):  # before the second run, and during it
        assert "had not ended" in judge(replace(asked, answers=(SUBMIT, too_early, waited())), twice).wrong[0]
    ended = replace(TRUTH, bodies=(Body("5", 0, SUBMITTED + 1, SUBMITTED + 2), again))
    assert not judge(asked, ended).doubled
    assert judge(RIGHT, ended).doubled


def test_only_a_second_bare_job_is_our_doing_a_second_run_of_one_is_its_schedulers() -> None:
    bare = replace(RIGHT, bare=True)
    judged = judge(bare, replace(TRUTH, bodies=TRUTH.bodies * 2))
    assert (judged.doubled, judged.not_ours) == (False, True)
    assert judge(bare, replace(TRUTH, jobs={"5": 1000, "6": 1001})).doubled


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (waited(state="succeeded", exit_status=0), "is told to be succeeded"),
        (waited(exit_status=1), "is told to be failed (1)"),
        (waited(state="vanished", exit_status=None), "is told to be vanished"),
        (waited(when=ENDED - 1), "had not ended"),
        (waited(job_id="6"), "job 6 is not of this name"),
        (waited(status=0), "an exit status that it cannot have"),
        (waited(state="running", exit_status=None), "that it had not seen"),
        (replace(SUBMIT, out='Your job 6 ("x") has been submitted\n'), "job 6 is not of this name"),
        (replace(SUBMIT, status=5, err="x: no job was made: no"), "it says 'no job was made'"),
        (replace(SUBMIT, status=1, err="Traceback (most recent call last)"), "a bug"),
        (replace(SUBMIT, status=4, err=""), "without a word"),
    ],
)
def test_an_answer_that_the_truth_contradicts_is_wrong(answer: Answer, said: str) -> None:
    assert any(said in line for line in judge(replace(RIGHT, answers=(*RIGHT.answers, answer)), TRUTH).wrong)


def test_a_story_without_an_end_is_wrong() -> None:
    assert judge(replace(RIGHT, answers=()), TRUTH).wrong == (
        "x: no submit ever answered 0",
        "x: no wait ever saw the end",
    )


def test_what_ran_again_after_all_answers_nobody_could_see_end() -> None:
    still = replace(RIGHT, answers=(SUBMIT, waited(status=6, state="running", exit_status=None)))
    again = Body("5", 0, ENDED + 900, ENDED + 920)
    requeued = replace(TRUTH, bodies=(*TRUTH.bodies, again), requeued={("5", 0): 1})
    assert "no wait ever saw the end" in judge(still, TRUTH).wrong[0]
    assert judge(still, requeued).wrong == ()


def test_a_bare_job_that_its_scheduler_holds_for_running_ends_nowhere() -> None:
    told = replace(RIGHT, answers=(SUBMIT, waited(status=6, state="running", exit_status=None)))
    no_end = replace(TRUTH, accounted={})
    judged = judge(replace(told, bare=True), no_end)
    assert (judged.wrong, judged.not_ours) == ((), True)
    for asked, truth in ((told, no_end), (replace(told, bare=True), TRUTH)):
        assert judge(asked, truth).wrong == ("x: no wait ever saw the end",)


def test_what_a_killed_scheduler_forgot_has_vanished_and_is_not_lost_by_us() -> None:
    vanished = waited(state="vanished", exit_status=None)
    forgotten = Truth(forgotten=frozenset({"5"}))
    judged = judge(replace(RIGHT, answers=(SUBMIT, vanished)), forgotten)
    assert (judged.lost, judged.wrong, judged.not_ours) == (False, (), True)
    assert judge(RIGHT, forgotten).wrong  # told to have failed, and it never ran
    assert judge(replace(RIGHT, answers=(SUBMIT, vanished)), replace(TRUTH, forgotten=frozenset({"6"}))).wrong
