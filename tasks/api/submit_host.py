"""SubmitHost makes any machine that can SSH to a login node a submit host: what the verbs do, for programs.

    from submithost import SubmitHost

    with SubmitHost("sharc") as sharc:
        job = sharc.submit("model.sh", time="2:00:00", put=["input.csv"])
        job.wait()
        job.fetch("out")

Names and defaults are those of the flags. Errors are raised (model/errors.py), with a message that says what to do and
the exit status that the verb would have; nothing is printed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..files.get import get
from ..files.put import put
from ..files.transferred import Owners, Transferred
from ..jobs import clean
from ..jobs.clean import Candidate
from ..model import project
from ..model.errors import SubmithostError
from ..model.job import Job
from ..model.ledger import Ledger
from ..model.listener import Listener
from ..model.resources import parse_time
from ..model.wanted import Wanted
from ..schedulers.seam import Question
from ..session import Transport, cluster_of
from ..submission import adopt, reconcile
from ..submission.submit import ignore
from ..tracking.cluster_session import ClusterSession
from .chosen import More, Which
from .jobs import JobVerbs
from .submitting import SubmitVerbs

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from ..checks.steps import Step
    from ..schedulers.values import Load


class SubmitHost(SubmitVerbs):
    """One cluster. The first use logs in; `close`, or the end of a `with`, logs out.

    Several threads may share one: each question has a channel of its own on the one connection. Unless a method names
    others, the errors are InvalidInput, Unreachable, SchedulerError and their subclasses (model/errors.py).
    """

    def __init__(
        self,
        cluster: str,
        *,
        identity: Sequence[str | Path] = (),
        ssh_config: str | Path | None = None,
        listener: Listener | None = None,
        ledger: str | Path | None = None,
        transport: Transport | None = None,
    ) -> None:
        """`cluster` is the name of a configured cluster, or a host as ssh takes it: `me@sharc:2222`.

        `identity` are key files; `ssh_config` is read instead of ~/.ssh/config; `ledger` is the file with the record of
        submissions (default: the user's). `listener` is told about progress (default: the logger `submithost`).
        `transport` replaces Fabric as the way to the login node. Raises InvalidInput for an unusable configuration.
        """
        project.ensure_open()
        found = cluster_of(cluster)
        if ssh_config:
            found = replace(found, ssh_config=Path(ssh_config).expanduser())
        keys = [Path(file).expanduser() for file in identity]
        super().__init__(ClusterSession(found, keys, listener, Ledger(Path(ledger)) if ledger else None, transport))

    @classmethod
    def of(cls, session: ClusterSession, here: Path = Path(), owners: Owners | None = None) -> SubmitHost:
        """A SubmitHost over an existing session. Results go below `here`; `owners` knows whose results are where."""
        host = cls.__new__(cls)
        JobVerbs.__init__(host, session, here, owners)
        return host

    def __enter__(self) -> SubmitHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"SubmitHost({self.name!r})"

    @property
    def name(self) -> str:
        """The name of the cluster."""
        return self.session.name

    def close(self) -> None:
        """Log out; any later use logs in again."""
        self.session.close()

    def jobs(
        self,
        state: str | Iterable[str] = (),
        refresh: bool = False,
        job: Iterable[str] = (),
        group: str | Iterable[str] = (),
        since: str = "",
    ) -> list[Job]:
        """What was submitted to this cluster from here, newest first, as it was known last.

        `state`, `job` (keys, IDs and globs), `group`, `since`: only these; `refresh`: ask about those that are not
        known to have ended.
        """
        if refresh:
            self.status(all=True)
        wanted = Wanted.read(job, group, state, since)
        return self.session.ledger.matching(self.name, wanted, wanted.state)[::-1]

    def reconcile(self) -> list[Job]:
        """Find out what became of interrupted submissions; return those that are jobs."""
        return self._recorded(lambda: reconcile.reconcile_all(self.session))

    def adopt(self, job: Sequence[str] = ()) -> list[Job]:
        """Take in jobs that are not known here, and return them: those with job directories, or `job`, made by hand."""
        return self._recorded(lambda: adopt.adopt(self.session, job))

    def _recorded(self, find: Callable[[], list[Job]]) -> list[Job]:
        """Return what `find` finds. Raises NotRecorded, with that in `known`, if it could not be recorded."""
        found: list[Job] = []
        try:
            with self.session.ledger.at_last():
                found = find()
        except SubmithostError as error:
            error.known = error.known or found
            raise
        return found

    def clean(
        self,
        job: Iterable[Which] | Wanted | None = None,
        unfetched: bool = False,
        older_than: str | int = "",
        dry_run: bool = False,
        **more: Unpack[More],
    ) -> list[Candidate]:
        """Remove the job directories of ended, fetched jobs; return those that were removed, or would be.

        `unfetched`: even if the results were never fetched; `older_than`: only of jobs that ended longer ago.
        Raises SchedulerError when some could not be removed.
        """
        least = parse_time(str(older_than)) if older_than != "" else 0
        wanted = job if isinstance(job, Wanted) else self.wanted(job, **more)
        nothing = not (job is None or isinstance(job, Wanted) or wanted.job)
        there = [] if nothing else clean.candidates(self.session, wanted, unfetched=unfetched, older_than=least)
        return there if dry_run else self.remove(there)

    def remove(self, found: Sequence[Candidate]) -> list[Candidate]:
        """Remove what `clean` with `dry_run` found. Returns and raises as `clean`."""
        return clean.remove_all(self.session, found)

    def put(self, source: str, target: str = "", dry_run: bool = False) -> Transferred:
        """Send a file or directory into the directory `target` of the cluster, changed files only."""
        return put(self.session, source, target, dry_run=dry_run)

    def get(self, source: str, target: str = ".", force: bool = False, dry_run: bool = False) -> Transferred:
        """Bring a file or directory of the cluster into `target`, changed files only.

        Raises InvalidInput when files here are newer (the rest came all the same, and is in its `known`); `force`
        overwrites them.
        """
        return get(self.session, source, target, force=force, dry_run=dry_run, owners=self._owned())

    def reach(self) -> None:
        """Log in, and find out the login environment."""
        self.session.query(Question(":", ignore))

    def check(self, submit: bool = False, timeout: str | int = "", told: Callable[[Step], None] = ignore) -> list[Step]:
        """Test the whole way, with a test job if `submit`; return the steps. `told` is called with each."""
        from ..checks.steps import check_cluster

        done: list[Step] = []

        def show(step: Step) -> None:
            done.append(step)
            told(step)

        limit = parse_time(str(timeout)) if timeout != "" else 300
        check_cluster(self.session, show, limit if submit else None)
        return done

    def queues(self) -> Load:
        """How busy the cluster is."""
        return self.session.query(self.session.scheduler.load())
