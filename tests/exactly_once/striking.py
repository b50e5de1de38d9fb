"""The real program that submits, of which one process there is killed or stopped as it comes to one of its steps:
the shell, or the subshell that takes the step, or the submit command itself.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from tasks.files.wire import Bundle
from tasks.login_node import quote
from tasks.model.cluster import Cluster as Configured
from tasks.model.job import Job
from tasks.submission import attempt
from tasks.submission.inspection import GRACE
from tasks.submission.prepare import Wanted, prepare
from tasks.submission.verdict import Verdict, look_up
from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.processes import wait_until
from tasks.testbed.sshd import main_door
from tasks.tracking.cluster_session import ClusterSession

# Each command that changes something there counts as a step, before it does. In a subshell $$ is the shell that
# waits for it, so whoever takes the step looks up its own number.
_COUNTING = """
step() {{
    echo >>{steps}
    [ "$(wc -l <{steps})" -ne {number} ] || strike
}}
strike() {{
    read -r struck_pid struck_rest </proc/self/stat
    echo "$struck_pid" >{struck}
    kill -{signal} "$struck_pid"
}}
"""
# The submit command, struck before it asks the scheduler, or when that has accepted and nobody was told.
_ASKING = 'strike\nexec {real} "$@"'
_ACCEPTED = 'answer=$({real} "$@")\nstatus=$?\nstrike\nprintf "%s\\n" "$answer"\nexit "$status"'
RENAMES = ("mv",)
ALL = ("mkdir", "mv", "rm", "rmdir", "head", "cat", "chmod", "touch", "cp")


@dataclass
class Struck:
    """A client of which a process there is struck by a signal, and only once: the one that takes step `number` of
    these commands (0: none does), or the submit command, where `command` says when: `asking` or `accepted`.
    """

    cluster: PrivateCluster
    folder: Path
    key: str
    number: int
    signal: str
    commands: Sequence[str] = RENAMES
    command: str = ""
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

    def look(self) -> Verdict:
        """What anybody who looks now finds."""
        session = self._session()
        try:
            return look_up(session, [Job(self.key, self.cluster.name, "x")])[0].verdict
        finally:
            session.close()

    def race(self, wanted: Wanted, other: Callable[[], object]) -> None:
        """Submit, and let `other` do so as soon as the strike has come; what was stopped goes on after that."""
        thread = self.begin(wanted)
        assert wait_until(lambda: self.shell() or not thread.is_alive(), 120)
        stopped = self.shell() if self.signal == "STOP" else 0
        if stopped and any(self.mine.glob("attempt/asked.*")):  # nobody else can go on then
            if self.command == "asking":
                assert self.look() is Verdict.UNKNOWN
            os.kill(stopped, signal.SIGCONT)
            stopped = 0
        if self.command and self.signal == "KILL":
            wait_until(lambda: any(self.mine.glob("attempt/asked.*/status")) or not thread.is_alive(), 120)
            self._age("attempt/asked.*/process")
        if not stopped:
            thread.join()
        self._age("attempt/holder.*/process")
        try:
            other()
        finally:
            if stopped:
                os.kill(stopped, signal.SIGCONT)
            thread.join()

    def _age(self, signs: str) -> None:
        """From now on, whoever was stopped or killed was so for more than a minute."""
        long_ago = time.time() - GRACE - 2
        for sign in self.mine.glob(signs):
            with suppress(FileNotFoundError):  # it was released
                os.utime(sign, (long_ago, long_ago))

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
        if self.command:
            self._command(counting)
        counting += "".join(f'{name}() {{ step; command {name} "$@"; }}\n' for name in self.commands)
        session = self._session()
        try:
            prepared = prepare(wanted, session.cluster, session.scheduler, session.listener)
            whole = attempt.program(
                session, prepared.job, prepared.variables, Bundle(prepared.uploads), prepared.script,
                prepared.job_file,
            )  # fmt: skip
            whole = replace(whole, shell=f"{whole.shell}\n{counting}")
            self.job = attempt.submit(session, prepared.job, whole, fresh=False)[0]
        except BaseException as error:
            self.failure = error
        finally:
            session.close()

    def _command(self, counting: str) -> None:
        """Put a submit command before the real one."""
        name = "qsub" if isinstance(self.cluster, Cell) else "sbatch"
        real = self.cluster.program(name) if isinstance(self.cluster, Cell) else f"/usr/bin/{name}"
        struck = (_ASKING if self.command == "asking" else _ACCEPTED).format(real=real)
        path = self.folder / "bin" / name
        path.parent.mkdir()
        path.write_text(f'#!/bin/sh\n{counting}\ncase " $* " in *" -verify "*) exec {real} "$@" ;; esac\n{struck}\n')
        path.chmod(0o755)

    def _session(self) -> ClusterSession:
        place = self.configuration()
        setup = (f"PATH={quote(str(self.folder / 'bin'))}:$PATH; export PATH",) if self.command else ()
        cluster = Configured(self.cluster.name, place["host"], scheduler=place["scheduler"], setup=setup)
        return ClusterSession(replace(cluster, ssh_config=Path(place["ssh_config"])))
