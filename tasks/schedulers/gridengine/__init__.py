"""Grid Engine, as Son of Grid Engine 8.1.9 speaks it; by submit(1), qstat(1), qacct(1), sge_status(5), accounting(5)
and the captured answers in tests/data. G numbers are those of the list of quirks that the tests are named by.
"""

from collections.abc import Mapping

from ..seam import EVERYTHING, Scheduler
from ..values import Clients
from ..wording import shell
from . import about, accounting, control, limits, request, waiting
from . import amounts as asked
from . import answer as answers
from . import queue as queues


class GridEngine(Scheduler):
    """The names of the seam, each from the file that has it."""

    name = "gridengine"
    rank = 20  # it is known by its cell, not by a command's name alone, which other schedulers have as well
    # Debian's wrapper has a SGE_ROOT for everybody; where there is a cell there is the name of its qmaster.
    probe = 'has qsub && [ -r "$SGE_ROOT/${SGE_CELL:-default}/common/act_qmaster" ]'
    clients = Clients(
        submits="qsub",
        asks=("qstat", "qacct", "qconf", "qdel", "qhold", "qrls", "qalter"),
        places=("SGE_ROOT", "SGE_CELL", "SGE_QMASTER_PORT", "SGE_EXECD_PORT", "SGE_CLUSTER_NAME"),
        ambient="SGE_[A-Za-z0-9_]*",
        fixed=("SGE_SINGLE_LINE=1",),
        short_cut=shell(__file__, "short_cut.sh"),
    )
    variables: Mapping[str, str] = {
        "task_id": "$SGE_TASK_ID",
        "job_id": "$JOB_ID",
        "cores": "$NSLOTS",
        "requeue": "exit 99",
    }
    verifying = ("-w", "v")
    takes = EVERYTHING
    default_names = request.NAMES
    directive = b"#$"
    own_files = frozenset({".sge_request"})
    before_submit = shell(__file__, "before_submit.sh")
    in_job = shell(__file__, "in_job.sh")

    check = staticmethod(request.check)
    legal_name = staticmethod(request.legal_name)
    directives = staticmethod(request.directives)
    defaults = staticmethod(request.defaults)
    submit_variables = staticmethod(request.submit_variables)
    amounts = staticmethod(asked.amounts)
    asking = staticmethod(asked.asking)
    without = staticmethod(asked.without)

    parse_submission = staticmethod(answers.parse_submission)
    undecided = staticmethod(answers.undecided)
    doubtful = staticmethod(answers.doubtful)
    receipt = staticmethod(answers.receipt)
    log_names = staticmethod(answers.log_names)

    queue = staticmethod(queues.queue)
    alive = staticmethod(queues.alive)
    load = staticmethod(queues.load)
    most_tasks = staticmethod(limits.most_tasks)
    marks = staticmethod(about.marks)
    reasons = staticmethod(waiting.reasons)
    trace = staticmethod(accounting.trace)
    usage = staticmethod(accounting.usage)
    by_hand = staticmethod(accounting.by_hand)

    cancel = staticmethod(control.cancel)
    hold = staticmethod(control.hold)
    release = staticmethod(control.release)


scheduler = GridEngine()
