"""A scheduler that can only submit: what has to be supplied, and no more. A job is a process on the login node."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from tasks.schedulers.seam import Scheduler
from tasks.schedulers.values import Clients


class Plain(Scheduler):
    name = "plain"
    probe = "false"  # it is never found: a configuration has to name it
    clients = Clients(submits="nohup")
    variables: Mapping[str, str] = {"job_id": "$JOB_ID"}
    answer = "request {} (taken)"

    def submit_variables(self, submission, names):
        job = f"nohup env JOB_ID=$$ sh {shlex.quote(submission.script)}"
        refuse = "[ ! -e full ] || { echo 'no more jobs' >&2; exit 1; }"  # it has to be able to
        start = f'{job} >out.txt 2>&1 </dev/null & echo "request $$ (taken)"'
        return {"submit": shlex.join(["sh", "-c", f"{refuse}; {start}"])}


scheduler = Plain()
