"""The real program that submits, whose shell over there is killed or stopped as it comes to one of its steps."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tasks import submission
from tasks.finding import GRACE
from tasks.login_node import quote
from tasks.model.cluster import Cluster as Configured
from tasks.model.job import Job
from tasks.preparation import Wanted, prepare
from tasks.session import Session
from tasks.testbed.cell import Cell
from tasks.testbed.cluster import Cluster
from tasks.testbed.processes import wait_until
from tasks.testbed.sshd import main_door

# Each command that changes something over there counts as a step, before it does.
_COUNTING = """
step() {{
    echo >>{steps}
    [ "$(wc -l <{steps})" -ne {number} ] || {{ echo $$ >{struck}; kill -{signal} $$; }}
}}
"""
RENAMES = ("mv",)
ALL = ("mkdir", "mv", "rm", "rmdir", "head", "cat", "chmod", "touch", "cp")


@dataclass
class Struck:
    """A client whose shell is struck at step `number` of these commands by a signal (0: by none), and only once."""

    cluster: Cluster
    folder: Path
    key: str
    number: int
    signal: str
    commands: Sequence[str] = RENAMES
    job: Job | None = None
    failure: BaseException | None = None

    @property
    def mine(self) -> Path:
        return self.cluster.home / ".submithost" / "jobs" / self.key / ".submithost"

    @property
    def steps(self) -> int:
        """How many there were."""
        return len((self.folder / "steps").read_bytes())

    def configuration(self) -> dict[str, str]:
        """What it is configured with, and somebody else is to be, for the same text."""
        door, scheduler = main_door(self.cluster), "gridengine" if isinstance(self.cluster, Cell) else "slurm"
        return {"host": door.name, "ssh_config": str(door.ssh_config), "scheduler": scheduler}

    def shell(self) -> int:
        """The process that was struck; 0: none was."""
        struck = self.folder / "struck"
        return int(struck.read_text()) if struck.exists() and struck.read_text().endswith("\n") else 0

    def race(self, wanted: Wanted, other: Callable[[], object]) -> None:
        """Submit, and let `other` do so as soon as the strike has come; what was stopped goes on after that."""
        thread = self.begin(wanted)
        assert wait_until(lambda: self.shell() or not thread.is_alive(), 120)
        stopped = self.shell() if self.signal == "STOP" else 0
        if stopped and any(self.mine.glob("attempt/asked.*")):  # nobody else can go on then
            os.kill(stopped, signal.SIGCONT)
            stopped = 0
        if not stopped:
            thread.join()
        long_ago = time.time() - GRACE - 2  # whoever was stopped was so for more than a minute
        for sign in self.mine.glob("attempt/holder.*/process"):
            os.utime(sign, (long_ago, long_ago))
        try:
            other()
        finally:
            if stopped:
                os.kill(stopped, signal.SIGCONT)
            thread.join()

    def begin(self, wanted: Wanted) -> threading.Thread:
        """Submit, in a thread that ends with a job or a failure."""
        self.folder.mkdir()
        (self.folder / "steps").touch()
        thread = threading.Thread(target=self._submit, args=(replace(wanted, key=self.key),))
        thread.start()
        return thread

    def _submit(self, wanted: Wanted) -> None:
        counting = _COUNTING.format(
            steps=quote(f"{self.folder}/steps"), struck=quote(f"{self.folder}/struck"),
            number=self.number or -1, signal=self.signal,
        )  # fmt: skip
        counting += "".join(f'{name}() {{ step; command {name} "$@"; }}\n' for name in self.commands)
        place = self.configuration()
        config = Path(place["ssh_config"])
        session = Session(Configured(self.cluster.name, place["host"], ssh_config=config, scheduler=place["scheduler"]))
        try:
            prepared = prepare(wanted, session.cluster, session.scheduler)
            whole = submission.program(
                session, prepared.job, prepared.variables, submission.Bundle(prepared.uploads), prepared.script,
                prepared.job_file,
            )  # fmt: skip
            whole = replace(whole, shell=f"{whole.shell}\n{counting}")
            self.job = submission.submit(session, prepared.job, whole, fresh=False)[0]
        except BaseException as error:
            self.failure = error
        finally:
            session.close()
