"""The SubmitHost that a task is for, and the jobs that its `--job` names, on a command line of several tasks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

from invoke.context import Context

from ..api.submit_host import SubmitHost
from ..jobs.selection import choose, is_file
from ..model.command_line import current
from ..model.errors import InvalidInput, SubmithostError
from ..model.job import Job, Selected
from ..model.wanted import Wanted
from ..model.wording import fab
from ..submission.job_file import read_job_file
from ..submission.request import Request
from .where import named_cluster, session_of

T = TypeVar("T")


def host_of(context: Context, contact: str | None = None) -> SubmitHost:
    """The cluster that a task is for; `contact` is what a job file says. Raises InvalidInput without one."""
    return SubmitHost.of(session_of(context, contact), current.here, current.laid)


def flags_of(given: Mapping[str, Any]) -> dict[str, Any]:
    """The flags of a submission among the parameters of a verb; what was not given has the defaults of the API."""
    named = {field.name: given.get(field.name) for field in fields(Request)} | {"set": given["set_"]}
    of_sweep = () if given["over"] or given["grid"] or given["separate"] else ("over", "grid", "separate")
    return {name: value for name, value in named.items() if value is not None and name not in of_sweep}


def host_for(context: Context, flags: Mapping[str, Any]) -> SubmitHost:
    """The cluster of a submission with these flags: that of its job file, if it has one. Raises InvalidInput."""
    noted = Request(**{**flags, "after": ()}).noted()
    return host_of(context, noted.cluster if noted else None)


def chosen(
    context: Context, wanted: Wanted | Sequence[str] | None, *, live: bool = False, asked: bool = False
) -> tuple[SubmitHost, list[Selected]]:
    """The jobs that are wanted, and their cluster: nothing given, those that this command line submitted, or the last
    one. `live` and `asked` are as in `choose`.

    Raises InvalidInput when one is not known here, or when they are on several clusters.
    """
    which = wanted if isinstance(wanted, Wanted) else Wanted.read(wanted)
    host = host_for_jobs(context, which)
    if which.job or which.selects:
        return host, choose(host.session, which, live=live, asked=asked)
    return host, host.selected([job for job in current.submitted if job.cluster == host.name] or None)


def host_for_jobs(context: Context, which: Wanted) -> SubmitHost:
    """The cluster of the jobs that are wanted: that of their job files, if any. Raises InvalidInput."""
    texts = [text for text in which.job if isinstance(text, str)]
    contacts = {read_job_file(Path(text)).cluster for text in texts if is_file(text)}
    if len(contacts) > 1:
        raise InvalidInput(f"the job files are of several clusters ({', '.join(sorted(contacts))}): name one at a time")
    if not contacts and not named_cluster(context) and current.submitted:
        contacts = {current.submitted[-1].cluster}  # `fab sharc.submit --script=x wait`: where else?
    if not contacts and not named_cluster(context) and texts:
        raise InvalidInput(
            f"'{texts[0]}' is no job file here, and no cluster is named: {fab()} -H CLUSTER ... --job ..."
        )
    return host_of(context, contacts.pop() if contacts else None)


def remember(*jobs: Job) -> None:
    """The tasks that follow on this command line are about these jobs, among others."""
    current.submitted += jobs


def known_too(ask: Callable[[], T], show: Callable[[T], None]) -> None:
    """Show what `ask` returns, and also what is known all the same where it raises."""
    try:
        found = ask()
    except SubmithostError as error:
        if error.known is not None:
            show(error.known)
        raise
    show(found)
