"""What schedulers say of jobs that wait, are held, were requeued or have ended, as it was captured."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tasks.model.dates import seconds_of
from tasks.model.errors import SchedulerError
from tasks.model.job import Job, Outcome, State
from tasks.model.resources import TaskRange
from tasks.model.settling import Known, settle
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.slurm import scheduler as slurm
from tasks.schedulers.values import Record, Row
from tasks.tracking.matching import records_of, states_of
from tests.captured import answer
from tests.conftest import program

GRID_ENGINE, SLURM = "gridengine-8.1.9-held.txt", "slurm-22.05-held.txt"
LIST = "SLURM_BITSTR_LEN=0 squeue -h -u \"$(id -un)\" -o '%F|%K|%T|%r|%Q|%E|%o|.'"


def listed() -> dict[str, Row]:
    """The list of Grid Engine, as its question would have brought it."""
    out = answer(GRID_ENGINE, 'qstat -u "$(id -un)" -xml -r').out
    for kind in "uos":
        ids = re.findall(r"^ *(\d+) ", answer(GRID_ENGINE, f'qstat -u "$(id -un)" -s h{kind}').out, re.M)
        out += "".join(f"held {kind} {job_id}\n" for job_id in ids)
    return {row.job_id: row for row in gridengine.queue().parse(0, out, "")}


def of_slurm(job_id: str) -> Job:
    return Job("key", "hpc", "x", "x", "-", "/d", job_id=job_id, by_hand=True)


def test_c8_a_job_of_grid_engine_that_waits_for_others_is_pending_and_names_them() -> None:
    rows = listed()
    assert (rows["25"].state, rows["25"].reason) == (State.PENDING, "waits for job 24")
    assert (rows["31"].state, rows["31"].reason) == (State.PENDING, "waits for job 30")  # task by task
    assert (rows["27"].state, rows["27"].reason.split(";")[0]) == (State.HELD, "held by its user")  # and waits, too
    assert {job_id: row.reason for job_id, row in rows.items() if row.state is State.RUNNING} == {"24": "", "30": ""}


def test_c8_a_job_of_slurm_that_waits_for_others_is_pending_and_names_them() -> None:
    rows = {row.job_id: row for row in slurm.queue().parse(0, answer(SLURM, LIST).out, "")}
    assert (rows["30"].state, rows["30"].reason) == (State.PENDING, "waits for job 29")
    assert (rows["33"].state, rows["33"].reason) == (State.PENDING, "waits for job 29")
    assert (rows["31"].state, rows["31"].reason.split(";")[0]) == (State.HELD, "held by its user")
    several = "8|N/A|PENDING|Dependency|9|afterok:5_*(unfulfilled),afterany:6(unfulfilled),after:7+5(unfulfilled)|x|.\n"
    assert slurm.queue().parse(0, several, "")[0].reason == "waits for jobs 5, 6 and 7"
    same = "8|N/A|PENDING|Dependency|9|singleton(unfulfilled)|x|.\n"
    assert slurm.queue().parse(0, same, "")[0].reason == "waits for jobs of the same name"


def test_d5_who_holds_a_job_of_grid_engine_is_told() -> None:
    rows = listed()
    assert {rows[job_id].state for job_id in ("26", "29")} == {State.HELD}
    assert "an administrator" in rows["26"].reason
    assert "an operator" in rows["29"].reason


def test_d5_what_slurm_holds_is_held_and_what_can_never_start_waits_for_somebody_to_act() -> None:
    rows = {row.job_id: row for row in slurm.queue().parse(0, answer(SLURM, LIST).out, "")}
    assert {rows[job_id].state for job_id in ("34", "35", "39")} == {State.HELD}
    assert "an administrator" in rows["34"].reason
    assert "(job requeued in held state)" in rows["39"].reason
    assert rows["38"].state is State.ERROR
    assert "afterok:37(failed) cannot be met" in rows["38"].reason
    failed = "8|N/A|PENDING|launch failed requeued held|0|(null)|x|.\n"
    (row,) = slurm.queue().parse(0, failed, "")
    assert (row.state, "launch failed requeued held" in row.reason) == (State.HELD, True)
    for word in ("REQUEUE_HOLD", "RESV_DEL_HOLD"):
        assert slurm.queue().parse(0, f"8|N/A|{word}|None|9|(null)|x|.\n", "")[0].state is State.HELD


def test_d1_the_direct_answer_tells_why_a_job_is_held_too() -> None:
    held, cancelled = (answer(SLURM, "scontrol -o show job 35", nth).out for nth in (0, 1))
    traced = records_of(of_slurm("35"), slurm.trace([], []).parse(0, held, "").records)
    assert (traced[0].state, traced[0].reason.split(";")[0]) == (State.HELD, "held by its user")
    assert records_of(of_slurm("35"), slurm.trace([], []).parse(0, cancelled, "").records)[0].state is State.CANCELLED
    alive, none = (answer(GRID_ENGINE, f"TZ=UTC qstat -j {ids}") for ids in ("24,77", "77,78"))
    mine = Job("key", "x", job_id="24", by_hand=True)
    for me, found in (("root", {0: Outcome(State.UNKNOWN)}), ("somebody", {})):
        assert records_of(mine, gridengine.trace([], []).parse(0, f"{me}\n{alive.out}", "").records) == found
    assert gridengine.trace([], []).parse(0, f"root\n{none.out}", "").records == ()
    # Of ours it has the mark: without that it is another job, which has got the number.
    (record,) = gridengine.trace([], []).parse(0, f"root\n{alive.out}", "").records
    assert records_of(Job("key", "x", job_id="24"), [record]) == {}
    marked = alive.out.replace("job_name:", "context:                    submithost=key\njob_name:")
    (record,) = gridengine.trace([], []).parse(0, f"root\n{marked}", "").records
    assert records_of(Job("key", "x", job_id="24"), [record]) == {0: Outcome(State.UNKNOWN)}


@pytest.mark.parametrize("text", ["5 minutes ago", "Do 26 Nov 2026 08:36:21", "1795677381", ""])
def test_d1_a_time_that_is_not_understood_does_not_lose_the_record(text: str) -> None:
    sacct = f"12|FAILED|7:0|{text}|{text}|{text}\n"
    scontrol = f"JobId=12 JobState=FAILED ExitCode=7:0 SubmitTime={text} StartTime={text} EndTime={text} Command=/x\n"
    qacct = f"me\n====\njobnumber 12\ntaskid undefined\nqsub_time {text}\nfailed 0\nexit_status 7\n"
    job = Job("key", "hpc", job_id="12", submitted_at=1795677381)
    for traced in (
        slurm.trace([], []).parse(0, sacct, ""),
        slurm.trace([], []).parse(0, scontrol, ""),
        gridengine.trace([], []).parse(0, qacct, ""),
    ):
        assert records_of(job, traced.records) == {0: Outcome(State.FAILED, 7)}


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T08:36:21", "2026-11-22T08:36:21Z", "2026-11-22T09:36:21.123+0100", "2026-11-22 08:36:21",
        "Sun Nov 22 08:36:21 2026", "11/22/2026 08:36:21", "11/22/2026 08:36:21.123", "2026-11-22T03:06:21-05:30",
    ],
)  # fmt: skip
def test_d8_a_date_is_understood_in_every_form(text: str) -> None:
    assert seconds_of(text) == 1795336581


def test_d8_the_first_part_of_a_heterogeneous_job_tells_how_it_ended() -> None:
    sacct = answer(SLURM, "sacct -X -P -n -o JobID,State,ExitCode,Submit,Start,End -j 35").out
    assert [row.split("|")[0] for row in sacct.splitlines()] == ["35+0", "35+1"]
    assert records_of(of_slurm("35"), slurm.trace([], []).parse(0, sacct, "").records)[0].state is State.CANCELLED
    ended = sacct.replace("35+0|CANCELLED by 0|0:0", "35+0|FAILED|7:0").replace("35+1|CANCELLED by 0", "35+1|COMPLETED")
    assert records_of(of_slurm("35"), slurm.trace([], []).parse(0, ended, "").records)[0].exit_status == 7
    assert not records_of(of_slurm("36"), slurm.trace([], []).parse(0, ended, "").records)
    both = answer(SLURM, "scontrol -o show job 35", 1).out
    assert {record.job_id for record in slurm.trace([], []).parse(0, both, "").records} == {"35"}


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("56|REVOKED|0:0|||\n56|COMPLETED|0:0|||\n", {0: State.SUCCEEDED}),  # a federation: elsewhere it ran
        ("56|COMPLETED|0:0|||\n56|REVOKED|0:0|||\n", {0: State.SUCCEEDED}),
        ("56.batch|FAILED|1:0|||\n56+0.batch|FAILED|1:0|||\n56.0|FAILED|1:0|||\n", {}),
        ("56|RUNNING|0:0|||\n56|REQUEUED|0:0|||\n", {}),  # the accounting may have lost its end
        ("56_[1-3%2]|CANCELLED by 7|0:0|||\n56_2|FAILED|3:0|||\n", {1: "cancelled", 2: "failed", 3: "cancelled"}),
    ],
)
def test_d8_whatever_sacct_calls_a_job(rows: str, told: dict[int, str]) -> None:
    job = Job("key", "hpc", job_id="56", array=TaskRange(1, 3) if len(told) > 1 else None)
    found = records_of(job, slurm.trace([], []).parse(0, rows, "").records)
    assert {task: outcome.state for task, outcome in found.items()} == told


def test_d3_the_record_of_a_run_before_a_requeue_is_no_end() -> None:
    runs = answer(GRID_ENGINE, "TZ=UTC qacct -j 12").out
    (_, first, second) = re.split(r"^=+$", runs, flags=re.M)
    assert "failed       25  : rescheduling" in first
    for out, statuses in ((f"====\n{first}", []), (runs, [0]), (f"===={second}====\n{first}", [0])):
        traced = gridengine.trace([], []).parse(0, f"root\n{out}", "")
        assert [record.outcome.exit_status for record in traced.records] == statuses
    scontrol = "JobId=12 JobState=PENDING Reason=BeginTime ExitCode=0:0 SubmitTime= StartTime= EndTime= Command=/x\n"
    traced = slurm.trace([], []).parse(0, f"12|COMPLETED|0:0|||\n{scontrol}", "")  # sacct is late
    assert records_of(Job("key", "hpc", job_id="12"), traced.records)[0].state is State.PENDING


@pytest.mark.parametrize("words", ["Unable to contact slurm controller (connect failure)", "scontrol: not found"])
def test_d1_could_not_ask_about_one_job_is_not_gone(words: str) -> None:
    for parse in (slurm.trace([], []).parse, gridengine.trace([], []).parse):
        with pytest.raises(SchedulerError):
            parse(1, "12|COMPLETED|0:0|||\n", words)


def test_d11_the_last_whole_answer_counts_whatever_noise_is_around_it() -> None:
    whole = answer(GRID_ENGINE, 'qstat -u "$(id -un)" -xml -r').out
    empty = '<?xml version="1.0"?><job_info><queue_info/><job_info/></job_info>'
    rows = gridengine.queue().parse(0, whole, "")
    for noise in (
        "<?xml",
        "<?xml version='1.0'?>",
        "see <?xml?> and </job_info>\n",
        f"{empty}\n",
        "<?xml <?xml\n<job_info>",
    ):
        assert gridengine.queue().parse(0, noise + whole, "") == rows
    for noise in ("<?xml", "</job_info>", "<?xml </job_info>", "\nbye <?xml?> </job_info>"):
        assert gridengine.queue().parse(0, whole + noise, "") == rows


def test_d1_a_record_ends_no_job_that_its_list_has() -> None:
    job = Job("key", "x", job_id="12")
    queue = states_of([Row("12", State.HELD, reason="held")], [job])["key"]
    traced = {0: Record("12", (), None, Outcome(State.SUCCEEDED, 0)).outcome}
    assert settle(job, Known(9, {}, queue, traced)).outcome == Outcome(State.HELD, reason="held")


@pytest.mark.parametrize("sh", ["dash", "bash"])
def test_e6_an_accounting_that_is_cut_off_is_not_taken_for_a_whole_one(tmp_path: Path, sh: str) -> None:
    """Of 30,000 jobs: more than one argument of a command line can name."""
    program(tmp_path / "qstat", "#!/bin/sh\necho 'Following jobs do not exist: 1' >&2; exit 1\n")
    ids = [str(1_000_000 + number) for number in range(30_000)]
    record = f"====\njobnumber {ids[-1]}\ntaskid undefined\nfailed 0\nexit_status 3\n====\n"
    for end, accounted in (("exit 0", True), ("exit 1", True), ("kill -9 $$", False)):
        program(tmp_path / "qacct", f"#!/bin/sh\nprintf '{record}'\n{end}\n")
        done = subprocess.run(
            [sh], input=gridengine.trace(ids, ids).command, text=True, capture_output=True, check=True,
            env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
        )  # fmt: skip
        traced = gridengine.trace([], []).parse(0, done.stdout, done.stderr)
        assert [found.job_id for found in traced.records] == [ids[-1]], done.stderr
        assert traced.accounted is accounted, done.stderr


@pytest.mark.parametrize("sh", ["dash", "bash"])
def test_d1_an_answer_in_xml_because_of_a_default_is_could_not_ask(tmp_path: Path, sh: str) -> None:
    program(tmp_path / "qstat", "#!/bin/sh\necho '<?xml'\n")
    defaults = tmp_path / "default" / "common" / "sge_qstat"
    defaults.parent.mkdir(parents=True)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SGE_ROOT": str(tmp_path), "HOME": str(tmp_path)}
    for text, status in (("-ext\n", 0), ("-ext -xml\n", 1)):
        defaults.write_text(text)
        for command in (gridengine.marks(["5"]).command, gridengine.trace(["5"], []).command):
            done = subprocess.run([sh], input=command, text=True, capture_output=True, env=environment)
            assert (done.returncode, "-xml" in done.stderr) == (status, bool(status)), done


def test_e4_a_mark_tells_its_job_directory() -> None:
    told = "====\njob_number:   5\nsge_o_workdir:  /jobs/k\ncontext:   submithost=k\n"
    assert gridengine.marks(["1"]).parse(0, told, "")["k"][0].directory == "/jobs/k"
