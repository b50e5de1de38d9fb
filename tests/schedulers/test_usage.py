"""What jobs used and why they ended, as the schedulers told it of jobs that were made to end so."""

from __future__ import annotations

import pytest

from tasks.model.failure import Cause
from tasks.model.resources import TaskRange
from tasks.model.usage import Asked
from tasks.schedulers import scheduler
from tasks.schedulers.values import Ran
from tests.captured import answer

GRID_ENGINE, SLURM = "gridengine-8.1.9-usage.txt", "slurm-22.05.8-usage.txt"
MB = 1 << 20


def told(name: str, file: str, block: str) -> dict[tuple[str, int], Ran]:
    """By job and task (0: none), the later one where one is told of twice."""
    said = answer(file, block)
    runs = scheduler(name).usage(["1"], {"memory": "rmem"}).parse(said.status, said.out, said.err)
    return {(run.job_id, run.tasks[0].first if run.tasks else 0): run for run in runs}


ENDED = told("gridengine", GRID_ENGINE, "ended")


@pytest.mark.parametrize(
    ("job", "cause"),
    [
        ("23", ("time", "h_rt", 2, True, None)),
        ("24", ("time", "s_rt", 2, False, 10)),
        ("25", ("time", "h_cpu", 1, False, None)),
        ("26", ("", "", None, True, None)),
        ("27", ("memory", "h_vmem", 300 * MB, False, None)),
        ("28", ("", "", None, True, 11)),
    ],
)
def test_g30_limits_are_told_apart_by_what_was_used(
    job: str, cause: tuple[str, str, int | None, bool, int | None]
) -> None:
    found = ENDED[job, 0].cause
    assert (found.kind, found.request, found.limit, found.ours, found.signal) == cause


def test_g29_what_a_task_asked_for_and_used_is_in_seconds_and_bytes() -> None:
    run = ENDED["19", 3]
    assert run.usage.asked == Asked(300, 2048 * MB, 2)
    assert (run.usage.wall, run.usage.cpu, run.usage.cores, run.usage.host) == (10, 0.046, 2, "localhost")
    assert run.usage.memory == int(66.777 * MB)
    assert run.submitted_at is not None
    assert ENDED["28", 0].usage.memory == int(4.324 * MB)  # maxvmem is 0 of what was short; ru_maxrss is in KiB


def test_g9_what_runs_tells_of_its_use_so_far_and_what_never_started_why() -> None:
    found = told("gridengine", GRID_ENGINE, "alive")
    assert found["43", 3].usage.memory == int(66.867 * MB)
    assert (found["43", 1].usage.memory, found["43", 1].usage.cpu) == (None, 0)
    assert found["43", 1].usage.asked == found["43", 0].usage.asked == Asked(300, 2048 * MB, 2)
    alive = answer(GRID_ENGINE, "alive").out
    ended = scheduler("gridengine").usage(["1"]).parse(0, "te1st\n" + alive[alive.index("=\nhostname") :], "")
    kinds = {run.job_id: run.cause.kind for run in ended}
    assert kinds == {"15": "shell", "16": "place", "17": "place"}
    (lost,) = told("gridengine", GRID_ENGINE, "lost").values()
    assert lost.cause == Cause("node", "it was lost on localhost (before writing exit_status)")


def test_s4_the_accounting_has_steps_with_the_peak_and_who_cancelled() -> None:
    found = told("slurm", SLURM, "ended")
    causes = {job: run.cause for (job, task), run in found.items() if not task}
    assert causes["2"] == Cause(signal=9)
    assert causes["3"] == Cause("time")
    assert causes["4"] == Cause(signal=11)
    assert causes["5"] == causes["8"] == Cause()
    assert causes["6"].kind == "place"
    assert causes["7"] == Cause("cancelled", by="te1st")
    assert found["2", 0].usage.memory == 595400 << 10
    assert found["3", 0].usage.asked == Asked(60, 1 << 30, 1)
    assert found["8", 0].usage.asked.time is None  # a year is no limit
    assert (found["8", 0].usage.cpu, found["8", 0].usage.memory, found["8", 0].usage.cores) == (0.258, 37760 << 10, 2)
    assert found["1", 3].usage.asked == Asked(300, 200 * MB, 2)
    assert found["1", 3].tasks == (TaskRange(3, 3),)


def test_s4_what_runs_is_told_of_by_its_steps_with_accounting_and_without() -> None:
    for block, job in (("alive, with accounting", "22"), ("alive, without accounting", "21")):
        found = told("slurm", SLURM, block)
        peaks = sorted(found[job, task].usage.memory or 0 for task in (1, 3))
        assert peaks == ([68168 << 10, 68248 << 10] if job == "22" else [68152 << 10, 68284 << 10])
        assert found[job, 1].usage.asked == Asked(300, 200 * MB, 2)
        assert found[job, 1].usage.ended_at is None
        assert found[job, 1].usage.wall
    assert found["19", 0].cause == Cause(signal=11)
    assert (found["20", 0].cause.kind, "/no/such/dir/x" in found["20", 0].cause.said) == ("place", True)
    (lost,) = told("slurm", SLURM, "node failed").values()
    assert (lost.cause.kind, lost.cause.said) == ("node", "its node failed")


@pytest.mark.parametrize("many", ["x", "", "²", "9" * 5000])
def test_a_number_of_tasks_that_is_none_is_no_error(many: str) -> None:
    line = "JobId=22 JobState=RUNNING RunTime=00:00:07 NumCPUs=1 StartTime=2026-11-27T16:39:57"
    row = f"22|COMPLETED|0:0|2026-11-27T16:39:57|2026-11-27T16:39:57||{many}|00:00:02||cpu=1|{many}|node1"
    for told in (f"now|22.batch|00:00:02|{many}|68284K\n{line}\n", f"{row}\n22.batch{row[2:]}\n"):
        runs = scheduler("slurm").usage(["22"], {}).parse(0, told, "")
        assert [(run.job_id, run.usage.asked.time) for run in runs] == [("22", None)]
