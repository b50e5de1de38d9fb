"""`status` of ten thousand held jobs, end to end: time and memory.

They are submitted through DRMAA, since qsub would take ten minutes; what submithost would have made of each (its line
in the ledger, its job directory) is laid beside them.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tasks.model.job import Job, Outcome, State
from tasks.model.ledger import Ledger
from tasks.testbed import register
from tasks.testbed.cell import Cell

from .measure import Limit, fab, peak, user

# Run by itself: libdrmaa wants room for its thread-local memory from the start (D1).
_SUBMIT = r"""
import ctypes, sys

drmaa = ctypes.CDLL("/usr/lib/gridengine-drmaa/lib/libdrmaa.so.1.0")
said = ctypes.create_string_buffer(1024)


def must(status):
    if status:
        sys.exit(said.value.decode())


must(drmaa.drmaa_init(None, said, 1024))
template = ctypes.c_void_p()
must(drmaa.drmaa_allocate_job_template(ctypes.byref(template), said, 1024))
for name, value in ((b"drmaa_remote_command", b"/bin/true"), (b"drmaa_native_specification", b"-h -b y -N held")):
    must(drmaa.drmaa_set_attribute(template, name, value, said, 1024))
job_id = ctypes.create_string_buffer(128)
for _ in range(int(sys.argv[1])):
    must(drmaa.drmaa_run_job(job_id, 128, template, said, 1024))
    print(job_id.value.decode())
must(drmaa.drmaa_exit(said, 1024))
"""


def held_jobs(cell: Cell, runs: int, count: int, bound: float, megabytes: int) -> Limit:
    """`status` of so many, and the most memory that it has."""
    tunables = {"GLIBC_TUNABLES": "glibc.rtld.optional_static_tls=4096"}
    submitted = subprocess.run(
        [sys.executable, "-c", _SUBMIT, str(count)], env=cell.env() | tunables, capture_output=True, text=True
    )
    assert submitted.returncode == 0, submitted.stderr
    job_ids = submitted.stdout.split()
    try:
        with tempfile.TemporaryDirectory() as directory:
            person = user(Path(directory) / "home", register.registration().read_text())
            jobs = [
                Job(key, cell.name, "held", "true", "-", str(cell.home / "jobs" / key), job_id=job_id,
                    submitted_at=1, outcome=Outcome(State.PENDING))
                for job_id in job_ids for key in [f"held-{job_id}"]
            ]  # fmt: skip
            for job in jobs:
                os.makedirs(f"{job.directory}/.submithost/notes")
            Ledger(person.home / ".local" / "state" / "submithost" / "ledger.sqlite").update(*jobs)
            words = [fab(), "-H", cell.name, "status", "--all"]
            states = person.fab("-H", cell.name, "status", "--all").stdout
            assert states.count("\theld\t") >= count, states[:2000]
            measured = [peak(words, person.work, person.environment) for _ in range(runs)]
        most = max(memory for _, memory in measured) / 1e6
        what = f"`status` of {count:,} held jobs, {most:.0f} MB at most (bound {megabytes} MB)"
        return Limit(what, [seconds for seconds, _ in measured], bound, most <= megabytes)
    finally:
        for first in range(0, count, 1000):
            cell.run("qdel", *job_ids[first : first + 1000], timeout=300)
