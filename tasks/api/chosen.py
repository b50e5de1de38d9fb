"""Which jobs are meant: as values of a program, or as `--job` names them; and what each verb takes of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..files.transferred import Owners
from ..jobs import selection
from ..jobs.status import say_nothing
from ..model.job import Job, Selected
from ..submission.reconcile import confirmed, known_there
from ..tracking.cluster_session import ClusterSession
from ..tracking.watch import Watch


class Handle:
    """One job. `job` is what was known of it last; `tasks` are those that are meant, none: all of it."""

    def __init__(self, job: Job, tasks: tuple[int, ...] = ()) -> None:
        self.job = job
        self.tasks = tasks

    def __repr__(self) -> str:
        return f"<{self.job.title()}: {self.job.state}>"

    @property
    def key(self) -> str:
        """The name of its submission."""
        return self.job.key

    @property
    def job_id(self) -> str | None:
        """The scheduler's number for it."""
        return self.job.job_id


Which = str | Job | Selected | Handle
"""A job: as `--job` names it (last, a job ID or task, a job file, a key), by its handle, or as a verb returned it."""


class ChosenJobs:
    """The jobs of one cluster that are meant; without `job`, the last one.

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

    def selected(self, job: Iterable[Which] = ()) -> list[Selected]:
        """The jobs that are meant, each with the tasks that are named with it."""
        return selection.choose(self.session, [self._plain(one) for one in job])

    def _plain(self, one: Which) -> str | Job | Selected:
        if not isinstance(one, Handle):
            return one
        return self.session.ledger.by_key(self.session.name, one.key) or one.job, one.tasks

    def live(self) -> list[Selected]:
        """Every job of the cluster that is not known to have ended."""
        return selection.live(self.session)

    def known(self, job: Iterable[Which] = ()) -> list[Selected]:
        """The same, all of them known to be jobs: what was begun and cut is looked up."""
        return known_there(self.session, self.selected(job))

    def watch(self, job: Iterable[Which] = (), all: bool = False) -> Watch:
        """What follows these jobs; of those that were begun and cut, it leaves out what is no job."""
        chosen = self.live() if all else self.selected(job)
        if not chosen:
            say_nothing(self.session)
        return Watch(self.session, confirmed(self.session, chosen)[0])
