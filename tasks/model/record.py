"""Jobs as plain data, and back: for the ledger, job files and job directories."""

from __future__ import annotations

import re
from collections.abc import Mapping

from .job import Alike, Job, Outcome, State
from .resources import TaskRange

_MAY_LACK = ("job_id", "directory")
_TEXTS = (
    "key", "cluster", "name", "script", "script_hash", "answer", "digest", "origin", "group", "sweep", *_MAY_LACK,
)  # fmt: skip
_FIELDS = tuple(name for name in Job.__dataclass_fields__ if name not in ("repairs", "rows"))
_OF_OUTCOME = ("exit_status", "started_at", "ended_at", "reason")
_NUMBER = (int, type(None))
_ID = re.compile("[0-9]{1,20}")


def to_record(job: Job) -> dict[str, object]:
    """The job as plain data."""
    record = {name: getattr(job, name) for name in _FIELDS}
    record["outcome"] = _plain(job.outcome)
    if isinstance(job.tasks, Alike):  # an earlier version finds nothing said of single tasks
        record |= {"tasks": {}, "alike": _plain(job.tasks.outcome)}
    else:
        record["tasks"] = {str(task): _plain(outcome) for task, outcome in job.tasks.items()}
    record["cancelled"] = list(job.cancelled)
    record["requeued"] = sorted(job.requeued)
    record["array"] = str(job.array) if job.array else None
    if not job.group:
        del record["group"]  # so that SQL tells by its name which records have one
    return record


def _plain(outcome: Outcome) -> dict[str, object]:
    """The outcome of a task, without what is not known: there may be tens of thousands."""
    plain: dict[str, object] = {"state": outcome.state.value}
    for name in _OF_OUTCOME:
        value = getattr(outcome, name)
        if value is not None and value != "":
            plain[name] = value
    return plain


def from_record(record: dict[str, object]) -> Job:
    """The job of a record; missing fields have their defaults. Raises TypeError, ValueError, KeyError."""
    known = {name: record[name] for name in _FIELDS if name in record}
    _check_numbers(known, "submitted_at", "absent_since")
    tasks, array = known.get("tasks"), known.get("array")
    if "outcome" in known:
        known["outcome"] = _outcome(known["outcome"])  # type: ignore[arg-type]  # fails unless it is a mapping
    known["tasks"] = {int(n): _outcome(o) for n, o in tasks.items()} if isinstance(tasks, dict) else {}
    known["cancelled"] = tuple(known.get("cancelled") or ())  # type: ignore[arg-type]  # as below
    known["requeued"] = ends_of(known.get("requeued") or ())
    extent = known["array"] = TaskRange.parse(array) if isinstance(array, str) else None
    if extent and isinstance(alike := record.get("alike"), dict):
        known["tasks"] = Alike(extent.numbers(), _outcome(alike))
    for name in _TEXTS:
        if not isinstance(known.get(name, ""), str) and not (name in _MAY_LACK and known[name] is None):
            raise TypeError(f"{name} is no text")
    if not _ID.fullmatch(str(known.get("job_id") or "0")):  # it is shown, and goes into questions, as it is
        raise ValueError("job_id is none")
    return Job(**known)  # type: ignore[arg-type]  # the rest fails in here or where it is read


def ends_of(record: object) -> frozenset[tuple[int, int]]:
    """Ends that a requeue followed, as (task, time). Raises TypeError."""
    ends = frozenset((task, at) for task, at in record)  # type: ignore[attr-defined]  # fails unless it is such a list
    if not all(isinstance(number, int) for end in ends for number in end):
        raise TypeError("requeued is no list of ends")
    return ends


def _check_numbers(record: Mapping[str, object], *names: str) -> None:
    """Fail now rather than when the numbers are used."""
    for name in names:
        if not isinstance(record.get(name), _NUMBER):
            raise TypeError(f"{name} is no number")


def _outcome(record: dict[str, object]) -> Outcome:
    status, began, ended = record.get("exit_status"), record.get("started_at"), record.get("ended_at")
    if not (isinstance(status, _NUMBER) and isinstance(began, _NUMBER) and isinstance(ended, _NUMBER)):
        raise TypeError("an outcome has what is no number")
    return Outcome(State(record["state"]), status, began, ended, str(record.get("reason", "")))
