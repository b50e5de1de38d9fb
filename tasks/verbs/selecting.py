"""The flags that select jobs, for every verb that takes jobs; and the question before what they select is changed."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..api.submit_host import SubmitHost
    from ..model.job import Selected
    from ..model.wanted import Wanted

REPEATED = ("job", "group", "state")
"""The flags among them that may be repeated."""
SELECT_HELP = {
    "job": "which: last, a job ID or task (12, 12.3), a job file, a key, or a glob of names and keys ('sim-*'); "
    "may be repeated",
    "group": "only jobs of this group, or of those that match a glob; may be repeated",
    "state": "only jobs in this state, or in several with commas between; may be repeated",
    "since": "only jobs submitted since then: 3d, 2h, 1w (ago), or a date (2026-11-20)",
    "all": "every job of this cluster",
}
ONE_HELP = {flag: text.removesuffix("; may be repeated") for flag, text in SELECT_HELP.items()}
"""The same for a verb about one job."""
LIVE = {"all": "every job of this cluster that is not known to have ended"}
"""What `--all` means to verbs about jobs that go on."""


def asking_for(function: Callable[..., None]) -> inspect.Signature:
    """The signature of a verb with these flags in place of its parameter `which`."""
    own = inspect.signature(function)
    flags = [
        inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD, default=default)
        for name, default in (("job", None), ("group", None), ("state", None), ("since", ""), ("all", False))
    ]
    parameters = [each for one in own.parameters.values() for each in (flags if one.name == "which" else [one])]
    return own.replace(parameters=parameters)


def wanted_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of a verb, with what these flags ask for as `which`. Raises InvalidInput."""
    from ..model.wanted import Wanted

    rest = {name: value for name, value in given.items() if name not in SELECT_HELP}
    return {**rest, "which": Wanted.read(**{name: given[name] for name in SELECT_HELP if name in given})}


def with_job_files(which: Wanted, named: str | None) -> tuple[Wanted, list[str]]:
    """What is wanted, with the job file that is `named` for it; and a job file, or an empty text, for each of its
    `job`. Raises InvalidInput.
    """
    import os
    from dataclasses import replace

    from ..jobs.selection import job_files

    files = job_files([text for text in which.job if isinstance(text, str)], named)
    if not which.job and named and os.path.exists(named):
        which = replace(which, job=(named,))
    return which, files


def in_turn(which: Wanted, files: list[str], selected: Sequence[Selected]) -> list[str]:
    """These job files, in the order of the jobs that were selected. Raises InvalidInput."""
    from pathlib import Path

    from ..submission.job_file import read_job_file

    if not which.selects:
        return files
    noted = {read_job_file(Path(file)).key: file for file in files if file}
    return [noted.get(job.key, "") for job, _ in selected]


def agreed(host: SubmitHost, which: Wanted, selected: Sequence[Selected], what: str, *, yes: bool, show: bool) -> bool:
    """Whether to `what` (a verb) these jobs: those that are not named one by one are shown, and asked about.

    `show`: nothing is changed, and nobody asked. Raises InvalidInput where there is nobody to ask.
    """
    from ..model.errors import InvalidInput
    from ..screen import output, terminal

    if not which.selects or not selected:
        return bool(selected)
    for job, tasks in selected:
        parts = f"task {', '.join(map(str, tasks))} of " if tasks else ""
        output.say(f"{what} {parts}{job.title()}, {job.state}")
    if yes or show:
        return True
    many = f"{len(selected)} job{'' if len(selected) == 1 else 's'}"
    if nobody_to_ask():
        raise InvalidInput(f"{host.name}: these {many} are selected, not named: --yes to {what} them all")
    if terminal.agrees(f"{what} these {many}?"):
        return True
    output.say(f"{host.name}: no job was changed")
    return False


def nobody_to_ask() -> bool:
    """Whether there is no terminal, or several clusters would ask on it."""
    from ..model.command_line import current
    from ..screen import terminal

    return current.rows is not None or not terminal.present()
