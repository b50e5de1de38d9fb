"""The layout of a job directory: the one page that names what lies in it, and where.

    ROOT/KEY/                    where the job runs, with the files of --put under their own names
        rows/ROW/                where a task of a sweep runs, with links to these
        .submithost/
            script               the job script as rendered
            run                  the program that the submitted file starts: it notes start and end around the script
            args                 the script's arguments, quoted
            about                the submission as JSON, for `resubmit` and `adopt`
            digest               what the submission was made of: another text under the same key is refused
            rows                 of a sweep: a line for each task, with its values
            scripts              of a sweep over a template: the job scripts of all rows
            tasks/N/TASK         the one of a task, once it runs (N: TASK / 1000)
            after                the conditions of --after that the job itself checks
            put                  sizes and times of the files of --put
            defaults, said,      what the scheduler is told beside the script's own directives
            open_mode, header
            attempt.TOKEN/       an attempt that still takes in files
            attempt/             the attempt that has the lock; `asked.TOKEN/job/NAME` in it is the submitted file
            job/NAME             the submitted file, as the command line names it before the lock is had
            claim                the job that has begun the work of this key
            receipt              what the scheduler said when it accepted the job
            notes/N/TASK.KIND    what a task noted: its start, its logs, its end (N: TASK / 1000)

The programs beside this page use the same names; a test compares them. PROTOCOL.md, "Once", is the source.
"""

from __future__ import annotations

import re

ROOT = "~/.submithost/jobs"
"""Where job directories go unless the configuration says otherwise; `~/` is the home directory on the cluster."""
OWN = ".submithost"
"""The folder of ours in a job directory."""
NAMES = frozenset((
    "script", "run", "args", "about", "digest", "after", "put", "defaults", "said", "open_mode", "header", "attempt",
    "job", "claim", "receipt", "notes", "rows", "scripts", "tasks",
))  # fmt: skip
"""What lies in that folder."""
ROWS = "rows"
"""The folder in a job directory in which the tasks of a sweep run, each in that of its row's number."""
TEMPORARY = ".submithost-"
"""How the names of temporary files begin that `put`, `get` and `fetch` leave when they are interrupted."""
SUBMITTED = re.compile(r"/([A-Za-z0-9_][A-Za-z0-9._-]*)/\.submithost/(?:attempt/asked\.[0-9a-f]+/)?job/")
"""Finds the key in the path of a submitted file."""
_TASKS_OF_A_FOLDER = 1000


def own(name: str) -> str:
    """The path, in a job directory, of something of ours. `name` is one of `NAMES`."""
    if name not in NAMES:
        raise ValueError(name)
    return f"{OWN}/{name}"


def submitted(name: str) -> str:
    """The path, in a job directory, of the submitted file of that name."""
    return f"{own('job')}/{name}"


def note(directory: str, task: int, kind: str) -> str:
    """The path of a note of a task (0 where the job is no array); `kind` is as `run.sh` names it."""
    return f"{directory}/{own('notes')}/{task // _TASKS_OF_A_FOLDER}/{task}.{kind}"


def part(folder: str, key: str) -> str:
    """How the paths begin, below `folder` (empty: the top itself), of the parts of a large file with that key."""
    return f"{folder}/{TEMPORARY}part-{key}.".lstrip("/")
