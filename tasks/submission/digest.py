"""The text of a submission is its script, flags, inputs and everything else that defines it; digests tell texts apart.

A digest is kept in the ledger, in the job file and in the job directory. It has a word for each part, `script:1f3a...`,
so that a message can say what differs. Of files only the content counts, not the time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ..files.wire import Upload
from ..model.cluster import Cluster
from ..model.job import Job
from ..schedulers.values import Submission

# A job that has to succeed first, and those of its tasks that count (none: all).
Before = tuple[Job, tuple[int, ...]]
_SAID = {
    "script": "the script",
    "rows": "the rows",
    "flags": "the flags",
    "inputs": "the inputs",
    "after": "the jobs before it",
    "defaults": "the cluster's defaults",
}
# What a repeat asks for, which may be more than the first time, is told apart from that of another repeat alone: a job
# file whose job was repeated with more memory stands for the text that it stood for before.
_OF_REPEATS = {"again": "the flags"}


def inputs_of(files: Sequence[Upload]) -> dict[str, str]:
    """The digests of inputs, by name. Raises InvalidInput for one that cannot be read."""
    return {file.name: _content(file) for file in files}


def digest_of(
    script: bytes,
    submission: Submission,
    after: Sequence[Before],
    inputs: Mapping[str, str],
    cluster: Cluster,
    *,
    bare: bool,
    rows: str = "",
) -> str:
    """The digest of a text. `after` are the jobs that it waits for, those among them that have succeeded as well;
    `rows` is the digest of a sweep's rows."""
    flags = _flags(submission)
    parts = {
        "script": hashlib.sha256(script).hexdigest(),
        "flags": {**flags, "bare": bare},
        "inputs": dict(inputs),
        "after": keys_of(after),
        "defaults": _defaults(cluster),
        **({"rows": rows} if rows else {}),
    }
    return " ".join(f"{name}:{_hash(part)}" for name, part in parts.items())


def digest_again(
    digest: str, submission: Submission, inputs: Mapping[str, str], before: Sequence[object], cluster: Cluster
) -> str:
    """The digest of what is submitted again, with these inputs, after these jobs, on the cluster as it is now."""
    now = {"inputs": dict(inputs), "after": before, "defaults": _defaults(cluster), "again": _flags(submission)}
    parts = dict(word.partition(":")[::2] for word in digest.split())
    if not parts:
        return ""
    return " ".join(f"{name}:{_hash(now[name]) if name in now else parts[name]}" for name in parts | now)


def _flags(submission: Submission) -> dict[str, object]:
    return {name: value for name, value in submission.record().items() if name not in ("key", "after")}


def keys_of(after: Sequence[Before]) -> list[list[object]]:
    """The jobs that have to succeed first, in the form that is written down: keys, and the tasks that count."""
    return [[job.key, list(tasks)] for job, tasks in after]


def _defaults(cluster: Cluster) -> object:
    return {"resources": asdict(cluster.resources), "options": cluster.options, "names": dict(cluster.names)}


def differences(one: str, other: str) -> str:
    """What differs between two texts, in words. Empty if nothing does, or if an earlier version kept no digest."""
    if not (one and other):
        return ""
    parts = dict(word.partition(":")[::2] for word in one.split())
    rest = dict(word.partition(":")[::2] for word in other.split())
    differing = [said for name, said in _SAID.items() if parts.get(name) != rest.get(name)]
    both = parts.keys() & rest.keys()
    differing += [said for name, said in _OF_REPEATS.items() if name in both and parts[name] != rest[name]]
    return " and ".join(filter(None, [", ".join(differing[:-1]), *differing[-1:]]))


def _content(file: Upload) -> str:
    """The digest of a file's content, and of whether it is executable."""
    digest = hashlib.sha256()
    for piece in file.read():
        digest.update(piece)
    return digest.hexdigest() + ("x" if file.mode & 0o100 else "")


def _given(value: object) -> object:
    """`value` without what was not given, so that flags that a later version adds change no digest."""
    if isinstance(value, dict):
        return {name: kept for name, each in value.items() if (kept := _given(each)) not in (None, "", False, [], {})}
    if isinstance(value, (list, tuple)):
        return [_given(each) for each in value]
    return value


def _hash(part: object) -> str:
    return hashlib.sha256(json.dumps(_given(part), sort_keys=True).encode()).hexdigest()[:20]
