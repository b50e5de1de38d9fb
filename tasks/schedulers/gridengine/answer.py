"""What qsub answers, and what its jobs' logs are called; by submit(1) and as it was captured."""

from __future__ import annotations

import glob
import re

from ...model.resources import TaskRange
from ..values import Submitted

_TASKS = r"(?:\.(\d{1,9})-(\d{1,9}):(\d{1,9}))?"
_ACCEPTED = re.compile(rf'^Your job(?:-array)? (\d{{1,20}}){_TASKS} \("(.*)"\) has been submitted$', re.M | re.ASCII)
_TERSE = re.compile(rf"^(\d{{1,20}}){_TASKS}$", re.M | re.ASCII)
_WAITS = "Waiting for immediate job to be scheduled."
_TAKEN_BACK = "could not be scheduled; try again later"


def parse_submission(out: str, err: str = "") -> Submitted | None:
    """Read the last accepting line (G1, G2); with `-terse` the last line, if it is an ID.

    None also for what `-now y` took back, after the line that accepts.
    """
    if _TAKEN_BACK in err:
        return None
    found = list(_ACCEPTED.finditer(out))
    if found:
        job_id, first, last, step, named = found[-1].groups()
    else:
        terse = list(_TERSE.finditer(out.rstrip().rpartition("\n")[2]))
        if not terse:
            return None
        (job_id, first, last, step), named = terse[-1].groups(), ""
    try:
        array = TaskRange(int(first), int(last), int(step)) if first else None
    except ValueError:  # more tasks than there can be
        return None
    return Submitted(job_id, named, array)


def undecided(err: str) -> bool:
    """Whether this is `-now y`: the job exists, and is removed again unless it can start at once."""
    return _WAITS in err and _TAKEN_BACK not in err and "has been successfully scheduled" not in err


def doubtful(err: str) -> bool:
    """Whether the connection to qmaster broke after the request; one that was never made submits nothing."""
    return "failed receiving gdi request" in err or ("commlib error" in err and "select error" not in err)


def receipt(submitted: Submitted) -> str:
    """qsub's line for a job that was found by its mark."""
    if submitted.array:
        return f'Your job-array {submitted.job_id}.{submitted.array} ("{submitted.name}") has been submitted'
    return f'Your job {submitted.job_id} ("{submitted.name}") has been submitted'


def log_names(submitted: Submitted) -> list[str]:
    """NAME.oID, and NAME.oID.TASK of array jobs; .e, and .po and .pe of parallel environments."""
    name, job_id = glob.escape(submitted.name), submitted.job_id
    return [f"{name}.{kind}{job_id}{task}" for kind in ("o", "e", "po", "pe") for task in ("", ".*")]
