"""Why jobs of Slurm wait, out of what the scheduler said of jobs that were made to wait for each cause."""

from __future__ import annotations

import re

import pytest

from tasks.model.errors import SchedulerError
from tasks.model.job import State
from tasks.model.reason import Reason
from tasks.schedulers.slurm import scheduler as slurm
from tests.captured import answer

WAITING, LIMITS = "slurm-22.05-waiting.txt", "slurm-22.05-limits.txt"
ALL = "reasons 60 62 63 64 65 68 69 70 74 75"


def told(block: str, state: State = State.PENDING, out: str = "", file: str = WAITING) -> dict[str, Reason]:
    """The reasons in a captured answer of jobs in that state, by their IDs."""
    ids = re.findall(r"\d+", block)
    of_all = slurm.reasons(ids).parse(0, out or answer(file, block).out, "")
    return {job_id: reason for (job_id, each), reason in of_all.items() if each is state}


def test_what_no_node_of_the_partition_has_is_told_with_the_largest_that_there_is() -> None:
    never = {job_id: reason for job_id, reason in told(ALL).items() if reason.kind == "never"}
    assert never == {
        "63": Reason(
            "never", "no node of partition main has 999 cores; the largest has 16", "submit it with --cores=16 at most"
        ),
        "69": Reason("never", "it asks for 30 nodes, and partition main has 1"),
        "70": Reason(
            "never", "it asks for 1:00:00, and partition short allows 0:10:00", "submit it with --time=0:10:00 at most"
        ),
    }
    memory = answer(WAITING, ALL).out.replace("MinCPUsNode=999 MinMemoryCPU=1G", "MinCPUsNode=16 MinMemoryCPU=5G")
    assert told(ALL, out=memory)["63"].text == "no node of partition main has 80 GB; the largest has 64 GB"
    (never_met,) = told(ALL, State.ERROR).values()
    assert (never_met.kind, "afterok:71(failed) cannot be met" in never_met.text) == ("never", True)


def test_who_waits_for_its_turn_for_a_time_for_a_limit_or_is_held_is_told_apart() -> None:
    others = {job_id: (reason.kind, reason.text) for job_id, reason in told(ALL).items()}
    assert others["64"] == ("limit", "at most 2 of its tasks run at once (--at-once)")
    assert others["65"] == ("busy", "it waits for its turn (no other job waits)")  # with no limits of time nobody knows
    assert others["68"] == ("begin", "it is not to start before 2026-11-27T17:21:37Z")
    assert told(ALL, State.HELD)["60"].kind == "held"
    limited = answer(WAITING, ALL).out.replace("TimeLimit=UNLIMITED", "TimeLimit=00:10:00")
    soon = limited.replace("StartTime=2027-11-27T16:32:00", "StartTime=2026-11-27T18:00:00")
    soon = soon.replace("place|65|1|1", "place|65|22|30")
    assert told(ALL, out=soon)["65"].text == (
        "it waits for its turn (22nd of the 30 jobs that wait), and is expected to start at 2026-11-27T18:00:00Z"
    )


def test_nodes_and_partitions_that_are_out_of_order_are_named_with_the_words_of_who_did_it() -> None:
    found = told("reasons 65 68 76, node1 drained")
    assert found["65"] == Reason("down", "partition main cannot run it now (draining: new disks)")
    assert found["76"] == Reason("down", "ReqNodeNotAvail, UnavailableNodes:node1 (draining: new disks)")
    (admin,) = told("reasons 65 68 76, node1 drained", State.HELD).values()
    assert "an administrator" in admin.text
    assert told("reasons 65, partition main down")["65"].text == "partition main cannot run it now (PartitionDown)"


TABLES = """\
limit|Name|GrpJobs|GrpTRES|MaxJobsPU|MaxTRESPU|MaxJobsPA|MaxTRESPA
limit|normal|7|cpu=100|3|cpu=20,mem=40G||
limit|Account|User|GrpJobs|GrpTRES|MaxJobs|MaxTRES
limit|physics|||cpu=64,mem=1T||
limit|physics|te1st|||5|
"""


@pytest.mark.parametrize(("reason", "value"), [
    ("QOSMaxJobsPerUserLimit", "3"), ("QOSMaxCpuPerUserLimit", "20"), ("QOSMaxMemoryPerUser", "40G"),
    ("QOSGrpCpuLimit", "100"), ("QOSGrpJobsLimit", "7"), ("AssocGrpCpuLimit", "64"), ("AssocGrpMemLimit", "1T"),
    ("AssocMaxJobsLimit", "5"), ("MaxJobsPerAccount", ""),
])  # fmt: skip
def test_a_limit_of_the_accounting_is_told_by_its_name_and_its_value(reason: str, value: str) -> None:
    out = answer(WAITING, ALL).out.replace("QOS=(null)", "QOS=normal").replace("Reason=Resources", f"Reason={reason}")
    found = told(ALL, out=out + TABLES)["65"]
    assert found == Reason("limit", f"a limit is reached: {reason}{f' = {value}' if value else ''}")


def test_a_reason_that_nobody_has_heard_of_is_passed_on_and_no_answer_is_none() -> None:
    odd = answer(WAITING, ALL).out.replace("Reason=Resources", "Reason=Full_Moon")
    assert told(ALL, out=odd)["65"] == Reason("unknown", "Slurm says: Full Moon")
    with pytest.raises(SchedulerError):
        slurm.reasons(["65"]).parse(1, "", "slurm_load_jobs error: Unable to contact slurm controller")


def test_limits_of_a_user_and_of_an_account_as_the_accounting_tells_them() -> None:
    assert told("reasons 4 7, limits of a user", file=LIMITS) == {
        "4": Reason("limit", "a limit is reached: QOSMaxCpuPerUserLimit = 4"),
        "7": Reason("limit", "a limit is reached: QOSMaxJobsPerUserLimit = 1"),
    }
    (account,) = told("reasons 4, a limit of an account", file=LIMITS).values()
    assert account == Reason("limit", "a limit is reached: AssocGrpCpuLimit = 6")
