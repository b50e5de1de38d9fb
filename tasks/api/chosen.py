"""Which jobs are meant: as values of a program, or as `--job` names them; and what each verb takes of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ..files.transferred import Owners
from ..jobs import selection
from ..model.job import Job, Selected
from ..model.wanted import Named, Wanted
from ..submission.reconcile import confirmed, known_there
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch

if TYPE_CHECKING:
    from typing_extensions import Unpack


class More(TypedDict, total=False):
    """What selects jobs beside `job`, as the flags do: by group (globs, too), state, and since when (`3d`, a date).

    `all`: every job of the cluster.
    """

    group: str | Iterable[str]
    state: str | Iterable[str]
    since: str
    all: bool


class Handle:
    """One job. `job` is what was known of it last; `tasks` are those that are meant (none: the whole job)."""

    def __init__(self, job: Job, tasks: tuple[int, ...] = ()) -> None:
        self.job = job
        self.tasks = tasks

    def __repr__(self) -> str:
        return f"<{self.job.title()}: {self.job.state}>"

    @property
    def key(self) -> str:
        """The key of its submission."""
        return self.job.key

    @property
    def job_id(self) -> str | None:
        """The scheduler's ID."""
        return self.job.job_id


Which = str | Job | Selected | Handle
"""A job: as `--job` names it (last, an ID or task, a job file, a key, a glob), by its handle, or as a verb gave it."""


class ChosenJobs:
    """The jobs of one cluster that are meant: `job`, and of these what `more` selects; nothing given: the last one.

    Raises InvalidInput for a job that is not known here, SchedulerError when the scheduler could not be asked or
    refused, Unreachable when the cluster could not be; a job that was begun and cut is looked up first.
    """

    def __init__(self, session: ClusterSession, here: Path = Path(), owners: Owners | None = None) -> None:
        self.session = session
        self._here = here
        self._owners = owners

    def _owned(self) -> Owners:
        """Whose files were put into which local directory: by this command line, else by this one call alone."""
        return {} if self._owners is None else self._owners

    def selected(
        self, job: Iterable[Which] | None = None, *, live: bool = False, **more: Unpack[More]
    ) -> list[Selected]:
        """The jobs that are meant, each with the tasks that are named with it: none, where `job` is empty.

        `live`: of what is not named, only what is not known to have ended.
        """
        wanted = self.wanted(job, **more)
        if not (wanted.job or wanted.selects):
            return selection.last(self.session) if job is None else []
        return selection.choose(self.session, wanted, live=live) if wanted.job or job is None else []

    def wanted(self, job: Iterable[Which] | None = None, **more: Unpack[More]) -> Wanted:
        """What is asked for by these. Raises InvalidInput."""
        return Wanted.read([self._plain(one) for one in job or ()], **more)

    def _plain(self, one: Which) -> Named:
        if not isinstance(one, Handle):
            return one
        return self.session.ledger.by_key(self.session.name, one.key) or one.job, one.tasks

    def known(self, job: Iterable[Which] | None = None, *, live: bool = False, **more: Unpack[More]) -> list[Selected]:
        """The same, all of them known to be jobs: what was begun and cut is looked up."""
        return known_there(self.session, self.selected(job, live=live, **more))

    def watch(self, job: Iterable[Which] | None = None, **more: Unpack[More]) -> Watch:
        """What follows these jobs; of those that were begun and cut, it leaves out what is no job."""
        chosen = self.selected(job, live=more.get("all", False), **more)
        return Watch(self.session, confirmed(self.session, chosen)[0])
