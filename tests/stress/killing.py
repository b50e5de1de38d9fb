"""kill -9: of the local process at each of its steps, and there of what submits and of the shells above it."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tasks.testbed.processes import wait_until
from tasks.testbed.sshd import main_door
from tests.conftest import program
from tests.proxy import Direction, Proxy

from .fault import Fault, Lane, Tried
from .story import KINDS, Kind, Place, Story


@dataclass(frozen=True)
class Step:
    """Where the local process is killed: at a trace that can be seen from outside, or a time after it (seconds)."""

    trace: str
    after: float = 0.0
    kind: Kind = "plain"


def steps(_: Place) -> Sequence[Step]:
    """The traces in the order of their appearance, and the packets between them."""
    named = ("ledger", "job file", "connected", "job directory", "sent", "lock", "asked", "receipt", "recorded")
    traces = [Step(trace, after) for trace in named for after in (0.0, 0.02, 0.1)]
    packets = [Step(f"{way} {number}", kind=KINDS[number % 3]) for way in ("up", "down") for number in range(2, 17)]
    return [*traces, *packets]


def local(place: Place, step: Step) -> Tried:
    """Killed there; then the user types the same again."""
    with Proxy(main_door(place.cell).port) as proxy:
        story = place.story("local", proxy, kind=step.kind, job_file=step.trace == "job file")
        seen = _trace(step.trace, place, story, proxy)
        process = story.begin()
        deadline = time.monotonic() + 60
        while not seen() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.0005)
        time.sleep(step.after)
        process.send_signal(signal.SIGKILL)
        answer = story.end(killed=True)
        return Tried([story.persist()], int(answer.status == -signal.SIGKILL))


def _trace(name: str, place: Place, story: Story, proxy: Proxy) -> Callable[[], bool]:
    state, there = story.person.home / ".local/state/submithost", place.directory_of(story)
    ways: dict[str, Direction] = {"up": "up", "down": "down"}
    if name[0:2] in ("up", "do"):
        way, _, number = name.partition(" ")
        return lambda: proxy.counted[ways[way]] >= int(number)
    return {
        "ledger": lambda: (state / "ledger.sqlite").exists(),
        "job file": lambda: (story.person.work / f"{story.name}.job").exists(),
        "connected": lambda: proxy.connections > 0,
        "job directory": there.exists,
        "sent": lambda: any(there.glob(".submithost/attempt.*")),
        "lock": (there / ".submithost/attempt").exists,
        "asked": lambda: any(there.glob(".submithost/attempt/asked.*")),
        "receipt": (there / ".submithost/receipt").exists,
        "recorded": lambda: _holds(state / "ledger.sqlite", rb'"answer": "(Your|Submitted)'),
    }[name]


def _holds(path: Path, pattern: bytes) -> bool:
    return path.exists() and re.search(pattern, path.read_bytes()) is not None


# Stands before qsub, or sbatch, on the login environment's PATH; what it does it does once. `-verify` submits nothing.
_WRAPPER = """\
#!/bin/sh
case " $* " in *' -verify '*) exec {command} "$@" ;; esac
mkdir {done} 2>/dev/null || exec {command} "$@"
ancestors() {{ # the N processes above this one, nearest first
    pid=$$ n=$1
    while [ "$n" -gt 0 ]; do
        pid=$(sed 's/.*) . //; s/ .*//' /proc/$pid/stat)
        echo "$pid"
        n=$((n - 1))
    done
}}
{action}
"""
_ACTIONS = {
    "killed before it asks": "kill -9 $$",
    "killed after it asked, silent": '{command} "$@" >/dev/null 2>&1; kill -9 $$',
    "killed after its answer": '{command} "$@"; kill -9 $$',
    "answers half a line": '{command} "$@" | head -c 12; kill -9 $$',
    "fails though it submitted": '{command} "$@" >/dev/null; echo broken >&2; exit 1',
    "shell killed before it asks": 'kill -9 $(ancestors {n}); exec {command} "$@"',
    "shells killed, it is silent": '{command} "$@" >/dev/null 2>&1; kill -9 $(ancestors {n})',
    "shells killed after the answer": '{command} "$@"; kill -9 $(ancestors {n})',
    "all killed after the answer": '{command} "$@"; kill -9 $(ancestors {n}) $$',
    "all killed, it is silent": '{command} "$@" >/dev/null 2>&1; kill -9 $(ancestors {n}) $$',
    "all killed before it asks": "kill -9 $(ancestors {n}) $$",
    "killed under way": '{command} "$@" & sleep {pause}; kill -9 $! $$',
}


@dataclass(frozen=True)
class Deed:
    """What the wrapper does; `number` is how many shells above it die, `pause` when qsub does (seconds)."""

    what: str
    number: int = 0
    pause: float = 0.0
    kind: Kind = "plain"


def deeds(*starts: str) -> Callable[[Place], Sequence[Deed]]:
    """All cases of the actions that begin so."""

    def cases(_: Place) -> Sequence[Deed]:
        found = []
        for what, action in _ACTIONS.items():
            if not what.startswith(starts):
                continue
            if "{n}" in action:
                found += [Deed(what, number, kind=KINDS[number % 3]) for number in (1, 2, 3)]
            elif "{pause}" in action:
                found += [Deed(what, pause=pause / 1000) for pause in (5, 10, 15, 20, 25, 30, 35, 40, 50, 60)]
            else:
                found += [Deed(what, kind=kind) for kind in KINDS]
        return found

    return cases


def over_there(place: Place, deed: Deed) -> Tried:
    """The wrapper does its deed in the first submit."""
    folder = place.folder / place.new("wrapper")
    folder.mkdir()
    done = folder / "done"
    command = f"/usr/bin/{place.submits}"
    action = _ACTIONS[deed.what].format(command=command, n=deed.number, pause=deed.pause)
    program(folder / place.submits, _WRAPPER.format(command=command, done=done, action=action))
    story = place.story("deed", kind=deed.kind, more=f"    setup: ['PATH={folder}:$PATH; export PATH']\n")
    story.submit()
    happened = done.exists()
    return Tried([story.persist()], int(happened))


def session_killed(place: Place, pause: float) -> Tried:
    """The login node kills everything of this login, so long after the submission began on the login node."""
    with Proxy(main_door(place.cell).port) as proxy:
        story = place.story("session", proxy)
        process = story.begin()
        there = place.directory_of(story) / ".submithost"
        assert wait_until(lambda: there.exists() or process.poll() is not None, 60)
        time.sleep(pause)
        holders = [path / "process" for path in (*there.glob("attempt*/holder.*"), *there.glob("attempt/asked.*"))]
        happened = 0
        for holder in holders:
            happened += _kill_named(holder)
        story.end()
        return Tried([story.persist()], min(1, happened))


def _kill_named(holder: Path) -> int:
    """Kill the shell that a lock names (HOST PID), with its parent, which is the login's."""
    try:
        pid = int(holder.read_text().split()[1])
        parent = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
        victims = [pid, *([parent] if b"sshd" in Path(f"/proc/{parent}/cmdline").read_bytes() else [])]
    except (OSError, IndexError, ValueError):
        return 0
    for victim in victims:
        _kill(victim)
    return 1


def _kill(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


FAULTS: tuple[Fault[Step] | Fault[Deed] | Fault[float], ...] = (
    Fault("local process killed -9 at a step", steps, local, short=5),
    Fault("qsub or sbatch itself killed", deeds("killed", "answers", "fails"), over_there, Lane.PATIENT, at_once=8),
    Fault("remote shell killed around it", deeds("shell", "all"), over_there, Lane.PATIENT, at_once=8),
    Fault(
        "remote session killed under way",
        lambda _: [0.0, 0.005, 0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.08, 0.1],
        session_killed,
        Lane.PATIENT,
        at_once=4,
    ),
)
