"""A third scheduler, as small as one can be: the login node itself, where a job is a process in the background.

It is one file in `tasks/schedulers/`; nothing else knows of it.
"""

from __future__ import annotations

import re
import shlex

from tasks.model.errors import InvalidInput, SchedulerError
from tasks.model.job import State
from tasks.schedulers import Clients, Load, Row, Submitted, Traced

name = "background"
probe = "has nohup"
clients = Clients(submits="nohup", asks=(), places=(), ambient="NOHUP_[A-Z]*")
variables = {"task_id": "0", "job_id": "$PPID", "cores": "1", "requeue": "exit 1"}
default_names: dict[str, str] = {}
own_files = frozenset[str]()  # what `defaults` lays beside the user's files

# Over there, before and after the submit command.
before_submit = """
hand_over() { echo "exec /bin/sh '$mine/run'"; }
survey() { :; }
prepare() { :; }
places() { :; }
accepted() { grep -q '^started [0-9]*$' "$1"; }
details() { :; }
"""
# In the job: who it is, and what runs the script.
in_job = """
submithost_identify() {
    submithost_job=$$ submithost_claim=$$ submithost_task=0
    submithost_out=$(readlink "/proc/$$/fd/1") submithost_err=$(readlink "/proc/$$/fd/2")
}
submithost_shell() { submithost_mode=obey; }
submithost_as_login() { return 1; }
submithost_environment() { :; }
"""


def check(script, resources):
    if resources.array:
        raise InvalidInput("no array jobs in the background")
    return []


def legal_name(name):
    return name


def directives(resources, names=None):
    return []


def defaults(resources, options, names, script, submission):
    return {}


def submit_variables(submission, names):
    start = f"nohup sh {shlex.quote(submission.script)} >out.txt 2>err.txt </dev/null &"
    return {"submit": shlex.join(["sh", "-c", f'{start} echo "started $!"'])}


def parse_submission(out, err=""):
    found = re.findall(r"^started (\d+)$", out, re.M | re.ASCII)
    return Submitted(found[-1], "") if found else None


def receipt(submitted):
    return f"started {submitted.job_id}"


def undecided(err):
    return False


def doubtful(err):
    return False


def queue_command():
    return 'ps -ww -u "$(id -un)" -o pid=,args='  # the mark of a job is the path of what it runs


def parse_queue(status, out, err):
    if status:
        raise SchedulerError(f"ps: {err.strip()}")
    return [Row(words[0], State.RUNNING) for line in out.splitlines() if (words := line.split())]


def marks_command(job_ids):
    return queue_command()


def parse_marks(status, out, err):
    found = re.findall(r"^ *(\d+) .*/([\w.-]+)/\.submithost/run$", out, re.M | re.ASCII)
    return {key: [Submitted(job_id, "")] for job_id, key in found}


def trace_command(job_ids, silent):
    return "true"  # the notes of the jobs are all there is


def parse_trace(status, out, err):
    return Traced(())


def cancel_command(jobs):
    ids = shlex.join(job_id for job_id, _ in jobs)
    return f'for job in {ids}; do pkill -P "$job" && echo "$job"; done'


def parse_cancel(status, out, err):
    if status:
        raise SchedulerError(f"kill: {err.strip()}")
    return f"killed {out}", set(out.split())


def hold_command(jobs):
    raise InvalidInput("what runs in the background cannot be held")


release_command = hold_command
parse_hold = receipt
by_hand_command = errors_command = queue_command


def parse_by_hand(status, out, err):
    return None


def log_names(submitted):
    return []


def parse_errors(status, out, err):
    return {}


def alive_command():
    return 'ps -u "$(id -un)" -o pid='


def parse_alive(status, out, err):
    return set(out.split())


def load_command():
    return "true"


def parse_load(status, out, err):
    return Load((), 0)
