"""The ledger: the local record (SQLite) of what was submitted from here.

The job directory on the cluster is the truth and this an index of it. It is owner-readable only, and safe under
many processes at once: each change is one transaction, and a job that has ended stays ended.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from platformdirs import user_state_path

from .database import Database
from .errors import InvalidInput, NotRecorded
from .job import Job, Outcome, State
from .ownership import refuse_planted
from .resources import TaskRange

if TYPE_CHECKING:
    import sqlite3

VERSION = 1
# Seconds for which others that have the file locked are waited for by who can do without.
_SHORT = 5
_MAY_LACK = ("job_id", "directory")
_TEXTS = ("key", "cluster", "name", "script", "script_hash", "answer", "digest", "origin", *_MAY_LACK)
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster TEXT NOT NULL, key TEXT NOT NULL, job_id TEXT, state TEXT NOT NULL, record TEXT NOT NULL,
    UNIQUE (cluster, key))""",
    "CREATE INDEX IF NOT EXISTS jobs_by_id ON jobs (cluster, job_id)",
    "CREATE TABLE IF NOT EXISTS clusters (name TEXT PRIMARY KEY, scheduler TEXT NOT NULL)",
    # Beside the rest, so that an earlier version still understands the file: when (seconds since 1970, by the clock
    # here) the scheduler last told of a job that had not ended.
    "CREATE TABLE IF NOT EXISTS asked (cluster TEXT, key TEXT, at INTEGER, PRIMARY KEY (cluster, key)) WITHOUT ROWID",
)


def default_path() -> Path:
    """Where the ledger is: in the user's state directory. Raises InvalidInput when somebody else laid it there."""
    path = user_state_path("submithost") / "ledger.sqlite"
    refuse_planted(path)  # a container's home may be /tmp
    return path


class Ledger:
    """What is asked of it raises InvalidInput when the file cannot be read or understood, and needs no file that can be
    written; what changes it raises NotRecorded when it cannot be.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path or default_path()
        self.file = Database(self.path, _SCHEMA, VERSION)
        self.failure: NotRecorded | None = None
        self.told: Callable[[str], None] = lambda line: print(line, file=sys.stderr)

    @contextmanager
    def leniently(self) -> Iterator[None]:
        """In here a change that cannot be recorded is no error: it is kept in `failure`, and told, once.

        For what was found out, or done, and is shown anyhow. Who has the file locked is not waited for as long as
        elsewhere, and after the first failure not at all.
        """
        patience, self.file.patience = self.file.patience, 0 if self.failure else _SHORT
        try:
            yield
        except NotRecorded as error:
            if not self.failure:
                self.told(f"{error}; what is shown here is not recorded")
            self.failure = error
        finally:
            self.file.patience = patience

    @contextmanager
    def at_last(self) -> Iterator[None]:
        """What cannot be recorded leniently in here is raised when all else is done: for who was called to record it.

        Raises NotRecorded.
        """
        told, failure = self.told, self.failure
        self.told, self.failure = (lambda _: None), None
        try:
            yield
        finally:
            self.told, now = told, self.failure
            self.failure = now or failure
        if now:
            raise NotRecorded(f"{now}; what is shown here is not recorded")

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
                stored = self._select(connection, "cluster = ? AND key = ?", job.cluster, job.key)
                if stored and stored[0].state.final:
                    continue
                job = _with_news(job, stored)
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
                _with_news(job, self._select(connection, "cluster = ? AND key = ?", job.cluster, job.key))
                for job in jobs
            ]

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

    def jobs(self, cluster: str | None = None, *, live: bool = False) -> list[Job]:
        """The jobs of `cluster` (None: of all), oldest first; with `live` those whose end is not known."""
        where, values = ("cluster = ?", [cluster]) if cluster else ("1", [])
        if live:
            ended = [state.value for state in State if state.final]
            where += f" AND state NOT IN ({', '.join('?' * len(ended))})"
            values += ended
        with self.file.reading() as connection:
            return self._select(connection, where, *values)

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
            found = self._select(connection, "cluster = ? AND instr(record, ?) = 0", cluster, '"origin": ""')
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
        try:
            return [_job(json.loads(record)) for (record,) in rows]
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidInput(f"ledger {self.path} holds a record that is not understood ({error})") from None


def _with_news(job: Job, stored: Sequence[Job]) -> Job:
    """The job with what its record tells and only another process can have found out."""
    for other in stored:
        job = replace(
            job,
            cancelled=tuple({*other.cancelled, *job.cancelled}),
            requeued=other.requeued | job.requeued,
            fetched_at=job.fetched_at or other.fetched_at,
        )
    return job


def _row(job: Job) -> tuple[object, ...]:
    return (job.cluster, job.key, job.job_id, job.state.value, json.dumps(to_record(job)))


def to_record(job: Job) -> dict[str, object]:
    """The job as plain data: what the ledger and job files hold."""
    record = asdict(replace(job, repairs={}))
    del record["repairs"]
    record["requeued"] = sorted(job.requeued)
    record["array"] = str(job.array) if job.array else None
    return record


def _job(record: dict[str, object]) -> Job:
    return from_record(record)


def from_record(record: dict[str, object]) -> Job:
    """The job of a record; fields that it lacks have their defaults. Raises TypeError, ValueError, KeyError."""
    known = {name: record[name] for name in Job.__dataclass_fields__ if name in record and name != "repairs"}
    _check_numbers(known, "submitted_at", "absent_since")
    tasks, array = known.get("tasks"), known.get("array")
    if "outcome" in known:
        known["outcome"] = _outcome(known["outcome"])  # type: ignore[arg-type]  # fails unless it is a mapping
    known["tasks"] = {int(n): _outcome(o) for n, o in tasks.items()} if isinstance(tasks, dict) else {}
    known["cancelled"] = tuple(known.get("cancelled") or ())  # type: ignore[arg-type]  # as below
    known["requeued"] = _ends(known.get("requeued") or ())
    known["array"] = TaskRange.parse(array) if isinstance(array, str) else None
    for name, value in known.items():
        if name in _TEXTS and not isinstance(value, (str, type(None)) if name in _MAY_LACK else str):
            raise TypeError(f"{name} is no text")
    if not re.fullmatch("[0-9]{1,20}", str(known.get("job_id") or "0")):  # it is shown, and asked for, as it is
        raise ValueError("job_id is none")
    return Job(**known)  # type: ignore[arg-type]  # the rest fails in here or where it is read


def _ends(record: object) -> frozenset[tuple[int, int]]:
    ends = frozenset((task, at) for task, at in record)  # type: ignore[attr-defined]  # fails unless it is such a list
    if not all(isinstance(number, int) for end in ends for number in end):
        raise TypeError("requeued is no list of ends")
    return ends


def _check_numbers(record: Mapping[str, object], *names: str) -> None:
    """What is shown and reckoned with later fails now."""
    if wrong := [name for name in names if not isinstance(record.get(name), int | None)]:
        raise TypeError(f"{wrong[0]} is no number")


def _outcome(record: dict[str, object]) -> Outcome:
    _check_numbers(record, "exit_status", "started_at", "ended_at")
    reason = str(record.get("reason", ""))
    return Outcome(**(record | {"state": State(record["state"]), "reason": reason}))  # type: ignore[arg-type]  # as above
