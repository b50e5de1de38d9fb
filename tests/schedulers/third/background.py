"""A third scheduler, as small as one can be: the login node itself, where a job is a process in the background.

It is one file in `tasks/schedulers/`; nothing else knows of it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping

from tasks.model.errors import SchedulerError
from tasks.model.job import State
from tasks.schedulers.seam import Question, Scheduler
from tasks.schedulers.values import Clients, Row, Submitted

LIST = 'ps -ww -u "$(id -un)" -o pid=,args='


class Background(Scheduler):
    name = "background"
    probe = "has nohup"
    clients = Clients(submits="nohup")
    variables: Mapping[str, str] = {"job_id": "$JOB_ID"}
    answer = "started {}"

    def submit_variables(self, submission, names):
        job = f"JOB_ID=$$ exec sh {shlex.quote(submission.script)}"
        start = f"nohup sh -c {shlex.quote(f'export JOB_ID; {job}')} >out.txt 2>err.txt </dev/null &"
        return {"submit": shlex.join(["sh", "-c", f'{start} echo "started $!"'])}

    def queue(self):
        return Question(LIST, read_queue)

    def marks(self, job_ids):
        return Question(LIST, read_marks)

    def cancel(self, jobs):
        ids = shlex.join(job_id for job_id, _ in jobs)
        return Question(f'for job in {ids}; do pkill -P "$job" && echo "$job"; done', read_cancelled)


def read_queue(status, out, err):
    if status:
        raise SchedulerError(f"ps: {err.strip()}")
    return [Row(words[0], State.RUNNING) for line in out.splitlines() if (words := line.split())]


def read_marks(status, out, err):
    """The mark of a job is the path of what it runs."""
    found = re.findall(r"^ *(\d+) .*/([\w.-]+)/\.submithost/run$", out, re.M | re.ASCII)
    return {key: [Submitted(job_id, "")] for job_id, key in found}


def read_cancelled(status, out, err):
    if status:
        raise SchedulerError(f"kill: {err.strip()}")
    return f"killed {out}", set(out.split())


scheduler = Background()
