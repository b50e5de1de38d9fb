"""The marks that jobs carry: by them a job is found whose receipt was lost."""

from __future__ import annotations

from collections.abc import Sequence

from ..login_node import quote
from ..schedulers.seam import Question
from ..schedulers.values import Submitted
from ..tracking.cluster_session import ClusterSession


class Marks:
    """The marks in the queue, asked for once, when somebody wants to know: after the job directories were looked at."""

    def __init__(self, session: ClusterSession) -> None:
        self._session = session
        self._found: dict[str, list[Submitted]] | None = None

    def of(self, key: str, directory: str) -> Submitted | None:
        """The first job that carries the mark of `key`: a body that submits itself again makes later ones.

        Not one of another job directory, below another `directory` of the configuration, where the same key is another
        submission. Raises SchedulerError when that cannot be asked.
        """
        if self._found is None:
            rows = self._session.query(self._session.scheduler.queue())
            self._found = marks(self._session, sorted({row.job_id for row in rows}))
        of_key = self._found.get(key, ())
        return next((each for each in of_key if each.directory in ("", directory) or self._same(each, directory)), None)

    def _same(self, submitted: Submitted, directory: str) -> bool:
        """Whether it is that directory by another name; one that was removed is taken for it."""
        there, here = quote(submitted.directory), quote(directory)
        same = f"[ ! -e {there} ] || [ {there} -ef {here} ]"
        return bool(self._session.query(Question(same, lambda status, *_: status == 0)))


def marks(session: ClusterSession, job_ids: Sequence[str]) -> dict[str, list[Submitted]]:
    """The jobs among these that carry a mark, by its key, oldest first; and those that have ended, where the scheduler
    remembers any. Raises SchedulerError when that cannot be asked.
    """
    question = session.scheduler.marks(job_ids)
    return session.query(question) if question else {}
