"""Logging in from a process that has a terminal and a person at it, or has none."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

from tasks.model.cluster import Cluster

CHILD = Path(__file__).with_name("child.py")
ROOT = Path(__file__).parents[3]


def _start(cluster: Cluster, identities: tuple[Path, ...], stdin: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(CHILD), cluster.name, str(cluster.ssh_config), *map(str, identities)],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


def without_terminal(cluster: Cluster, *identities: Path) -> tuple[str, str]:
    """What is said on stdout and on stderr."""
    child = _start(cluster, identities, subprocess.DEVNULL)
    out, err = child.communicate(timeout=30)
    return out.strip(), err.strip()


def at_terminal(cluster: Cluster, *answers: tuple[str, str], identities: tuple[Path, ...] = ()) -> tuple[str, str]:
    """Wait for each prompt and type its answer; return what is said on stdout, and all that the terminal showed."""
    ours, theirs = os.openpty()
    child = _start(cluster, identities, theirs)
    os.close(theirs)
    out, err, shown = talk(child, ours, *answers)
    return (out + err).strip(), shown


def talk(child: subprocess.Popen[str], ours: int, *answers: tuple[str, str], limit: float = 15) -> tuple[str, str, str]:
    """As `at_terminal`, with a child that has the other end of `ours`; returns stdout, stderr, and what was shown."""
    shown = ""
    try:
        for prompt, answer in answers:
            seen = len(shown)
            end = time.monotonic() + limit
            while prompt not in shown[seen:]:
                ready, _, _ = select.select([ours], [], [], max(0, end - time.monotonic()))
                assert ready, f"no '{prompt}' in {shown!r}; {child.poll()}"
                try:
                    shown += os.read(ours, 4096).decode()
                except OSError:
                    raise AssertionError(f"ended before '{prompt}': {shown!r} {child.communicate()}") from None
            os.write(ours, answer.encode() + b"\n")
        out, err = child.communicate(timeout=2 * limit)
        while select.select([ours], [], [], 0)[0]:
            try:
                shown += os.read(ours, 4096).decode()
            except OSError:  # the other end is closed
                break
    finally:
        child.kill()
        child.wait()
        os.close(ours)
        for stream in (child.stdout, child.stderr):
            assert stream
            stream.close()
    return out, err, shown
