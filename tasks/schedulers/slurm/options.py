"""sbatch's options as sbatch 22.05 reads them, on a command line and in a script's lines, and which of them are about
one thing: a default is left out when the script says anything about the same thing, in whatever spelling.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

_SHORT = {
    "a": "array", "A": "account", "b": "begin", "B": "extra-node-info", "c": "cpus-per-task", "C": "constraint",
    "d": "dependency", "D": "chdir", "e": "error", "F": "nodefile", "G": "gpus", "h": "help", "H": "hold", "i": "input",
    "J": "job-name", "k": "no-kill", "L": "licenses", "m": "distribution", "M": "clusters", "n": "ntasks",
    "N": "nodes", "o": "output", "O": "overcommit", "p": "partition", "q": "qos", "Q": "quiet", "s": "oversubscribe",
    "S": "core-spec", "t": "time", "u": "usage", "v": "verbose", "V": "version", "w": "nodelist", "W": "wait",
    "x": "exclude",
}  # fmt: skip


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WITHOUT_VALUE = _names(
    "batch contiguous help hold ignore-pbs no-kill no-requeue overcommit oversubscribe parsable quiet reboot requeue "
    "spread-job test-only usage use-min-nodes verbose version wait"
)
_VALUE_AFTER_EQUALS_ONLY = _names("exclusive get-user-env nice propagate")
_WITH_VALUE = _names(
    "account acctg-freq array bb bbf begin chdir cluster cluster-constraint clusters comment constraint container "
    "context core-spec cores-per-socket cpu-freq cpus-per-gpu cpus-per-task deadline delay-boot dependency "
    "distribution error exclude export export-file extra-node-info gid gpu-bind gpu-freq gpus gpus-per-node "
    "gpus-per-socket gpus-per-task gres gres-flags hint input job-name kill-on-invalid-dep licenses mail-type "
    "mail-user mcs-label mem mem-bind mem-per-cpu mem-per-gpu mincpus network nodefile nodelist nodes ntasks "
    "ntasks-per-core ntasks-per-gpu ntasks-per-node ntasks-per-socket ntasks-per-tres open-mode output partition "
    "power prefer priority profile qos reservation signal sockets-per-node switches tasks-per-node thread-spec "
    "threads-per-core time time-min tmp uid wait-all-nodes wckey wrap"
)
_LONG = _WITHOUT_VALUE | _VALUE_AFTER_EQUALS_ONLY | _WITH_VALUE


@dataclass(frozen=True)
class Family:
    """Options about one thing, and the environment variables that say the same."""

    options: frozenset[str]
    variables: tuple[str, ...]

    @classmethod
    def of(cls, options: str, variables: str) -> Family:
        """By their names, with blanks between."""
        return cls(frozenset(options.split()), tuple(variables.split()))


MEMORY = Family.of("mem mem-per-cpu mem-per-gpu", "SBATCH_MEM_PER_NODE SBATCH_MEM_PER_CPU SBATCH_MEM_PER_GPU")
GPUS = Family.of(
    "gres gpus gpus-per-node gpus-per-socket gpus-per-task",
    "SBATCH_GRES SBATCH_GPUS SBATCH_GPUS_PER_NODE SBATCH_GPUS_PER_SOCKET SBATCH_GPUS_PER_TASK",
)
CORES = Family.of(
    "cores-per-socket cpus-per-gpu cpus-per-task exclusive extra-node-info mincpus nodes ntasks ntasks-per-core "
    "ntasks-per-gpu ntasks-per-node ntasks-per-socket ntasks-per-tres sockets-per-node tasks-per-node threads-per-core",
    "SBATCH_CPUS_PER_GPU SBATCH_EXCLUSIVE SBATCH_THREADS_PER_CORE",
)
TIME = Family.of("deadline time time-min", "SBATCH_TIMELIMIT")
LOGS = Family.of("error output", "SBATCH_OUTPUT SBATCH_ERROR")
_FAMILIES = (MEMORY, GPUS, CORES, TIME, LOGS)


@dataclass(frozen=True)
class Option:
    """An option by its long name; `words` are those that it was written with."""

    name: str
    value: str
    words: tuple[str, ...]

    @property
    def family(self) -> Family:
        """What else is about the same thing; by itself it is a family of one."""
        return next((each for each in _FAMILIES if self.name in each.options), Family(frozenset({self.name}), ()))


def read(words: Sequence[str]) -> list[Option]:
    """The options among these words, as getopt_long(3) reads them: abbreviated, bundled, their values apart or not.

    One that is not known (a site's own, or a later version's) keeps its name and whatever could be its value.
    """
    found: list[Option] = []
    left = list(words)
    while left and left[0].startswith("-") and left[0] not in ("-", "--"):
        word = left.pop(0)
        found += _long(word, left) if word.startswith("--") else _bundle(word, left)
    return found


def _long(word: str, left: list[str]) -> Iterator[Option]:
    given, equals, value = word[2:].partition("=")
    meant = [name for name in _LONG if name.startswith(given)]
    name = given if given in _LONG else meant[0] if len(meant) == 1 else ""
    words = [word]
    if name in _WITH_VALUE and not equals and left:
        value = left.pop(0)
        words.append(value)
    yield Option(name, value, tuple(words)) if name else _unknown(word, left)


def _bundle(word: str, left: list[str]) -> Iterator[Option]:
    """`-Hc2` is `-H -c 2`."""
    letters = word[1:]
    while letters:
        letter, letters = letters[0], letters[1:]
        name = _SHORT.get(letter, "")
        if not name:
            yield _unknown(f"-{letter}{letters}", left)
            return
        if name not in _WITH_VALUE:
            yield Option(name, "", (f"-{letter}",))
            continue
        if letters:
            yield Option(name, letters, (f"-{letter}{letters}",))
        else:
            values = (left.pop(0),) if left else ()
            yield Option(name, "".join(values), (f"-{letter}", *values))
        return


def _unknown(word: str, left: list[str]) -> Option:
    values = []
    while left and not left[0].startswith("-"):
        values.append(left.pop(0))
    return Option(word.lstrip("-").partition("=")[0], " ".join(values), (word, *values))


def header(script: bytes) -> list[bytes]:
    """The lines above the first command: sbatch reads no further (S9)."""
    lines = []
    for line in script.split(b"\n"):
        if line.strip(b" \t") and not line.lstrip(b" \t").startswith(b"#"):
            break
        lines.append(line)
    return lines


def of_script(script: bytes) -> list[Option]:
    """The options in a script's lines `#SBATCH`."""
    return [option for line in header(script) for option in _of_line(line)]


def _of_line(line: bytes) -> list[Option]:
    if not line.startswith(b"#SBATCH"):
        return []
    return read(words_of(line[len(b"#SBATCH") :].decode("utf-8", "surrogateescape")))


_PIECE = re.compile(r"\\(.)|'([^']*)'|\"((?:[^\"\\]|\\.)*)\"|([^\s#'\"\\]+)", re.S)


def words_of(text: str) -> list[str]:
    """The words of a line as sbatch splits it: quotes hold blanks, and `#` begins a comment, inside a word too."""
    words: list[str] = []
    at, begun = 0, False
    while at < len(text) and text[at] != "#":
        if text[at].isspace():
            at, begun = at + 1, False
            continue
        piece = _PIECE.match(text, at)
        if not piece:  # a quote that is not closed
            break
        escaped, single, double, plain = piece.groups()
        if not begun:
            words.append("")
        words[-1] += escaped or single or re.sub(r"\\(.)", r"\1", double or "") or plain or ""
        at, begun = piece.end(), True
    return words


def left_out(defaults: Iterable[Option], said: Iterable[Option]) -> list[Option]:
    """Those of `defaults` about which nothing was said."""
    known = {name for option in said for name in option.family.options}
    return [option for option in defaults if option.name not in known]


def muted(script: bytes, asked: Iterable[Option]) -> list[Option]:
    """Options of the script that sbatch would not take, or would add, beside those that were asked for by flags.

    What a flag says of the same option it says instead of the script anyway.
    """
    families = [(option, option.family) for option in asked]
    return [
        option
        for option in of_script(script)
        if any(option.name != by.name and _clash(by, option.name, family) for by, family in families)
    ]


def _clash(by: Option, name: str, family: Family) -> bool:
    if family in (MEMORY, GPUS):
        return name in family.options
    return {by.name, name} == {"cpus-per-task", "cpus-per-gpu"}


def without(script: bytes, options: Collection[Option]) -> str:
    """The header of a script without its first line, if that is `#!`, and without these options."""
    lines = header(script)
    kept = []
    for line in lines[1:] if script.startswith(b"#!") else lines:
        found = _of_line(line)
        if any(option in options for option in found):
            words = [word for option in found if option not in options for word in option.words]
            kept.append(f"#SBATCH {shlex.join(words)}" if words else "# replaced by a flag")
        else:
            kept.append(line.decode("utf-8", "surrogateescape"))
    return "".join(f"{line}\n" for line in kept)
