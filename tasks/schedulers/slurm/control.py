"""Cancel, hold and release jobs, by scancel(1) and scontrol(1)."""

from __future__ import annotations

import re
import shlex

from ..bounds import lines_of
from ..seam import Jobs, Question
from .reading import failed


def cancel(jobs: Jobs) -> Question[tuple[str, set[str]]]:
    """`scancel -v`, which says of each what it does."""
    return Question(shlex.join(["scancel", "-v", *_named(jobs)]), parse_cancel)


def _named(jobs: Jobs) -> list[str]:
    return [f"{job_id}_{task}" if task is not None else job_id for job_id, task in jobs]


def parse_cancel(status: int, out: str, err: str) -> tuple[str, set[str]]:  # noqa: ARG001  # 1 for one that had ended
    """scancel answers on stderr; an error that is not about a job means that it could not be asked."""
    told = list(lines_of(err))
    if [line for line in told if "error" in line and "error on job id" not in line]:
        raise failed(err)
    said = [line for line in told if line.startswith("scancel: ")]
    refused = set(re.findall(r"error on job id (\d+)", err))
    taken = set(re.findall(r"Terminating job (\d+)", err)) - refused
    if not said:
        raise failed(err, out)
    return "".join(f"{line}\n" for line in said), taken


def hold(jobs: Jobs) -> Question[str]:
    """`scontrol hold`, which prints nothing, whether it has worked or the job had started already."""
    waits = '{{ [ "$(squeue -h -t PD -o %i -j {0})" ] || {{ echo "job {0} has started" >&2; false; }}; }}'
    return Question(_each(f"scontrol hold {{0}} && {waits} && echo 'job {{0}} is held'", jobs), parse_hold)


def release(jobs: Jobs) -> Question[str]:
    """`scontrol release`."""
    return Question(_each("scontrol release {0} && echo 'job {0} is released'", jobs), parse_hold)


def _each(command: str, jobs: Jobs) -> str:
    """`command` of one job after the other; the first that is refused ends it."""
    return " && ".join(command.format(shlex.quote(job)) for job in _named(jobs))


def parse_hold(status: int, out: str, err: str) -> str:
    """What was changed, or why it was not."""
    if status != 0:
        raise failed(err, out)
    return out
