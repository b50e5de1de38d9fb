"""The rows of sweeps, as the ledger keeps them: beside the jobs, so that no job is read with thousands of rows."""

from __future__ import annotations

import zlib
from dataclasses import replace

from .database import Database
from .errors import InvalidInput
from .job import Job
from .rows import Rows


class StoredRows:
    """The texts of rows, by cluster and key. They are an index as well: the job directory has them."""

    def __init__(self, file: Database) -> None:
        self._file = file

    def keep(self, job: Job, text: str) -> None:
        """Keep those of a sweep. Raises NotRecorded."""
        data = zlib.compress(text.encode("utf-8", "surrogateescape"))
        with self._file.writing() as connection:
            connection.execute("INSERT OR REPLACE INTO rows VALUES (?, ?, ?)", (job.cluster, job.key, data))

    def known(self, job: Job) -> bool:
        """Whether they are kept here. Raises InvalidInput when the file cannot be read."""
        return bool(self._text(job))

    def of(self, job: Job) -> Job:
        """The job with its rows, if it is of a sweep; they are read when they are asked for."""
        return replace(job, rows=Rows(lambda: self._text(job))) if job.sweep else job

    def _text(self, job: Job) -> str:
        """Those of what repeats another job are the other's."""
        with self._file.reading() as connection:
            for key in dict.fromkeys((job.key, job.origin)):
                found = connection.execute("SELECT text FROM rows WHERE cluster = ? AND key = ?", (job.cluster, key))
                if row := found.fetchone():
                    try:
                        return zlib.decompress(row[0]).decode("utf-8", "surrogateescape")
                    except zlib.error:
                        raise InvalidInput(f"ledger {self._file.path}: rows of key {key} are not understood") from None
        return ""
