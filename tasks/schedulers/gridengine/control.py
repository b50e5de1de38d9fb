"""Cancel, hold and release jobs, by qdel(1), qhold(1) and qrls(1)."""

from __future__ import annotations

import re
import shlex

from ..seam import Jobs, Question
from .reading import failed


def cancel(jobs: Jobs) -> Question[tuple[str, set[str]]]:
    """`qdel` of jobs and of single tasks."""
    return Question(shlex.join(["qdel", *_named(jobs)]), parse_cancel)


def _named(jobs: Jobs) -> list[str]:
    return [f"{job_id}.{task}" if task is not None else job_id for job_id, task in jobs]


def hold(jobs: Jobs) -> Question[str]:
    """`qhold`: the user's own hold."""
    return Question(shlex.join(["qhold", *_named(jobs)]), parse_hold)


def release(jobs: Jobs) -> Question[str]:
    """`qrls`."""
    return Question(shlex.join(["qrls", *_named(jobs)]), parse_hold)


def parse_hold(status: int, out: str, err: str) -> str:
    """qhold and qrls print refusals and "commlib error" on stdout, too (G41); qrls is silent if no hold was set."""
    if status != 0 or "denied" in out or (err.strip() and not out.strip()):
        raise failed(err, out)
    return out or "nothing was held\n"


def parse_cancel(status: int, out: str, err: str) -> tuple[str, set[str]]:  # noqa: ARG001  # G41: it tells nothing
    """qdel answers on stdout; a job that is gone already is no failure (G40).

    Nor is that its node is dead: it is to go as soon as that is back (G33).
    """
    if "commlib error" in out + err or re.search("unable to (?!sync state)", out + err) or not out.strip():
        raise failed(err, out)
    taken = r"(?:has deleted|has registered the|execd for the deletion of) job(?:-array task)? \"?(\d+)"
    return out, set(re.findall(taken, out + err))
