"""Slurm, as 22.05 speaks it; by sbatch(1), squeue(1), scontrol(1), sacct(1), scancel(1) and the captured answers in
tests/data. S numbers are those of the list of quirks that the tests are named by.

The mark that Slurm keeps for a key is the path of the submitted file, which it shows as a job's command: it costs no
option that the user may want, and nothing in a script can change it.
"""

from collections.abc import Mapping

from ..seam import EVERYTHING, Scheduler
from ..values import Clients
from ..wording import shell
from . import accounting, control, limits, request, waiting
from . import amounts as asked
from . import answer as answers
from . import queue as queues
from . import usage as usages


class Slurm(Scheduler):
    """The names of the seam, each from the file that has it."""

    name = "slurm"
    rank = 10
    probe = "has sbatch"
    clients = Clients(
        submits="sbatch",
        asks=("squeue", "sacct", "sacctmgr", "scontrol", "sinfo", "scancel", "sstat"),
        places=("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"),
        ambient="S(LURM|QUEUE|ACCT|CONTROL|INFO|CANCEL|BATCH)[A-Z]*_[A-Za-z0-9_]*",
        fixed=("SLURM_BITSTR_LEN=0",),  # else long lists of tasks are cut off
    )
    variables: Mapping[str, str] = {
        "task_id": "$SLURM_ARRAY_TASK_ID",
        "job_id": "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}",
        "cores": "$((${SLURM_NTASKS:-1} * ${SLURM_CPUS_PER_TASK:-1}))",
        "requeue": 'scontrol requeue "$SLURM_JOB_ID" && sleep 3600',
    }
    answer = "Submitted batch job {}"
    verifying = ("--test-only",)
    takes = EVERYTHING
    default_names = request.NAMES
    directive = b"#SBATCH"
    before_submit = shell(__file__, "before_submit.sh")
    in_job = shell(__file__, "in_job.sh")

    check = staticmethod(request.check)
    directives = staticmethod(request.directives)
    defaults = staticmethod(request.defaults)
    submit_variables = staticmethod(request.submit_variables)
    amounts = staticmethod(asked.amounts)
    asking = staticmethod(asked.asking)
    without = staticmethod(asked.without)

    parse_submission = staticmethod(answers.parse_submission)
    doubtful = staticmethod(answers.doubtful)
    log_names = staticmethod(answers.log_names)

    queue = staticmethod(queues.queue)
    alive = staticmethod(queues.alive)
    load = staticmethod(queues.load)
    most_tasks = staticmethod(limits.most_tasks)
    marks = staticmethod(queues.marks)
    reasons = staticmethod(waiting.reasons)
    trace = staticmethod(accounting.trace)
    usage = staticmethod(usages.usage)
    by_hand = staticmethod(accounting.by_hand)

    cancel = staticmethod(control.cancel)
    hold = staticmethod(control.hold)
    release = staticmethod(control.release)


scheduler = Slurm()
