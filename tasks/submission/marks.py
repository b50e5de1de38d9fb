"""The marks that jobs carry: a job without a receipt is found by its mark."""

from __future__ import annotations

from collections.abc import Sequence

from ..login_node import quote
from ..schedulers.seam import Question
from ..schedulers.values import Submitted
from ..tracking.cluster_session import ClusterSession


class Marks:
    """The marks in the queue. They are asked for once, when first needed: after the look at the job directories."""

    def __init__(self, session: ClusterSession) -> None:
        self._session = session
        self._found: dict[str, list[Submitted]] | None = None

    def of(self, key: str, directory: str) -> Submitted | None:
        """The first job that carries the mark of `key` (a script that submits itself again makes later ones).

        Jobs of another job directory do not count: below another configured `directory` the same key is another
        submission. Raises SchedulerError when the scheduler cannot be asked.
        """
        if self._found is None:
            rows = self._session.query(self._session.scheduler.queue())
            self._found = marks(self._session, sorted({row.job_id for row in rows}))
        of_key = self._found.get(key, ())
        return next((each for each in of_key if each.directory in ("", directory) or self._same(each, directory)), None)

    def _same(self, submitted: Submitted, directory: str) -> bool:
        """Whether both names are of one directory; one that was removed is assumed to be."""
        there, here = quote(submitted.directory), quote(directory)
        same = f"[ ! -e {there} ] || [ {there} -ef {here} ]"
        return bool(self._session.query(Question(same, lambda status, *_: status == 0)))


def marks(session: ClusterSession, job_ids: Sequence[str]) -> dict[str, list[Submitted]]:
    """The jobs that carry a mark, by key, oldest first; ended ones too, if the scheduler remembers them.

    Raises SchedulerError when the scheduler cannot be asked.
    """
    question = session.scheduler.marks(job_ids)
    return session.query(question) if question else {}
