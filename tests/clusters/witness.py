"""A program that a job's body runs: it notes all that the body has inherited, a line for each column.

`witness HOW...`: `qsub` asks what a qsub from here would be asked. Notes go to `seen/JOB.TASK` beside the program.
"""

import json
import os
import re
import resource
import subprocess
import sys


def text(path):
    with open(path, errors="surrogateescape") as file:
        return file.read()


def kind(path):  # what a file is: its name, or that it is a pipe or a terminal
    return re.sub(r":\[\d+\]$", "", os.readlink(path))


def asked_by_qsub():
    words = ["qsub", "-verify", "-b", "y", "/bin/true"]
    return subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True).stdout


pid = os.getppid()
body = f"/proc/{pid}"
status = dict(line.split(":\t", 1) for line in text(body + "/status").splitlines() if ":\t" in line)
environment = dict(item.split("=", 1) for item in text("/proc/self/environ").split("\0") if item)
old = os.umask(0)
os.umask(old)
seen = dict(
    environment=environment,
    umask=f"{old:04o}",
    **{name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if name.startswith("RLIMIT_")},
    words=text(body + "/cmdline").split("\0")[:-1],
    arguments=sys.argv[1:],
    stdin_kind=kind("/proc/self/fd/0"),
    stdin=sys.stdin.read(),
    stdout_kind=kind("/proc/self/fd/1"),
    stderr_kind=kind("/proc/self/fd/2"),
    files=sorted(kind(f"{body}/fd/{n}") for n in os.listdir(body + "/fd") if n > "2" and n != "255"),
    cwd=os.getcwd(),
    ignored=status["SigIgn"],
    blocked=status["SigBlk"],
    caught=status["SigCgt"],
    leads_its_group=os.getpgid(pid) == pid,
    terminal=text(body + "/stat").rpartition(")")[2].split()[4],
    nice=os.getpriority(os.PRIO_PROCESS, pid),
    scheduling=(os.sched_getscheduler(pid), sorted(os.sched_getaffinity(pid))),
    oom_score_adj=text(body + "/oom_score_adj"),
    user=[status[name].split() for name in ("Uid", "Gid")],
    groups=[group for group in status["Groups"].split() if not 20000 <= int(group) < 90000],  # those mark jobs
    capabilities=[status[name] for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs")],
    namespaces=[kind(f"{body}/ns/{name}") for name in ("mnt", "pid", "net", "user")],
    qsub_from_here=asked_by_qsub() if "qsub" in sys.argv[1:2] and "SGE_ROOT" in environment else None,
)
task = environment.get("SGE_TASK_ID", environment.get("SLURM_ARRAY_TASK_ID", ""))
job = environment.get("JOB_ID", environment.get("SLURM_ARRAY_JOB_ID", environment.get("SLURM_JOB_ID")))
note = f"{os.path.dirname(sys.argv[0])}/seen/{job}.{task.replace('undefined', '')}"
with open(note + ".new", "w", errors="surrogateescape") as file:
    json.dump(seen, file)
os.rename(note + ".new", note)
