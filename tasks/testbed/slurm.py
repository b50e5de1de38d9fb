"""One private Slurm cluster: where its files are, and what its daemons are told (slurm.conf(5), slurmdbd.conf(5)).

Everything that is not about this machine, or about being quick, is stock.
"""

from __future__ import annotations

import getpass
import os
import pwd
import shlex
from dataclasses import dataclass
from pathlib import Path

from .cluster import PrivateCluster, place, write
from .processes import MARK

STOCK_MIN_JOB_AGE = 300
NODE = "node1"
GPUS = 4

_SLURM_CONF = """\
ClusterName={name}
SlurmctldHost=localhost(127.0.0.1)
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
# A job that is requeued waits for as long as a credential counts; stock are two minutes.
AuthInfo=socket={root}/munge.sock,cred_expire=10
SlurmctldPort={slurmctld_port}
SlurmdPort={slurmd_port}
# Nobody from outside this machine reaches them.
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={root}/state
SlurmdSpoolDir={root}/spool
SlurmctldPidFile={root}/slurmctld.pid
SlurmdPidFile={root}/slurmd.pid
# No control groups: an ordinary user has none.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog={root}/task_prolog
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=1024
GresTypes=gpu
# Else a node with more CPUs and memory than this machine is called invalid.
SlurmdParameters=config_overrides
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=1,bf_interval=1
MinJobAge={min_job_age}
KillWait=5
MailProg={root}/mailer
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=OverMemoryKill
{accounting}
NodeName={node} NodeHostname=localhost NodeAddr=127.0.0.1 CPUs={slots} RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN
PartitionName=main Nodes={node} Default=YES MaxTime=INFINITE State=UP
PartitionName=short Nodes={node} MaxTime=10 State=UP
"""

# For jobs that take nothing of a login's environment. Their processes are to be known for ours; and `su -`, which
# slurmd as root asks for an environment, knows nothing of libnss-wrapper.
_TASK_PROLOG = """\
#!/bin/sh
echo {mark}
[ "$HOME" != {other_home} ] || echo {home}
"""

_NO_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={slurmdbd_port}
# Not AuthInfo: for talking to slurmdbd it is this that names munge's socket.
AccountingStoragePass={root}/munge.sock"""

_SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={root}/munge.sock
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={slurmdbd_port}
CommunicationParameters=NoInAddrAny
SlurmUser={user}
PidFile={root}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser={user}
StorageLoc=slurm_acct_db
"""


@dataclass(frozen=True)
class SlurmCluster(PrivateCluster):
    """A Slurm cluster of the testbed; with `accounting` it has slurmdbd, and a database of its own."""

    accounting: bool = False
    min_job_age: int = STOCK_MIN_JOB_AGE

    @property
    def munge_socket(self) -> Path:
        return self.root / "munge.sock"

    @property
    def database(self) -> Path:
        """MariaDB's files."""
        return self.root / "mariadb"

    @property
    def database_socket(self) -> Path:
        return self.root / "mariadb.sock"

    def settings(self) -> dict[str, str]:
        return {"SLURM_CONF": str(self.root / "slurm.conf")}


def new(
    directory: Path, slots: int, *, accounting: bool = False, min_job_age: int = STOCK_MIN_JOB_AGE, sh: str = ""
) -> SlurmCluster:
    """A cluster with ports that are free now; nothing is started and nothing written but its directory.

    `min_job_age`: how many seconds slurmctld knows a job after its end; at least 2.
    """
    cluster = SlurmCluster(**place(directory, slots, sh), accounting=accounting, min_job_age=min_job_age)
    cluster.save()
    return cluster


def lay_out(cluster: SlurmCluster) -> None:
    """Make its files and directories."""
    root = cluster.root
    for name in ("state", "spool"):
        (root / name).mkdir()
    (root / "munge.key").write_bytes(os.urandom(1024))
    (root / "munge.key").chmod(0o400)
    # Slurm wants devices, and the number of each from its name.
    for number in range(GPUS):
        (root / f"gpu{number}").symlink_to("/dev/null")
    cluster.make_mailer()
    prolog = {
        "mark": f"export {MARK}={cluster.directory}",
        "other_home": pwd.getpwuid(os.geteuid()).pw_dir,
        "home": f"export HOME={cluster.home}",
    }
    quoted = {name: shlex.quote(text) for name, text in prolog.items()}
    write(root / "task_prolog", _TASK_PROLOG.format(**quoted), 0o755)
    write(root / "gres.conf", f"NodeName={NODE} Name=gpu File={root}/gpu[0-{GPUS - 1}]\n")
    configure(cluster)


def configure(cluster: SlurmCluster) -> None:
    """Write the files that say what it is like."""
    values = {
        "name": cluster.name, "root": cluster.root, "user": getpass.getuser(), "node": NODE, "gpus": GPUS,
        "slurmctld_port": cluster.port(0), "slurmd_port": cluster.port(1), "slurmdbd_port": cluster.port(3),
        "min_job_age": cluster.min_job_age,
        "slots": cluster.slots, "memory": 4096 * max(16, cluster.slots),
    }  # fmt: skip
    accounting = (_ACCOUNTING if cluster.accounting else _NO_ACCOUNTING).format(**values)
    write(cluster.root / "slurm.conf", _SLURM_CONF.format(**values, accounting=accounting))
    if cluster.accounting:
        write(cluster.root / "slurmdbd.conf", _SLURMDBD_CONF.format(**values))
