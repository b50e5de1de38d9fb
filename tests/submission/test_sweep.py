"""Sweeps before the cluster is contacted: what is wrong with their rows, and how they are cut."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tasks.model.cluster import Cluster
from tasks.model.errors import InvalidInput
from tasks.model.ledger import Ledger
from tasks.rendering.table import Table
from tasks.submission import request, sweep
from tasks.submission.prepare import Prepared
from tasks.submission.request import Request
from tasks.tracking.cluster_session import ClusterSession


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterSession:
    """Nothing answers there."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name, text in {
        "sim.sh": "#!/bin/sh\n",
        "t.sh.j2": "#!/bin/sh\necho {{ 1 / (b | int) }} {{ a }}\n",
        "d.sh.j2": "#!/bin/sh\n#$ -l h_rt={{ a }}\n",
        "good.csv": "a,b\n1,2\n2,1\n3,0\n",
        "asks.csv": "a,memory,time,cores\n1,2G,1h,\n2,4G,,2\n3,5,,\n",
        "rows": "",
    }.items():
        (tmp_path / name).write_text(text)
    return ClusterSession(Cluster("nowhere", "nowhere", scheduler="gridengine"), ledger=Ledger(tmp_path / "ledger"))


def steps(session: ClusterSession, **given: Any) -> Prepared:
    return sweep.steps(session, Request(**{"script": "sim.sh", **given}))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"over": "good.csv", "array": "1-3"}, "--array does not go with --over and --grid: its rows are the tasks"),
        ({"grid": ["a=1,2"], "bare": True}, "--bare does not go with --over and --grid"),
        ({"separate": True}, "--separate goes with --over or --grid"),
        ({"over": "good.csv", "put": ["rows"]}, "--put: the name rows is submithost's own"),
        ({"over": "good.csv", "script": "t.sh.j2"}, "good.csv:4: t.sh.j2:2: ZeroDivisionError: division by zero"),
        ({"grid": ["a=1,2"], "script": "t.sh.j2"}, "row 1: t.sh.j2:2: template variable 'b' is not set"),
        ({"over": "good.csv", "script": "d.sh.j2"}, "good.csv:3: the directives of one array job are the same"),
        ({"grid": ["SGE_TASK_ID=1"]}, "column 'SGE_TASK_ID' would change how the job runs"),
        ({"grid": ["SLURM_JOB_ID=1"]}, "column 'SLURM_JOB_ID' would change how the job runs"),
        ({"over": "good.csv", "set": ["a=1"]}, "variable 'a' is a column of the rows"),
    ],
)
def test_what_is_wrong_with_rows_is_one_line(session: ClusterSession, given: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        steps(session, **given)
    assert str(error.value).startswith(said)
    assert str(error.value).isprintable()


def test_a_mistake_in_a_template_that_is_no_sweep_speaks_of_no_row(session: ClusterSession) -> None:
    with pytest.raises(InvalidInput) as error:
        request.steps(session, Request("t.sh.j2"))
    assert str(error.value).startswith("t.sh.j2:2: template variable 'b' is not set")


def test_all_rows_are_looked_at_before_the_cluster_is(session: ClusterSession) -> None:
    for given, said in (
        ({"over": "good.csv", "script": "t.sh.j2"}, "good.csv:4: t.sh.j2:2: "),
        ({"over": "good.csv", "script": "t.sh.j2", "separate": True}, "good.csv:4: t.sh.j2:2: "),
        ({"over": "asks.csv", "separate": True}, "asks.csv:4: memory '5' is 5 bytes"),
    ):
        with pytest.raises(InvalidInput) as error:
            sweep.submit(session, Request(**{"script": "sim.sh", **given}))
        assert str(error.value).startswith(said)


def test_each_row_has_its_own_script_of_a_template(session: ClusterSession) -> None:
    prepared = steps(session, grid=["b=1,2", "a=x,y"], script="t.sh.j2")
    laid = {upload.name: upload.content for upload in prepared.uploads}
    scripts = [f"#!/bin/sh\necho {1 / b} {a}\n".encode() for b in (1, 2) for a in "xy"]
    assert laid[".submithost/scripts"] == b"".join(scripts)
    places = [line.split(b" ")[:3] for line in bytes(laid[".submithost/rows"]).splitlines()]
    assert [(int(start), int(size)) for _, start, size in places] == [
        (sum(map(len, scripts[:at])), len(script)) for at, script in enumerate(scripts)
    ]


def test_a_separate_row_asks_for_what_its_columns_say(session: ClusterSession) -> None:
    Path("asks.csv").write_text("a,memory,time,cores\n1,2G,1h,\n2,4G,,2\n")
    prepared = steps(session, over="asks.csv", separate=True, key="k", memory="1G", project="p")
    assert (prepared.job.key, prepared.job.sweep, prepared.job.array) == ("k.row1", "k", None)
    assert "-l h_rt=01:00:00 -l h_vmem=2G -P p" in prepared.variables["submit"].replace("'", "")
    assert prepared.job.rows[0] == {"a": "1", "memory": "2G", "time": "1h", "cores": ""}


def test_a_table_is_cut_where_a_job_takes_no_more_tasks() -> None:
    table = Table(("a",), tuple({"a": str(n)} for n in range(25)), ("",) * 25, "")
    parts = list(sweep.cut(table, 10))
    assert [(part.first, part.size) for part in parts] == [(1, 10), (11, 10), (21, 5)]
    assert [part.rows[0]["a"] for part in parts] == ["0", "10", "20"]
    assert [(part.first, part.size) for part in sweep.cut(table, None)] == [(1, 25)]
    assert len(list(sweep.cut(table, None, separate=True))) == 25


@pytest.mark.parametrize(
    ("at_once", "parts", "expected"),
    [
        (10, 1, [(10, None)]),
        (10, 3, [(4, None), (3, None), (3, None)]),
        (2, 5, [(1, None), (1, None), (1, 0), (1, 1), (1, 2)]),
    ],
)
def test_so_many_at_once_over_all_parts(at_once: int, parts: int, expected: list[tuple[int, int | None]]) -> None:
    assert sweep.shares(at_once, parts) == expected
