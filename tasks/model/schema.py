"""The tables of the ledger."""

from __future__ import annotations

VERSION = 1
# What most jobs are not: a ledger of years is not to be read for a question about a few of them.
REPEATS = """instr(record, '"origin": ""') = 0"""
GROUPED = """instr(record, '"group": ') > 0"""
SCHEMA = (
    """CREATE TABLE IF NOT EXISTS jobs (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    cluster TEXT NOT NULL, key TEXT NOT NULL, job_id TEXT, state TEXT NOT NULL, record TEXT NOT NULL,
    UNIQUE (cluster, key))""",
    "CREATE INDEX IF NOT EXISTS jobs_by_id ON jobs (cluster, job_id)",
    "CREATE INDEX IF NOT EXISTS jobs_by_state ON jobs (cluster, state)",
    "CREATE INDEX IF NOT EXISTS jobs_of_all_by_state ON jobs (state)",
    "CREATE INDEX IF NOT EXISTS jobs_by_age ON jobs (cluster)",
    f"CREATE INDEX IF NOT EXISTS jobs_that_repeat ON jobs (cluster) WHERE {REPEATS}",
    f"CREATE INDEX IF NOT EXISTS jobs_in_groups ON jobs (cluster) WHERE {GROUPED}",
    "CREATE TABLE IF NOT EXISTS clusters (name TEXT PRIMARY KEY, scheduler TEXT NOT NULL)",
    # Beside the rest, so that an earlier version still understands the file: when (seconds since 1970, by the clock
    # here) the scheduler last told of a job that had not ended.
    "CREATE TABLE IF NOT EXISTS rows (cluster TEXT, key TEXT, text BLOB, PRIMARY KEY (cluster, key)) WITHOUT ROWID",
    "CREATE TABLE IF NOT EXISTS asked (cluster TEXT, key TEXT, at INTEGER, PRIMARY KEY (cluster, key)) WITHOUT ROWID",
)
