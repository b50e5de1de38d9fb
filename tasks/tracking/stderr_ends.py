"""The last lines that failed tasks wrote on stderr, as last_words.sh tells them, and what they say of an end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ..login_node import job_directory
from ..model.failure import Facts, in_short
from ..model.job import Alike, Job, Outcome, State, together
from ..session.answers import Answer

# So many lines and bytes are read of the end of a log.
_LINES, _BYTES = 5, 2000
Place = tuple[str, int]
"""A task: the key of its job, and its number; 0 where that is no array job."""


@dataclass(frozen=True)
class LastWords:
    """The last lines of a log, and the file."""

    path: str = ""
    text: str = ""


def variables(tasks: Iterable[tuple[Job, int]]) -> dict[str, str]:
    """Those of last_words.sh that ask for these tasks'."""
    notes = [job_directory.note(job.directory or "", task, "start") for job, task in tasks]
    return {"notes": "\n".join(notes), "lines": str(_LINES), "bytes": str(_BYTES)}


def told_in(answer: Answer, tasks: Sequence[tuple[Job, int]]) -> dict[Place, LastWords]:
    """What was found of those that were asked for, in their order."""
    found = {}
    for at, (job, task) in enumerate(tasks):
        if f"last {at}" in answer:
            path, _, text = answer[f"last {at}"].text.partition("\n")
            found[job.key, task] = LastWords(path, text)
    return found


def explained(job: Job, tasks: Iterable[int], words: Mapping[Place, LastWords]) -> Job:
    """The job, and these tasks of it that failed without a reason with what they say themselves."""
    if isinstance(job.tasks, Alike):
        return job

    def why(task: int, outcome: Outcome) -> Outcome:
        if outcome.state is not State.FAILED or outcome.reason:
            return outcome
        said = words.get((job.key, task), LastWords()).text
        return replace(outcome, reason=in_short(Facts(outcome, last_words=said)))

    if not job.array:
        return replace(job, outcome=why(0, job.outcome))
    known = {task: why(task, job.tasks[task]) for task in tasks if task in job.tasks}
    if all(outcome == job.tasks[task] for task, outcome in known.items()):
        return job
    everything = {**job.tasks, **known}
    return replace(job, tasks=everything, outcome=together(everything))
