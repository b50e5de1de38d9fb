"""Grid Engine, as Son of Grid Engine 8.1.9 speaks it; by submit(1), qstat(1), qacct(1), sge_status(5), accounting(5)
and the captured answers in tests/data. G numbers are those of the list of quirks that the tests are named by.
"""

from __future__ import annotations

import glob
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from xml.etree import ElementTree

from ...model.dates import seconds_of
from ...model.errors import InvalidInput, SchedulerError
from ...model.job import Outcome, State
from ...model.resources import MOST_TASKS, Resources, TaskRange
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
    bounded,
    check_many,
    check_ranges,
    waited_for,
)
from .options import asked_for, without

name = "gridengine"
# Debian's wrapper has a SGE_ROOT for everybody; where there is a cell there is the name of its qmaster.
probe = 'has qsub && [ -r "$SGE_ROOT/${SGE_CELL:-default}/common/act_qmaster" ]'
# G44: Debian's commands are links to a wrapper that takes ten times as long as the programs behind it, for SGE_ARCH,
# which nobody asks for, and which the file that it reads finds out once more; its other two settings are taken from it.
_SHORT_CUT = r"""
debian=/usr/share/gridengine/gridengine-wrapper
if [ "$at" -ef "$debian" ] && [ -x "/usr/lib/gridengine/$command" ]; then
    : "${debian_sets=$(
        [ "$(tail -n 1 "$debian")" = 'exec /usr/lib/gridengine/${PROG} "$@"' ] || exit
        eval "$(variables 'SGE_[A-Z]*' '' 'export ')"
        asks_arch='/^SGE_ARCH=`"$SGE_ROOT\/util\/arch"`$/d'
        reads_file='s|^ *\. "${CONFIG_PATH}"$|eval "$(sed "$asks_arch" "$CONFIG_PATH")"|'
        eval "$(sed "/^DEFAULT_SGE_ARCH=/d; /^PROG=/d; \$d; $reads_file" "$debian")" >/dev/null 2>&1
        quote "$SGE_ROOT" && root=$word
        quote "$SGE_CELL" && printf 'export SGE_ROOT=%s SGE_CELL=%s' "$root" "$word"
    )}"
    wrapping=$debian_sets
    [ -z "$wrapping" ] || at=/usr/lib/gridengine/$command
fi
"""
clients = Clients(
    submits="qsub",
    asks=("qstat", "qacct", "qconf", "qdel", "qhold", "qrls"),
    places=("SGE_ROOT", "SGE_CELL", "SGE_QMASTER_PORT", "SGE_EXECD_PORT", "SGE_CLUSTER_NAME"),
    ambient="SGE_[A-Za-z0-9_]*",
    fixed=("SGE_SINGLE_LINE=1",),
    short_cut=_SHORT_CUT,
)
variables = {"task_id": "$SGE_TASK_ID", "job_id": "$JOB_ID", "cores": "$NSLOTS", "requeue": "exit 99"}
default_names = {"memory": "h_vmem", "gpus": "gpu", "smp": "smp", "mpi": "mpi"}
own_files = frozenset({".sge_request"})

_TASKS = r"(?:\.(\d{1,9})-(\d{1,9}):(\d{1,9}))?"
_ACCEPTED = re.compile(rf'^Your job(?:-array)? (\d{{1,20}}){_TASKS} \("(.*)"\) has been submitted$', re.M | re.ASCII)
_TERSE = re.compile(rf"^(\d{{1,20}}){_TASKS}$", re.M | re.ASCII)
_ILLEGAL = re.compile(r"[^A-Za-z0-9_.+=%-]", re.ASCII)
_DIRECTIVE = re.compile(rb"^#\$(.*)$", re.M)
_RANGE = re.compile(r"(\d{1,9})(?:-(\d{1,9})(?::(\d{1,9}))?)?", re.ASCII)
_IDS = r"sed -n 's/^ *<JB_job_number>\([0-9]\{1,\}\)<.*/\1/p'"
# sge_qstat(5): qstat's options may be in files. Ours win over -s and -u there (as tried); `-q '*'` wins over -q, but
# leaves out what no queue can run, so only then. With others that leave jobs out qstat is not asked at all; nor is
# `qstat -j`, where it would answer in XML.
_DEFAULTS = r"""
defaults() { # OPTIONS: the lines that have one of these
    grep -s -E "^[^#]*(^|[[:space:]])-($1)([[:space:]]|\$)" \
        "$SGE_ROOT/${SGE_CELL:-default}/common/sge_qstat" "$HOME/.sge_qstat" /dev/null
}
not_asked_with() { # OPTIONS WHAT: end where defaults have one of these, with which qstat would do that
    found=$(defaults "$1")
    [ -z "$found" ] || {
        printf 'qstat would %s because of a default, %s\n' "$2" "$found" >&2
        exit 1
    }
}
"""
_LIST = rf"""{_DEFAULTS}
not_asked_with 'l|qs|pe|U|g|j|help' 'leave jobs out'
list() {{ qstat -xml "$@"; }}
[ -z "$(defaults q)" ] || list() {{ qstat -q '*' -xml "$@"; }}
"""

# Before qsub, over there: which shell `-S` asks for, if anything does; qsub itself tells. `run` finds it in the file
# `shell`. Where a first line `#!` is obeyed instead (G7), and where `-S` is not a shell, which could not hand over to
# `run`, another program reads the submitted file: env(1), which Grid Engine does not start as a login shell, so that
# profiles are read once, by the shell that the file `login_shells` says so of. Where all queues obey `#!`, none has to.
before_submit = r"""
accepted() { # G1, G2: the file with qsub's stdout has a line that accepts; with -terse that is the last one
    ! grep -q 'could not be scheduled; try again later' "$2" || return # -now y on a full cell: the job is gone again
    grep -q -E '^Your job(-array)? [0-9.:-]+ \(".*"\) has been submitted$' "$1" ||
        tail -n 1 "$1" | grep -q -E '^[0-9]+(\.[0-9]+-[0-9]+:[0-9]+)?$'
}
details() { # the answer says it all
    # What is of this job alone, a qsub in its body would read. `run` removes it before; a bare job has none.
    [ -z "$bare" ] || rm -f "$job/.sge_request"
}
hand_over() { echo "exec /bin/sh '$mine/run' '$file'"; } # in sh as in csh
survey() { # how queues start scripts, and what are login shells; asked once an hour, since it takes as long as qsub
    known=$root/.queues
    [ -O "$root" ] && [ ! -k "$root" ] || known=$mine/queues # where others write, they could answer
    cluster="$SGE_ROOT $SGE_CELL $SGE_QMASTER_PORT" # a home directory may be that of several
    if [ -z "$(find "$known" -mmin -60)" ] || ! grep -q -x -F -e "$cluster" "$known"; then
        qconf -sq "*" -sconf >"$known.$$" || return
        # After `#global:` comes a shell_start_mode that only new queues begin with.
        sed -n '/^#/,$!{/^shell_start_mode /p}; /^login_shells /p' "$known.$$" >"$known.$$.new"
        printf '%s\n' "$cluster" >>"$known.$$.new"
        mv "$known.$$.new" "$known"
        rm "$known.$$"
    fi
    cat "$known"
}
requests() { # the files of defaults that qsub reads, sge_request(5)
    cat "$HOME/.sge_request" "$SGE_ROOT/${SGE_CELL:-default}/common/sge_request" draft/.sge_request 2>/dev/null
}
verified() { # what qsub -verify says of $1, its defaults' files read and all; asked once
    [ -f verified ] || (
        cd draft && eval "${verify%".submithost/job/$job_name"}../job/$job_name"
    ) </dev/null >verified 2>/dev/null
    sed -n "s/^$1: *//p" verified
}
mentions() { # whether anything that qsub reads may have this option (a regular expression)
    {
        printf '%s\n' "$submit"
        requests
        sed -n 's/^#\$//p' "$drafted/script"
    } | grep -q -E -e "(^|[[:space:]])-($1)" -e '-@'
}
reads() { # The rest is no business of those who can read what qmaster spools. -C gives directives another beginning.
    if mentions 'C[[:space:]]'; then cat; else sed -n '/^#\$/p'; fi
}
places() { # the working directory, and where logs go
    mentions '(o|e|wd)[[:space:]]' || return
    directory=$(verified cwd)
    printf '%s\n' "${directory:-$HOME}"
    for stream in stdout $([ "$(verified merge)" = y ] || echo stderr); do
        path=$(verified "${stream}_path_list") # HOST:NONE:PATH, and more of them
        path=${path%%,*}
        path=${path#*:*:}
        known '$HOME' "$HOME"
        known '$USER' "$(id -un)"
        known '$JOB_NAME' "$(verified job_name)"
        [ -z "$path" ] || printf '%s\n' "$path"
    done
}
known() { case $path in *"$1"*) path=${path%%"$1"*}$2${path#*"$1"} ;; esac }
surveyed() { sed -n "s/^$1 *//p" survey; }
prepare() {
    asked=
    if case $submit in *-S* | *-@*) true ;; *) false ;; esac ||
        requests | cat - "$drafted/script" | grep -q -e '-S' -e '-@'; then
        asked=$(verified shell_list)
        asked=${asked%%,*}
        asked=${asked##*:}
        printf '%s' "$asked" >"$drafted/shell"
    fi
    case $shebang:${asked##*/} in
    0:) return ;;
    ?:sh | ?:bash | ?:dash | ?:ksh* | ?:zsh | ?:csh | ?:tcsh) return ;;
    esac
    case $(surveyed shell_start_mode | tr A-Z a-z) in
    '' | *script_from_stdin*) submit=$submit_by_sh ;;
    *posix_compliant*)
        submit=$submit_by_env
        surveyed login_shells >"$drafted/login_shells"
        ;;
    esac
}
"""

# In the job: who it is, and what would have run the script (sge_conf(5), shell_start_mode; queue_conf(5), shell).
# Without -S the stock shell is csh, whatever the script's first line says (G7): there the first line wins.
in_job = r"""
submithost_identify() {
    submithost_job=$JOB_ID submithost_claim=$JOB_ID submithost_task=${SGE_TASK_ID:-0}
    if [ "$submithost_task" = undefined ]; then
        submithost_task=0
    elif [ "$submithost_task" != 0 ]; then # as -terse has it: whoever finds the claim knows the whole array
        submithost_claim=$JOB_ID.$SGE_TASK_FIRST-$SGE_TASK_LAST:$SGE_TASK_STEPSIZE
    fi
    submithost_out=$SGE_STDOUT_PATH submithost_err=$SGE_STDERR_PATH
}
submithost_config() { sed -n "s/^$1=//p" "$SGE_JOB_SPOOL_DIR/config" 2>/dev/null; }
submithost_shell() {
    submithost_outer=$(submithost_config shell_path)
    submithost_shell=$(cat "$submithost_mine/shell" 2>/dev/null)
    if [ "$(submithost_config shell_start_mode)" = unix_behavior ]; then
        submithost_mode=obey
    elif [ -n "$submithost_shell" ]; then
        submithost_mode=given
    else
        submithost_mode=default submithost_shell=${submithost_outer:-/bin/sh}
    fi
}
submithost_as_login() { # whether it would have been started as a login shell
    [ "$submithost_mode" != obey ] || return
    if [ -f "$submithost_mine/login_shells" ]; then
        case ,$(tr -d ' ' <"$submithost_mine/login_shells"), in
        *",${submithost_shell##*/},"*) return 0 ;;
        esac
        return 1
    fi
    # A csh has been one already when it read the submitted file, and would say again that it has no terminal.
    case $submithost_outer in *csh) return 1 ;; esac
    [ "$(submithost_config use_login_shell)" = 1 ]
}
submithost_unstartable=100 # which leaves the job in error state, as a missing interpreter does
submithost_environment() { # as it would have been
    rm -f "${submithost_mine%/*}/.sge_request" # of this job alone: a qsub of the body's would read it
    # There stdin is the rest of the submitted file, which is no input of the body's.
    [ "$(submithost_config shell_start_mode)" != script_from_stdin ] || exec </dev/null
    JOB_SCRIPT=$submithost_mine/script # what $0 is, and what a script that submits itself again means
    [ "$submithost_outer" = /usr/bin/env ] || return
    case $submithost_mode:${submithost_shell##*/} in
    given:* | *:sh | *:bash | *:dash | *:ksh* | *:zsh | *:csh | *:tcsh) SHELL=$submithost_shell ;;
    *) SHELL=/bin/sh ;; # which, unlike an interpreter, is of use to programs that start "the user's shell"
    esac
}
"""


def legal_name(name: str) -> str:
    """`name` with what qsub refuses replaced by `_` (G3, G4)."""
    legal = _ILLEGAL.sub("_", name) or "job"
    return legal if not legal[0].isdigit() else f"_{legal}"


def check(script: bytes, resources: Resources) -> list[str]:
    """Warnings, and InvalidInput for what qsub refuses or for what can only end badly over there."""
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
        return ["--at-once says how many tasks of an array job may run, and this is none"]
    return []


def _has_option(script: bytes, *options: str) -> bool:
    """Whether a directive has one of these options, as far as can be told without qsub's own reading."""
    words = _words(script)
    return any(option in words for option in options)


def _words(script: bytes) -> list[str]:
    return b" ".join(_DIRECTIVE.findall(script)).decode("latin-1").split()


def _amount(count: int) -> str:
    """Bytes with the largest unit that keeps them whole; K M G count in 1024s (sge_types(1))."""
    for unit, size in (("G", 1024**3), ("M", 1024**2), ("K", 1024)):
        if count % size == 0:
            return f"{count // size}{unit}"
    return str(count)


def _options(resources: Resources, names: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """One option of submit(1) after the other."""
    named = {**default_names, **names}
    if resources.name:
        yield "-N", resources.name
    if resources.time:
        minutes, seconds = divmod(resources.time, 60)
        yield "-l", f"h_rt={minutes // 60:02}:{minutes % 60:02}:{seconds:02}"
    if resources.memory:
        yield "-l", f"{named['memory']}={_amount(resources.memory)}"
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
    asked = asked_for([*_words(script), *submission.options], {**default_names, **names})
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


_WAITS = "Waiting for immediate job to be scheduled."
_TAKEN_BACK = "could not be scheduled; try again later"


def parse_submission(out: str, err: str = "") -> Submitted | None:
    """The last line that accepts (G1, G2); with `-terse` the last line, if it is an ID.

    None also for what `-now y` took back, after the line that accepts.
    """
    if _TAKEN_BACK in err:
        return None
    found = list(_ACCEPTED.finditer(out))
    if found:
        job_id, first, last, step, named = found[-1].groups()
    else:
        terse = list(_TERSE.finditer(out.rstrip().rpartition("\n")[2]))
        if not terse:
            return None
        (job_id, first, last, step), named = terse[-1].groups(), ""
    try:
        array = TaskRange(int(first), int(last), int(step)) if first else None
    except ValueError:  # more tasks than there can be
        return None
    return Submitted(job_id, named, array)


def undecided(err: str) -> bool:
    """`-now y`: the job is there, and is gone again unless it can be scheduled."""
    return _WAITS in err and _TAKEN_BACK not in err and "has been successfully scheduled" not in err


def doubtful(err: str) -> bool:
    """A connection to qmaster that broke after the request; one that was never there made nothing."""
    return "failed receiving gdi request" in err or ("commlib error" in err and "select error" not in err)


def receipt(submitted: Submitted) -> str:
    """qsub's line for a job that was found by its mark."""
    if submitted.array:
        return f'Your job-array {submitted.job_id}.{submitted.array} ("{submitted.name}") has been submitted'
    return f'Your job {submitted.job_id} ("{submitted.name}") has been submitted'


def _failed(err: str, out: str = "") -> SchedulerError:
    """The error that could not be asked, in the scheduler's own words."""
    lines = [line for line in (err or out).strip().splitlines() if line.strip() and line != "Exiting."]
    return SchedulerError("Grid Engine: " + (" / ".join(lines[:3]) if lines else "no answer"))


_STATES = "dEhrRsSTtwqz"


def state_of(letters: str) -> State | None:
    """The state that qstat's letters tell, in any mix (G24); None: not alive any more (`z`)."""
    found = set(letters)
    if not found or found - set(_STATES):
        return State.UNKNOWN
    if "z" in found:
        return None
    if "E" in found:
        return State.ERROR
    if found & set("sST"):
        return State.SUSPENDED
    if found & set("rt"):
        return State.RUNNING
    if "h" in found:
        return State.HELD
    return State.PENDING if found & set("qw") else State.UNKNOWN


_HOLDS = {
    "u": "held by its user; release lets it start",
    "o": "held by an operator, who can release it",
    "s": "held by an administrator, who can release it",
}


def queue_command() -> str:
    """XML, since text cuts names (G21), with the jobs that each waits for; nothing of other people's.

    `h` in a state may be a hold, or that it waits for others, or both: which of them are held, and by whom, is asked
    only where there is such a state.
    """
    holds = (
        f"for kind in {' '.join(_HOLDS)}; do "
        f'some=$(list -u "$(id -un)" -s "h$kind") || exit; '
        f'printf \'%s\\n\' "$some" | {_IDS} | sed "s/^/held $kind /"; done'
    )
    held = "printf '%s\\n' \"$rows\" | grep -q '<state>[A-Za-z]*h'"
    return f'{_LIST} rows=$(list -u "$(id -un)" -s a -r) || exit; printf \'%s\\n\' "$rows"; if {held}; then {holds}; fi'


def parse_queue(status: int, out: str, err: str) -> list[Row]:
    """Rows of `qstat -xml`: one job may have several (G22); and lines `held KIND ID`."""
    jobs = _elements(status, out, err, "job_list")
    holds = {job_id: kind for kind, job_id in re.findall(r"^held ([uos]) (\d+)$", out, re.M | re.ASCII)}
    rows = []
    check_ranges(text for job in jobs for text in job.get("tasks", ()))
    for job in jobs:
        job_id, state = _first(job, "JB_job_number"), state_of(_first(job, "state"))
        if job_id and state:
            reason = ""
            if state is State.HELD:
                others = [text for name in _BEFORE for text in job.get(name, ()) if text]
                reason = _HOLDS.get(holds.get(job_id, ""), "")
                if others and not reason:
                    state, reason = State.PENDING, f"waits for {waited_for(others)}"
            rows.append(Row(job_id, state, _ranges(_first(job, "tasks")), reason=reason))
    return rows


# The jobs, or the tasks of an array job, that one waits for.
_BEFORE = ("predecessor_jobs", "ad_predecessor_jobs")
# An answer has one such end, and its noise perhaps more.
_MOST_ENDS = 8
# What XML cannot have, and how much of it is read at once.
_NO_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PIECE = 1 << 16
_READ = frozenset({"JB_job_number", "state", "tasks", *_BEFORE, "name", "used", "available", "resv", "total"})
Facts = dict[str, list[str]]


class _Elements:
    """For an XML parser: of each element of that name the texts of those in it that are read, and no tree of it all."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self.found: list[Facts] = []
        self._inside: Facts | None = None
        self._text: list[str] = []

    def start(self, tag: str, _: object) -> None:
        if tag == self._tag:
            self._inside = {}
            self.found.append(self._inside)
            check_many(len(self.found))
        self._text = []

    def data(self, text: str) -> None:
        if self._inside is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if tag == self._tag:
            self._inside = None
        elif self._inside is not None and tag in _READ:
            self._inside.setdefault(tag, []).append("".join(self._text).strip())
        self._text = []

    def close(self) -> None:
        pass


def _first(facts: Facts, name: str) -> str:
    return facts.get(name, [""])[0]


def _elements(status: int, out: str, err: str, tag: str) -> list[Facts]:
    """Those of that name in the last whole XML answer of qstat, whatever noise is around. Raises SchedulerError."""
    begins = [found.start() for found in re.finditer(r"<\?xml", out)][-_MOST_ENDS:]
    ends = [found.end() for found in re.finditer("</job_info>", out)][-_MOST_ENDS:]
    if status != 0 or not begins or not ends:
        raise _failed(err, out)
    why: object = "no end"
    for begin in reversed(begins):
        for end in reversed([end for end in ends if end > begin]):
            elements = _Elements(tag)
            parser = ElementTree.XMLParser(target=elements)  # noqa: S314  # expat bounds expansion itself
            try:
                for at in range(begin, end, _PIECE):
                    parser.feed(_NO_XML.sub("?", out[at : min(end, at + _PIECE)]))
                parser.close()
                return elements.found
            except ElementTree.ParseError as error:
                why = error
    raise SchedulerError(f"Grid Engine: the answer of qstat is not understood ({why})")


def alive_command() -> str:
    """The IDs in the XML of qstat."""
    return f"""{_LIST} rows=$(list -u "$(id -un)" -s a) && printf '%s\\n' "$rows" | {_IDS}"""


def parse_alive(status: int, out: str, err: str) -> set[str]:
    """Nothing at all when there is none (G20)."""
    if status != 0 or not all(line.isdecimal() for line in out.splitlines()):
        raise _failed(err, out)
    return set(out.split())


def load_command() -> str:
    """Queues as XML, and how many jobs of everybody's wait: counted over there, where there may be thousands."""
    count = f"printf '%s\\n' \"$rows\" | {_IDS} | sort -u | {{ printf 'waiting '; wc -l; }}"
    return f"{_LIST} list -g c && rows=$(list -s p -u '*') && {count}"


def parse_load(status: int, out: str, err: str) -> Load:
    """Slots of a queue that are neither used nor free nor reserved are down, for whatever reason."""
    queues = []
    for element in _elements(status, out, err, "cluster_queue_summary"):
        words = [_first(element, tag) for tag in ("used", "available", "resv", "total")]
        numbers = [_leading_number(word) for word in words]
        used, free, reserved, total = (number or 0 for number in numbers)
        if None in numbers:
            raise SchedulerError("Grid Engine: the answer of qstat -g c is not understood")
        down = max(0, total - used - free - reserved)
        queues.append(Queue(_first(element, "name"), used, free, down))
    waiting = re.search(r"^waiting +(\d{1,9})$", out, re.M | re.ASCII)
    if not waiting:
        raise SchedulerError("Grid Engine: the answer of qstat is not understood (no number of jobs that wait)")
    return Load(tuple(queues), int(waiting[1]))


def _ranges(text: str) -> tuple[TaskRange, ...]:
    """`3`, `1-5:2`, `1,4`: the tasks of one row. Where one is not understood, none is: the row counts for them all."""
    ranges = []
    for part in text.split(","):
        match = _RANGE.fullmatch(part.strip())
        if not match:
            return ()
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        try:
            ranges.append(TaskRange(first, last, step or 1))
        except ValueError:  # more tasks than there can be
            return ()
    return tuple(ranges)


def marks_command(job_ids: Sequence[str]) -> str:
    """`qstat -j` of our own jobs only; never of all, which would print other people's environments."""
    return _about(job_ids) if job_ids else ""


def parse_marks(status: int, out: str, err: str) -> dict[str, list[Submitted]]:
    """Keys in the context of `qstat -j`, and their jobs. Gone and alive may be asked together (G25)."""
    if status != 0 and "do not exist" not in err:
        raise _failed(err, out)
    marks: dict[str, list[Submitted]] = {}
    for facts in sorted(_described(out), key=lambda facts: int(facts["job_number"])):
        if key := _mark(facts):
            marks.setdefault(key, []).append(_submitted(facts))
    return marks


errors_command = marks_command


def parse_errors(status: int, out: str, err: str) -> dict[str, str]:
    """The lines `error reason TASK: TIME [UID:PID]: WHY` of `qstat -j` (G9), one for each task in error: the first."""
    if status != 0 and "do not exist" not in err:
        raise _failed(err, out)
    reasons = {}
    for block in re.split(r"^=+$", out, flags=re.M):
        job = re.search(r"^job_number: +(\d+)$", block, re.M | re.ASCII)
        why = re.search(r"^error reason +\d+: +\S+ \S+ \[\S*\]: (?:error: )?(.*)$", block, re.M | re.ASCII)
        if job and why:
            reasons[job[1]] = why[1]
    return reasons


# Of what `qstat -j` says of a job, that which is read.
_NAMES = "job_number|job_name|owner|cwd|sge_o_home|sge_o_workdir|submission_time|context|job-array tasks"
_DESCRIBED = re.compile(f"^({_NAMES}): +(.*)$", re.M)
_ACCOUNTED = re.compile(
    "^(jobnumber|jobname|owner|taskid|qsub_time|start_time|end_time|failed|exit_status) +(.*)$", re.M
)


def _described(out: str) -> Iterator[dict[str, str]]:
    """The jobs of `qstat -j`, each as its lines `name: value`."""
    for block in re.split(r"^=+$", out, flags=re.M):
        facts = {line[1]: line[2] for line in _DESCRIBED.finditer(block)}
        if facts.get("job_number", "").isdigit():
            yield facts


def _submitted(facts: Mapping[str, str]) -> Submitted:
    array = _ranges(facts.get("job-array tasks", ""))
    directory = facts.get("sge_o_workdir", "")
    return Submitted(facts["job_number"], facts.get("job_name", ""), array[0] if array else None, directory)


def by_hand_command(job_id: str) -> str:
    """`qstat -j` while it lives, and `qacct` of this user's own after that."""
    one = shlex.quote(job_id)
    # An array job has a record for each of its tasks.
    records = "grep -E '^(=+$|(jobnumber|taskid|owner|jobname|qsub_time) )'"
    return f'id -un; qstat -j {one}; qacct -o "$(id -un)" -j {one} | {records}'


def parse_by_hand(status: int, out: str, err: str) -> ByHand | None:  # noqa: ARG001  # G25: it tells nothing
    """The living job first: an ended one of the same ID is an older one (G29)."""
    me, _, rest = out.partition("\n")
    for facts in _described(rest):
        if facts.get("owner") == me:
            directory = facts.get("cwd") or facts.get("sge_o_home", "")
            return ByHand(_submitted(facts), directory, seconds_of(facts.get("submission_time", "")))
    if "commlib error" in err or "unable to" in err:
        raise _failed(err)
    ended = [facts for facts in bounded(_records(rest)) if facts.get("owner") == me]
    if not ended:
        return None
    last = ended[-1]
    tasks = [part.first for facts in ended for part in _task(facts)]
    array = TaskRange(min(tasks), max(tasks)) if tasks and max(tasks) <= MOST_TASKS else None
    submitted = Submitted(last["jobnumber"], last.get("jobname", ""), array)
    return ByHand(submitted, "", seconds_of(last.get("qsub_time", "")))


def log_names(submitted: Submitted) -> list[str]:
    """NAME.oID, and NAME.oID.TASK of array jobs; .e, and .po and .pe of parallel environments."""
    name, job_id = glob.escape(submitted.name), submitted.job_id
    return [f"{name}.{kind}{job_id}{task}" for kind in ("o", "e", "po", "pe") for task in ("", ".*")]


# Of all records those of the jobs in the first file; fails where what says that qacct came to its end is missing.
_OF_THESE = """
FILENAME == "/dev/fd/3" { wanted[$1] = 1; next }
$1 == "=ended" { whole = $2 < 128 }
/^=+$/ { if (mine) printf "%s", record; record = "=\\n"; mine = 0 }
$1 == "jobnumber" { mine = $2 in wanted }
$1 ~ /^(jobnumber|taskid|qsub_time|start_time|end_time|failed|exit_status)$/ { record = record $0 "\\n" }
END { if (mine) printf "%s", record; exit !whole }
"""
_CUT = "the accounting could not be read to its end"
# G25: jobs that it does not know are an error to qstat, and so is a qmaster that does not answer: its words tell.
_ABOUT = rf"""{_DEFAULTS}
not_asked_with xml 'answer in XML'
about() {{
    said=$(qstat -j "$1" 2>&1) || case $said in
    *"do not exist"*) ;;
    *) printf '%s\n' "$said" >&2; exit 1 ;;
    esac
    printf '%s\n' "$said" | grep -E '^(=|({_NAMES}|error reason +[0-9]+):)'
}}
"""
# So many IDs fit into one command line everywhere.
_AT_ONCE = 500


def _about(job_ids: Sequence[str]) -> str:
    asked = [",".join(job_ids[at : at + _AT_ONCE]) for at in range(0, len(job_ids), _AT_ONCE)]
    return f'{_ABOUT}for ids in {shlex.join(asked)}; do about "$ids"; done; true'


def trace_command(job_ids: Sequence[str], silent: Sequence[str]) -> str:
    """`qstat -j` of all of them; and of those that have noted no end the accounting, which may have gigabytes (G27), in
    one pass: `qacct -j` takes one ID at most.

    Only the lines that are read come back, of these jobs alone.
    """
    accounts = f"""\
{{ qacct -o "$(id -un)" -j; echo "=ended $?"; }} | awk {shlex.quote(_OF_THESE)} /dev/fd/3 - 3<<END || echo {_CUT} >&2
{chr(10).join(silent)}
END"""
    return f"id -un\n{_about(job_ids)}\n{accounts if silent else ''}\ntrue"


def parse_trace(status: int, out: str, err: str) -> Traced:
    """Of what has ended the last record of each task (G29: a requeue leaves several); G26: none may be none yet."""
    if status != 0:
        raise _failed(err, out)
    me, _, rest = out.partition("\n")
    records = {}
    for facts in bounded(_records(rest)):
        outcome = _outcome(facts)
        if outcome.state.ended:
            record = Record(facts["jobnumber"], _task(facts), seconds_of(facts.get("qsub_time", "")), outcome)
            records[record.job_id, record.tasks] = record
    troubles = [
        line for line in err.splitlines() if line.strip() and not re.match(r"error: .* not found$", line.strip())
    ]
    found = (*records.values(), *_alive(me, rest))
    accounted = _CUT not in err and (not troubles or bool(records))
    return Traced(found, accounted, last_runs=True)


def _alive(me: str, out: str) -> Iterator[Record]:
    """The jobs of this user that `qstat -j` knows; another one without our mark is none of ours."""
    for facts in _described(out):
        if facts.get("owner") == me:
            when = seconds_of(facts.get("submission_time", ""))
            yield Record(facts["job_number"], (), when, Outcome(State.UNKNOWN), _mark(facts) or "-")


def _mark(facts: Mapping[str, str]) -> str:
    """The key in the context of a job; empty: it has none."""
    items = (item.strip().partition("=") for item in facts.get("context", "").split(","))
    return next((key for name, _, key in items if name == "submithost"), "")


def _records(out: str) -> Iterator[dict[str, str]]:
    """The records of `qacct -j`, each as its lines `name value`."""
    for block in re.split(r"^=+$", out, flags=re.M):
        facts = {line[1]: line[2].strip() for line in _ACCOUNTED.finditer(block)}
        if facts.get("jobnumber", "").isdigit():
            yield facts


def _task(facts: Mapping[str, str]) -> tuple[TaskRange, ...]:
    """The task; none for `undefined`."""
    task = facts.get("taskid", "")
    return (TaskRange(int(task), int(task)),) if task.isdecimal() and len(task) < 10 else ()


# Grid Engine's `failed` of a run that was not the last one: migrating, rescheduling.
_NO_ENDS = (24, 25)


def _outcome(facts: Mapping[str, str]) -> Outcome:
    """How it ended, by `failed` and `exit_status` (G30); UNKNOWN: it did not, or that is not understood."""
    code, _, why = facts.get("failed", "").partition(":")
    failed, exit_status = _leading_number(code), _leading_number(facts.get("exit_status", ""))
    started_at, ended_at = seconds_of(facts.get("start_time", "")), seconds_of(facts.get("end_time", ""))
    if failed is None or exit_status is None or failed in _NO_ENDS:
        return Outcome(State.UNKNOWN)
    if failed == 0:
        return Outcome(State.FAILED if exit_status else State.SUCCEEDED, exit_status, started_at, ended_at)
    # A body that is killed leaves its end note, which tells more than this: only qdel takes both.
    state = State.CANCELLED if failed == 100 and exit_status == 137 else State.FAILED
    return Outcome(state, exit_status, started_at, ended_at, why.strip() or f"failed {failed}")


def _leading_number(text: str) -> int | None:
    match = re.match(r"\d{1,9}(?!\d)", text.strip(), re.ASCII)
    return int(match[0]) if match else None


def cancel_command(jobs: Sequence[tuple[str, int | None]]) -> str:
    """`qdel` of jobs and of single tasks."""
    return shlex.join(["qdel", *_named(jobs)])


def _named(jobs: Sequence[tuple[str, int | None]]) -> list[str]:
    return [f"{job_id}.{task}" if task is not None else job_id for job_id, task in jobs]


def hold_command(jobs: Sequence[tuple[str, int | None]]) -> str:
    """`qhold`: the user's own hold."""
    return shlex.join(["qhold", *_named(jobs)])


def release_command(jobs: Sequence[tuple[str, int | None]]) -> str:
    """`qrls`."""
    return shlex.join(["qrls", *_named(jobs)])


def parse_hold(status: int, out: str, err: str) -> str:
    """qhold and qrls answer on stdout, refusals and "commlib error" too (G41); qrls is silent where nothing is held."""
    if status != 0 or "denied" in out or (err.strip() and not out.strip()):
        raise _failed(err, out)
    return out or "nothing was held\n"


def parse_cancel(status: int, out: str, err: str) -> tuple[str, set[str]]:  # noqa: ARG001  # G41: it tells nothing
    """qdel answers on stdout, and that a job is gone already is no failure (G40).

    Nor is that its node is dead: it is to go as soon as that is back (G33).
    """
    if "commlib error" in out + err or re.search("unable to (?!sync state)", out + err) or not out.strip():
        raise _failed(err, out)
    taken = r"(?:has deleted|has registered the|execd for the deletion of) job(?:-array task)? \"?(\d+)"
    return out, set(re.findall(taken, out + err))
