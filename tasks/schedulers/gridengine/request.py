"""The command line of qsub; by submit(1) and sge_request(5)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from ...model.errors import InvalidInput
from ...model.resources import Resources, clock, size
from ..seam import NOTHING
from ..values import Submission
from ..wording import at_home
from .options import asked_for, without

NAMES = {"memory": "h_vmem", "gpus": "gpu", "smp": "smp", "mpi": "mpi"}
_DIRECTIVE = re.compile(rb"^#\$(.*)$", re.M)
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.+=%-]", re.ASCII)


def legal_name(name: str) -> str:
    """`name` with what qsub refuses replaced by `_` (G3, G4)."""
    legal = _ILLEGAL.sub("_", name) or "job"
    return legal if not legal[0].isdigit() else f"_{legal}"


def check(script: bytes, resources: Resources) -> list[str]:
    """Return warnings. Raises InvalidInput for what qsub refuses, and for what can only fail on the cluster."""
    lines = [b"#" + line for line in _DIRECTIVE.findall(script)]
    if any(line.endswith(b"\r") for line in [script.partition(b"\n")[0], *lines]):  # G8
        raise InvalidInput(
            "the script has Windows line ends, which Grid Engine takes for part of the text; run dos2unix"
        )
    if b"\0" in script:
        raise InvalidInput(
            "the script holds a NUL byte, which qsub refuses; is it a program? give a script that runs it"
        )
    if resources.name and (legal_name(resources.name) != resources.name):
        raise InvalidInput(
            f"job name '{resources.name}': letters, digits and _.+=%- only, and no digit first; "
            f"'{legal_name(resources.name)}' would do"
        )
    if not script:
        raise InvalidInput("the script is empty, which qsub refuses")
    if resources.array and (resources.array.also or resources.array.first < 1):  # G5, G42
        raise InvalidInput(f"--array {resources.array}: Grid Engine takes one range for a job, from 1 upwards")
    if resources.at_once and not (resources.array or _has_option(script, "-t")):
        return [*_misread(resources), "--at-once says how many tasks of an array job may run, and this is none"]
    return _misread(resources)


def _misread(resources: Resources) -> list[str]:
    """What qsub itself would make of `90m`: an m behind a number makes millions of it, as in amounts of memory."""
    written = getattr(resources.time, "written", "")
    if not re.fullmatch(r"\d{1,9}m", written):
        return []
    theirs = f"qsub itself would read {int(written[:-1])} million seconds"
    return [f"time {written} is {clock(resources.time or 0)} (hours:minutes:seconds); {theirs}"]


def _has_option(script: bytes, *options: str) -> bool:
    """Whether a directive has one of these options, as far as can be told without qsub's own reading."""
    words = words_of(script)
    return any(option in words for option in options)


def words_of(script: bytes) -> list[str]:
    """The words of its directives, as far as they can be told without qsub's own reading."""
    return b" ".join(_DIRECTIVE.findall(script)).decode("latin-1").split()


def _options(resources: Resources, names: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """One option of submit(1) after the other."""
    named = {**NAMES, **names}
    if resources.name:
        yield "-N", resources.name
    if resources.time:
        minutes, seconds = divmod(resources.time, 60)
        yield "-l", f"h_rt={minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if resources.memory:
        yield "-l", f"{named['memory']}={size(resources.memory)}"
    if resources.gpus:
        yield "-l", f"{named['gpus']}={resources.gpus}"
    if resources.mpi:
        yield "-pe", named["mpi"], str(resources.mpi)
    elif resources.cores and resources.cores > 1:
        yield "-pe", named["smp"], str(resources.cores)
    if resources.array:
        yield "-t", str(resources.array)
    if resources.at_once:
        yield "-tc", str(resources.at_once)
    if resources.queue:
        yield "-q", resources.queue
    if resources.project:
        yield "-P", resources.project
    if resources.mail:
        yield "-M", resources.mail
    if resources.mail_on:
        yield "-m", resources.mail_on


def directives(resources: Resources, names: Mapping[str, str] = NOTHING) -> list[str]:
    """Lines `#$ ...`; memory is per slot on Grid Engine, as ours is per core (G14)."""
    return [f"#$ {' '.join(option)}" for option in _options(resources, names)]


def defaults(
    resources: Resources,
    options: Sequence[str],
    names: Mapping[str, str],
    script: bytes,
    submission: Submission,
) -> dict[str, str]:
    """`.sge_request` of the job directory, where qsub runs: the script wins over it (sge_request(5), as tried).

    `-m` and `-M` merge at every level, so they are left out when the script has its own; and so do the lists of `-l`,
    where one thing has several names.
    """
    lines = [*options, *(" ".join(option) for option in _options(resources, names))]
    asked = asked_for([*words_of(script), *submission.options], {**NAMES, **names})
    lines = [line for line in (without(line, asked) for line in lines) if line]
    if _has_option(script, "-m", "-M"):
        lines = [re.sub(r"(^|\s)-[mM]\s+\S+", "", line) for line in lines]
    return {".sge_request": "\n".join(["-cwd", *lines]) + "\n"}


def submit_variables(submission: Submission, names: Mapping[str, str]) -> dict[str, str]:
    """`submit`: qsub with what the flags say, which beats the script, and the mark that `qstat -j` shows.

    Also the variants that `before_submit` wants.
    """
    words = ["-ac", f"submithost={submission.key}"]
    words += ["-b", "n"] if "-b" not in submission.options else []  # a site's default may be that scripts are programs
    words += [word for option in _options(submission.resources, names) for word in option]
    words += ["-h"] if submission.hold else []
    words += ["-hold_jid", ",".join(submission.after)] if submission.after else []
    qsub = shlex.join(["qsub", *words])
    qsub += f" -wd {at_home(submission.workdir)}" if submission.workdir else ""
    qsub += f" {shlex.join(submission.options)}" if submission.options else ""
    # Grid Engine keeps a job's arguments line by line; `run` has them as they are.
    script = shlex.join([submission.script, *(argument.replace("\n", " ") for argument in submission.arguments)])
    return {
        "submit": f"{qsub} {script}",
        "submit_by_sh": f"{qsub} -S /bin/sh {script}",
        "submit_by_env": f"{qsub} -S /usr/bin/env {script}",
        "verify": f"{qsub} -verify {shlex.quote(submission.script)}",
    }
