"""Jobs that are alive, asked for by their IDs: `qstat -j`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from ...model.dates import seconds_of
from ...model.job import Outcome, State
from ..seam import Question
from ..values import Record, Submitted
from ..wording import shell
from .reading import failed, ranges

# Of what `qstat -j` says of a job, that which is read.
_NAMES = "job_number|job_name|owner|cwd|sge_o_home|sge_o_workdir|submission_time|context|job-array tasks"
_DESCRIBED = re.compile(r"^([a-z_][^:]*?) *: +(.*)$", re.M)


def described(out: str) -> Iterator[dict[str, str]]:
    """The jobs of `qstat -j`, each as its lines `name: value`."""
    for block in re.split(r"^=+$", out, flags=re.M):
        facts = {line[1]: line[2] for line in _DESCRIBED.finditer(block)}
        if facts.get("job_number", "").isdigit():
            yield facts


def submitted_of(facts: Mapping[str, str]) -> Submitted:
    array = ranges(facts.get("job-array tasks", ""))
    directory = facts.get("sge_o_workdir", "")
    return Submitted(facts["job_number"], facts.get("job_name", ""), array[0] if array else None, directory)


def mark_of(facts: Mapping[str, str]) -> str:
    """The key in the context of a job; empty: it has none."""
    items = (item.strip().partition("=") for item in facts.get("context", "").split(","))
    return next((key for name, _, key in items if name == "submithost"), "")


def alive(me: str, out: str) -> Iterator[Record]:
    """The jobs of this user that `qstat -j` knows."""
    for facts in described(out):
        if facts.get("owner") == me:
            when = seconds_of(facts.get("submission_time", ""))
            yield Record(facts["job_number"], (), when, Outcome(State.UNKNOWN), mark_of(facts) or "-")


_ABOUT = shell(__file__, "defaults.sh") + shell(__file__, "about.sh")
# So many IDs fit into one command line everywhere.
_AT_ONCE = 500


def about(job_ids: Sequence[str], more: str = "-") -> str:
    """The command that prints the lines of `qstat -j` that are read of these jobs, and those of these names."""
    asked = [",".join(job_ids[at : at + _AT_ONCE]) for at in range(0, len(job_ids), _AT_ONCE)]
    facts = f"facts={shlex.quote(f'{_NAMES}|{more}')}\n"
    return f'{facts}{_ABOUT}for ids in {shlex.join(asked)}; do about "$ids"; done; true'


def marks(job_ids: Sequence[str]) -> Question[dict[str, list[Submitted]]] | None:
    """`qstat -j` of our own jobs only; never of all, which would print other people's environments."""
    return Question(about(job_ids), parse_marks) if job_ids else None


def parse_marks(status: int, out: str, err: str) -> dict[str, list[Submitted]]:
    """Keys in the context of `qstat -j`, and their jobs. Gone and alive may be asked together (G25)."""
    if status != 0 and "do not exist" not in err:
        raise failed(err, out)
    marks: dict[str, list[Submitted]] = {}
    for facts in sorted(described(out), key=lambda facts: int(facts["job_number"])):
        if key := mark_of(facts):
            marks.setdefault(key, []).append(submitted_of(facts))
    return marks
