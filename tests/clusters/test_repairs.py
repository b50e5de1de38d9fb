"""Jobs that repeat others ask and wait for the same as these, and what they repair is repaired for all who ask."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tests.conftest import Person, json_lines, until_there

CLUSTERS = ("sandbox", "sandbox-slurm")
# What tells two jobs apart that were asked for in the same way: who they are, and when they came.
OWN = re.compile(
    r"^(job_number|exec_file|submission_time|script_size|scheduling info|==+"
    r"|.*(Time|SchedEval|Priority|JobId|AllocNode:Sid)=)",
    re.M,
)


def asked(commuter: Person, cells: dict[str, Cell], slurm: SlurmCluster, cluster: str, job_id: str) -> list[str]:
    """All that the scheduler knows of what was asked of it for a job, but for whose it is."""
    (job,) = commuter.jobs(f"--job={job_id}", cluster=cluster)
    if cluster == slurm.name:
        lines = slurm.must("scontrol", "show", "job", job_id).split()
    else:
        lines = cells[cluster].must("qstat", "-j", job_id).partition("scheduling info")[0].splitlines()
    logs = re.compile(rf"(?<=\.[oe]){job_id}\b|(?<=slurm-){job_id}(?=_)")
    plain = (re.sub(r"/asked\.[0-9a-f]+/", "/asked/", line.replace(job["key"], "KEY")) for line in lines)
    return [logs.sub("ID", line) for line in plain if not OWN.match(line)]


FLAGS = {
    "sandbox": [
        "--queue=all.q",
        "--option=-h",
        "--option=-l h_vmem=2G",
        "--array=1-9:2",
        "--memory=1G",
        "--project=gpu",
    ],
    "sandbox-slurm": ["--option=--begin=now+1hour", "--option=--nice=7", "--array=1-5,9", "--memory=100M"],
}
ALL = [
    "--name=named", "--time=0:03:00", "--cores=2", "--at-once=2", "--mail=a@b.invalid", "--mail-on=ea",
    "--workdir=/tmp", "--arg=a b", "--arg=c'd",
]  # fmt: skip


@pytest.mark.parametrize("bare", [[], ["--bare"]])
@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c2_a_resubmission_asks_for_all_that_was_asked_for(
    commuter: Person, cells: dict[str, Cell], slurm: SlurmCluster, cluster: str, bare: list[str]
) -> None:
    commuter.script("x", "#!/bin/sh\n")
    first = commuter.submit("x", *ALL, *FLAGS[cluster], *bare, cluster=cluster)
    was = asked(commuter, cells, slurm, cluster, first)
    assert any("named" in line for line in was)
    assert commuter.fab("-H", cluster, "cancel", f"--job={first}", "wait").returncode == 3
    again = commuter.fab("-H", cluster, "resubmit", f"--job={first}", "--json")
    assert again.returncode == 0, again.stderr
    second = json_lines(again.stdout)[0]["job_id"]
    now = asked(commuter, cells, slurm, cluster, second)
    # Why it waits is told in one moment and not in the next.
    assert [line for line in now if not line.startswith("Reason=")] == [w for w in was if not w.startswith("Reason=")]
    commuter.fab("-H", cluster, "cancel", f"--job={second}")


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c2_a_job_that_is_submitted_again_waits_for_what_it_waited_for_or_what_repairs_that(
    commuter: Person, cluster: str
) -> None:
    go, good = commuter.home / "go", commuter.home / "good"
    here = ("-H", cluster)
    commuter.script("first", f"#!/bin/sh\n{until_there(go)}\n[ -e '{good}' ]\n")
    commuter.script("gather", "#!/bin/sh\necho gathered\n")
    commuter.fab(*here, "submit", "--script=first", "--job-file=first.job")
    commuter.fab(*here, "submit", "--script=gather", "--job-file=gather.job", "--after=first.job")
    go.touch()
    assert commuter.wait("--job=gather.job", cluster=cluster)["exit_status"] == 96
    refused = commuter.fab("resubmit", "--job=gather.job")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (3, "", 1), refused.stderr
    assert "nothing is submitted to run after it" in refused.stderr
    for then, status in (("fails", 96), ("succeeds", 0)):
        go.unlink()
        assert commuter.fab("resubmit", "--job=first.job").returncode == 0
        again = commuter.fab("resubmit", "--job=gather.job")
        assert again.returncode == 0, again.stderr
        if then == "succeeds":
            good.touch()
        assert commuter.jobs("--job=gather.job", cluster=cluster)[0]["state"] in ("pending", "held")
        go.touch()
        assert commuter.wait("--job=gather.job", cluster=cluster)["exit_status"] == status, then
    # What has succeeded meanwhile is not waited for, be its directory there or not.
    assert commuter.fab("wait", "--job=first.job", "fetch", "--job=first.job").returncode == 0
    assert commuter.fab(*here, "clean", "--job=first.job", "--yes").returncode == 0
    assert commuter.fab("resubmit", "--job=gather.job", "wait", "logs").returncode == 0


# --- repairs


SOME_FAIL = """#!/bin/sh
task=${{SGE_TASK_ID:-$SLURM_ARRAY_TASK_ID}}
echo partial > result.$task
case $task in 2 | 3 | 5) [ -e '{mend}' ] || exit 5; {wait} ;; esac
echo good $task > result.$task
"""


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_c3_what_was_repaired_is_repaired_for_all_who_ask_about_the_first_job(
    commuter: Person, cluster: str, tmp_path: Path
) -> None:
    mend, go = tmp_path / "mend", tmp_path / "go"
    commuter.script("x", SOME_FAIL.format(mend=mend, wait=until_there(go)))
    words = ["--script=x", "--array=1-6", "--job-file=x.job"]
    assert commuter.fab("-H", cluster, "submit", *words, "--wait").returncode == 3
    (first,) = commuter.jobs("--job=x.job", cluster=cluster)
    mend.touch()
    again = commuter.fab("resubmit", "--job=x.job", "--failed", "--json")
    assert again.returncode == 0, again.stderr
    assert "x.job means job" in again.stderr
    ids = [job["job_id"] for job in json_lines(again.stdout)]
    assert len(ids) == 2
    # Once is enough, and says so; the script is not submitted either.
    twice = commuter.fab("resubmit", "--job=x.job", "--failed")
    assert (twice.returncode, twice.stdout) == (0, ""), twice.stderr
    assert all(f"job {job_id} " in twice.stderr for job_id in ids)
    assert re.search(rf" {first['job_id']}\b", commuter.fab("-H", cluster, "submit", *words).stdout)
    go.touch()
    waited = commuter.fab("wait", "--job=x.job", "--timeout=100")
    assert waited.returncode == 0, waited.stderr

    def told() -> None:
        """Whoever asks about the first job is told the whole story."""
        line = commuter.fab("status", "--job=x.job").stdout
        assert f"3 succeeded, 2 repaired by job {ids[0]}, 1 repaired by job {ids[1]}" in line
        (job,) = commuter.jobs("--job=x.job", cluster=cluster)
        assert (job["job_id"], job["state"], job["repaired_by"]) == (first["job_id"], "failed", ids)
        assert {task: each.get("repaired_by") for task, each in job["tasks"].items()} == {
            "1": None, "2": ids[0], "3": ids[0], "4": None, "5": ids[1], "6": None
        }  # fmt: skip

    told()
    nothing = commuter.fab("resubmit", "--job=x.job", "--failed")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert commuter.fab("fetch", "--job=x.job", "--to=out", "--only=result.*").returncode == 0
    got = {path.name: path.read_text() for path in (commuter.work / "out").iterdir()}
    assert got == {f"result.{task}": f"good {task}\n" for task in range(1, 7)}
    # A lost ledger has the links again.
    (commuter.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    assert commuter.fab("-H", cluster, "adopt").returncode == 0
    assert commuter.fab("wait", "--job=x.job").returncode == 0
    told()
    # All of it was fetched then, and may go.
    assert commuter.fab("fetch", "--job=x.job", "--to=out").returncode == 0
    cleaned = commuter.fab("-H", cluster, "clean", "--yes", *(f"--job={one}" for one in (first["job_id"], *ids)))
    assert cleaned.returncode == 0, cleaned.stderr


def test_c3_what_failed_again_is_repeated_with_what_its_last_repeat_had(person: Person) -> None:
    script = "#!/bin/bash\ncase $SGE_TASK_ID in 1) ;; 2) [ -e a ] ;; 3) [ -e a ] && [ -e b ] ;; esac\n"
    person.script("x", script)
    for name in "ab":
        person.script(name, "")
    job_id = person.submit("x", "--array=1-3", "--job-file=x.job")
    assert person.fab("wait", "--job=x.job").returncode == 3
    assert person.fab("resubmit", "--job=x.job", "--failed", "--put=a", "wait").returncode == 3
    left = person.fab("status", "--job=x.job").stdout
    assert re.search(r"1 succeeded, 1 repaired by job \d+, 1 failed again in job \d+", left), left
    waited = person.fab("wait", "--job=x.job")
    assert waited.returncode == 3
    second = person.fab("resubmit", "--job=x.job", "--failed", "--put=b", "--json")
    (job,) = json_lines(second.stdout)
    assert person.fab("-H", "sandbox", "wait", f"--job={job_id}").returncode == 0
    assert list(person.jobs(f"--job={job['job_id']}")[0]["tasks"]) == ["3"]
    # And what comes after the first job comes after its repairs.
    person.submit(person.script("next", "#!/bin/sh\n"), "--after=x.job")
    assert person.wait()["state"] == "succeeded"


def test_c3_a_job_file_is_kept_where_it_is_asked_for_and_nothing_else_is_overwritten(person: Person) -> None:
    person.script("x", "#!/bin/sh\n[ -e again ]\n")
    person.script("again", "")
    job_id = person.submit("x")
    person.wait()
    wrong = person.fab("-H", "sandbox", "resubmit", "--job-file=x")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    kept = person.fab("-H", "sandbox", "resubmit", "--job-file=kept.job", "--put=again")
    assert kept.returncode == 0, kept.stderr
    assert person.fab("wait", "--job=kept.job").returncode == 0
    assert person.jobs("--job=kept.job")[0]["job_id"] != job_id
    assert person.fab("-H", "sandbox", "wait", f"--job={job_id}").returncode == 0
