"""What a cell's Grid Engine is told, in the formats of bootstrap(5), sge_conf(5), queue_conf(5)...

Everything that is not about this machine or about ShARC's vocabulary is stock.
"""

from __future__ import annotations

import re
from pathlib import Path

STOCK = Path("/usr/share/gridengine")
BINARIES = Path("/usr/lib/gridengine")

# The submission commands find their host through these; the real host name goes in as an alias of localhost.
HOST = "localhost"

BOOTSTRAP = """\
admin_user              {user}
default_domain          none
ignore_fqdn             true
spooling_method         classic
spooling_lib            libspoolc
spooling_params         {common};{spool}
binary_path             /usr/lib/gridengine
qmaster_spool_dir       {spool}
security_mode           none
listener_threads        2
worker_threads          2
scheduler_threads       1
"""

COMPLEX = """\
name        {name}
shortcut    {name}
type        {type}
relop       <=
requestable YES
consumable  YES
default     {default}
urgency     0
"""

PARALLEL_ENVIRONMENT = """\
pe_name            {name}
slots              9999
user_lists         NONE
xuser_lists        NONE
start_proc_args    NONE
stop_proc_args     NONE
allocation_rule    {rule}
control_slaves     TRUE
job_is_first_task  TRUE
urgency_slots      min
accounting_summary TRUE
qsort_args         NONE
"""

PROJECT = "name gpu\noticket 0\nfshare 0\nacl NONE\nxacl NONE\n"

EXECUTION_HOST = """\
hostname              {host}
load_scaling          NONE
complex_values        {capacity}
user_lists            NONE
xuser_lists           NONE
projects              NONE
xprojects             NONE
usage_scaling         NONE
report_variables      NONE
"""

HOST_GROUP = "group_name @allhosts\nhostlist {host}\n"

# As made by a plain installation, but for slots, pe_list and load_thresholds, and for tmpdir: two cells would
# both make, and remove, /tmp/1.1.all.q.
QUEUE = """\
qname                 all.q
hostlist              @allhosts
seq_no                0
load_thresholds       NONE
suspend_thresholds    NONE
nsuspend              1
suspend_interval      00:05:00
priority              0
min_cpu_interval      00:05:00
processors            UNDEFINED
qtype                 BATCH INTERACTIVE
ckpt_list             NONE
pe_list               smp openmp mpi
rerun                 FALSE
slots                 {slots}
tmpdir                {tmpdir}
shell                 /bin/csh
prolog                NONE
epilog                NONE
shell_start_mode      posix_compliant
starter_method        NONE
suspend_method        NONE
resume_method         NONE
terminate_method      NONE
notify                00:00:60
owner_list            NONE
user_lists            NONE
xuser_lists           NONE
subordinate_list      NONE
complex_values        NONE
projects              NONE
xprojects             NONE
calendar              NONE
initial_state         default
s_rt                  INFINITY
h_rt                  INFINITY
s_cpu                 INFINITY
h_cpu                 INFINITY
s_fsize               INFINITY
h_fsize               INFINITY
s_data                INFINITY
h_data                INFINITY
s_stack               INFINITY
h_stack               INFINITY
s_core                INFINITY
h_core                INFINITY
s_rss                 INFINITY
h_rss                 INFINITY
s_vmem                INFINITY
h_vmem                INFINITY
"""

COMPLEXES = {
    "rmem": COMPLEX.format(name="rmem", type="MEMORY", default="2G"),
    "gpu": COMPLEX.format(name="gpu", type="INT", default="0"),
}
PARALLEL_ENVIRONMENTS = {
    name: PARALLEL_ENVIRONMENT.format(name=name, rule=rule)
    for name, rule in {"smp": "$pe_slots", "openmp": "$pe_slots", "mpi": "$fill_up"}.items()
}


def replaced(text: str, **values: object) -> str:
    """`text` (lines of `name value`) with the lines of these names replaced; each of them must be there."""
    for name, value in values.items():
        text, count = re.subn(rf"^{name}\s.*$", lambda _: f"{name} {value}", text, flags=re.M)  # noqa: B023  # used at once
        assert count == 1, f"no line {name}"
    return text
