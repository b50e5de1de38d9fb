"""What a site allows, as each scheduler tells it."""

from __future__ import annotations

import pytest

from tasks.model.errors import SchedulerError
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.seam import Scheduler
from tasks.schedulers.slurm import scheduler as slurm
from tests.captured import answer

GRIDENGINE, SLURM = "gridengine-8.1.9-limits.txt", "slurm-22.05.8-limits.txt"


@pytest.mark.parametrize(
    ("scheduler", "file", "was", "site", "most"),
    [
        (gridengine, GRIDENGINE, "", "", 75000),
        (gridengine, GRIDENGINE, "75000", "0", None),
        (slurm, SLURM, "", "", 1000),
        (slurm, SLURM, "1001", "1", 1),
    ],
)
def test_s7_the_most_tasks_of_an_array_job(
    scheduler: Scheduler, file: str, was: str, site: str, most: int | None
) -> None:
    question = scheduler.most_tasks()
    said = answer(file, question.command)
    assert question.parse(said.status, said.out.replace(was, site) if was else said.out, said.err) == most


def test_what_does_not_answer_is_no_limit() -> None:
    said = answer(GRIDENGINE, "qconf -sconf", 1)
    for scheduler in (gridengine, slurm):
        with pytest.raises(SchedulerError):
            scheduler.most_tasks().parse(said.status, said.out, said.err)
        with pytest.raises(SchedulerError):
            scheduler.most_tasks().parse(0, "", "")
