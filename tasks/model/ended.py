"""How a job ended, in one line."""

from __future__ import annotations

from .exit_status import meaning
from .job import Job, Outcome, State
from .wording import one_line


def ended_line(job: Job, task: int | None, outcome: Outcome) -> str:
    """How a job, or a task of it, ended: `job 12 ("seven") on sandbox failed with exit status 7 after 3 s`.

    A task of a sweep is called by its row: `row 3 (alpha=0.1 seed=3) of job 12 ...`.
    """
    who = job.title() if task is None else f"task {task} of {job.title()}"
    if row := job.rows.called(0 if task is None and not job.array else task):
        who = f"{row} of {job.title()}"
    return one_line(f"{who} {how_it_ended(outcome)}", 1000)


def how_it_ended(outcome: Outcome) -> str:
    """`failed with exit status 7 after 3 s`."""
    how = f"{outcome.state}"
    if outcome.state is State.CANCELLED:
        how = "was cancelled"
    if outcome.state is State.FAILED and outcome.exit_status is not None:
        how += f" with exit status {outcome.exit_status}"
    if outcome.started_at is not None and outcome.ended_at is not None:
        how += f" after {outcome.ended_at - outcome.started_at} s"
    why = outcome.reason or (meaning(outcome.exit_status) if outcome.state is State.FAILED else "")
    return f"{how}{f' ({why})' if why else ''}"
