"""A report that has everything in it, names from hostile places included."""

from __future__ import annotations

from tasks.model.job import Job, Outcome, State
from tasks.model.report import Report, Reported
from tasks.model.resources import TaskRange
from tasks.model.usage import Asked, JobUsage, Usage

NOW = 1_800_000_000  # 2027-01-15T08:00:00Z
HOSTILE = '<script src="http://evil.example/x.js">alert("1")</script> \x1b[31m & \udc80'
GIB = 1 << 30


def one(number: int, state: State, **more: object) -> Reported:
    """A job that waited ten minutes for each of its number, up to six, and used half of what it asked for."""
    submitted = NOW - 86400 + number * 1200
    started, ended = submitted + 600 * min(number, 6), submitted + 600 * min(number, 6) + 3600
    name = str(more.get("name", f"sim-{number}"))
    begun = state not in (State.PENDING, State.HELD)
    outcome = Outcome(state, 0, started if begun else None, ended if state.ended else None)
    asked = Asked(7200, 2 * GIB, 4)
    usage = Usage(None, asked, 3600, 3600 * 3.0, 4 * GIB, 4, started, ended if state.ended else None)
    job = Job(f"key-{number}", "sharc", name, job_id=str(number), submitted_at=submitted, outcome=outcome, group="sim")
    kinds = {0: str(more.get("kind"))} if "kind" in more else {}
    because = str(more.get("because", ""))
    return Reported(JobUsage(job, {0: usage} if begun else {}), str(more.get("project", "")), kinds, because)


def array() -> Reported:
    """Three tasks: one succeeded, one ran out of memory, one waits."""
    tasks = {
        1: Outcome(State.SUCCEEDED, 0, NOW - 7200, NOW - 3600),
        2: Outcome(State.FAILED, 137, NOW - 7000, NOW - 5200),
        3: Outcome(State.PENDING),
    }
    job = Job(
        "rows", "sharc", "rows", job_id="90", submitted_at=NOW - 8000, array=TaskRange(1, 3), tasks=tasks,
        outcome=Outcome(State.PENDING),
    )  # fmt: skip
    usages = {
        1: Usage(1, Asked(3600, GIB, 1), 3600, 1800.0, GIB // 2, 1, NOW - 7200, NOW - 3600),
        2: Usage(2, Asked(3600, GIB, 1), 1800, 60.0, GIB, 1, NOW - 7000, NOW - 5200),
    }
    return Reported(JobUsage(job, usages), "gpu", {2: "memory"}, "ran out of memory: 1 GB of 1 GB", accounted=False)


REPORT = Report(
    [
        one(1, State.SUCCEEDED),
        one(2, State.SUCCEEDED, name="a-name-that-is-long-enough-to-be-cut-on-a-narrow-screen-or-a-wide-one"),
        one(3, State.FAILED, kind="time", because="ran into its time limit of 1:00:00", project="gpu"),
        one(4, State.FAILED, kind="exit", because=f"exit status 7 of {HOSTILE}", name=HOSTILE),
        one(5, State.CANCELLED, kind="cancelled"),
        array(),
        one(60, State.RUNNING),
        one(61, State.PENDING),
    ],
    ["iceberg: reported as known here before: could not ask: <b>no</b> route to host"],
)
