"""The file of the ledger (SQLite): reading never writes, each change is one transaction, and failures are explained.

Nothing stays open between two uses, so that no process keeps others waiting.
"""

from __future__ import annotations

import errno
import os
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from .errors import InvalidInput, NotRecorded

if TYPE_CHECKING:
    import sqlite3

# Seconds to wait for other processes that have locked the file.
PATIENCE = 60
_WRITTEN_AT_ONCE = 1 << 16
# SQLite locks bytes from here on (file format, "The Database File", "lock-byte page").
_LOCKED_FROM = 1 << 30


class Database:
    """A file of tables; `schema` has a statement `CREATE ... IF NOT EXISTS` for each table and index.

    `patience`: seconds to wait for other processes that have locked it.
    """

    def __init__(self, path: Path, schema: Sequence[str], version: int) -> None:
        self.path = path
        self.patience = float(PATIENCE)
        self._schema = schema
        self._version = version

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Read. Missing tables are empty, and so is a missing file: nothing is created.

        Raises InvalidInput when the file cannot be read or understood.
        """
        import sqlite3  # not at the top: `--list` does not need it

        try:
            os.stat(self.path)
            place = f"file:{quote(os.fsencode(self.path))}?mode=rw"  # SQLite opens a read-only file as such
        except FileNotFoundError:
            place = ":memory:"
        except OSError as error:
            raise InvalidInput(f"{self._ledger} {_cannot(error, 'be read')}") from None
        try:
            with closing(sqlite3.connect(place, uri=True, timeout=self.patience, isolation_level=None)) as connection:
                connection.execute("ATTACH ':memory:' AS missing")
                for statement in self._schema:
                    connection.execute(statement.replace("IF NOT EXISTS ", "missing."))
                connection.execute("BEGIN")
                self._check_version(connection)
                yield connection
        except sqlite3.Error as error:
            raise InvalidInput(f"{self._ledger} {self._why(error, 'be read')}") from None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Make one change, or none. Raises NotRecorded when it cannot be written, InvalidInput for another version."""
        import sqlite3

        try:
            self._make()
            with closing(sqlite3.connect(self.path, timeout=self.patience, isolation_level=None)) as connection:
                connection.execute("BEGIN IMMEDIATE")
                if self._check_version(connection) == 0:
                    connection.execute(f"PRAGMA user_version = {self._version}")
                for statement in self._schema:
                    connection.execute(statement)
                yield connection  # closing without a commit rolls back
                connection.execute("COMMIT")
        except OSError as error:
            raise NotRecorded(f"{self._ledger} {_cannot(error, 'be written')}") from None
        except sqlite3.Error as error:
            raise NotRecorded(f"{self._ledger} {self._why(error, 'be written')}") from None

    def _make(self) -> None:
        """Make the file, which SQLite would leave to the umask who may read. One that is there is not even opened: to
        close it again would give up the locks that other threads of this process have on it."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            if not self.path.exists():
                raise

    def _check_version(self, connection: sqlite3.Connection) -> int:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, self._version):
            raise InvalidInput(
                f"{self._ledger} is of version {version} and this submithost knows version {self._version}: "
                "update submithost, or move the file away"
            )
        return int(version)

    @property
    def _ledger(self) -> str:
        return f"ledger {self.path}"

    def _why(self, error: sqlite3.Error, what: str) -> str:
        """What happened, and what to do about it: SQLite says little of the first, and nothing of the second."""
        said = str(error)
        if "locked" in said:
            by = _holder(self.path)
            return f"is locked by {by or 'another process'}: wait until that has finished with it, or end it"
        if "malformed" in said or "not a database" in said:
            return f"is damaged ({said}): move it away, and `adopt` makes a new one of the job directories"
        cause = self._attempt()
        return _cannot(cause, what) if cause else f"cannot {what}: {said}"

    def _attempt(self) -> OSError | None:
        """The system's error, if any, for what SQLite does with its files."""
        try:
            size = self.path.stat().st_size
            with tempfile.TemporaryFile(dir=self.path.parent) as file:
                os.pwrite(file.fileno(), bytes(_WRITTEN_AT_ONCE), size)
                os.fsync(file.fileno())
            if not os.access(self.path, os.R_OK | os.W_OK):
                return PermissionError(0, "Permission denied")
        except OSError as error:
            return error
        return None


def _cannot(error: OSError, what: str) -> str:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    cure = "make room for it" if full else "XDG_STATE_HOME names another place for it"
    return f"cannot {what}: {error.strerror}; {cure}"


def _holder(path: Path) -> str:
    """Who has locked the file, if the system tells (proc(5), `locks`)."""
    try:
        inode, locks = path.stat().st_ino, Path("/proc/locks").read_text("ascii", "replace")
        for pid, at in re.findall(rf"^\d+: POSIX +ADVISORY +\w+ +(\d+) \w+:\w+:{inode} (\d+) ", locks, re.M):
            if int(at) >= _LOCKED_FROM and int(pid) != os.getpid():
                name = Path(f"/proc/{pid}/comm").read_text("utf-8", "replace").strip()
                return f"process {pid} ({name})"
    except OSError:
        pass
    return ""
