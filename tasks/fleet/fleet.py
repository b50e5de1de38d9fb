"""Verbs on many clusters at once: each cluster has a worker and runs the line of tasks itself; their output is merged.

A failure ends the line of its cluster; the others go on, and the command line ends with the highest exit status.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.parser.context import ParserContext

from ..jobs.selection import check_groups, known_here
from ..model import configuration
from ..model.command_line import current
from ..model.errors import InvalidInput, nearest
from ..model.ledger import Ledger
from ..model.wanted import SELECTING, Wanted
from ..model.wording import fab
from ..rendering.places import read
from ..rendering.table import text_of
from ..screen import terminal
from ..screen.streams import make_safe
from ..session import cluster_of
from ..tracking.cluster_session import ClusterSession, close_all
from .merged import Merged
from .worker import Flags, Verbs, Worker, listen

# Flags that name a file which is written: each cluster has one of its own.
_FILES = ("job_file", "table", "html")
_workers: dict[str, Worker] = {}
# Seconds for workers to say how to go on after Ctrl-C, and to log out at the end.
_PATIENCE = 10


def run(context: Context, verb: str, clusters: str, flags: Flags, verbs: Verbs) -> None:
    """The task `all.VERB`; `verbs` are all that a worker can run.

    Raises InvalidInput, and at the end of the command line Exit with the highest status of all.
    """
    current.begun += 1
    together(context, verb, _named(clusters), flags, verbs, last=current.begun >= _planned())


def together(context: Context, verb: str, names: Sequence[str], flags: Flags, verbs: Verbs, *, last: bool) -> None:
    """Run a verb on these clusters at once. Raises as `run`; before the `last` verb, only if it failed on all."""
    shares = _shares(verb, names, flags)
    _read_pipes(flags)
    current.chosen[:] = names
    _hire(context, list(shares), verbs)
    merged = Merged(verb, shares, as_json=bool(flags.get("json")), live=bool(flags.get("watch")))
    workers = [_workers[name] for name in shares]
    for worker in workers:
        if worker.status:
            merged.ended(worker.name, worker.status, "")
        else:
            worker.begin(verb, shares[worker.name])
    try:
        _listen(workers, merged)
    finally:
        merged.show()
    worst = max(worker.status for worker in _workers.values())
    if worst and (last or all(worker.status for worker in workers)):
        raise Exit(None, worst)


def _read_pipes(flags: Flags) -> None:
    """Read pipes (`--script=<(make-script)`), which can be read only once, for all workers. Raises InvalidInput."""
    if flags.get("over") == "-":
        text_of("-")
    for flag in ("script", "vars", "over"):
        path = Path(flags.get(flag) or "").expanduser()
        if path.exists() and not (path.is_file() or path.is_dir()):
            read(path)


def for_all(tasks: Iterable[ParserContext]) -> int:
    """How many of these are for all clusters."""
    return sum(str(task.name).startswith("all.") for task in tasks)


def _planned() -> int:
    """How many tasks for all clusters the command line has. Under `fab` only its program knows."""
    program = getattr(sys.modules.get("fabric.main"), "program", None)
    return current.planned or for_all(getattr(program, "tasks", ()))


def _named(clusters: str) -> list[str]:
    """The clusters that are meant, by their configured names and in that order. Raises InvalidInput."""
    known = {name.replace("_", "-"): name for name in configuration.load().clusters}
    if not known:
        raise InvalidInput(f"no cluster is configured; without that, {fab()} -H ALIAS TASK takes any SSH alias")
    if not clusters:
        return list(current.chosen) or list(known.values())
    wanted = {name.strip().replace("_", "-"): name.strip() for name in clusters.split(",")}
    for name in wanted.keys() - known.keys():
        near = nearest(name, known) or f"; there are {', '.join(known.values())}"
        raise InvalidInput(f"--clusters: no cluster '{wanted[name]}' is configured{near}")
    return [name for plain, name in known.items() if plain in wanted]


def _shares(verb: str, names: Sequence[str], flags: Flags) -> dict[str, dict[str, Any]]:
    """The flags for each cluster that has something to do. Raises InvalidInput."""
    for flag in _FILES:
        file, name = flags.get(flag), flag.replace("_", "-")
        if file and len(names) > 1 and "{cluster}" not in file:
            raise InvalidInput(f"--{name} {file}: each cluster needs one of its own: --{name}=NAME-{{cluster}}")
    shares = {name: _share(name, flags) for name in names}
    if "job" not in flags:
        return shares
    which = Wanted.read(**{name: flags[name] for name in SELECTING if name in flags})
    if verb == "status" and not (which.job or which.selects):  # its table has every cluster that does not answer
        last = Ledger().last
        return {name: share if last(name) else {**share, "all": True} for name, share in shares.items()}
    named = flags["job"] or ()
    jobs = _known(names, "job", _job, named or ([] if which.selects else ["last"]))
    groups = _known(names, "group", lambda session, text: check_groups(session, [text]), which.group)
    return {
        name: {**shares[name], "job": jobs[name] if named else [], **({"group": groups[name]} if which.group else {})}
        for name in names
        if name in jobs and name in groups
    }


def _share(name: str, flags: Flags) -> dict[str, Any]:
    """The flags for one cluster, with directories and files of its own."""
    share = dict(flags)
    for flag in ("to", "fetch"):
        if share.get(flag):
            share[flag] = os.path.join(share[flag], name.replace("/", "_"))
    for flag in _FILES:
        if share.get(flag):
            share[flag] = share[flag].replace("{cluster}", name)
    if share.get("after"):
        share["after"] = [text.replace("{cluster}", name) for text in share["after"]]
    return share


def _job(session: ClusterSession, text: str) -> None:
    """Raises InvalidInput for a job that the ledger does not have. The cluster is not asked."""
    known_here(session, Wanted((text,)))


def _known(
    names: Sequence[str], what: str, check: Callable[[ClusterSession, str], None], texts: Sequence[str]
) -> dict[str, list[str]]:
    """What each cluster has of these jobs or groups; one that has none of them has nothing to do. Raises InvalidInput.

    Of nothing each has all.
    """
    found: dict[str, list[str]] = {} if texts else {name: [] for name in names}
    sessions = {name: ClusterSession(cluster_of(name)) for name in names}
    for text in texts:
        known, said = False, ""
        for name, session in sessions.items():
            own = text.replace("{cluster}", name)
            try:
                check(session, own)
            except InvalidInput as error:
                said = str(error)
                continue
            known = True
            found.setdefault(name, []).append(own)
        if not known:
            which = what if text == "last" else f"{what} '{text}'"
            several = f"no {which} was submitted from here to any of {', '.join(names)}"
            raise InvalidInput(several if len(names) > 1 else said)
    return found


def _hire(context: Context, names: Sequence[str], verbs: Verbs) -> None:
    """A worker for each cluster that has none yet."""
    if all(name in _workers for name in names):
        return
    if not _workers:
        atexit.register(_dismiss)
    make_safe()
    terminal.share()
    close_all()  # a forked process would lack its threads
    for name in names:
        if name not in _workers:
            _workers[name] = Worker(name, context, verbs, list(_workers.values()))


def _listen(workers: Sequence[Worker], merged: Merged) -> None:
    """Listen until all have ended. On Ctrl-C each stops watching and says how to go on; a second one ends them."""
    try:
        listen(workers, merged)
    except KeyboardInterrupt:
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        signal.alarm(_PATIENCE)
        merged.interrupted()
        for worker in workers:
            worker.kill(signal.SIGINT)
        try:
            listen(workers, merged)
        finally:
            signal.alarm(0)
            for worker in workers:
                if worker.busy:
                    worker.kill(signal.SIGKILL)
        raise


def _dismiss() -> None:
    """Have every worker log out and end; kill those that do not."""
    for worker in _workers.values():
        worker.dismiss()
    end = time.monotonic() + _PATIENCE
    with contextlib.suppress(KeyboardInterrupt):
        while time.monotonic() < end and not all(worker.gone() for worker in _workers.values()):
            time.sleep(0.005)
    for worker in _workers.values():
        worker.kill(signal.SIGKILL)
