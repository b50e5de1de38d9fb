"""Test the whole way to a cluster, step by step: each with its time and, if it fails, with what to do about it."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from ..files.tree import SLOW
from ..login_node import Program
from ..model.errors import SchedulerError, SubmithostError
from ..model.wording import one_line, size_of
from ..submission.verdict import root_of
from ..tracking.cluster_session import ClusterSession

STEPS = ("name", "port", "host key", "login", "shell", "tools", "sftp", "scheduler", "directory", "clock", "job")
# Seconds from which there is a warning: about slow rc files, and about a clock that differs.
_SLOW_SHELL, _OTHER_TIME = 3.0, 120
_LITTLE = 100 << 10  # KiB: a job directory may need as much


@dataclass(frozen=True)
class Step:
    """One step. `result` is ok, warning, failed, or - (not tried); `seconds` is how long it took."""

    name: str
    result: str
    seconds: float | None
    detail: str


Tell = Callable[[Step], None]


class _Steps:
    """Shows the steps in order, each with the time since the one before."""

    def __init__(self, show: Tell) -> None:
        self._show = show
        self._left = list(STEPS)
        self._began = time.monotonic()

    def done(self, name: str, detail: str, result: str = "ok") -> None:
        """This step is done, and so are all before it; a login that is tried again may report it again."""
        now = time.monotonic()
        while name in self._left:
            passed = self._left.pop(0)
            # Behind a jump host or a ProxyCommand the name is looked up elsewhere.
            told = (result, now - self._began, detail) if passed == name else ("-", None, "left to the way there")
            self._show(Step(passed, *told))
        self._began = now

    def over(self, why: str, last: str) -> None:
        """Show the rest up to `last`: the next step as failed, if there is a reason, and the others as not tried."""
        left = self._left[: STEPS.index(last) + 1 - (len(STEPS) - len(self._left))]
        for name in left:
            if why:
                self._show(Step(name, "failed", time.monotonic() - self._began, why))
                why = ""
            else:
                self._show(Step(name, "-", None, "not tried"))


def check_cluster(session: ClusterSession, show: Tell, limit: float | None) -> None:
    """Test every step, and show each. `limit` (seconds) is how long a job may take; None: submit none.

    Raises the error of the step that fails, after all others were shown as not tried.
    """
    steps = _Steps(show)
    failure = ""
    try:
        session.reach(steps.done)
        _shell(session, steps)
        _tools(session, steps)
        _sftp(session, steps)
        _scheduler(session, steps)
        _directory(session, steps)
        if limit is not None:
            from .trial_job import run_job

            steps.done("job", run_job(session, limit))
    except SubmithostError as error:
        failure = str(error)
        raise
    except KeyboardInterrupt:
        failure = "interrupted"
        raise
    finally:
        steps.over(failure, "clock" if limit is None else "job")


def _shell(session: ClusterSession, steps: _Steps) -> None:
    began = time.monotonic()
    shell = session.ask(Program(("ask",), {"command": 'echo "$SHELL"'})).text("answer")
    taken = time.monotonic() - began
    warnings = []
    if noise := session.environment.noise.decode("utf-8", "replace").strip():
        said = one_line(noise, 60)
        warnings.append(
            f"its rc files print '{said}' where nobody reads it, which breaks scp and SFTP (not submithost): "
            "put that behind a test for a person"
        )
    if taken > _SLOW_SHELL:
        warnings.append("its rc files are slow, and every command line waits for them once")
    steps.done("shell", "; ".join([shell or "no $SHELL", *warnings]), "warning" if warnings else "ok")


def _tools(session: ClusterSession, steps: _Steps) -> None:
    missing = session.ask(Program(("tools",)))["tools"].text.splitlines()
    if missing:
        raise SchedulerError(
            f"{session.name}: the login node lacks {', '.join(missing)}, as GNU's coreutils and findutils have it: ask "
            "for these in /usr/local/bin, /usr/bin or /bin"
        )
    steps.done("tools", "are those of GNU, as far as they need to be")


def _sftp(session: ClusterSession, steps: _Steps) -> None:
    trouble = session.ready().sftp_trouble()
    if trouble is None:
        return  # shown as not tried
    if trouble:
        steps.done("sftp", f"{trouble}: no matter here, since submithost does not use it; scp and sftp may", "warning")
    else:
        steps.done("sftp", "is there; submithost does not use it")


def _scheduler(session: ClusterSession, steps: _Steps) -> None:
    scheduler = session.scheduler
    answer = session.ask(Program(("ask",), {"command": scheduler.probe}))["answer"]
    if answer.status != 0:
        raise SchedulerError(
            f"{session.name}: there is no {scheduler.name} in the login environment: "
            "configure 'setup' (module load ...), or another 'scheduler'"
        )
    alive = session.query(scheduler.alive())
    found = f"{scheduler.name}, {answer.text.strip()}; your jobs in its queue: {len(alive)}"
    failed = session.environment.failed_setup
    steps.done("scheduler", "; ".join([found, *failed]), "warning" if failed else "ok")


def _directory(session: ClusterSession, steps: _Steps) -> None:
    """Test the space; the clock comes with the same answer."""
    answer = session.ask(Program(("directory", "check"), {"root": root_of(session.cluster)}), SLOW)
    now = time.time()
    root, there, *_ = *answer["directory"].exact.splitlines(), "", ""
    free, quotas = free_space(answer.text("space")), quota(answer.text("quota"))
    if answer.text("written") != "65536":
        raise SchedulerError(f"{session.name}: {_unwritten(one_line(there, 4096), answer['written'].errors)}")
    parts = [root if root == there else f"{root} (will be made in {there})"]
    parts += [] if free is None else [f"{size_of(free)} free"]
    little = (free is not None and free < _LITTLE) or any(full for _, full in quotas)
    warning = ["that is little: clean removes directories of ended jobs"] if little else []
    steps.done("directory", ", ".join([*parts, *(text for text, _ in quotas), *warning]), "warning" if little else "ok")
    _clock(steps, answer.text("now"), now)


def _unwritten(there: str, errors: str) -> str:
    """What is wrong, and the cure. In `errors` the system's reason follows the prefixes of the shell and `head`."""
    reason = one_line(errors.strip().rpartition(": ")[2], 300)
    if not reason or re.search("space|quota", reason, re.I):
        why = f": {reason}" if reason else ""
        return f"{there} cannot be written{why}; make space there, or configure another 'directory'"
    # Where no file can be made at all, as in /proc, the reason given is "no such file".
    why = "" if re.search("nonexistent|no such file", reason, re.I) else f": {reason}"
    return f"you cannot make files in {there}{why}; configure another 'directory'"


def _clock(steps: _Steps, there: str, here: float) -> None:
    ahead = int(there) - int(here) if there.isdecimal() else 0
    how = f"{abs(ahead)} s {'ahead of' if ahead > 0 else 'behind'} this one" if abs(ahead) > 1 else "as here"
    if abs(ahead) > _OTHER_TIME:
        steps.done("clock", f"{how}: is the time here right? Times that are shown are the cluster's", "warning")
    else:
        steps.done("clock", how)


def free_space(text: str) -> int | None:
    """The KiB available, by `df -P` (POSIX): FILESYSTEM BLOCKS USED AVAILABLE CAPACITY% PLACE."""
    found = re.search(r"^\S.* +\d+ +\d+ +(-?\d{1,18}) +(?:\d+%|-) +/", text, re.M | re.ASCII)
    return int(found[1]) if found else None


def quota(text: str) -> list[tuple[str, bool]]:
    """What `quota -w` says of each file system, and whether its quota is (almost) used up.

    Its lines are FILESYSTEM USED[*] QUOTA LIMIT ..., in KiB; a star means that the quota is exceeded.
    """
    rows = re.findall(r"^ *(\S+) +(\d{1,18})(\*?) +(\d{1,18}) +(\d{1,18})(?: |$)", text, re.M | re.ASCII)
    limits = [(place, int(used), bool(star), int(soft) or int(hard)) for place, used, star, soft, hard in rows]
    return [
        (f"quota of {place}: {size_of(used)} of {size_of(limit)} used", full or limit - used < _LITTLE)
        for place, used, full, limit in limits
        if limit
    ]
