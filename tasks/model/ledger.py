"""The ledger: the local record (SQLite) of what was submitted from here.

The job directory on the cluster is the truth; this is an index of it. Only its owner can read it, and many processes
can use it at once: each change is one transaction, and a job that has ended stays ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from platformdirs import user_state_path

from .database import Database
from .job import Job, State
from .ownership import refuse_planted
from .record import ends_of, to_record
from .recorded import Recorded
from .schema import SCHEMA, VERSION

_STORED = "SELECT state, record FROM jobs WHERE cluster = ? AND key = ?"
_FINAL = frozenset(state.value for state in State if state.final)


def default_path() -> Path:
    """Where the ledger is: in the user's state directory. Raises InvalidInput when somebody else laid it there."""
    path = user_state_path("submithost") / "ledger.sqlite"
    refuse_planted(path)  # a container's home may be /tmp
    return path


class Ledger(Recorded):
    """Methods that read raise InvalidInput when the file cannot be read or understood; they never write. Methods that
    change it raise NotRecorded when it cannot be written.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()
        super().__init__(Database(self.path, SCHEMA, VERSION))

    def begin(self, job: Job) -> Job:
        """Note the intention to submit; return the job with this cluster and key: an earlier one, or this."""
        with self.file.writing() as connection:
            found = self._select(connection, "cluster = ? AND key = ?", job.cluster, job.key)
            if found:
                return found[0]
            connection.execute(
                "INSERT INTO jobs (cluster, key, job_id, state, record) VALUES (?, ?, ?, ?, ?)", _row(job)
            )
            return job

    def update(self, *jobs: Job) -> None:
        """Record what was learnt. A job that is known to have ended is not changed any more (*vanished* is no end)."""
        if not jobs:
            return
        with self.file.writing() as connection:
            for job in jobs:
                stored = connection.execute(_STORED, (job.cluster, job.key)).fetchone()
                if stored and stored[0] in _FINAL:
                    continue
                job = self._with_news(job, stored)
                connection.execute(
                    "INSERT INTO jobs (cluster, key, job_id, state, record) VALUES (?, ?, ?, ?, ?) "
                    "ON CONFLICT (cluster, key) DO UPDATE SET job_id = excluded.job_id, "
                    "state = excluded.state, record = excluded.record",
                    _row(job),
                )

    def news(self, jobs: Collection[Job]) -> list[Job]:
        """These jobs, with what other processes have recorded of them since we read them."""
        with self.file.reading() as connection:
            return [
                self._with_news(job, connection.execute(_STORED, (job.cluster, job.key)).fetchone()) for job in jobs
            ]

    def _with_news(self, job: Job, stored: tuple[str, str] | None) -> Job:
        """The job, with what its record has from other processes."""
        if not stored:
            return job
        with self._understanding():
            other = json.loads(stored[1])
            cancelled = {*(other.get("cancelled") or ()), *job.cancelled}
            requeued = ends_of(other.get("requeued") or ()) | job.requeued
            fetched_at = job.fetched_at or other.get("fetched_at")
        if len(cancelled) == len(job.cancelled) and requeued == job.requeued and fetched_at == job.fetched_at:
            return job
        return replace(job, cancelled=tuple(cancelled), requeued=requeued, fetched_at=fetched_at)

    def note(
        self,
        job: Job,
        *,
        fetched_at: int | None = None,
        in_part_at: int | None = None,
        cleaned_at: int | None = None,
    ) -> None:
        """Record what was done about a job that has ended; that does not change the job itself."""
        with self.file.writing() as connection:
            for stored in self._select(connection, "cluster = ? AND key = ?", job.cluster, job.key):
                noted = replace(
                    stored,
                    fetched_at=fetched_at or stored.fetched_at,
                    in_part_at=in_part_at or stored.in_part_at,
                    cleaned_at=cleaned_at or stored.cleaned_at,
                )
                connection.execute(
                    "UPDATE jobs SET record = ? WHERE cluster = ? AND key = ?",
                    (json.dumps(to_record(noted)), job.cluster, job.key),
                )

    def asked(self, cluster: str, keys: Collection[str]) -> None:
        """Record that the scheduler of `cluster` was asked about these jobs just now."""
        now = int(time.time())
        with self.file.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO asked VALUES (?, ?, ?)", [(cluster, key, now) for key in keys]
            )

    def forget(self, job: Job) -> None:
        """Remove a submission that is known to have made no job."""
        with self.file.writing() as connection:
            connection.execute(
                "DELETE FROM jobs WHERE cluster = ? AND key = ? AND job_id IS NULL", (job.cluster, job.key)
            )
            connection.execute(
                "DELETE FROM rows WHERE cluster = ?1 AND key = ?2 AND NOT EXISTS "
                "(SELECT 1 FROM jobs WHERE cluster = ?1 AND key = ?2)",
                (job.cluster, job.key),
            )

    def remember_scheduler(self, cluster: str, scheduler: str) -> None:
        """Remember the scheduler that the first contact found."""
        with self.file.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO clusters VALUES (?, ?)", (cluster, scheduler))


def _row(job: Job) -> tuple[object, ...]:
    return (job.cluster, job.key, job.job_id, job.state.value, json.dumps(to_record(job)))
