"""What many jobs came to, in numbers: outcomes, core hours and their waste, waits, and why some failed."""

from __future__ import annotations

from tasks.model.job import State
from tasks.model.report import Report
from tests.screen.reports import NOW, REPORT


def test_outcomes_count_tasks_and_a_job_without_tasks_as_one() -> None:
    whole = REPORT.whole
    assert (whole.jobs, whole.tasks) == (8, 10)
    assert {str(state): many for state, many in whole.states.items()} == {
        "succeeded": 3, "failed": 3, "cancelled": 1, "running": 1, "pending": 2,
    }  # fmt: skip


def test_core_hours_of_what_did_not_succeed_and_of_idle_cores_are_wasted() -> None:
    whole = REPORT.whole
    assert whole.core_seconds == 6 * 4 * 3600 + 3600 + 1800
    assert whole.in_vain == 3 * 4 * 3600 + 1800
    assert whole.idle == 2 * 3600 + 1800  # of those that succeeded alone
    assert whole.wasted == whole.in_vain + whole.idle


def test_the_wait_is_from_submission_to_the_first_start() -> None:
    assert sorted(REPORT.whole.waits) == [600, 800, 1200, 1800, 2400, 3000, 3600]
    assert REPORT.whole.waited == 1800
    assert Report().whole.waited is None


def test_there_is_a_line_for_each_cluster_and_project_and_they_add_up() -> None:
    assert list(REPORT.lines) == [("sharc", ""), ("sharc", "gpu")]
    assert sum(line.core_seconds for line in REPORT.lines.values()) == REPORT.whole.core_seconds
    first, second = REPORT.as_json()
    assert (first["project"], second["project"]) == (None, "gpu")
    assert second == {
        "cluster": "sharc", "project": "gpu", "jobs": 2, "tasks": 4,
        "outcomes": {"failed": 2, "succeeded": 1, "pending": 1}, "core_hours": 5.5, "wasted_core_hours": 5.0,
        "failed_core_hours": 4.5, "idle_core_hours": 0.5, "waited": 1300, "waited_at_most": 1800,
        "failures": {"time": 1, "memory": 1}, "jobs_without_accounting": 1,
        "first_submitted_at": "2027-01-14T09:00:00Z", "last_submitted_at": "2027-01-15T05:46:40Z",
    }  # fmt: skip


def test_failures_are_told_by_cause_the_dearest_first() -> None:
    causes = [(cause.kind, cause.jobs, cause.tasks, cause.core_seconds) for cause in REPORT.causes]
    hours = 4 * 3600
    assert causes == [("cancelled", 1, 1, hours), ("exit", 1, 1, hours), ("time", 1, 1, hours), ("memory", 1, 1, 1800)]
    assert [cause.example.job.job_id for cause in REPORT.causes] == ["5", "4", "3", "90"]


def test_reports_of_clusters_add_up_by_time_and_may_be_cut_down_to_states() -> None:
    parts = Report(REPORT.jobs[1::2], ["x"]) + Report(REPORT.jobs[::2], ["y"])
    assert [each.job.submitted_at for each in parts.jobs] == sorted(
        each.job.submitted_at or NOW for each in REPORT.jobs
    )
    assert (parts.whole, parts.troubles) == (parts.only([]).whole, ("x", "y"))
    assert {each.job.state for each in parts.only([State.FAILED]).jobs} == {State.FAILED}
