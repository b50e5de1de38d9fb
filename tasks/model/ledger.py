"""The ledger: the local record (SQLite) of what was submitted from here.

The job directory on the cluster is the truth and this an index of it. It is owner-readable only, and safe under
many processes at once: each change is one transaction, and a job that has ended stays ended.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from .database import Database
from .errors import InvalidInput
from .job import Job, State
from .lenient import Lenient
from .ownership import refuse_planted
from .record import ends_of, from_record, to_record
from .schema import REPEATS, SCHEMA, VERSION

if TYPE_CHECKING:
    import sqlite3


_STORED = "SELECT state, record FROM jobs WHERE cluster = ? AND key = ?"
_FINAL = frozenset(state.value for state in State if state.final)
_LIVE = tuple(state for state in State if not state.final)


def default_path() -> Path:
    """Where the ledger is: in the user's state directory. Raises InvalidInput when somebody else laid it there."""
    path = user_state_path("submithost") / "ledger.sqlite"
    refuse_planted(path)  # a container's home may be /tmp
    return path


class Ledger(Lenient):
    """What is asked of it raises InvalidInput when the file cannot be read or understood, and needs no file that can be
    written; what changes it raises NotRecorded when it cannot be.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()
        super().__init__(Database(self.path, SCHEMA, VERSION))

    def begin(self, job: Job) -> Job:
        """Note the intention to submit; return what the ledger already has under that cluster and key, if anything."""
        with self.file.writing() as connection:
            found = self._select(connection, "cluster = ? AND key = ?", job.cluster, job.key)
            if found:
                return found[0]
            connection.execute(
                "INSERT INTO jobs (cluster, key, job_id, state, record) VALUES (?, ?, ?, ?, ?)", _row(job)
            )
            return job

    def update(self, *jobs: Job) -> None:
        """Record what was learnt. What is known to have ended is not changed any more (but for *vanished*)."""
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
        """These jobs with what other processes have recorded of them since they were read here."""
        with self.file.reading() as connection:
            return [
                self._with_news(job, connection.execute(_STORED, (job.cluster, job.key)).fetchone()) for job in jobs
            ]

    def _with_news(self, job: Job, stored: tuple[str, str] | None) -> Job:
        """The job with what its record tells and only another process can have found out."""
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
        """Record what was done about a job that has ended: that is no change of the job."""
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
        """Record that the scheduler of `cluster` has just told of these jobs."""
        now = int(time.time())
        with self.file.writing() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO asked VALUES (?, ?, ?)", [(cluster, key, now) for key in keys]
            )

    def last_asked(self) -> dict[tuple[str, str], int]:
        """When that was, by cluster and key."""
        with self.file.reading() as connection:
            return {(cluster, key): at for cluster, key, at in connection.execute("SELECT * FROM asked")}

    def forget(self, job: Job) -> None:
        """Remove a submission that is known to have made no job."""
        with self.file.writing() as connection:
            connection.execute(
                "DELETE FROM jobs WHERE cluster = ? AND key = ? AND job_id IS NULL", (job.cluster, job.key)
            )

    def jobs(
        self,
        cluster: str | None = None,
        states: Collection[State] = (),
        *,
        live: bool = False,
        last: int | None = None,
    ) -> list[Job]:
        """The jobs of `cluster` (None: of all) in these states (none: in any), oldest first.

        `live`: those whose end is not known; `last`: only so many, the newest.
        """
        where, values = _where(cluster, _LIVE if live else states)
        with self.file.reading() as connection:
            if last is None:
                return self._select(connection, where, *values)
            return self._select(connection, f"{where} ORDER BY number DESC LIMIT ?", *values, last)[::-1]

    def count(self, cluster: str | None = None, states: Collection[State] = ()) -> int:
        """How many jobs these are."""
        where, values = _where(cluster, states)
        with self.file.reading() as connection:
            return int(connection.execute(f"SELECT count(*) FROM jobs WHERE {where}", values).fetchone()[0])  # noqa: S608  # as in _select

    def keys(self, cluster: str) -> set[str]:
        """The keys of all jobs of `cluster`."""
        with self.file.reading() as connection:
            return {key for (key,) in connection.execute("SELECT key FROM jobs WHERE cluster = ?", (cluster,))}

    def begun(self, cluster: str) -> list[Job]:
        """The submissions to `cluster` that are not known to be jobs."""
        with self.file.reading() as connection:
            return self._select(connection, "cluster = ? AND job_id IS NULL", cluster)

    def not_cleaned(self, cluster: str) -> list[Job]:
        """The jobs of `cluster` that are known to have ended, without those whose directories were removed."""
        where, values = _where(cluster, [state for state in State if state.final])
        with self.file.reading() as connection:
            return self._select(connection, f"{where} AND instr(record, ?) > 0", *values, '"cleaned_at": null')

    def last(self, cluster: str) -> Job | None:
        """The job that was submitted to `cluster` last."""
        with self.file.reading() as connection:
            found = self._select(connection, "cluster = ? ORDER BY number DESC LIMIT 1", cluster)
        return found[0] if found else None

    def by_id(self, cluster: str, job_id: str) -> Job | None:
        """The newest job with that ID: IDs wrap round and are used again (G29)."""
        with self.file.reading() as connection:
            found = self._select(connection, "cluster = ? AND job_id = ? ORDER BY number DESC LIMIT 1", cluster, job_id)
        return found[0] if found else None

    def by_key(self, cluster: str, key: str) -> Job | None:
        """The job of that key."""
        with self.file.reading() as connection:
            found = self._select(connection, "cluster = ? AND key = ?", cluster, key)
        return found[0] if found else None

    def repeats(self, cluster: str) -> list[Job]:
        """The jobs of `cluster` that repeat an earlier one."""
        with self.file.reading() as connection:
            found = self._select(connection, f"cluster = ? AND {REPEATS}", cluster)
        return [job for job in found if job.origin]

    def scheduler(self, cluster: str) -> str | None:
        """The scheduler that was found on `cluster` on first contact."""
        with self.file.reading() as connection:
            row = connection.execute("SELECT scheduler FROM clusters WHERE name = ?", (cluster,)).fetchone()
        return row[0] if row else None

    def remember_scheduler(self, cluster: str, scheduler: str) -> None:
        """Keep what first contact found."""
        with self.file.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO clusters VALUES (?, ?)", (cluster, scheduler))

    def _select(self, connection: sqlite3.Connection, where: str, *values: object) -> list[Job]:
        order = "" if "ORDER BY" in where else " ORDER BY number"
        rows = connection.execute(f"SELECT record FROM jobs WHERE {where}{order}", values)  # noqa: S608  # constant texts, never values
        with self._understanding():
            return [from_record(json.loads(record)) for (record,) in rows]

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidInput(f"ledger {self.path} holds a record that is not understood ({error})") from None


def _where(cluster: str | None, states: Collection[State]) -> tuple[str, list[str]]:
    """A condition, and its values."""
    values = [state.value for state in states]
    parts = ["cluster = ?"] if cluster else []
    parts += [f"state IN ({', '.join('?' * len(values))})"] if values else []
    return " AND ".join(parts) or "1", ([cluster] if cluster else []) + values


def _row(job: Job) -> tuple[object, ...]:
    return (job.cluster, job.key, job.job_id, job.state.value, json.dumps(to_record(job)))
