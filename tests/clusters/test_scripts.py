"""Every kind of script, submitted by hand and by submithost, under both shell start modes: the same is asked of
qmaster, and the script's body sees the same.

What differs, on purpose: under `posix_compliant` a stock queue hands a script without `-S` to csh, whatever its first
line says; ours obeys the first line, options in it included. So there the twin by hand says `-S INTERPRETER`, and
`shell_list` is compared no further where env(1) reads the submitted file: for a first line that is obeyed instead of
the queue's shell, and for an interpreter that is no shell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import pytest

from tasks.testbed import register
from tasks.testbed.cell import Cell
from tests.clusters import pairs
from tests.clusters.pairs import Kind, Run
from tests.conftest import move_in

BASH, SEE = "#!/bin/bash\n", '@SEE@ "$@"\n'
CSH = "set x = (1 2)\n@SEE@ $argv:q $x[2] && exit 4\n"
PYTHON = "import subprocess, sys\nsubprocess.run(['@SEE@', *sys.argv[1:]], check=True)\n# text\nsys.exit(5)\n"
B, P = ("-S", "/bin/bash"), ("-S", "/usr/bin/python3")
OWN_NAMES = "nonce=1,mark=1,key=2,job=3,root=4,mine=5,insert=6,KEY=7,word=8,line=9,PATH=/nowhere:/usr/bin:/bin"

# The first words are what `-S` by hand has to say for the body's interpreter where a first line is not obeyed.
KINDS = {
    "heredoc": (B, Kind("heredoc", f"{BASH}#$ -N doc\ncat > made <<'X'\n#$ -l h_rt=77\n#$ -v A='x y'\nX\n{SEE}")),
    "after": (B, Kind("after", f"{BASH}cd .\n#$ -l h_rt=100  # ours\n#$ -m eba -M a@b\n{SEE}#$ -N z -v AFTER=7x")),
    "nearly": (B, Kind("nearly", f"{BASH} #$ -N no\n# $ -N no\n{SEE}#$-N yes\n##$ -N no\n#$\t-l h_rt=77\n")),
    "prefix": (
        B,
        Kind("prefix", f"{BASH}#$ -N no\n{SEE}#% -l h_rt=78\nREM -N no\n", ("-C", "#%"), ("--option=-C '#%'",)),
    ),
    "prefix_within": (B, Kind("prefix_within", f"{BASH}#$ -C REM\nREM -N one\n{SEE}#$ -l h_rt=79\nREM -l rmem=2M\n")),
    "glued": (B, Kind("glued", f"{BASH}#$ -v A='x y' -l h_rt=5\n#$ -v B='p q'\n{SEE}")),
    "limits": (B, Kind("limits", f"{BASH}#$ -l h_rt=50,rmem=1M\n#$ -pe smp 2 -R y\n{SEE}ulimit -a\n")),
    "python": ((), Kind("python", f"#$ -S /usr/bin/python3\n{PYTHON}")),
    "python_line": (P, Kind("python_line", f"#!/usr/bin/python3\n\n{PYTHON}")),
    "python_env": (P, Kind("python_env", f"#!/usr/bin/env python3\n{PYTHON}")),
    "csh": ((), Kind("csh", f"#$ -S /bin/csh\n{CSH}")),
    "tcsh": ((), Kind("tcsh", f"#$ -S /bin/tcsh\n{CSH}")),
    "csh_line": (("-S", "/bin/csh"), Kind("csh_line", f"#!/bin/csh -f\n{CSH}")),
    "queue_shell": ((), Kind("queue_shell", f"# of the queue's shell\n{CSH}")),
    "sh": ((), Kind("sh", f"#$ -S /bin/sh\nin_profile\n{SEE}")),
    "bash": ((), Kind("bash", f"{BASH}#$ -S /bin/bash\nin_profile\n{SEE}")),
    "bash_line": (B, Kind("bash_line", f"{BASH}in_profile\numask\n{SEE}")),
    "login": (B, Kind("login", f"#!/bin/bash -l\nin_profile\n{SEE}")),
    "variables": (B, Kind("variables", f"{BASH}#$ -v A='x y',{OWN_NAMES}\n{SEE}")),
    "everything": (B, Kind("everything", f"{BASH}#$ -V\n{SEE}")),
    "flags": (B, Kind("flags", f"{BASH}#$ -N n -p -9\n{SEE}", ("-N", "y", "-p", "-2"), ("--name=y", "--option=-p -2"))),
    "megabyte": (B, Kind("megabyte", f"{BASH}{SEE}{'# ' + 'y' * 97}\n" + "# text text text\n" * 62_000 + "exit 6\n")),
    "no_newline": (B, Kind("no_newline", f"{BASH}{SEE}exit 7")),
    "comments": (B, Kind("comments", f"{BASH}# nothing else\n#$ -N comments")),
    "blank_first": ((), Kind("blank_first", f"\n#$ -S /bin/bash\n{SEE}")),
    "background": (B, Kind("background", f"{BASH}sleep 2 &\n{SEE}exit 0\n")),
    "array": (B, Kind("array", f"{BASH}#$ -t 1-3:2\n{SEE}exit 3\n")),
    "stdin": (B, Kind("stdin", f"{BASH}#$ -i /etc/hostname\n{SEE}")),
    "killed": (B, Kind("killed", f"{BASH}{SEE}echo out\nkill -9 $$\n")),
    "crashed": (B, Kind("crashed", f"{BASH}{SEE}ulimit -c 0\nkill -SEGV $$\n")),
    "exit_137": (B, Kind("exit_137", f"{BASH}{SEE}exit 137\n")),
    "words": (B, Kind("words", f"{BASH}{SEE}", arguments=("", "'q' \"d\"", "$(touch pwned) `x` \\ !!", "-l", "ü *"))),
    "bare": ((), Kind("bare", f"{BASH}#$ -S /bin/bash\n{SEE}exit 3", ours=("--bare",))),
}  # fmt: skip
POSIX, UNIX = "sandbox", "sandbox2"
# What has nothing to do with the interpreter is tried under one mode only.
ANY_MODE = ("glued", "limits", "flags", "megabyte", "no_newline", "crashed", "exit_137", "words", "stdin", "background")
CASES = [(cluster, kind) for cluster in (POSIX, UNIX) for kind in KINDS if cluster == POSIX or kind not in ANY_MODE]
SILENT = ("comments",)


class Pair(NamedTuple):
    """The same script, submitted twice."""

    hand: Run
    ours: Run


@pytest.fixture(scope="module")
def submitted(
    cells: dict[str, Cell], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[tuple[str, str], Pair]]:
    """All of them, ended."""
    person = move_in(tmp_path_factory.mktemp("scripts") / "home", register.registration().read_text())
    found, profiles = {}, []
    pairs.set_start_mode(cells[UNIX], "unix_behavior")
    try:
        for cluster, cell in ((POSIX, cells[POSIX]), (UNIX, cells[UNIX])):
            pairs.furnish(cell)
            profiles.append(cell.home / ".profile")
            profiles[-1].write_text("in_profile() { echo a function of the profile; }\necho a noisy profile\n")
            kinds = [kind for name, (_, kind) in KINDS.items() if (cluster, name) in CASES]
            typed = [replace(kind, hand=(*KINDS[kind.name][0], *kind.hand)) for kind in kinds]
            hand, ours = (
                pairs.held_by_hand(cell, typed if cluster == POSIX else kinds),
                pairs.held_by_us(cell, person, kinds),
            )
            cell.must("qrls", *(run.job_id for run in (*hand.values(), *ours.values())))
            found.update({(cluster, kind.name): Pair(hand[kind.name], ours[kind.name]) for kind in kinds})
        for cluster in (POSIX, UNIX):
            pairs.settle(cells[cluster], [run for key, pair in found.items() if key[0] == cluster for run in pair])
        yield found
    finally:
        pairs.set_start_mode(cells[UNIX], "posix_compliant")
        for profile in profiles:
            profile.unlink()


@pytest.mark.parametrize(("cluster", "kind"), CASES)
def test_g13_qmaster_is_asked_the_same(submitted: dict[tuple[str, str], Pair], cluster: str, kind: str) -> None:
    hand, ours = (run.facts() for run in submitted[cluster, kind])
    replaced = cluster == POSIX and (KINDS[kind][0] or kind == "python")
    if replaced:
        assert ours.pop("shell_list") == "NONE:/usr/bin/env"
        del hand["shell_list"]
    if kind == "everything":  # -V lists the port of each ssh connection, and the depth of shells
        hand, ours = ({**facts, "env_list": sorted(names(facts["env_list"]))} for facts in (hand, ours))
    assert ours == hand


@pytest.mark.parametrize(("cluster", "kind"), [case for case in CASES if case[1] not in SILENT])
def test_g7_g12_the_body_sees_the_same(submitted: dict[tuple[str, str], Pair], cluster: str, kind: str) -> None:
    pair = submitted[cluster, kind]
    tasks = ("1", "3") if kind == "array" else ("undefined",)
    if not pair.hand.has_seen(tasks[0]):
        assert cluster == UNIX  # where /bin/sh runs it, and does not understand it, by hand as with us
        assert KINDS[kind][1].text[:2] != "#!"
        assert not pair.ours.has_seen(tasks[0])
        return
    for task in tasks:
        hand, ours = pair.hand.seen(task), pair.ours.seen(task)
        if kind in ("csh", "tcsh", "queue_shell") and cluster == POSIX:
            # A csh ignores QUIT and TERM as a login shell. Grid Engine's was one, and read our `exec`; the one of the
            # body is not, or it would say a second time that it has no terminal.
            del hand["ignored"], ours["ignored"]
        if cluster == POSIX and kind.startswith("python_"):
            # For a first line that is not a shell's, `SHELL` stays one.
            assert ours["environment"].pop("SHELL") == "/bin/sh"
            del hand["environment"]["SHELL"]
        assert ours == hand
        assert not [name for name in ours["environment"] if name.startswith("submithost")]


@pytest.mark.parametrize(("cluster", "kind"), CASES)
def test_it_ends_the_same_and_writes_the_same(submitted: dict[tuple[str, str], Pair], cluster: str, kind: str) -> None:
    hand, ours = submitted[cluster, kind]
    assert ours.ended["exit_status"] == hand.ended["exit_status"]
    assert ours.ended["failed"] == hand.ended["failed"]
    twice = b"a noisy profile\n" if cluster == POSIX and kind in ("sh", "bash", "blank_first") else b""
    assert ours.output("o") == twice + hand.output("o")
    assert ours.output("e") == hand.output("e")


def names(variables: str) -> set[str]:
    """The names in `A=x,B=y`, as far as commas tell; `_` is the last command's, and SGE_ARCH the word of
    Debian's wrapper around qsub (G44), which is left out here; every job is told its own.
    """
    return {item.partition("=")[0] for item in variables.split(",")} - {"_", "SGE_ARCH"}


def test_bare_leaves_no_notes(submitted: dict[tuple[str, str], Pair]) -> None:
    notes = submitted[POSIX, "bare"].ours.directory / ".submithost"
    assert not list((notes / "notes").iterdir())
    assert not (notes / "claim").is_symlink()


def test_nothing_was_executed_on_the_way(submitted: dict[tuple[str, str], Pair], cells: dict[str, Cell]) -> None:
    assert submitted
    assert not [path for cell in cells.values() for path in cell.home.rglob("pwned")]
