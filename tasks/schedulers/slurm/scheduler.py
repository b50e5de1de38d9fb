"""Slurm, as 22.05 speaks it; by sbatch(1), squeue(1), scontrol(1), sacct(1), scancel(1) and the captured answers in
tests/data. S numbers are those of the list of quirks that the tests are named by.

The mark that Slurm keeps for a key is the path of the submitted file, which it shows as a job's command: it costs no
option that the user may want, and nothing in a script can change it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from ...model.dates import seconds_of
from ...model.errors import InvalidInput, SchedulerError
from ...model.job import Outcome, State
from ...model.resources import MOST_TASKS, Resources, TaskRange, clock
from .. import (  # fmt: skip
    NOTHING,
    ByHand,
    Clients,
    Load,
    Queue,
    Record,
    Row,
    Submission,
    Submitted,
    Traced,
    at_home,
    check_many,
    check_ranges,
    lines_of,
    waited_for,
)
from .options import LOGS, Option, left_out, muted, of_script, read, without

name = "slurm"
probe = "has sbatch"
clients = Clients(
    submits="sbatch",
    asks=("squeue", "sacct", "scontrol", "sinfo", "scancel"),
    places=("SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_CLUSTERS", "SLURM_JWT"),
    ambient="S(LURM|QUEUE|ACCT|CONTROL|INFO|CANCEL|BATCH)[A-Z]*_[A-Za-z0-9_]*",
    fixed=("SLURM_BITSTR_LEN=0",),  # else long lists of tasks are cut off
)
variables = {
    "task_id": "$SLURM_ARRAY_TASK_ID",
    "job_id": "${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID}",
    "cores": "$((${SLURM_NTASKS:-1} * ${SLURM_CPUS_PER_TASK:-1}))",
    "requeue": 'scontrol requeue "$SLURM_JOB_ID" && sleep 3600',
}
default_names = {"memory": "mem-per-cpu", "gpus": "gpu", "smp": "cpus-per-task", "mpi": "ntasks"}
own_files: frozenset[str] = frozenset()

_ACCEPTED = re.compile(r"^Submitted batch job (\d+)", re.M)
_PARSABLE = re.compile(r"(\d+)(?:;\S*)?")
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.+=-]", re.ASCII)
_MARK = re.compile(r"/([A-Za-z0-9_][A-Za-z0-9._-]*)/\.submithost/(?:attempt/asked\.[0-9a-f]+/)?job/")
# What scontrol tells in place of tasks when `scancel -u` took those of an array job that had not started.
_REST = "4294967294"
_CPUS = re.compile(r"has\|([^|]+)\|(\d{1,9})/(\d{1,9})/(\d{1,9})/\d{1,9}", re.ASCII)
# END alone sends nothing when a job fails.
_MAIL = {"b": "BEGIN", "e": "END,FAIL", "a": "FAIL", "s": "", "n": "NONE"}

# sbatch says neither which tasks an array job has (S2) nor what it is called.
before_submit = r"""
accepted() { # S1: with --parsable the last line is ID or ID;CLUSTER
    grep -q -E '^Submitted batch job [0-9]+' "$1" || tail -n 1 "$1" | grep -q -E '^[0-9]+(;.*)?$'
}
details() {
    id=$(sed -n -E 's/^(Submitted batch job )?([0-9]+)($| .*|;.*)/\2/p' "$1" | tail -n 1)
    # Tasks that have started are on a line of their own.
    found=$(scontrol show job "$id" 2>/dev/null </dev/null | grep '^JobId=') || return 1
    found=$(printf '%s\n' "$found" | sed 's/ ArrayTaskId=4294967294 / /')
    tasks=$(printf '%s\n' "$found" | sed -n -E 's/^.* ArrayTaskId=([0-9,:-]+).*/\1/p' | paste -s -d , -)
    printf '%s\n' "${tasks:--} $(printf '%s\n' "$found" | sed -n 's/^.* JobName=//p; q')"
}
# In the process that slurmd starts, which knows what environment that was given: a dash drops functions.
hand_over() { echo "submithost_mine='$mine' submithost_file='$file'; . '$mine/run'"; }
survey() { :; }
in_login() { # the login environment, and what `defaults` below says in it; nothing of ours but the arguments is left
    login
    unset IFS
    PATH=/usr/local/bin:/usr/bin:/bin:$PATH
    cd "$1" && . ./said
}
prepare() ( # The defaults, as `defaults` below writes them, become lines for sbatch.
    in_login "$drafted" || return
    name=${job_name_flag:-${SBATCH_JOB_NAME-$job_name}}
    log=%x # Slurm puts the name there, whatever is in it, and no file can be called `a/b`
    if case $name in */*) true ;; *) [ "$(printf %s "$name" | wc -c)" -gt 200 ] ;; esac; then
        log=$(printf %s "$name" | LC_ALL=C tr -c 'A-Za-z0-9_.+=-' _ | cut -c 1-200)
    fi
    while IFS='|' read -r unless line; do
        for variable in $unless; do # what the environment says, sbatch takes for less than what a line says
            eval "[ -z \"\${$variable+set}\" ]" || continue 2
        done
        printf '%s\n' "$line"
    done <defaults | sed "s/^\(#SBATCH --[a-z]*=\)%x\(\.[oe]%\)/\1$log\2/" >defaults.new && mv defaults.new defaults
)
places() ( # the working directory, and where logs go
    in_login "$drafted" || return
    printf '%s\n' "${chdir:-.}"
    for log in "${output_flag:-${SBATCH_OUTPUT:-$output}}" "${error_flag:-${SBATCH_ERROR:-$error}}"; do
        case $log in *%u*) log=${log%%%u*}$(id -un)${log#*%u} ;; esac
        printf '%s\n' "$log"
    done
)
"""

# The first line of the script is always obeyed. What --signal=B: sends, it sends to `run` alone, which passes it on.
in_job = r"""
submithost_identify() {
    submithost_job=${SLURM_ARRAY_JOB_ID:-$SLURM_JOB_ID} submithost_task=${SLURM_ARRAY_TASK_ID:-0}
    submithost_claim=$submithost_job submithost_restarts=${SLURM_RESTART_COUNT:-0}
    if [ -n "${SLURM_ARRAY_TASK_ID-}" ]; then
        submithost_claim=$submithost_job.? # a step is told of 1-5:2,2,9 too
        [ $((SLURM_ARRAY_TASK_MAX - SLURM_ARRAY_TASK_MIN + 1)) -ne "$SLURM_ARRAY_TASK_COUNT" ] ||
            submithost_claim=$submithost_job.$SLURM_ARRAY_TASK_MIN-$SLURM_ARRAY_TASK_MAX
    fi
    submithost_out=$(readlink "/proc/$$/fd/1") submithost_err=$(readlink "/proc/$$/fd/2")
}
submithost_shell() { submithost_mode=obey submithost_shell=; }
submithost_as_login() { return 1; }
submithost_environment() {
    # Where the job runs elsewhere, sbatch hands on where it was typed; a shell has mended that on the way.
    [ . -ef "$SLURM_SUBMIT_DIR" ] || PWD=$SLURM_SUBMIT_DIR
    # An --open-mode of our own would be that of the body's srun too.
    [ -n "${SBATCH_OPEN_MODE-}" ] || [ ! -f "$submithost_mine/open_mode" ] || unset SLURM_OPEN_MODE
}
submithost_alone=yes
"""


def legal_name(name: str) -> str:
    """`name` as a job's and a file's: what patterns and shells would read into is replaced by `_`."""
    return _ILLEGAL.sub("_", name) or "job"


def check(script: bytes, resources: Resources) -> list[str]:
    """Warnings, and InvalidInput for what sbatch refuses."""
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
    named = {**default_names, **names}
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
    and is left out. What the environment over there says is known over there: `prepare` reads lines `VARIABLES|LINE`,
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
        ".submithost/defaults": "".join(f"{line}\n" for line in text),
        ".submithost/said": _said(flags, [*lines, *scripts], submission),
    }
    if logs and not any(option.name == "open-mode" for option in (*flags, *scripts, *lines)):
        files[".submithost/open_mode"] = ""  # for `run`: nothing of this is the body's
    if replaced := muted(script, own):
        files[".submithost/header"] = without(script, replaced)
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


def parse_submission(out: str, err: str = "") -> Submitted | None:  # noqa: ARG001  # stdout tells
    """The last line that accepts; with --parsable the last line, if it is an ID."""
    found = _ACCEPTED.findall(out)
    if found:
        return Submitted(found[-1], "")
    parsable = _PARSABLE.fullmatch(out.rstrip().rpartition("\n")[2])
    return Submitted(parsable[1], "") if parsable else None


def undecided(err: str) -> bool:  # noqa: ARG001  # sbatch has no --immediate
    """Never: an answer is final."""
    return False


def doubtful(err: str) -> bool:
    """What the controller may still be at, or have done without a word."""
    return "timed out" in err or "Zero Bytes were transmitted" in err or "Unexpected message received" in err


def receipt(submitted: Submitted) -> str:
    """sbatch's line for a job that was found by its mark."""
    return f"Submitted batch job {submitted.job_id}"


def _failed(err: str, out: str = "") -> SchedulerError:
    """The error that could not be asked, in the scheduler's own words."""
    lines = [line for line in (err or out).strip().splitlines() if line.strip()]
    return SchedulerError("Slurm: " + (" / ".join(lines[:3]) if lines else "no answer"))


_ALIVE = {
    "PENDING": State.PENDING,
    "CONFIGURING": State.PENDING,
    "REQUEUED": State.PENDING,
    "REQUEUE_FED": State.PENDING,
    "REQUEUE_HOLD": State.HELD,
    "RESV_DEL_HOLD": State.HELD,
    "SPECIAL_EXIT": State.ERROR,
    "RUNNING": State.RUNNING,
    "COMPLETING": State.RUNNING,
    "STAGE_OUT": State.RUNNING,
    "SIGNALING": State.RUNNING,
    "RESIZING": State.RUNNING,
    "REVOKED": State.UNKNOWN,  # of a federation, in which another cluster has the job
    "SUSPENDED": State.SUSPENDED,
    "STOPPED": State.SUSPENDED,
}
# Of no process's: slurmstepd could not set the job up (`Reason=JobLaunchFailure`), mostly for want of its logs.
_NOT_LAUNCHED = "0:53"
_ENDED = {
    "COMPLETED": State.SUCCEEDED,
    "CANCELLED": State.CANCELLED,
    "FAILED": State.FAILED,
    "TIMEOUT": State.FAILED,
    "DEADLINE": State.FAILED,
    "NODE_FAIL": State.FAILED,
    "BOOT_FAIL": State.FAILED,
    "OUT_OF_MEMORY": State.FAILED,
    "PREEMPTED": State.FAILED,
}
_NEVER = "DependencyNeverSatisfied"
_HELD = {
    "JobHeldUser": "held by its user; release lets it start",
    "JobHeldAdmin": "held by an administrator, who can release it",
}


def state_of(word: str, reason: str = "", priority: str = "") -> State | None:
    """The state that squeue's word tells; None: not alive any more; an unheard-of word is unknown.

    A priority of 0 is how Slurm holds a job, for whatever reason.
    """
    if word in _ENDED:
        return None
    if word == "PENDING" and (reason in _HELD or priority == "0"):
        return State.HELD
    if word == "PENDING" and reason == _NEVER:
        return State.ERROR
    return _ALIVE.get(word, State.UNKNOWN)


def _why(state: State | None, reason: str, dependency: str) -> str:
    """In words, why a job is held, never starts, or waits for others."""
    if state is State.HELD:
        return _HELD.get(reason, f"held by Slurm ({reason}); release lets it start again")
    if state is State.ERROR:
        return f"never starts, since {dependency} cannot be met any more" if reason == _NEVER else reason
    if state is State.PENDING and (reason == "Dependency" or "unfulfilled" in dependency):
        ids = re.findall(r":(\d+(?:_\d+)?)", dependency)
        return f"waits for {waited_for(ids)}" if ids else "waits for jobs of the same name"
    return ""


def queue_command() -> str:
    """Pending tasks of an array stay folded in one row (S2). The command tells jobs apart that have had one ID: a
    controller that is killed forgets what it took within its last five seconds, and gives those IDs again."""
    return "squeue -h -u \"$(id -un)\" -o '%F|%K|%T|%r|%Q|%E|%o|.'"


def parse_queue(status: int, out: str, err: str) -> list[Row]:
    """Rows `ID|TASKS|STATE|REASON|PRIORITY|DEPENDENCY|COMMAND|.`; S5: what is no such row is not an answer.

    A command has its arguments, and so perhaps several lines.
    """
    return [
        Row(job_id, state, _ranges(tasks), _key(command), _why(state, reason, dependency))
        for job_id, tasks, word, reason, priority, dependency, command in _rows(status, out, err)
        if (state := state_of(word, reason, priority))
    ]


def _rows(status: int, out: str, err: str) -> list[list[str]]:
    """The fields of what `queue_command` asks for."""
    if status != 0:
        raise _failed(err, out)
    check_many(out.count("|.\n"))
    *whole, rest = out.split("|.\n")
    fields = [row.split("|", 6) for row in whole]
    if rest or not all(len(each) == 7 and each[0].isdecimal() for each in fields):
        raise SchedulerError("Slurm: the answer of squeue is not understood")
    check_ranges(each[1] for each in fields)
    return fields


def alive_command() -> str:
    """squeue with the ID that the tasks of an array job share."""
    return 'squeue -h -u "$(id -un)" -o %F'


def parse_alive(status: int, out: str, err: str) -> set[str]:
    """S5: what is no ID is not an answer."""
    if status != 0:
        raise _failed(err, out)
    if not all(line.isdecimal() for line in out.splitlines()):
        raise SchedulerError("Slurm: the answer of squeue is not understood")
    return set(out.split())


def load_command() -> str:
    """CPUs of each partition, then a line for each job that waits."""
    return "sinfo -h -o 'has|%R|%C' && squeue -h -t PD -o 'waits|%P|%F'"


def parse_load(status: int, out: str, err: str) -> Load:
    """`%C` is allocated/idle/other/total. A job may wait for several partitions at once: it counts for each of them."""
    if status != 0:
        raise _failed(err, out)
    cpus: dict[str, tuple[int, int, int]] = {}
    waiting: dict[str, set[str]] = {}
    for line in out.splitlines():
        words = line.split("|")
        if found := _CPUS.fullmatch(line):
            before = cpus.get(found[1], (0, 0, 0))
            cpus[found[1]] = (before[0] + int(found[2]), before[1] + int(found[3]), before[2] + int(found[4]))
        elif len(words) == 3 and words[0] == "waits" and words[2].isdecimal():
            for partition in words[1].split(","):
                waiting.setdefault(partition, set()).add(words[2])
        else:
            raise SchedulerError("Slurm: the answer of sinfo and squeue is not understood")
    queues = [Queue(name, *counts, len(waiting.get(name, ()))) for name, counts in cpus.items()]
    return Load(tuple(queues), len(set().union(*waiting.values())))


def _ranges(text: str) -> tuple[TaskRange, ...]:
    """`3`, `1-5:2%2`, `[1,4]`: the tasks of one row. None for what is not understood, as `N/A` and `_REST`."""
    try:
        return TaskRange.parse(text.strip("[]").partition("%")[0]).parts()
    except InvalidInput:
        return ()


def marks_command(job_ids: Sequence[str]) -> str:  # noqa: ARG001  # S5: some wrappers refuse a list
    """All jobs of this user that the controller remembers, ended ones too, with their commands."""
    return "squeue -h -t all -u \"$(id -un)\" -o '%F|%K|%r|%j|%o'"


def parse_marks(status: int, out: str, err: str) -> dict[str, list[Submitted]]:
    """Keys, out of the paths of the submitted files, and their jobs. An array job may have several rows."""
    if status != 0:
        raise _failed(err, out)
    marks: dict[str, dict[str, Submitted]] = {}
    tasks: dict[tuple[str, str], list[str]] = {}
    for line in lines_of(out):
        fields = line.split("|", 64)
        command = "|".join(fields[4:])
        key = _key(command)
        # What was refused for its resources is kept as a job that has failed, and was none.
        if key and fields[0].isdecimal() and fields[2] != "BadConstraints":
            tasks.setdefault((key, fields[0]), []).append(fields[1])
            found = Submitted(fields[0], fields[3], directory=_directory(command))
            marks.setdefault(key, {}).setdefault(fields[0], found)
    return {
        key: [replace(jobs[one], array=_together(tasks[key, one])) for one in sorted(jobs, key=int)]
        for key, jobs in marks.items()
    }


def _key(command: str) -> str:
    """The key whose job file a command is; empty: of none."""
    found = _MARK.search(command)
    return found[1] if found else ""


def _directory(command: str) -> str:
    """The job directory that a command is in, which its key names; empty: in none."""
    found = _MARK.search(command)
    return command[: found.end(1)] if found else ""


def errors_command(job_ids: Sequence[str]) -> str:  # noqa: ARG001  # as in marks_command
    """The list has told already."""
    return queue_command()


def parse_errors(status: int, out: str, err: str) -> dict[str, str]:
    """The reasons of those in error state."""
    return {row.job_id: row.reason for row in parse_queue(status, out, err) if row.state is State.ERROR}


def _together(texts: Sequence[str]) -> TaskRange | None:
    """The tasks of all these rows. Raises SchedulerError for more than there can be."""
    parts = [part for text in texts for part in _ranges(text)]
    if sum(map(len, parts)) > MOST_TASKS:
        raise SchedulerError(f"Slurm: an array job of more than {MOST_TASKS} tasks")
    return TaskRange.of(number for part in parts for number in part.numbers())


def by_hand_command(job_id: str) -> str:
    """scontrol while the controller remembers it, sacct after that."""
    one = shlex.quote(job_id)
    return (
        f"id -un; scontrol -o show job {one}; sacct -X -P -n -o JobID,User,JobName,Submit,WorkDir -j {one} 2>/dev/null"
    )


def parse_by_hand(status: int, out: str, err: str) -> ByHand | None:  # noqa: ARG001  # the last of several commands
    """All rows of one job together: an array job has one for each task."""
    me, _, rest = out.partition("\n")
    found = [facts for line in lines_of(rest) if line.startswith("JobId=") for facts in [_facts(line)]]
    mine = [facts for facts in found if facts.get("UserId", "").partition("(")[0] == me]
    rows = [line.split("|", 8) for line in lines_of(rest)]
    owned = [row for row in rows if len(row) >= 5 and row[1] == me]
    if mine:
        last = mine[-1]
        when = last.get("SubmitTime", "")
        # The accounting has those that the controller has forgotten, and may have another job of this ID.
        tasks = [facts.get("ArrayTaskId", "") for facts in mine]
        tasks += [row[0].partition("_")[2] for row in owned if row[3] == when]
        submitted = Submitted(last.get("ArrayJobId", last["JobId"]), last.get("JobName", ""), _together(tasks))
        return ByHand(submitted, last.get("WorkDir", ""), seconds_of(when))
    if owned:
        last_id, _, name, when, directory = owned[-1][:5]
        tasks = [row[0].partition("_")[2] for row in owned]
        return ByHand(Submitted(last_id.partition("_")[0], name, _together(tasks)), directory, seconds_of(when))
    if "Unable to contact" in err or "timed out" in err:
        raise _failed(err)
    return None


def log_names(submitted: Submitted) -> list[str]:
    """slurm-ID.out, and slurm-ID_TASK.out of array jobs."""
    return [f"slurm-{submitted.job_id}.out", f"slurm-{submitted.job_id}_*.out"]


# scontrol reports a job that the controller does not know as an error of its own.
_ABOUT_ONE = """\
said=$(scontrol -o show job "$id" 2>&1) || case $said in
*"Invalid job id"*) continue ;;
*) printf '%s\\n' "$said" >&2; exit 1 ;;
esac
printf '%s\\n' "$said\""""
# Asking about so many jobs one by one takes longer than asking for all that the controller remembers.
_MANY = 100


def trace_command(job_ids: Sequence[str], silent: Sequence[str]) -> str:  # noqa: ARG001  # sacct answers all at once
    """S3: the controller, for as long as it remembers, and the accounting where there is any."""
    asked = f"for id in {shlex.join(job_ids)}; do {_ABOUT_ONE}; done"
    if len(job_ids) > _MANY:
        asked = 'all=$(scontrol -o show job) || exit; printf \'%s\\n\' "$all" | grep -F "($(id -u)) "'
    ids = [",".join(job_ids[at : at + _MANY * 10]) for at in range(0, len(job_ids), _MANY * 10)]
    accounts = [f"sacct -X -P -n -o JobID,State,ExitCode,Submit,Start,End -j {shlex.quote(some)}" for some in ids]
    return f"{{ {'; '.join(accounts)}; }} 2>/dev/null; {asked}; true"


def parse_trace(status: int, out: str, err: str) -> Traced:
    """Records of both; what the controller says comes last and counts, since the accounting lags (S4). sacct shows no
    mark, so of an ID that was used twice it may tell the later job."""
    if status != 0:
        raise _failed(err, out)
    return Traced(tuple(record for line in lines_of(out) for record in _record(line)))


def _record(line: str) -> Iterator[Record]:
    """That of a line of scontrol, or of an end that sacct tells of: what it calls alive may have been lost long ago."""
    if line.startswith("JobId="):
        facts = _facts(line)
        job_id, task = facts.get("ArrayJobId", facts["JobId"]), facts.get("ArrayTaskId", "")
        part = facts.get("HetJobOffset", "0")
        words = [facts.get(fact, "") for fact in ("JobState", "ExitCode", "SubmitTime", "StartTime", "EndTime")]
        outcome = _outcome(*words)
        if outcome.state is State.PENDING:
            state = state_of("PENDING", facts.get("Reason", ""), facts.get("Priority", "")) or State.PENDING
            why = _why(state, facts.get("Reason", ""), facts.get("Dependency", ""))
            outcome = replace(outcome, state=state, reason=why)
        alive, key = words[0] not in ("", "REVOKED"), _key(facts.get("Command", ""))
    elif line.count("|") == 5:
        whole, *words = line.split("|")
        job_id, _, task = whole.partition("_")
        job_id, _, part = job_id.partition("+")
        outcome, alive, key = _outcome(*words), False, ""
    else:
        return
    check_ranges([task])
    tasks = _ranges(task)
    # The first part of a heterogeneous job runs the script.
    named = job_id.isdecimal() and part in ("", "0") and (tasks or task in ("", _REST))
    if named and (alive or outcome.state.ended):
        yield Record(job_id, tasks, seconds_of(words[2]), outcome, key)


def _facts(line: str) -> dict[str, str]:
    """The words `NAME=VALUE` of `scontrol -o show job`."""
    return dict(re.findall(r"(?:^| )([A-Za-z:/]+)=(.*?)(?= [A-Za-z:/]+=|$)", line))


def _outcome(state: str, exit_code: str, _: str, start: str, end: str) -> Outcome:
    """How it ended. S4: `CANCELLED by 1001`; `ExitCode` is STATUS:SIGNAL."""
    word = state.partition(" ")[0].rstrip("+")
    if (word, exit_code) == ("FAILED", _NOT_LAUNCHED):
        reason = "Slurm could not start it: is there a place for its --output and --error?"
        return Outcome(State.FAILED, None, seconds_of(start), seconds_of(end), reason)
    code = re.fullmatch(r"(\d{1,6}):(\d{1,3})", exit_code)
    status = (int(code[1]) or (128 + int(code[2]) if int(code[2]) else 0)) if code else None
    if word in _ENDED:
        reason = "" if word in ("COMPLETED", "FAILED", "CANCELLED") else word.lower().replace("_", " ")
        return Outcome(_ENDED[word], status, seconds_of(start), seconds_of(end), reason)
    return Outcome(_ALIVE.get(word, State.UNKNOWN), None, seconds_of(start))


def cancel_command(jobs: Sequence[tuple[str, int | None]]) -> str:
    """`scancel -v`, which says of each what it does."""
    return shlex.join(["scancel", "-v", *_named(jobs)])


def _named(jobs: Sequence[tuple[str, int | None]]) -> list[str]:
    return [f"{job_id}_{task}" if task is not None else job_id for job_id, task in jobs]


def parse_cancel(status: int, out: str, err: str) -> tuple[str, set[str]]:  # noqa: ARG001  # 1 for one that had ended
    """scancel answers on stderr; any error but those about a job is that it could not be asked."""
    if [line for line in err.splitlines() if "error" in line and "error on job id" not in line]:
        raise _failed(err)
    said = [line for line in err.splitlines() if line.startswith("scancel: ")]
    refused = set(re.findall(r"error on job id (\d+)", err))
    taken = set(re.findall(r"Terminating job (\d+)", err)) - refused
    if not said:
        raise _failed(err, out)
    return "".join(f"{line}\n" for line in said), taken


def hold_command(jobs: Sequence[tuple[str, int | None]]) -> str:
    """`scontrol hold`, which says nothing: not when it is done, nor when the job has started and runs on."""
    waits = '{{ [ "$(squeue -h -t PD -o %i -j {0})" ] || {{ echo "job {0} has started" >&2; false; }}; }}'
    return _each(f"scontrol hold {{0}} && {waits} && echo 'job {{0}} is held'", jobs)


def release_command(jobs: Sequence[tuple[str, int | None]]) -> str:
    """`scontrol release`."""
    return _each("scontrol release {0} && echo 'job {0} is released'", jobs)


def _each(command: str, jobs: Sequence[tuple[str, int | None]]) -> str:
    """`command` of one job after the other; the first that is refused ends it."""
    return " && ".join(command.format(shlex.quote(job)) for job in _named(jobs))


def parse_hold(status: int, out: str, err: str) -> str:
    """What was done, or why not."""
    if status != 0:
        raise _failed(err, out)
    return out
