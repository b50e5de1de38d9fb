"""Why a job failed, out of all that is known; and what it used and should ask for."""

from __future__ import annotations

import pytest

from tasks.model.amounts import memory_flag, percent, span
from tasks.model.failure import Cause, Facts, advised, in_short, reason_of
from tasks.model.job import Job, Outcome, State
from tasks.model.resources import TaskRange
from tasks.model.usage import Asked, JobUsage, Usage, next_time

GB = 1 << 30
FAILED, CANCELLED = State.FAILED, State.CANCELLED
LIMITED = Usage(asked=Asked(60, 2 * GB, 2), wall=61, cpu=30.5, memory=4 * GB + 1, cores=2)
SLIM = Usage(asked=Asked(60, 2 * GB, 2), wall=3, cpu=3.0, memory=GB, cores=2)

FULL = "out of memory: used 4.0 GB, and its limit was 4.0 GB"
CRLF = "lines end in CR LF, as on Windows"


def failed(status: int | None = 1, reason: str = "") -> Outcome:
    return Outcome(FAILED, status, reason=reason)


@pytest.mark.parametrize(
    ("facts", "kind", "text"),
    [
        (Facts(failed(137), Cause("time"), LIMITED), "time", "out of time: ran 1:01, and its limit was 1:00"),
        (Facts(failed(137), Cause("time", request="h_cpu", limit=30), LIMITED), "time",
         "out of time: used 30 s, and h_cpu was 30 s"),
        (Facts(failed(137), Cause("time")), "time", "out of time"),
        (Facts(failed(137), Cause("memory"), LIMITED), "memory", FULL),
        (Facts(failed(137), Cause("memory"), SLIM), "memory", "out of memory: its limit was 4.0 GB"),
        (Facts(failed(137), Cause(signal=9), LIMITED), "memory", FULL),
        (Facts(failed(137), Cause(signal=9), SLIM), "signal",
         "killed by signal 9 (KILL): by somebody, or for want of memory"),
        (Facts(failed(137), Cause(signal=9), SLIM, "x: Detected 1 oom_kill event in a step"), "memory",
         'out of memory: its limit was 4.0 GB; its stderr says "oom_kill event in a step"'),
        (Facts(failed(137), last_words="y exceeded memory limit (609824768 > 314572800), being killed"), "memory",
         'out of memory: used 582 MB, and its limit was 300 MB; '
         'its stderr says "exceeded memory limit (609824768 > 314572800), being killed"'),
        (Facts(failed(), last_words="Traceback\nMemoryError"), "memory",
         'out of memory; its stderr says "MemoryError"'),
        (Facts(failed(), last_words="a: terminate: std::bad_alloc"), "memory",
         'out of memory; its stderr says "std::bad_alloc"'),
        (Facts(failed(), last_words="cp: Disk quota exceeded"), "quota",
         'there was no space left to write to; its stderr says "Disk quota exceeded"'),
        (Facts(failed(126), last_words="./x: /bin/sh^M: bad interpreter: No such file"), "script", CRLF),
        (Facts(failed(126), last_words="./x: /no/sh: bad interpreter: No such file"), "shell", "a first line names"),
        (Facts(failed(126), last_words="./x: bad interpreter: /bin/sh^M: No such file"), "script", CRLF),
        (Facts(failed(127), last_words="x: line 2: $'hi\\r': command not found"), "script", CRLF),
        (Facts(failed(127), last_words="x: hi: not found"), "exit", "exit status 127: a command was not found"),
        (Facts(failed(7)), "exit", "exit status 7"),
        (Facts(failed(139)), "signal", "exit status 139: killed by signal 11 (SEGV): a segmentation fault"),
        (Facts(failed(96, "job 12 did not succeed")), "after",
         "it left without running its script: job 12 did not succeed"),
        (Facts(failed(None, "timeout"), Cause("node", "its node failed")), "node", "its node failed"),
        (Facts(failed(None)), "unknown", "nothing tells why"),
        (Facts(Outcome(CANCELLED, 137), Cause("cancelled", by="te1st")), "cancelled", "cancelled by te1st"),
        (Facts(Outcome(CANCELLED), from_here=True), "cancelled", "cancelled from here"),
        (Facts(Outcome(FAILED), Cause("cancelled", "preempted")), "cancelled", "cancelled (preempted)"),
        (Facts(Outcome(State.SUCCEEDED, 0)), "unknown", "it is succeeded"),
    ],
)  # fmt: skip
def test_facts_are_a_reason(facts: Facts, kind: str, text: str) -> None:
    reason = reason_of(facts)
    assert reason.kind == kind
    assert reason.text.startswith(text)


def test_beside_an_exit_status_its_meaning_is_enough() -> None:
    assert in_short(Facts(failed(7))) == ""
    assert in_short(Facts(failed(127))) == "a command was not found"
    assert in_short(Facts(failed(139))) == "killed by signal 11 (SEGV): a segmentation fault"


def test_hostile_last_words_are_one_short_printable_line() -> None:
    reason = reason_of(Facts(failed(), last_words=f"\x1b[2J No space left on device \x07{'x' * 5000}"))
    assert reason.text.isprintable()
    assert len(reason.text) < 150


@pytest.mark.parametrize(
    ("kind", "cause", "command"),
    [
        ("time", Cause("time"), "resubmit --job 12 --time x2"),
        ("memory", Cause("memory"), "resubmit --job 12 --memory x2"),
        ("memory", Cause("memory", request="s_vmem", ours=False), "it asks for s_vmem itself"),
        ("quota", Cause(), "clean removes what was fetched"),
        ("exit", Cause(), "logs --job 12 --stderr"),
        ("node", Cause("node"), "resubmit --job 12"),
    ],
)
def test_advice_names_the_command(kind: str, cause: Cause, command: str) -> None:
    job = Job("key", "hpc", job_id="12")
    reason = reason_of(Facts(failed(), Cause(kind)))
    assert command in advised(reason, job, cause).advice
    array = Job("key", "hpc", job_id="12", array=TaskRange(1, 3))
    if kind in ("time", "memory") and cause.ours:
        assert f"resubmit --job 12 --failed={kind} --{kind} x2" in advised(reason, array, cause).advice


def test_next_time_is_a_quarter_more_of_the_largest_per_core_and_rounded_up() -> None:
    few = [Usage(wall=3000, memory=3 * GB, cores=2), Usage(wall=100, memory=GB, cores=1), Usage()]
    assert next_time(few) == Asked(4200, 2048 << 20)
    assert next_time([Usage(wall=2, memory=4096, cores=1)]) == Asked(60, 100 << 20)
    assert next_time([Usage(wall=100_000)]) == Asked(129600)
    assert next_time([]) == Asked()
    used = JobUsage(Job("key", "hpc"), {0: Usage(wall=5, memory=5 * GB)})
    assert used.next_time == Asked()  # it has not ended


def test_efficiency_is_of_all_cores_and_of_all_memory() -> None:
    assert LIMITED.cpu_efficiency == 0.25
    assert SLIM.memory_efficiency == 0.25
    assert Usage(wall=0, cpu=1.0).cpu_efficiency is None
    assert Usage(memory=5).memory_efficiency is None


def test_amounts_are_short() -> None:
    assert [span(seconds) for seconds in (0, 59.4, 60, 3599, 5400, 100_000)] == [
        "0 s", "59 s", "1:00", "59:59", "1:30:00", "1-03:46:40",
    ]  # fmt: skip
    assert [memory_flag(size) for size in (GB, 1536 << 20, 1)] == ["1G", "1536M", "1M"]
    assert (percent(None), percent(0.257)) == ("-", "26 %")
