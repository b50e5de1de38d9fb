"""What scheduler, notes and last words tell of what jobs used and how they ended, by one program for all of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from ..login_node import Program
from ..model.job import Job, Outcome, State
from ..model.notes import MOST_OF_NOTES, Note, Notes
from ..model.usage import Asked, Usage
from ..model.wording import number
from ..schedulers.bounds import MOST_OF_A_QUEUE
from ..schedulers.seam import Cannot, Question
from ..schedulers.values import Ran
from ..tracking import stderr_ends
from ..tracking.cluster_session import ClusterSession
from ..tracking.matching import Runs, by_id, runs_of
from ..tracking.stderr_ends import LastWords, Place

_MOST_ASKED = 8 << 20


@dataclass(frozen=True)
class Told:
    """The answers. `now` is the cluster's time; `asked` is what flags asked for, `projects` for which; `last_words` are
    of those asked for."""

    runs: Mapping[str, Runs]
    notes: Notes
    asked: Mapping[str, Asked]
    last_words: Mapping[Place, LastWords]
    now: int
    projects: Mapping[str, str]

    def run(self, job: Job, task: int) -> Ran | None:
        """What the scheduler tells of a task."""
        runs = self.runs.get(job.key)
        return runs.tasks.get(task, runs.whole) if runs else None

    def usages(self, job: Job) -> dict[int, Usage]:
        """By task; of an array job those of which anything is known."""
        runs, notes = self.runs.get(job.key, Runs()), self.notes.notes.get(job.key, {})
        known = [task for task in job.tasks if task in runs.tasks or task in notes] if job.array else [0]
        return {task: self.usage(job, task) for task in known}

    def usage(self, job: Job, task: int) -> Usage:
        """What it used: by the scheduler, and where that does not tell, by its notes."""
        run, outcome = self.run(job, task), job.of(task)
        note = self.notes.notes.get(job.key, {}).get(task)
        used = self.notes.used.get(job.key, {}).get(task)
        if note and note.job_id != job.job_id:
            note = used = None
        usage = run.usage if run else Usage()
        begun, ended = _times(usage, note, outcome)
        wall = usage.wall
        if wall is None and begun is not None:
            last = ended if ended is not None else self.now if outcome.state is State.RUNNING else begun
            wall = max(0, last - begun)
        return replace(
            usage,
            task=task if job.array else None,
            asked=usage.asked.over(self.asked.get(job.key, Asked())),
            wall=wall,
            cpu=used.cpu if usage.cpu is None and used else usage.cpu,
            memory=used.memory if usage.memory is None and used else usage.memory,
            cores=usage.cores or usage.asked.cores or self.asked.get(job.key, Asked()).cores,
            started_at=begun,
            ended_at=ended,
        )


def _times(usage: Usage, note: Note | None, outcome: Outcome) -> tuple[int | None, int | None]:
    """Start and end, by whoever knows them; what has not ended has no end, whatever a run before noted."""
    begun = next((at for at in (usage.started_at, note and note.started_at, outcome.started_at) if at), None)
    ends = (usage.ended_at, note and note.ended_at, outcome.ended_at)
    return begun, next((at for at in ends if at), None) if outcome.state.ended else None


def ask(session: ClusterSession, jobs: Sequence[Job], last_words: Sequence[tuple[Job, int]] = ()) -> Told:
    """What is told of these jobs; and the last words of these tasks. Raises SchedulerError, Unreachable."""
    question = _question(session, jobs)
    directories = "".join(f"{job.directory}\n" for job in jobs if job.directory)
    program = Program(
        ("usage", "last_words", "ask"),
        {**stderr_ends.variables(last_words), "command": question.command},
        data=[directories.encode("utf-8", "surrogateescape")],
        most=MOST_OF_A_QUEUE + MOST_OF_NOTES + _MOST_ASKED,
        within={"answer": MOST_OF_A_QUEUE, "noted": MOST_OF_NOTES, "asked": _MOST_ASKED},
    )
    with session.listener.slow(f"{session.name}: still reading the accounting"):
        answer = session.ask(program)
    runs = by_id(answer["answer"].read(question.parse))
    noted = Notes()
    noted.read(answer["noted"].exact)
    return Told(
        {job.key: runs_of(job, runs) for job in jobs},
        noted,
        _asked(answer["asked"].exact),
        stderr_ends.told_in(answer, last_words),
        number(answer.text("now")) or 0,
        {key: str(told["project"]) for key, told in _records(answer["asked"].exact) if told.get("project")},
    )


def _question(session: ClusterSession, jobs: Sequence[Job]) -> Question[list[Ran]]:
    """To the scheduler; one that cannot tell is asked nothing."""
    if job_ids := [job.job_id for job in jobs if job.job_id]:
        with suppress(Cannot):
            return session.scheduler.usage(job_ids, session.cluster.names)
    return Question("true", lambda *_: [])


def _asked(text: str) -> dict[str, Asked]:
    """What the flags of each submission asked for."""
    found = {}
    for key, told in _records(text):
        values = [told.get(name) for name in ("time", "memory", "cores", "mpi")]
        time, memory, cores, mpi = (each if isinstance(each, int) and each > 0 else None for each in values)
        found[key] = Asked(time, memory, cores or mpi)
    return found


def _records(text: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Lines `KEY {RESOURCES}`: what flags asked for, as the job directory has it."""
    for line in text.splitlines():
        key, _, record = line.partition(" ")
        try:
            told = json.loads(record)
        except (ValueError, RecursionError):
            continue
        if isinstance(told, dict):
            yield key, told
