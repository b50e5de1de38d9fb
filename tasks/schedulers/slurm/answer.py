"""What sbatch answers, and what its jobs' logs are called; by sbatch(1) and as it was captured."""

from __future__ import annotations

import re

from ..values import Submitted

_ACCEPTED = re.compile(r"^Submitted batch job (\d+)", re.M)
_PARSABLE = re.compile(r"(\d+)(?:;\S*)?")


def parse_submission(out: str, err: str = "") -> Submitted | None:  # noqa: ARG001  # stdout tells
    """Read the last accepting line; with --parsable the last line, if it is an ID."""
    found = _ACCEPTED.findall(out)
    if found:
        return Submitted(found[-1], "")
    parsable = _PARSABLE.fullmatch(out.rstrip().rpartition("\n")[2])
    return Submitted(parsable[1], "") if parsable else None


def doubtful(err: str) -> bool:
    """Whether the controller may still be working on it, or may have done it without an answer."""
    return "timed out" in err or "Zero Bytes were transmitted" in err or "Unexpected message received" in err


def log_names(submitted: Submitted) -> list[str]:
    """slurm-ID.out, and slurm-ID_TASK.out of array jobs."""
    return [f"slurm-{submitted.job_id}.out", f"slurm-{submitted.job_id}_*.out"]
