"""By hand against ours: whatever a job's body inherits is the same, but for what README lists."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tasks.testbed import bed
from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tests.clusters import inherited, rows
from tests.clusters.rows import Row
from tests.conftest import ROOT

# Columns by what they belong to; whatever is not named here is in the last group.
GROUPS = {
    "a1-functions": r"\$BASH_FUNC_.*",
    "a1-limits": r"RLIMIT_.*",
    "a1-umask": r"umask",
    "a2-signals": r"ignored|blocked|caught",
    "a2-stdin": r"stdin.*",
    "a4-environment": r"\$(?!BASH_FUNC_).*",
    "a4-qsub": r"qsub_from_here",
    "a6-end": r"ended|mail",
    "a6-process-group": r"leads_its_group",
    "logs": r"logs|output|std(out|err)_kind",
    "script": r"interpreter|argv|arguments",
    "others": r".*",
}


@dataclass(frozen=True)
class Difference:
    """Columns that differ on purpose, in some rows; README says why."""

    columns: str
    where: Callable[[Row], bool]

    def allows(self, column: str, row: Row) -> bool:
        return bool(re.fullmatch(self.columns, column)) and self.where(row)


# By the first words of their rows in README's table.
DIFFERENCES = {
    "Where it runs": Difference("directory_of_its_own", lambda row: True),
    "The script's path": Difference("script_beside_files", lambda row: row.how != "bare"),
    "A first line `#!`": Difference(r".*", lambda row: row.scheduler == "posix" and row.body == "first_line"),
    "`SHELL` of a script in Python": Difference(
        r"\$SHELL|qsub_from_here", lambda row: row.scheduler == "posix" and row.how != "bare" and row.body == "python"
    ),
    "The queue's csh": Difference(
        r"ignored|caught|interpreter",
        lambda row: row.scheduler == "posix" and row.how != "bare" and row.body in ("neither", "tcsh"),
    ),
    "An interpreter's own name": Difference(
        r"interpreter",
        lambda row: row.scheduler == "posix" and row.how != "bare",
    ),
    "The process group on Grid Engine": Difference(
        r"leads_its_group", lambda row: row.scheduler != "slurm" and row.how != "bare"
    ),
    "`kill -- -$$` on Grid Engine": Difference(
        r"ended|mail|output",
        lambda row: row.scheduler != "slurm" and row.how != "bare" and row.body == "kills_its_group",
    ),
    "The mail on a missing interpreter": Difference(
        r"mail|output", lambda row: row.scheduler != "slurm" and row.how != "bare" and row.body == "has_no_interpreter"
    ),
    "Logs on Slurm": Difference(
        r"logs|output|std(out|err)_kind",
        lambda row: row.scheduler == "slurm" and row.how != "bare" and row.asked != "logs",
    ),
    "Defaults of a bare script on Slurm": Difference(
        r"asked Comment", lambda row: row.scheduler == "slurm" and row.how == "bare"
    ),
}

Cells = list[tuple[str, Row, Any, Any]]


@dataclass(frozen=True)
class Table:
    """The rows that have run, and the cells that differ: column, row, by hand, ours."""

    ran: dict[Row, bool]
    differing: Cells


@pytest.fixture(scope="module")
def table(cells: dict[str, Cell], slurm: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    """Each row by hand and by us."""
    names = ("bash-1", "bash-2", "bash-3")
    sandboxes = [slurm, *cells.values()]
    with_bash = [*bed.up_slurm(names[:1], slots=32, sh="/bin/bash"), *bed.up(names[1:], slots=32, sh="/bin/bash")]
    # Slurm comes first, which forgets a job after five minutes.
    clusters = [cluster for both in zip(sandboxes, with_bash, strict=True) for cluster in both]
    home = tmp_path_factory.mktemp("inherited") / "home"
    try:
        places = dict(zip(rows.PLACES, clusters, strict=True))
        pairs, ends = inherited.run_all(places, rows.rows(), home)
        ran, found = {}, []
        for row, both in pairs.items():
            for task in row.tasks:
                hand, ours = (job.columns(task, ends[row.place][job.job_id, task]) for job in both)
                ran[row] = hand["runs"] and ours["runs"]
                found += [(name, row, hand.get(name), ours.get(name)) for name in sorted({*hand, *ours})]
        ids = {row: (hand.job_id, ours.job_id) for row, (hand, ours) in pairs.items()}
        yield Table(ran, [cell for cell in found if not inherited.same(*cell[2:], ids[cell[1]])])
    finally:
        for cluster in clusters:
            inherited.tidy(cluster)
        bed.down(names)


def group_of(column: str) -> str:
    return next(name for name, columns in GROUPS.items() if re.fullmatch(columns, column))


@pytest.mark.parametrize("group", GROUPS)
def test_a_body_inherits_the_same_as_by_hand(table: Table, group: str) -> None:
    found = [
        f"{row}: {column}: by hand {hand!r}, ours {ours!r}"
        for column, row, hand, ours in table.differing
        if group_of(column) == group and not any(each.allows(column, row) for each in DIFFERENCES.values())
    ]
    assert not found, "\n".join([f"{len(found)} differ:", *found[:20]])


def test_each_pair_of_values_has_been_tried_and_each_body_has_run(table: Table) -> None:
    for name, values in rows.FACTORS.items():
        assert {getattr(row, name) for row in table.ran} >= set(values)
    assert {row.body for row, ran in table.ran.items() if not ran} == {"has_no_interpreter"}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_what_differs_on_purpose_does_differ(table: Table, name: str) -> None:
    assert [column for column, row, _, _ in table.differing if DIFFERENCES[name].allows(column, row)]


def test_readme_lists_what_differs_on_purpose_and_no_more() -> None:
    section = (ROOT / "README.md").read_text("utf-8").partition("## What differs from typing it by hand\n")[2]
    table = re.search(r"(?:^\|.*\n)+", section, re.M)  # the first: what is asked for has one of its own
    assert table
    listed = re.findall(r"^\| (.+?) \| .+ \| .+ \| .+ \|$", table[0], re.M)[1:]  # after its head
    assert listed == list(DIFFERENCES)
