"""How busy a cluster is, and which jobs are alive, as each scheduler tells it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import SchedulerError
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.slurm import scheduler as slurm
from tasks.schedulers.values import Load, Queue
from tests.captured import answer

GRIDENGINE, SLURM = "gridengine-8.1.9-load.txt", "slurm-22.05.8-load.txt"
# Asked as when these were captured; what comes back has the same form.
IDS = r"""printf '%s\n' "$rows" | sed -n 's/^ *\([0-9]\{1,\}\) .*/\1/p'"""
LOAD = f"qstat -g c -xml && rows=$(qstat -s p -u '*') && {IDS} | sort -u | {{ printf 'waiting '; wc -l; }}"
ALIVE = f'rows=$(qstat -u "$(id -un)") && {IDS}'
ROW = "<used>%s</used><resv>%s</resv><available>%s</available><total>%s</total>"


def test_slots_of_grid_engine_are_used_free_or_down_and_everybodys_waiting_jobs_are_counted() -> None:
    loads = []
    for nth in range(4):
        said = answer(GRIDENGINE, LOAD, nth)
        loads.append(gridengine.load().parse(said.status, said.out, said.err))
    assert loads == [
        Load((Queue("all.q", 0, 8, 0),), 0),
        Load((Queue("all.q", 5, 3, 0),), 3),
        Load((Queue("all.q", 5, 0, 3),), 3),
        Load((Queue("all.q", 5, 0, 3),), 3),
    ]


def test_slots_that_are_reserved_are_neither_free_nor_down() -> None:
    rows = f"<?xml version='1.0'?><job_info><cluster_queue_summary><name>q</name>{ROW % (1, 2, 3, 10)}"
    load = gridengine.load().parse(0, f"{rows}</cluster_queue_summary></job_info>\nwaiting       12\n", "")
    assert load == Load((Queue("q", 1, 3, 4),), 12)


def test_partitions_of_slurm_know_which_jobs_wait_for_them() -> None:
    said = answer(SLURM, slurm.load().command)
    assert slurm.load().parse(said.status, said.out, said.err) == Load((Queue("main", 3, 13, 0, 4),), 4)


def test_a_job_that_waits_for_several_partitions_is_one_job() -> None:
    said = "has|a|1/2/3/6\nhas|b|0/4/0/4\nhas|a|1/1/1/3\nwaits|a,b|7\nwaits|a|8\nwaits|a|8\n"
    assert slurm.load().parse(0, said, "") == Load((Queue("a", 2, 3, 4, 2), Queue("b", 0, 4, 0, 1)), 2)


def test_the_ids_of_all_that_is_alive() -> None:
    said = [answer(GRIDENGINE, ALIVE, nth) for nth in (0, 1)]
    assert [gridengine.alive().parse(each.status, each.out, each.err) for each in said] == [set(), set("1234567")]
    said = [answer(SLURM, slurm.alive().command)]
    assert slurm.alive().parse(said[0].status, said[0].out, said[0].err) == {"25", "28", "32", "33", "34"}


def test_what_could_not_be_asked_is_no_empty_cluster() -> None:
    down = answer(GRIDENGINE, LOAD, 4)
    for parse in (gridengine.load().parse, gridengine.alive().parse):
        with pytest.raises(SchedulerError, match="commlib error"):
            parse(down.status, down.out, down.err)
    down = answer(SLURM, slurm.load().command, 1)
    for parse_slurm in (slurm.load().parse, slurm.alive().parse):
        with pytest.raises(SchedulerError, match="Unable to contact"):
            parse_slurm(down.status, down.out, down.err)
    for said in ("usage: squeue", "has|main|x/1/1/3\n", "waits|main|1_[1-3]\n"):
        with pytest.raises(SchedulerError, match="not understood"):
            slurm.load().parse(0, said, "")
    with pytest.raises(SchedulerError):
        gridengine.load().parse(0, "<?xml version='1.0'?><job_info></job_info>", "")


SAID = st.one_of(
    st.text(),
    st.lists(st.from_regex(r"(has|waits)\|[a-z,|]*\|[0-9/_]{0,12}", fullmatch=True)).map("\n".join),
    st.lists(st.sampled_from([ROW % (1, 2, 3, "x"), ROW % ("9" * 30, 1, 1, 1), ROW % ("", -1, 0, 4), "<", "&"])).map(
        lambda rows: f"<?xml?><job_info><cluster_queue_summary>{''.join(rows)}</cluster_queue_summary></job_info>"
    ),
)


@given(st.integers(0, 2), SAID, st.sampled_from(["", "\nwaiting 3\n", "\nwaiting x\n"]), st.text(max_size=20))
def test_no_answer_makes_a_parser_raise_anything_else_or_count_below_nothing(
    status: int, out: str, rest: str, err: str
) -> None:
    for module in (gridengine, slurm):
        with contextlib.suppress(SchedulerError):
            load = module.load().parse(status, out + rest, err)
            assert load.waiting >= 0
            assert all(min(queue.used, queue.free, queue.down) >= 0 for queue in load.queues)
        with contextlib.suppress(SchedulerError):
            assert all(job_id.isdecimal() for job_id in module.alive().parse(status, out + rest, err))
