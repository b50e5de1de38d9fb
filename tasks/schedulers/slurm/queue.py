"""Which jobs are alive, their keys, and how busy the cluster is, by squeue(1) and sinfo(1)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ...model.errors import SchedulerError
from ..bounds import check_many, check_ranges, lines_of
from ..seam import Question
from ..values import Load, Queue, Row, Submitted
from .reading import directory_of, failed, key_of, ranges, together
from .states import state_of, why

_CPUS = re.compile(r"has\|([^|]+)\|(\d{1,9})/(\d{1,9})/(\d{1,9})/\d{1,9}", re.ASCII)


def queue() -> Question[list[Row]]:
    """Pending tasks of an array stay folded in one row (S2). The command tells jobs apart that have had one ID: a
    controller that is killed forgets what it took within its last five seconds, and gives those IDs again."""
    return Question("squeue -h -u \"$(id -un)\" -o '%F|%K|%T|%r|%Q|%E|%o|.'", parse_queue)


def parse_queue(status: int, out: str, err: str) -> list[Row]:
    """Rows `ID|TASKS|STATE|REASON|PRIORITY|DEPENDENCY|COMMAND|.`; S5: what is no such row is not an answer.

    A command has its arguments, and so perhaps several lines.
    """
    return [
        Row(job_id, state, ranges(tasks), key_of(command), why(state, reason, dependency))
        for job_id, tasks, word, reason, priority, dependency, command in _rows(status, out, err)
        if (state := state_of(word, reason, priority))
    ]


def _rows(status: int, out: str, err: str) -> list[list[str]]:
    """The fields of what `queue` asks for."""
    if status != 0:
        raise failed(err, out)
    check_many(out.count("|.\n"))
    *whole, rest = out.split("|.\n")
    fields = [row.split("|", 6) for row in whole]
    if rest or not all(len(each) == 7 and each[0].isdecimal() for each in fields):
        raise SchedulerError("Slurm: the answer of squeue is not understood")
    check_ranges(each[1] for each in fields)
    return fields


def alive() -> Question[set[str]]:
    """squeue with the ID that the tasks of an array job share."""
    return Question('squeue -h -u "$(id -un)" -o %F', parse_alive)


def parse_alive(status: int, out: str, err: str) -> set[str]:
    """S5: what is no ID is not an answer."""
    if status != 0:
        raise failed(err, out)
    found = set(lines_of(out))
    if not all(map(str.isdecimal, found)):
        raise SchedulerError("Slurm: the answer of squeue is not understood")
    return found


def load() -> Question[Load]:
    """CPUs of each partition, then a line for each job that waits."""
    return Question("sinfo -h -o 'has|%R|%C' && squeue -h -t PD -o 'waits|%P|%F'", parse_load)


def parse_load(status: int, out: str, err: str) -> Load:
    """`%C` is allocated/idle/other/total. A job may wait for several partitions at once: it counts for each of them."""
    if status != 0:
        raise failed(err, out)
    cpus: dict[str, tuple[int, int, int]] = {}
    waiting: dict[str, set[str]] = {}
    for line in lines_of(out):
        words = line.split("|")
        if found := _CPUS.fullmatch(line):
            before = cpus.get(found[1], (0, 0, 0))
            cpus[found[1]] = (before[0] + int(found[2]), before[1] + int(found[3]), before[2] + int(found[4]))
        elif len(words) == 3 and words[0] == "waits" and words[2].isdecimal():
            for partition in words[1].split(","):
                waiting.setdefault(partition, set()).add(words[2])
        else:
            raise SchedulerError("Slurm: the answer of sinfo and squeue is not understood")
    queues = [Queue(name, *counts, len(waiting.get(name, ()))) for name, counts in cpus.items()]
    return Load(tuple(queues), len(set().union(*waiting.values())))


def marks(job_ids: Sequence[str]) -> Question[dict[str, list[Submitted]]]:  # noqa: ARG001  # S5: some wrappers refuse a list
    """All jobs of this user that the controller remembers, ended ones too, with their commands."""
    return Question("squeue -h -t all -u \"$(id -un)\" -o '%F|%K|%r|%j|%o'", parse_marks)


def parse_marks(status: int, out: str, err: str) -> dict[str, list[Submitted]]:
    """Keys, out of the paths of the submitted files, and their jobs. An array job may have several rows."""
    if status != 0:
        raise failed(err, out)
    marks: dict[str, dict[str, Submitted]] = {}
    tasks: dict[tuple[str, str], list[str]] = {}
    for line in lines_of(out):
        fields = line.split("|", 64)
        command = "|".join(fields[4:])
        key = key_of(command)
        # What was refused for its resources is kept as a job that has failed, and was none.
        if key and fields[0].isdecimal() and fields[2] != "BadConstraints":
            tasks.setdefault((key, fields[0]), []).append(fields[1])
            found = Submitted(fields[0], fields[3], directory=directory_of(command))
            marks.setdefault(key, {}).setdefault(fields[0], found)
    return {
        key: [replace(jobs[one], array=together(tasks[key, one])) for one in sorted(jobs, key=int)]
        for key, jobs in marks.items()
    }
