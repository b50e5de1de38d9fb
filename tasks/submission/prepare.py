"""Make a submission ready before the cluster is contacted: render, check, collect the files, build the command line."""

from __future__ import annotations

import codecs
import hashlib
import json
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import rendering
from ..files.tree import Entry, local, tell
from ..files.wire import Upload
from ..login_node import job_directory
from ..model.cluster import Cluster
from ..model.errors import InvalidInput
from ..model.job import Job
from ..model.key import new_key
from ..model.listener import Listener
from ..model.record import to_record
from ..model.resources import Resources
from ..model.rows import Rows
from ..schedulers.seam import Scheduler
from ..schedulers.values import Submission
from .attempt import own_files
from .conditions import not_yet_met, upload
from .digest import Before, digest_of, inputs_of, keys_of
from .part import ALONE, Part, render
from .verdict import root_of


@dataclass(frozen=True)
class Wanted:
    """What a user asks `submit` for, read but not yet looked at."""

    script: str
    variables: dict[str, object] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    resources: Resources = field(default_factory=Resources)
    options: tuple[str, ...] = ()
    put: tuple[str, ...] = ()
    workdir: str | None = None
    hold: bool = False
    bare: bool = False
    key: str | None = None
    group: str = ""
    after: tuple[Before, ...] = ()
    part: Part = ALONE
    behind: str = ""  # the ID of a job whose end it waits for, however that ends
    fresh: bool = False


@dataclass(frozen=True)
class Prepared:
    """Everything that is sent. `job_file` is the name of the submitted file, and by default the job's.

    `fresh`: the key is new, so nobody can have used it before.
    """

    job: Job
    script: bytes
    variables: dict[str, str]
    uploads: tuple[Upload, ...]
    job_file: str
    warnings: tuple[str, ...]
    after: tuple[Before, ...] = ()
    fresh: bool = False


def prepare(wanted: Wanted, cluster: Cluster, scheduler: Scheduler, listener: Listener) -> Prepared:
    """Raises InvalidInput for everything that can be known wrong from here."""
    if any("\0" in argument for argument in (*wanted.arguments, *wanted.options)):
        raise InvalidInput("an argument cannot hold a NUL byte")
    after = not_yet_met(wanted.after)
    asked = wanted.resources
    called = rendering.called(wanted.script)
    job_file = scheduler.legal_name(called)
    key = wanted.key or new_key(asked.name or Path(job_file).stem)
    # By the key: continuing the submission draws the same.
    laid = render(wanted.part, wanted.script, wanted.variables, asked, cluster, key, scheduler)
    script = laid.scripts[0]
    if asked.mail_on and not asked.mail and cluster.mail:
        asked = replace(asked, mail=cluster.mail)
    refuse_marked(script.text)
    limited = replace(asked, time=asked.time or cluster.resources.time)
    warnings = [*rendering.unused(wanted.script, wanted.variables), *scheduler.check(script.text, limited)]
    if job_file != called and not asked.name:
        warnings.append(
            f"the scheduler does not take '{called}' for a job's name: '{job_file}' unless the script names itself"
        )
    job = Job(
        key=key,
        cluster=cluster.name,
        name=asked.name or job_file,
        script=str(script.source),
        directory=f"{root_of(cluster)}/{key}",
        script_hash=hashlib.sha256(script.text).hexdigest(),
        bare=wanted.bare,
        group=wanted.group,
        sweep=(wanted.part.sweep or key) if laid.rows else "",
        rows=Rows(lambda: laid.rows),
    )
    submission = Submission(
        key,
        job_directory.submitted(job_file),
        asked,
        wanted.options,
        wanted.arguments,
        wanted.hold,
        wanted.workdir,
        tuple(filter(None, [*(job.job_id for job, _ in after), wanted.behind])),
    )
    put = collect(wanted.put, scheduler, listener)
    inputs = inputs_of(put)
    digest = digest_of(script.text, submission, wanted.after, inputs, cluster, bare=wanted.bare, rows=laid.digest())
    files = [*upload(after, bare=wanted.bare), *laid.uploads(), *put]
    job = replace(job, digest=digest)
    written = {"inputs": inputs, "before": keys_of(wanted.after)}
    prepared = finish(job, script.text, submission, files, written, cluster, scheduler, warnings)
    return replace(prepared, after=tuple(after), fresh=wanted.fresh or not wanted.key)


def refuse_marked(script: bytes) -> None:
    """Raises InvalidInput for a byte order mark, which stands before a first line `#!` and hides it."""
    if script.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise InvalidInput(
            "the script begins with a byte order mark (BOM), which hides its first line; save it as UTF-8 without one"
        )


def finish(
    job: Job,
    script: bytes,
    submission: Submission,
    files: Sequence[Upload],
    written: Mapping[str, object],
    cluster: Cluster,
    scheduler: Scheduler,
    warnings: Sequence[str] = (),
) -> Prepared:
    """What is sent for this submission: the script, `files`, and what submithost itself adds.

    `written` is kept in the job directory, for `resubmit`.
    """
    scheduler.refuse(submission)
    asked = submission.resources
    # Mail options add up at every level: a default beside a flag would be a second answer to one question.
    mail = None if asked.mail else cluster.resources.mail
    mail_on = None if asked.mail_on else cluster.resources.mail_on
    resources = replace(cluster.resources, mail=mail, mail_on=mail_on)
    defaults = scheduler.defaults(resources, cluster.options, cluster.names, script, submission)
    about = json.dumps({**to_record(job), "submission": submission.record(), **written}).encode()
    uploads = [
        *own_files(scheduler, script, submission.arguments, about, job.digest, sweep=bool(job.sweep)),
        *(Upload(name, text.encode("utf-8", "surrogateescape")) for name, text in defaults.items()),
        *files,
    ]
    variables = scheduler.submit_variables(submission, cluster.names)
    return Prepared(job, script, variables, tuple(uploads), Path(submission.script).name, tuple(warnings))


def collect(paths: Sequence[str], scheduler: Scheduler, listener: Listener) -> list[Upload]:
    """The files that `--put` names, each under its own name, and directories with their content, as `put` sends them.

    Links that are followed or left out are reported by name. Raises InvalidInput.
    """
    own = {job_directory.OWN, *scheduler.own_files}
    found: dict[str, tuple[Path, Upload]] = {}
    for text in paths:
        path = Path(text).expanduser()
        name = path.resolve().name if path.name in ("", "..", ".") else path.name
        try:
            entries, said = local(path)
        except InvalidInput as error:
            raise InvalidInput(f"--put {text}: {error}") from None
        tell(listener, f"--put {text}", said)
        for entry in entries:
            file = path / entry.path if entry.path else path
            upload = _upload(f"{name}/{entry.path}" if entry.path else name, file, entry)
            if entry.kind == "f" and not os.access(file, os.R_OK):
                raise InvalidInput(f"--put {text}: cannot read {file}")
            first, before = found.setdefault(upload.name, (file, upload))
            if first != file and not before.kind == upload.kind == "d":
                raise InvalidInput(f"--put: {first} and {file} would both be {upload.name} in the job directory")
            if upload.name.split("/")[0] in own:
                raise InvalidInput(f"--put {text}: the name {upload.name} is submithost's own in a job directory")
    return [upload for _, upload in found.values()]


def _upload(name: str, file: Path, entry: Entry) -> Upload:
    if entry.kind == "f":
        return Upload(name, file, entry.mode | 0o600, "f", entry.modified)
    return Upload(name, entry.link.encode("utf-8", "surrogateescape"), entry.mode | 0o700, entry.kind)


def option_words(options: Sequence[str]) -> tuple[str, ...]:
    """The words of `--option "-l x=y"`. Raises InvalidInput for a missing quote."""
    words: list[str] = []
    for text in options:
        try:
            words += shlex.split(text)
        except ValueError as error:
            raise InvalidInput(f"--option {text!r}: {error}") from None
    return tuple(words)
