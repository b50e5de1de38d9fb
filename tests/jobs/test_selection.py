"""Which jobs of a ledger are selected, without a question to any cluster; and what somebody is told of none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tasks.api.submit_host import SubmitHost
from tasks.jobs.selection import known_here
from tasks.model.cluster import Cluster
from tasks.model.errors import InvalidInput
from tasks.model.job import Job, Outcome, State
from tasks.model.ledger import Ledger
from tasks.model.resources import TaskRange
from tasks.model.wanted import Wanted
from tasks.tracking.cluster_session import ClusterSession

JOBS = [
    Job("k-one", "a", "sim-1", job_id="1", group="sim", outcome=Outcome(State.FAILED, 1)),
    Job("k-two", "a", "sim-2", job_id="2", group="sim", outcome=Outcome(State.RUNNING), array=TaskRange(1, 9)),
    Job("k-three", "a", "other", job_id="3", group="late.r", outcome=Outcome(State.SUCCEEDED, 0)),
    Job("k-four", "a", "other", job_id="4", outcome=Outcome(State.VANISHED)),
    Job("elsewhere", "b", "sim-1", job_id="1", group="sim", outcome=Outcome(State.RUNNING)),
]


@pytest.fixture
def session(tmp_path: Path) -> ClusterSession:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.update(*JOBS)
    return ClusterSession(Cluster("a", "a"), ledger=ledger)


def selected(session: ClusterSession, *job: str, live: bool = False, **more: str | bool) -> str:
    found = known_here(session, Wanted.read(job, **more), live=live)  # type: ignore[arg-type]  # one of each
    return " ".join(".".join([job.job_id or "", *map(str, tasks)]) for job, tasks in found)


def test_conditions_are_met_together_and_what_is_named_comes_first(session: ClusterSession) -> None:
    assert selected(session, "sim-*") == "1 2"
    assert selected(session, "k-t*") == "2 3"
    assert selected(session, "3", "sim-*") == "3 1 2"
    assert selected(session, "2.3", "o*") == "2.3 3 4"
    assert selected(session, "k-two.3", "k-one") == "2.3 1"
    assert selected(session, "2.3", "sim-*") == "1 2"  # all of it is selected as well
    assert selected(session, "3", "sim-*", group="s*") == "1 2"
    assert selected(session, group="sim") == "1 2"
    assert selected(session, all=True) == "1 2 3 4"
    assert selected(session, all=True, live=True) == "2 4"
    assert selected(session, group="sim", live=True) == "2"


def test_of_a_state_those_that_may_have_come_into_it_are_left_to_the_cluster_to_tell(session: ClusterSession) -> None:
    assert selected(session, state="failed") == "1 2 4"
    assert selected(session, state="failed", group="late.r") == ""


@pytest.mark.parametrize(
    ("words", "more", "told"),
    [
        (["smi-*"], {}, "no job whose name or key matches 'smi-*' was submitted from here; did you mean 'sim-*'?"),
        (["K-*"], {}, "did you mean 'k-*'?"),
        (["*x"], {}, "matches '*x' was submitted from here"),
        ([], {"group": "smi"}, "no job was submitted from here with --group smi; did you mean 'sim'?"),
        ([], {"group": "x*"}, "with --group x*; there are sim, late.r"),
        (["sim-*", "nosuch"], {}, "no job 'nosuch' was submitted from here"),
        (["k-two.10"], {}, 'job 2 ("sim-2") on a has no task 10'),
        (["k-one.1"], {}, 'job 1 ("sim-1") on a has no task 1'),
    ],
)
def test_what_matches_nothing_is_told_with_the_nearest(
    session: ClusterSession, words: list[str], more: dict[str, str], told: str
) -> None:
    with pytest.raises(InvalidInput) as error:
        selected(session, *words, **more)
    assert told in str(error.value)


def test_a_file_that_is_called_like_a_glob_is_a_file(session: ClusterSession, tmp_path: Path) -> None:
    (tmp_path / "sim-[12]").write_text("{}")
    with pytest.raises(InvalidInput, match="is not one of submithost's"):
        selected(session, str(tmp_path / "sim-[12]"))


def test_an_empty_list_of_jobs_is_no_job_and_never_the_last_one(session: ClusterSession) -> None:
    host = SubmitHost.of(session)
    assert (host.selected([]), host.cancel([]), host.hold([]), host.clean([])) == ([], "", "", [])
    assert [job.key for job, _ in host.selected()] == ["k-four"]
    assert [job.key for job in host.jobs("failed,running", group="sim")] == ["k-two", "k-one"]
