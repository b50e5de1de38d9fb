"""Telling a person who looks elsewhere that a wait has ended: the terminal's bell, the desktop, a command of theirs."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape

from ..model.job import Job, together
from ..model.wording import one_line
from . import terminal
from .output import say

# Seconds that a desktop may take to show a notice: more is a desktop that is not there.
_PATIENCE = 10
_SHOW_ON_MACOS = (
    "on run argv", "display notification (item 2 of argv) with title (item 1 of argv)", "end run"
)  # fmt: skip


@dataclass(frozen=True)
class Notice:
    """Who is told: the person, by bell and desktop (`person`), and a command line of sh (empty: none)."""

    person: bool = False
    command: str = ""

    @contextmanager
    def at_the_end(self, cluster: str, jobs: Callable[[], Sequence[Job]]) -> Iterator[None]:
        """Tell when what is done in here ends, by an error too, and how the jobs are then. Ctrl-C needs no notice."""
        try:
            yield
        except Exception:
            self._tell(cluster, jobs())
            raise
        self._tell(cluster, jobs())

    def _tell(self, cluster: str, jobs: Sequence[Job]) -> None:
        state = str(together({at: job.in_the_end for at, job in enumerate(jobs)}).state)
        ids = [job.job_id or job.key for job in jobs]
        if self.person:
            what = one_line(jobs[0].title()) if len(jobs) == 1 else f"{len(jobs)} jobs on {cluster}"
            ring()
            show("submithost", f"{what}: {state}")
        if self.command:
            about = {"SUBMITHOST_JOB": " ".join(ids), "SUBMITHOST_STATE": state, "SUBMITHOST_CLUSTER": cluster}
            _run(self.command, about)


def ring() -> None:
    """Ring the bell of the terminal, if there is one, wherever the output goes."""
    with contextlib.suppress(OSError), terminal.turn(), open("/dev/tty", "w", encoding="ascii") as tty:
        tty.write("\a")


def show(title: str, text: str) -> None:
    """Show a notice on the desktop, by notify-send(1) or osascript(1), where there is one."""
    if found := shutil.which("notify-send"):
        words = [found, "--app-name=submithost", "--", title, escape(text, quote=False)]
    elif found := shutil.which("osascript"):
        words = [found, *(word for line in _SHOW_ON_MACOS for word in ("-e", line)), title, text]
    else:
        return
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=_PATIENCE,
            check=False,
        )  # fmt: skip


def _run(command: str, about: dict[str, str]) -> None:
    """By sh, as it is typed; what it prints is no data of ours. That it fails is told, and changes nothing."""
    sys.stdout.flush()
    try:
        done = subprocess.run(
            ["/bin/sh", "-c", command], env={**os.environ, **about}, stdin=subprocess.DEVNULL, stdout=sys.stderr,
            check=False,
        )  # fmt: skip
    except OSError as error:
        say(f"--notify-command could not be run: {error.strerror}")
        return
    if done.returncode:
        say(f"--notify-command failed with exit status {done.returncode}: {one_line(command)}")
