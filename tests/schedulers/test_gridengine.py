"""Grid Engine's module, on captured answers and on anything else that may come back."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.model.errors import InvalidInput, SchedulerError
from tasks.model.job import State
from tasks.model.resources import Resources, TaskRange, parse_resources
from tasks.schedulers import known, scheduler
from tasks.schedulers.gridengine import scheduler as gridengine
from tasks.schedulers.gridengine.queue import state_of
from tasks.schedulers.values import Record, Row, Submission, Submitted, Traced
from tests.captured import Captured, answer, captured

ROUND1, ROUND2, DOWN = (f"gridengine-8.1.9-{part}.txt" for part in ("round1", "round2", "qmaster-down"))
NAMES = {"memory": "rmem", "gpus": "gpu"}


def test_the_scheduler_is_found_by_its_name_and_a_wrong_one_gets_the_nearest() -> None:
    assert "gridengine" in known()
    assert scheduler("gridengine").name == "gridengine"
    with pytest.raises(InvalidInput, match="did you mean 'gridengine'"):
        scheduler("gridengin")


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("qsub ok.sh 6", Submitted("1", "ok.sh")),
        ("qsub -terse ok.sh 3 3", Submitted("2", "")),
        ("qsub -t 1-3 ok.sh 4", Submitted("3", "ok.sh", TaskRange(1, 3, 1))),
        ("qsub -terse -t 1-5:2 -tc 1 ok.sh 2", Submitted("4", "", TaskRange(1, 5, 2))),
        ("qsub -sync y ok.sh 1 4", Submitted("34", "ok.sh")),
    ],
)
def test_g1_every_form_of_an_accepting_answer_is_understood(command: str, expected: Submitted) -> None:
    assert gridengine.parse_submission(answer(ROUND1, command).out) == expected


@pytest.mark.parametrize(
    "command",
    [
        "qsub 'sp ace.sh' 1", "qsub 9digit.sh", "qsub -N a/b ok.sh", "qsub nosuch.sh", "qsub -l nosuch=1 ok.sh",
        "qsub -w v ok.sh", "qsub -verify ok.sh", "qsub -t 1-2,5 ok.sh", "qsub -t 0-3 ok.sh",
    ],
)  # fmt: skip
def test_g5_a_refusal_is_no_job_whatever_its_exit_status(command: str) -> None:
    assert gridengine.parse_submission(answer(ROUND1, command).out) is None


def test_g2_a_wrappers_numbers_are_not_the_job_id() -> None:
    said = 'quota 95% used\n12\nYour job 816720 ("x y") has been submitted\nhave a nice day 7\n'
    assert gridengine.parse_submission(said) == Submitted("816720", "x y")
    assert gridengine.parse_submission("quota: 95\nno job today\n") is None


@pytest.mark.parametrize("name", ["9digit.sh", "sp ace.sh", "a/b", "a:b", "naïve", "(1)", ""])
def test_g3_g4_a_name_that_qsub_refuses_is_made_legal_and_stays_so(name: str) -> None:
    legal = gridengine.legal_name(name)
    assert legal != name
    assert gridengine.legal_name(legal) == legal
    with pytest.raises(InvalidInput, match=legal.replace("(", "\\(")):
        gridengine.check(b"", Resources(name=name or "/"))


def test_g8_windows_line_ends_are_refused_before_contact() -> None:
    for script in (b"#!/bin/bash\r\necho\r\n", b"#!/bin/bash\n#$ -cwd\r\n"):
        with pytest.raises(InvalidInput, match="dos2unix"):
            gridengine.check(script, Resources())
    assert gridengine.check(b"#!/bin/sh\nprintf 'a\r\n'\n", Resources()) == []


def test_a_program_instead_of_a_script_is_refused_before_contact() -> None:
    with pytest.raises(InvalidInput, match="NUL"):
        gridengine.check(b"\x7fELF\0", Resources())


def test_g14_directives_ask_in_the_words_of_the_site() -> None:
    asked = parse_resources(
        name="n", time="1:30:00", memory="4G", cores="4", gpus="1", array="1-9:2", at_once="3",
        queue="q", project="gpu", mail="a@b", mail_on="ea",
    )  # fmt: skip
    assert gridengine.directives(asked, NAMES) == [
        "#$ -N n", "#$ -l h_rt=01:30:00", "#$ -l rmem=4G", "#$ -l gpu=1", "#$ -pe smp 4", "#$ -t 1-9:2", "#$ -tc 3",
        "#$ -q q", "#$ -P gpu", "#$ -M a@b", "#$ -m ea",
    ]  # fmt: skip
    assert gridengine.directives(Resources(memory=1536 * 1024**2)) == ["#$ -l h_vmem=1536M"]


def test_the_clusters_mail_yields_to_a_script_that_has_its_own() -> None:
    default = Resources(mail="me@here", mail_on="e", time=60)
    flags = Submission("k", "x", Resources())
    without = gridengine.defaults(default, ["-P p"], NAMES, b"#!/bin/sh\n", flags)[".sge_request"]
    assert without == "-cwd\n-P p\n-l h_rt=00:01:00\n-M me@here\n-m e\n"
    assert "me@here" not in gridengine.defaults(default, [], NAMES, b"#$ -m a -M you@there\n", flags)[".sge_request"]


def test_hostile_arguments_are_single_words_of_the_command_line() -> None:
    import shlex

    arguments = ("$(touch pwned) \"x\" 'y'", "", "a\nb")
    command = gridengine.submit_variables(
        Submission("k", ".submithost/job/x", Resources(), ("-l", "a=b c"), arguments, True, "/a b"), NAMES
    )["submit"]
    words = shlex.split(command)
    assert words[:3] == ["qsub", "-ac", "submithost=k"]
    assert words[3:10] == ["-b", "n", "-h", "-wd", "/a b", "-l", "a=b c"]
    assert words[10:] == [".submithost/job/x", arguments[0], "", "a b"]


# --- watching


def test_g22_one_job_is_several_rows_and_pending_tasks_are_ranges() -> None:
    block = answer(ROUND1, "qstat -xml", 1)
    rows = gridengine.queue().parse(block.status, block.out, block.err)
    assert Row("1", State.RUNNING) in rows
    assert [row for row in rows if row.job_id == "3"] == [
        Row("3", State.RUNNING, (TaskRange(1, 1),)),
        Row("3", State.RUNNING, (TaskRange(2, 2),)),
        Row("3", State.PENDING, (TaskRange(3, 3),)),
    ]
    assert Row("4", State.PENDING, (TaskRange(1, 5, 2),)) in rows
    assert len(rows) == 10


def test_g20_an_empty_list_is_an_answer_and_no_output_at_all_is_none() -> None:
    block = answer(ROUND1, "qstat -xml")
    assert gridengine.queue().parse(block.status, block.out, block.err) == []
    with pytest.raises(SchedulerError):
        gridengine.queue().parse(0, "", "")


def test_g25_a_qmaster_that_is_down_is_could_not_ask_for_every_question() -> None:
    down = answer(DOWN, "qstat -xml")
    with pytest.raises(SchedulerError, match="commlib error"):
        gridengine.queue().parse(down.status, down.out, down.err)
    down = answer(DOWN, "qstat -j 999")
    with pytest.raises(SchedulerError, match="commlib error"):
        gridengine.marks(["1"]).parse(down.status, down.out, down.err)
    down = answer(DOWN, "qdel 999")
    with pytest.raises(SchedulerError, match="commlib error"):
        gridengine.cancel([]).parse(down.status, down.out, down.err)
    gone = answer(ROUND1, "qstat -j 999")
    assert gridengine.marks(["1"]).parse(gone.status, gone.out, gone.err) == {}


@pytest.mark.parametrize(
    ("letters", "state"),
    [
        ("qw", State.PENDING), ("hqw", State.HELD), ("t", State.RUNNING), ("r", State.RUNNING),
        ("Rr", State.RUNNING), ("Rq", State.PENDING), ("s", State.SUSPENDED), ("S", State.SUSPENDED),
        ("T", State.SUSPENDED), ("hr", State.RUNNING), ("hRwq", State.HELD), ("Eqw", State.ERROR),
        ("Ehqw", State.ERROR), ("EhRqw", State.ERROR), ("dr", State.RUNNING), ("dt", State.RUNNING),
        ("dRt", State.RUNNING), ("z", None), ("", State.UNKNOWN), ("x", State.UNKNOWN), ("rX", State.UNKNOWN),
    ],
)  # fmt: skip
def test_g24_states_are_letters_in_any_mix(letters: str, state: State | None) -> None:
    assert state_of(letters) is state


def test_g24_an_unheard_of_state_does_not_lose_the_list() -> None:
    block = answer(ROUND1, "qstat -xml", 1)
    rows = gridengine.queue().parse(0, block.out.replace("<state>r</state>", "<state>Qx</state>", 1), "")
    assert rows[0] == Row("1", State.UNKNOWN)
    assert len(rows) == 10


def test_noise_around_the_xml_and_odd_characters_in_it_are_survived() -> None:
    block = answer(ROUND1, "qstat -xml", 1)
    odd = block.out.replace(">ok.sh<", ">o\x1b[2Jk\x00<")
    assert len(gridengine.queue().parse(0, f"Welcome!\n{odd}\nbye", "")) == 10


def test_marks_are_read_from_the_context_alone() -> None:
    out = (
        "==============================================================\njob_number:                 35\n"
        "job_name:                   submithost=fake\nenv_list:                   A=submithost=fake\n"
        "context:                    a=b,submithost=K-1\njob-array tasks:            1-5:2\n"
    )
    assert gridengine.marks(["1"]).parse(0, out, "") == {
        "K-1": [Submitted("35", "submithost=fake", TaskRange(1, 5, 2))]
    }


def test_g9_the_reason_of_an_error_state_is_read_for_each_job() -> None:
    asked = {"24": ROUND1, "27": ROUND1, "28": ROUND1, "3": ROUND2}
    blocks = {job: [b for b in captured(file) if b.command.startswith(f"qstat -j {job} | grep -E 'error reason")]
              for job, file in asked.items()}  # fmt: skip
    out = "".join(f"{'=' * 60}\njob_number:                 {job}\n{block.out}" for job, (block,) in blocks.items())
    reasons = gridengine.errors(["1"]).parse(0, f"{out}{'=' * 60}\njob_number:                 9\n", "")
    assert list(reasons) == ["24", "27", "28", "3"]
    assert reasons["24"] == "can't chdir to /nonexistent: No such file or directory"
    assert reasons["28"] == "exit_status of job start = 100"
    down = answer(DOWN, "qstat -j 999")
    with pytest.raises(SchedulerError, match="commlib error"):
        gridengine.errors(["1"]).parse(down.status, down.out, down.err)


# --- accounting


def accounting(command: str, file: str = ROUND1) -> list[Record]:
    block = answer(file, command)
    return traced(block.out, block.err)


def traced(out: str, err: str = "") -> list[Record]:
    """The records of an answer to `trace` that begins with whose jobs count."""
    return list(gridengine.trace([], []).parse(0, f"te1st\n{out}", err).records)


def test_g29_g30_a_deleted_running_job_was_cancelled() -> None:
    (record,) = accounting("qacct -j 22")
    assert (record.job_id, record.tasks) == ("22", ())
    assert (record.outcome.state, record.outcome.exit_status) == (State.CANCELLED, 137)
    assert (record.submitted_at, record.outcome.started_at, record.outcome.ended_at) == (
        1795336591, 1795336591, 1795336594,
    )  # fmt: skip


def test_g30_a_job_over_its_time_failed_and_says_why() -> None:
    block = answer(ROUND1, "qacct -j 22")
    out = block.out.replace("failed       100 : assumedly after job", "failed       37  : qmaster enforced h_rt, h_cpu")
    (record,) = traced(out)
    assert record.outcome.state is State.FAILED
    assert record.outcome.reason == "qmaster enforced h_rt, h_cpu"


def test_g26_not_found_is_an_answer_and_an_unreadable_file_is_none() -> None:
    for command, accounted in (("qacct -j 23", True), ("qacct -j 999", False)):
        block = answer(ROUND1, command)
        assert gridengine.trace([], []).parse(0, "te1st\n", block.err) == Traced((), accounted, last_runs=True)


def test_g29_of_several_records_the_last_one_tells() -> None:
    first = answer(ROUND1, "qacct -j 22").out
    again = first.replace("failed       100 : assumedly after job", "failed       0").replace(
        "exit_status  137                  (Killed)", "exit_status  0"
    )
    (record,) = traced(first + again)
    assert record.outcome.state is State.SUCCEEDED


def test_g40_g41_what_qdel_says_is_passed_on_and_a_gone_job_is_no_failure() -> None:
    taken = {"qdel 22": {"22"}, "qdel 23": {"23"}, "qdel 999": set(), "qdel 22 23 99999": set()}
    for command, job_ids in taken.items():
        block = answer(ROUND1, command)
        assert gridengine.cancel([]).parse(block.status, block.out, block.err) == (block.out, job_ids)
    for command in ("qdel 17 -t 2", "qdel 17.3"):
        block = answer(ROUND2, command)
        assert gridengine.cancel([]).parse(block.status, block.out, block.err)[1] == {"17"}
    assert gridengine.cancel([("12", None), ("13", 2)]).command == "qdel 12 13.2"


# --- anything at all


@given(st.integers(-1, 255), st.text(), st.text())
def test_no_answer_at_all_raises_anything_but_an_error_of_ours(status: int, out: str, err: str) -> None:
    for question in (gridengine.queue(), gridengine.marks(["1"]), gridengine.trace([], []), gridengine.cancel([])):
        with contextlib.suppress(SchedulerError):
            question.parse(status, out, err)
    gridengine.parse_submission(out)


BLOCKS = [block for file in (ROUND1, ROUND2) for block in captured(file)]


WHOLE = answer(ROUND1, "qstat -xml", 1)


@given(st.integers(0, len(WHOLE.out) - 13))
def test_a_cut_answer_never_ends_a_job(at: int) -> None:
    with pytest.raises(SchedulerError):
        gridengine.queue().parse(0, WHOLE.out[:at], "")


@given(st.sampled_from(BLOCKS), st.text(max_size=30), st.integers(0, 4000))
def test_damaged_answers_are_survived(block: Captured, damage: str, at: int) -> None:
    out = block.out[:at] + damage + block.out[at:]
    try:
        for record in traced(out):
            assert record.job_id.isdigit()
        gridengine.queue().parse(0, out, "")
    except SchedulerError:
        pass


def test_g33_a_job_on_a_dead_node_was_taken_by_qdel() -> None:
    said = 'te1st unable to sync state with remote execd for the deletion of job "6"\n'
    assert gridengine.cancel([]).parse(1, said, "") == (said, {"6"})
