"""Reading the ledger: which jobs it has. No file is made, or changed, for a question."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .database import Database
from .errors import InvalidInput
from .job import Job, State
from .lenient import Lenient
from .record import from_record
from .schema import GROUPED, REPEATS
from .stored_rows import StoredRows
from .wanted import Wanted

if TYPE_CHECKING:
    import sqlite3

_LIVE = tuple(state for state in State if not state.final)
# What Wanted asks about, as far as it is not a column. A name may be any bytes, which are no text to SQLite.
_ASKED = (
    "wanted(key, job_id, CAST(json_extract(record, '$.name') AS BLOB), "
    "json_extract(record, '$.group'), json_extract(record, '$.submitted_at'))"
)


class Recorded(Lenient):
    """What is asked of it raises InvalidInput when the file cannot be read or understood."""

    def __init__(self, file: Database) -> None:
        super().__init__(file)
        self.rows = StoredRows(file)

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

    def matching(
        self, cluster: str | None, wanted: Wanted, states: Collection[State] = (), *, live: bool = False
    ) -> list[Job]:
        """The jobs, oldest first, that meet the conditions of `wanted` but that of its state, and are in one of these
        `states` (none: in any; `live`: or their end is not known).
        """
        where, values = _where(cluster, {*states, *_LIVE} if live else states)
        if wanted.group:
            where = f"{where} AND {GROUPED}"

        def asked(key: str, job_id: str | None, name: bytes, group: str | None, submitted_at: int | None) -> bool:
            names = (key, job_id or "", name.decode("utf-8", "surrogatepass"))
            return wanted.means(*names) and wanted.admits(group or "", submitted_at)

        with self.file.reading() as connection:
            connection.create_function("wanted", 5, asked)
            return self._select(connection, f"{where} AND {_ASKED}", *values)

    def groups(self, cluster: str | None = None) -> list[str]:
        """The names of all groups that its jobs are in; the one of the newest job is the last."""
        where, values = _where(cluster, ())
        column = "json_extract(record, '$.group')"
        query = f"SELECT {column} FROM jobs WHERE {where} AND {GROUPED} GROUP BY 1 ORDER BY max(number)"  # noqa: S608  # as in _select
        with self.file.reading() as connection:
            return [group for (group,) in connection.execute(query, values)]

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

    def outlived(self, cluster: str) -> set[str]:
        """The keys of jobs not known to have ended whose ID a job that was submitted later has got since (G29)."""
        where, values = _where(cluster, _LIVE)
        shared = (
            f"cluster = ? AND job_id IN (SELECT job_id FROM jobs AS one WHERE {where} AND EXISTS "  # noqa: S608  # as in _select
            "(SELECT 1 FROM jobs AS other WHERE other.cluster = one.cluster AND other.job_id = one.job_id "
            "AND other.key <> one.key))"
        )
        with self.file.reading() as connection:
            found = self._select(connection, shared, cluster, *values)
        last: dict[str | None, int] = {}
        for job in found:
            last[job.job_id] = max(last.get(job.job_id, 0), job.submitted_at or 0)
        return {job.key for job in found if (job.submitted_at or 0) < last[job.job_id]}

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

    def last_asked(self) -> dict[tuple[str, str], int]:
        """When that was, by cluster and key."""
        with self.file.reading() as connection:
            return {(cluster, key): at for cluster, key, at in connection.execute("SELECT * FROM asked")}

    def _select(self, connection: sqlite3.Connection, where: str, *values: object) -> list[Job]:
        order = "" if "ORDER BY" in where else " ORDER BY number"
        rows = connection.execute(f"SELECT record FROM jobs WHERE {where}{order}", values)  # noqa: S608  # constant texts, never values
        with self._understanding():
            return [self.rows.of(from_record(json.loads(record))) for (record,) in rows]

    @contextmanager
    def _understanding(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise InvalidInput(f"ledger {self.file.path} holds a record that is not understood ({error})") from None


def _where(cluster: str | None, states: Collection[State]) -> tuple[str, list[str]]:
    """A condition, and its values."""
    values = [state.value for state in states]
    parts = ["cluster = ?"] if cluster else []
    parts += [f"state IN ({', '.join('?' * len(values))})"] if values else []
    return " AND ".join(parts) or "1", ([cluster] if cluster else []) + values
