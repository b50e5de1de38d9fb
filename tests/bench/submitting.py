"""One submit, whole process, against the plain Paramiko script; and the list of tasks against a one-task fabfile."""

from __future__ import annotations

import getpass
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from tasks.testbed import register
from tasks.testbed.cell import Cell
from tasks.testbed.sshd import main_door
from tests.proxy import Proxy, ssh_config_through

from .measure import Pair, fab, in_turns, timed, user

# What a user writes today: connect, put the script, run qsub, print. Held, so that no job takes time from the next run.
PLAIN = """\
import sys
import paramiko

port, user, key, known_hosts = sys.argv[1:]
client = paramiko.SSHClient()
client.load_host_keys(known_hosts)
client.connect("127.0.0.1", int(port), user, key_filename=key, allow_agent=False, look_for_keys=False)
sftp = client.open_sftp()
sftp.put("job.sh", "job.sh")
_, out, err = client.exec_command("qsub -h job.sh")
sys.stdout.write(out.read().decode())
sys.stderr.write(err.read().decode())
status = out.channel.recv_exit_status()
client.close()
sys.exit(status)
"""
SCRIPT = "#!/bin/bash\n#$ -l rmem=1G\n#$ -l h_rt=0:10:00\necho Hello\n"


def one_submit(cell: Cell, runs: int, round_trip: float, bound: float) -> Pair:
    """`fab -H sandbox submit --script=job.sh` against the script above; `round_trip` in seconds."""
    with ExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        door = main_door(cell)
        port, ssh_config, known_hosts = door.port, door.ssh_config, door.known_hosts
        if round_trip:
            proxy = stack.enter_context(Proxy(door.port, delay=round_trip / 2))
            port, ssh_config = proxy.port, ssh_config_through(proxy, door, home / "ssh_config")
            known_hosts = home / "known_hosts"
            known_hosts.write_text(door.known_hosts.read_text().replace(f":{door.port} ", f":{proxy.port} "))
        section = f"clusters:\n  hpc: {{host: {cell.name}, ssh_config: '{ssh_config}', scheduler: gridengine}}\n"
        person = user(home / "home", section)
        person.script("job.sh", SCRIPT)
        person.script("plain.py", PLAIN)
        plain = [sys.executable, "plain.py", str(port), getpass.getuser(), str(door.client_key), str(known_hosts)]
        return in_turns(
            f"one submit, {round_trip * 1000:.0f} ms round trip, against the plain Paramiko script",
            lambda: timed([fab(), "-H", "hpc", "submit", "--script=job.sh", "--hold"], person.work, person.environment),
            lambda: timed(plain, person.work, person.environment),
            runs,
            bound,
        )


def list_of_tasks(runs: int, bound: float) -> Pair:
    """`fab --list` with three clusters against a fabfile with one task."""
    with tempfile.TemporaryDirectory() as directory:
        three = user(Path(directory) / "three", register.registration().read_text())
        (three.work / "fabric.yml").write_text("clusters:\n  sharc: {host: sharc.example}\n")
        one = user(Path(directory) / "one", "")
        (one.work / "fabfile.py").write_text("from fabric import task\n\n\n@task\ndef t(c):\n    pass\n")
        return in_turns(
            "`fab --list` with three clusters, against a fabfile with one task",
            lambda: timed([fab(), "--list"], three.work, three.environment),
            lambda: timed([fab(), "--list"], one.work, one.environment),
            runs,
            bound,
        )
