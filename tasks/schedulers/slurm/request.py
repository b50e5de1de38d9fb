"""The command line of sbatch; by sbatch(1)."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from ...login_node import job_directory
from ...model.errors import InvalidInput
from ...model.resources import Resources, clock
from ..seam import NOTHING
from ..values import Submission
from ..wording import at_home
from .options import LOGS, Option, left_out, muted, of_script, read, without

NAMES = {"memory": "mem-per-cpu", "gpus": "gpu", "smp": "cpus-per-task", "mpi": "ntasks"}
# END alone sends nothing when a job fails.
_MAIL = {"b": "BEGIN", "e": "END,FAIL", "a": "FAIL", "s": "", "n": "NONE"}


def check(script: bytes, resources: Resources) -> list[str]:
    """Return warnings. Raises InvalidInput for what sbatch refuses."""
    first, _, _ = script.partition(b"\n")
    if not first.startswith(b"#!"):
        raise InvalidInput("the script's first line has to be `#!` and its interpreter: sbatch takes no other")
    if b"\r\n" in script:
        raise InvalidInput("the script has Windows line ends, which sbatch refuses; run dos2unix")
    if b"\0" in script:
        raise InvalidInput("the script holds a NUL byte; is it a program? give a script that runs it")
    if resources.name and not resources.name.isprintable():
        raise InvalidInput(f"job name {resources.name!r}: printable characters only")
    if resources.at_once and not resources.array:
        raise InvalidInput("--at-once goes with --array: Slurm takes both in one option")
    replaced = {word for option in muted(script, read(list(_options(resources, NOTHING)))) for word in option.words}
    warnings = _misread(resources)
    warnings += [f"a flag is in place of the script's {shlex.join(sorted(replaced))}"] if replaced else []
    if resources.mail_on and "s" in resources.mail_on:
        warnings.append("--mail-on s: Slurm sends no mail when a job is suspended")
    return warnings


def _misread(resources: Resources) -> list[str]:
    """What sbatch itself would make of a time as it was written: `60` is minutes there, `1:00` minutes and seconds."""
    written = getattr(resources.time, "written", "")
    minutes, _, seconds = written.partition(":")
    if not (minutes.isdecimal() and (seconds or "0").isdecimal()):
        return []
    theirs = clock(int(minutes) * 60 + int(seconds or 0))
    return [
        f"time {written} is {clock(resources.time or 0)} (hours:minutes:seconds); sbatch itself would read {theirs}"
    ]


def _duration(seconds: int) -> str:
    """S6: a bare number would be minutes. Slurm counts in minutes and rounds up."""
    minutes, rest = divmod(seconds, 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


def _options(resources: Resources, names: Mapping[str, str]) -> Iterator[str]:
    """One option of sbatch(1) after the other."""
    named = {**NAMES, **names}
    if resources.name:
        yield f"--job-name={resources.name}"
    if resources.time:
        yield f"--time={_duration(resources.time)}"
    if resources.memory:  # S6: --mem would be that of a node; megabytes, and never less than was asked for
        yield f"--{named['memory']}={-(-resources.memory // 1024**2)}M"
    if resources.gpus:
        yield f"--gres={named['gpus']}:{resources.gpus}"
    if resources.mpi:
        yield f"--{named['mpi']}={resources.mpi}"
    elif resources.cores and resources.cores > 1:
        yield f"--{named['smp']}={resources.cores}"
    if resources.array:
        at_once = f"%{resources.at_once}" if resources.at_once else ""
        yield f"--array={resources.array}{at_once}"
    if resources.queue:
        yield f"--partition={resources.queue}"
    if resources.project:
        yield f"--account={resources.project}"
    if resources.mail:
        yield f"--mail-user={resources.mail}"
    kinds = dict.fromkeys(kind for letter in resources.mail_on or "" for kind in _MAIL[letter].split(",") if kind)
    if kinds:
        yield f"--mail-type={','.join(kinds)}"


def directives(resources: Resources, names: Mapping[str, str] = NOTHING) -> list[str]:
    """Lines `#SBATCH ...`."""
    return [f"#SBATCH {shlex.quote(option)}" for option in _options(resources, names)]


def defaults(
    resources: Resources, options: Sequence[str], names: Mapping[str, str], script: bytes, submission: Submission
) -> dict[str, str]:
    """Lines ahead of the script's own, which win over them; as environment (SBATCH_...) they would win over these.

    One that is about the same thing as something in the script, or in the flags, would be a second request beside it,
    and is left out. What the environment there says is known on the login node: `prepare` reads lines `VARIABLES|LINE`,
    and takes those whose variables are not set.

    Logs are called NAME.oID and NAME.eID, as on other schedulers, so that one Makefile serves all. Who names one of
    them gets what sbatch makes of that: with an output alone, the errors are in it.

    A flag of ours wins over the script also where sbatch refuses both, or adds them up: the header without those.
    """
    own = read(list(_options(submission.resources, names)))
    flags, scripts = [*own, *read(submission.options)], of_script(script)
    asked = read(list(_options(resources, names)))
    further = left_out((option for line in options for option in read(shlex.split(line))), asked)
    lines = left_out([*further, *asked], [*flags, *scripts])
    if not left_out([Option("output", "", ())], [*flags, *scripts, *lines]):
        logs = []
    else:
        array = any(option.name == "array" for option in (*flags, *scripts, *lines))
        number = "%A.%a" if array else "%j"
        # What a job said before it was requeued is kept.
        logs = read([f"--output=%x.o{number}", f"--error=%x.e{number}", "--open-mode=append"])
    text = []
    for option in (*lines, *logs):
        variables = LOGS.variables if option in logs else option.family.variables
        text.append(f"{' '.join(variables)}|#SBATCH {shlex.join(option.words)}")
    files = {
        job_directory.own("defaults"): "".join(f"{line}\n" for line in text),
        job_directory.own("said"): _said(flags, [*lines, *scripts], submission),
    }
    if logs and not any(option.name == "open-mode" for option in (*flags, *scripts, *lines)):
        files[job_directory.own("open_mode")] = ""  # for `run`: nothing of this is the body's
    if replaced := muted(script, own):
        files[job_directory.own("header")] = without(script, replaced)
    return files


def _said(flags: Sequence[Option], scripts: Sequence[Option], submission: Submission) -> str:
    """Shell variables for `prepare` and `places`: what flags say, and what is said otherwise."""

    def last(options: Sequence[Option], name: str) -> str:
        return next((option.value for option in reversed(options) if option.name == name), "")

    chdir = last(flags, "chdir") or last(scripts, "chdir")
    said = {
        "chdir": at_home(submission.workdir) if submission.workdir and not last(flags, "chdir") else shlex.quote(chdir),
        "job_name_flag": shlex.quote(last(flags, "job-name")),
        "job_name": shlex.quote(last(scripts, "job-name") or PurePosixPath(submission.script).name),
        **{f"{name}_flag": shlex.quote(last(flags, name)) for name in ("output", "error")},
        **{name: shlex.quote(last(scripts, name)) for name in ("output", "error")},
    }
    return "".join(f"{name}={value}\n" for name, value in said.items())


def submit_variables(submission: Submission, names: Mapping[str, str]) -> dict[str, str]:
    """`submit`: sbatch with what the flags say, which beats the script."""
    words = list(_options(submission.resources, names))
    words += ["--hold"] if submission.hold else []
    words += [f"--dependency=afterany:{':'.join(submission.after)}"] if submission.after else []
    workdir = f" --chdir {at_home(submission.workdir)}" if submission.workdir else ""
    # squeue shows a path as it was given, and the mark is in the directories above.
    script = f'"$(pwd -P)"/{shlex.quote(submission.script)}'
    sbatch = f"{shlex.join(['sbatch', *words])}{workdir} {shlex.join(submission.options)}".rstrip()
    return {"submit": f"{sbatch} {script} {shlex.join(submission.arguments)}".rstrip()}
