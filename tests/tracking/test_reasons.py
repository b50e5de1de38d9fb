"""Why jobs wait, as a look keeps it: asked of a few at a time and not often, and never a reason to change a state."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar, cast

from tasks.model.job import Alike, Job, Outcome, State
from tasks.model.ledger import Ledger
from tasks.model.resources import TaskRange
from tasks.schedulers import scheduler
from tasks.schedulers.seam import Question
from tasks.tracking.cluster_session import ClusterSession
from tasks.tracking.reasons import Reasons
from tests.captured import answer

T = TypeVar("T")
WAITING = answer("gridengine-8.1.9-waiting.txt", "reasons 27 28 29 30 31 32 33 34 35 36 37 38 39").out


class Answering:
    """As much of a session as is asked for reasons: it answers with these words, as a login node would."""

    name = "sharc"

    def __init__(self, ledger: Ledger, out: str) -> None:
        self.ledger, self._out, self.scheduler, self.asked = ledger, out, scheduler("gridengine"), 0

    def query(self, question: Question[T]) -> T:
        self.asked += 1
        return question.parse(0 if self._out else 1, self._out, "commlib error: got select error")


def asking(tmp_path: Any, out: str = WAITING) -> tuple[Answering, Reasons]:
    session = Answering(Ledger(tmp_path / "ledger.db"), out)
    return session, Reasons(cast("ClusterSession", session))


def job(job_id: str, state: State = State.PENDING, array: TaskRange | None = None, reason: str = "") -> Job:
    outcome = Outcome(state, reason=reason)
    tasks = Alike(array.numbers(), outcome) if array else {}
    return Job(f"key-{job_id}", "sharc", "long", job_id=job_id, outcome=outcome, array=array, tasks=tasks)


def test_what_the_list_does_not_tell_is_asked_once_of_a_few_jobs(tmp_path: Any) -> None:
    _, reasons = asking(tmp_path)
    waiting = [job(str(number)) for number in range(1, 500)]
    told = [job("900", State.HELD, reason="held"), job("901", State.RUNNING), replace(job("902"), job_id=None)]
    first = reasons.unexplained([*told, *waiting])
    assert first == [str(number) for number in range(1, 21)]
    reasons.ask(first)
    assert not set(reasons.unexplained(waiting)) & set(first)
    assert reasons.unexplained(waiting, patient=True) == []  # while somebody waits: a few at each look
    assert reasons.unexplained([*waiting, job("999", State.ERROR)], patient=True) == ["999"]
    session, reasons = asking(tmp_path)
    assert (reasons.learn(waiting), session.asked) == (399, 5)
    assert (reasons.learn(waiting[:20]), session.asked) == (0, 5)


def test_who_waits_is_patient_with_what_may_start_at_once_but_not_with_errors(tmp_path: Any) -> None:
    _, reasons = asking(tmp_path)
    assert reasons.unexplained([job("34"), job("35", State.ERROR)], patient=True) == ["35"]
    assert reasons.unexplained([job("34")]) == ["34"]


def test_a_reason_goes_with_its_state_and_is_said_with_the_command_that_does_what_is_to_be_done(tmp_path: Any) -> None:
    session, reasons = asking(tmp_path)
    reasons.ask(["30", "33", "34"])
    assert session.asked == 1
    never = reasons.explain(job("30")).outcome.reason
    assert never.startswith("no node has 65536G of rmem; the largest has 64G; ")
    assert "-H sharc cancel --job 30) and submit it with --memory=64G at most" in never
    assert reasons.explain(job("34")).outcome.reason == "it waits for its turn (4th of the 10 jobs that wait)"
    tasks = reasons.explain(job("33", array=TaskRange(1, 10))).tasks
    assert isinstance(tasks, Alike)  # of a million tasks it takes no more room than of two
    assert tasks[7].reason == "at most 2 of its tasks run at once (--at-once)"
    assert (reasons.stuck(job("30")), reasons.stuck(job("34")), reasons.stuck(job("1", State.ERROR))) == (
        True,
        False,
        True,
    )
    running = reasons.explain(job("30", State.RUNNING))
    assert (running.outcome.reason, reasons.of(job("30"), State.PENDING)) == ("", None)


def test_a_question_that_fails_changes_nothing_and_is_not_asked_again_at_once(tmp_path: Any) -> None:
    session, reasons = asking(tmp_path, "")
    waiting = job("30")
    reasons.ask(["30"])
    assert reasons.explain(waiting) == waiting
    assert (reasons.unexplained([waiting]), session.asked) == ([], 1)
    assert not reasons.stuck(waiting)
