"""What of our answers the truth contradicts. Pure."""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from .truth import Truth

_DENIALS = ("no job was made", "made no job", "nothing submitted:")
_ID = re.compile(r"^(?:Your job(?:-array)?|Submitted batch job) (\d+)", re.M)


@dataclass(frozen=True)
class Answer:
    """One command line of ours, what it said, and when (seconds since 1970). `killed`: by the fault itself."""

    words: tuple[str, ...]
    status: int
    out: str
    err: str
    began: float
    ended: float
    killed: bool = False


@dataclass(frozen=True)
class Asked:
    """One submission: its name, its tasks (0 alone: no array), the exit status of its body, and all answers to it.

    `bare`: its end is known from accounting alone. `requeued`: how often somebody requeued it by hand.
    """

    name: str
    tasks: tuple[int, ...]
    status: int
    answers: tuple[Answer, ...]
    bare: bool = False
    requeued: int = 0


@dataclass(frozen=True)
class Judgement:
    """What is wrong about one submission; `wrong` are lines for people.

    `not_ours`: its scheduler, when it was killed, lost the job or the record of its end, or ran a bare job twice.
    """

    jobs: int
    bodies: int
    lost: bool
    doubled: bool
    wrong: tuple[str, ...]
    not_ours: bool = False


def judge(asked: Asked, truth: Truth) -> Judgement:
    """Lost: told to be a job, and there is none or a body never ran. Doubled: two jobs, or two runs of one body.

    What a scheduler requeues by itself is its own: a killed controller may take a job that has ended for a dead node's,
    and may start it again without counting that. In a bare job nothing of ours is there that could tell, or run a body:
    only a second job would be our doing. A run that it broke off is none, and no end either.
    """
    ran = [body.task for body in truth.bodies]
    told_of = told(asked)
    forgotten = bool(told_of & truth.forgotten)
    lost = bool(told_of) and not forgotten and (not truth.jobs or not set(asked.tasks) <= set(ran))
    done = Counter((body.job_id, body.task) for body in truth.bodies if body.ended)
    twice = [run for run, times in done.items() if times > 1 + max(asked.requeued, truth.requeued.get(run, 0))]
    doubled = len(truth.jobs) > 1 or bool(twice and not asked.bare)
    no_record = _no_record(asked, truth)
    wrong = tuple(_wrong(asked, truth))
    not_ours = forgotten or bool(told_of and no_record) or bool(twice and asked.bare)
    return Judgement(len(truth.jobs), len(ran), lost, doubled, wrong, not_ours)


def _no_record(asked: Asked, truth: Truth) -> bool:
    """A bare job of which its scheduler has no end, though it ran: it lost the record, or holds it for running."""
    return asked.bare and len(truth.accounted) < len(asked.tasks)


def _ended_later(asked: Asked, truth: Truth) -> bool:
    """A job that its scheduler ran once more, to an end after all answers."""
    last = max((answer.ended for answer in asked.answers), default=math.inf)
    return any((body.ended or 0) > last for body in truth.bodies)


def told(asked: Asked) -> set[str]:
    """The IDs of the jobs that any answer told of."""
    found: set[str] = set()
    for answer in asked.answers:
        if answer.status == 0 and "submit" in answer.words:
            found.update(_ID.findall(answer.out) or [""])
        found.update(str(job["job_id"]) for job in _jobs(answer) if job["job_id"])
    return found


def _jobs(answer: Answer) -> list[dict[str, object]]:
    try:
        return [json.loads(line) for line in answer.out.splitlines()] if "--json" in answer.words else []
    except ValueError:
        return []


def _wrong(asked: Asked, truth: Truth) -> Iterator[str]:
    for answer in asked.answers:
        for what in (*_wrong_status(asked, answer), *_wrong_words(answer, truth), *_wrong_jobs(asked, answer, truth)):
            yield f"{asked.name}: `{' '.join(answer.words)}` ({answer.status}): {what}"
    if not any(answer.status == 0 and "submit" in answer.words for answer in asked.answers):
        yield f"{asked.name}: no submit ever answered 0"
    seen = any(answer.status in (0, 3) and "wait" in answer.words for answer in asked.answers)
    if not (seen or _no_record(asked, truth) or _ended_later(asked, truth)):
        yield f"{asked.name}: no wait ever saw the end"


def _wrong_status(asked: Asked, answer: Answer) -> Iterator[str]:
    if answer.killed:
        return
    if "Traceback" in answer.err or "a bug in" in answer.err:
        yield f"a bug: {answer.err[-2000:]}"
    allowed = {0, 4, 5} if "wait" not in answer.words else {3 if asked.status else 0, 4, 5, 6}
    if any(job["state"] == "vanished" for job in _jobs(answer)):
        allowed |= {3}  # whether it may say so is the next question
    if answer.status not in allowed:
        yield f"an exit status that it cannot have: {answer.err[-500:]}"
    if answer.status in (0, 3) and "wait" in answer.words:
        outcomes = [job["state"] for job in _jobs(answer)]
        if not outcomes or not set(outcomes) <= {"succeeded", "failed", "cancelled", "vanished"}:
            yield f"an end that it had not seen ({', '.join(map(str, outcomes))})"
    if answer.status and not answer.err:
        yield "a failure without a word"


def _wrong_words(answer: Answer, truth: Truth) -> Iterator[str]:
    """A denial of a job that was there by then, and an ID that is not its own."""
    for denial in _DENIALS:
        for job_id, submitted in truth.jobs.items():
            if denial in answer.err and submitted is not None and submitted < answer.ended + 0.5:
                yield f"it says '{denial}', and job {job_id} was submitted {answer.ended - submitted:.1f} s earlier"
    for job_id in _ID.findall(answer.out) if "submit" in answer.words else ():
        if job_id not in truth.jobs and job_id not in truth.forgotten:
            yield f"job {job_id} is not of this name"


def _wrong_jobs(asked: Asked, answer: Answer, truth: Truth) -> Iterator[str]:
    """What `--json` said: an end before the end, another end, a job that is not its own."""
    for job in _jobs(answer):
        if job["job_id"] and job["job_id"] not in truth.jobs and job["job_id"] not in truth.forgotten:
            yield f"job {job['job_id']} is not of this name"
        tasks = job.get("tasks")
        told = tasks if isinstance(tasks, dict) and tasks else {"0": job}
        for number, outcome in told.items():
            if not (outcome["state"] == "vanished" and job["job_id"] in truth.forgotten):
                yield from _wrong_outcome(asked, int(number), outcome, answer, truth)


def _wrong_outcome(asked: Asked, task: int, outcome: dict[str, object], answer: Answer, truth: Truth) -> Iterator[str]:
    state = outcome["state"]
    if state not in ("succeeded", "failed", "cancelled", "vanished", "error"):
        return
    expected = ("failed" if asked.status else "succeeded", asked.status)
    begun = [body for body in truth.bodies if body.task == task and body.began < answer.ended]
    if not begun or (begun[-1].ended or math.inf) > answer.ended:
        yield f"task {task} is told to be {state}, and its body had not ended"
    elif asked.bare and state == "vanished" and not any(t == task for _, t in truth.accounted):
        return  # its scheduler lost the record, and there is no other trace of a bare job
    elif (state, outcome["exit_status"]) != expected:
        yield f"task {task} is told to be {state} ({outcome['exit_status']}), and it is {expected[0]} ({expected[1]})"
