"""Mistakes by the dozen, typed by hand and given to submithost: the same is refused, in the scheduler's own words, and
at once; what is only verified is no job and no failure.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain

import pytest

from tasks.testbed.cell import Cell
from tasks.testbed.slurm import SlurmCluster
from tests.clusters.bench import ssh
from tests.conftest import Person, configured, move_in

GE, HPC = "sandbox", "sandbox-slurm"
SCRIPT = "#!/bin/sh\n{directive}\necho out\n"

# The scheduler's own options; each is tried in one of the forms below, in turn.
OPTIONS = {
    HPC: [
        "--time=abc", "--time=", "--nosuch", "--mem=-1", "--mem=abc", "-n 0", "-n abc", "-c -1", "--array=5-1",
        "--partition=nosuch", "--gres=nosuch:1", "--constraint=nosuch", "--begin=nonsense", "--mail-type=nosuch",
        "--signal=NOSUCH", "--hint=nosuch", "--licenses=nosuch:1", "--reservation=nosuch", "-w nosuchnode",
        "--open-mode=x", "--mem=1G --mem-per-cpu=1G", "--t=3", "--me=3", "--dependency=nonsense",
        "--ntasks-per-node=0", "--deadline=abc", "--distribution=xx", "--kill-on-invalid-dep=xx", "--mem-per=9M",
        "--array=1-2000", "--uid=nosuch", "-Z", "--time-min=abc", "--array=abc", "--export-file=/nosuch",
        # accepted by hand
        "--time=-1", "--nice=abc", "--account=nosuch", "--mem=999999G", "-N 99", "--dependency=afterok:999999",
    ],
    GE: [
        "-l h_rt=abc", "-l nosuch=1", "-q nosuch", "-P nosuch", "-pe nosuch 2", "-pe smp 0", "-pe smp abc", "-t abc",
        "-t 1-2,5", "-t 0-3", "-nosuch", "-N a/b", "-N 9a", "-m xyz", "-p 2000", "-p abc", "-a nonsense", "-r x",
        "-j x",
        "-l rmem=-1", "-l rmem=abc", "-tc abc", "-ckpt nosuch", "-c xx", "-dl nonsense", "-w x", "-R x", "-shell x",
        "-w e -l gpu=99", "-binding nosuch", "-N a:b",
        # accepted by hand
        "-l h_rt=-1", "-hold_jid nonsense", "-l gpu=99",
    ],
}  # fmt: skip
FORMS = ("flag", "directive", "flag --bare", "directive --bare", "flag --array")
# What asks for no job.
VERIFYING = {
    HPC: ["--test-only", "--test-only --array=1-3", "--help", "-V", "--usage", "--test-only --bare", "-W --test-only"],
    GE: ["-w v", "-verify", "-w p", "-help", "-terse -w v", "-t 1-3 -w v", "-sync y -w v", "-w v --bare"],
}


@dataclass(frozen=True)
class Try:
    """One mistake in one form: `hand` is what is typed, `ours` the flags."""

    option: str
    form: str
    directive: str
    hand: list[str]
    ours: list[str]


def tries(name: str) -> list[Try]:
    sign, array = ("#SBATCH", "--array=1-3") if name == HPC else ("#$", "-t 1-3")
    found = []
    for number, option in enumerate(OPTIONS[name]):
        form = FORMS[number % len(FORMS)]
        if re.search(r"-t\b|--array", option):
            form = form.replace(" --array", "")  # one array is enough
        if "--export-file" in option:
            form = form.replace("directive", "flag")
        hand = array.split() if "--array" in form else []
        ours = [
            word for word in (*(["--array=1-3"] if "--array" in form else []), *form.split()[1:]) if word != "--array"
        ]
        flag = form.startswith("flag")
        found.append(
            Try(
                option,
                form,
                "" if flag else f"{sign} {option}",
                [*hand, *(option.split() if flag else [])],
                [*ours, *([f"--option={option}"] if flag else [])],
            )
        )
    return found


@dataclass(frozen=True)
class Answer:
    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        lines = [line.strip() for line in self.err.splitlines()]
        return [line for line in lines if line and line != "Exiting."]


def typed(name: str, commands: list[tuple[str, list[str]]]) -> list[Answer]:
    """What each command says on the login node, with its script; all by one ssh."""
    program = ["mkdir -p by-hand && cd by-hand\n"]
    submit = "sbatch --hold" if name == HPC else "qsub -h"
    for text, words in commands:
        program.append(f"cat >script <<'EOS'\n{text}EOS\n{submit} {shlex.join(words)} script </dev/null >out 2>err\n")
        program.append('printf "\\n@%s\\n" $?; cat out; printf "\\n@@\\n"; cat err\n')
    said = ssh(name, "sh", script="".join(program))
    parts = re.split(r"^@(\d+)\n", said, flags=re.M)[1:]
    return [Answer(int(status), *both.split("\n@@\n")) for status, both in zip(parts[::2], parts[1::2], strict=True)]


@pytest.fixture(scope="module", params=[GE, HPC])
def name(request: pytest.FixtureRequest, cells: dict[str, Cell], slurm: SlurmCluster) -> Iterator[str]:
    assert cells
    yield request.param
    ssh(request.param, 'scancel -u "$(id -un)"' if request.param == HPC else 'qdel -u "$(id -un)" || true')


@pytest.fixture(scope="module")
def user(name: str, tmp_path_factory: pytest.TempPathFactory) -> Person:
    return move_in(tmp_path_factory.mktemp("mistakes") / "home", configured([name]))


def test_b1_what_is_refused_by_hand_is_refused_in_the_same_words_and_at_once(name: str, user: Person) -> None:
    cases = tries(name)
    texts = [SCRIPT.format(directive=case.directive) for case in cases]
    by_hand = typed(name, [(text, case.hand) for text, case in zip(texts, cases, strict=True)])

    def one(number: int) -> Answer:
        script = user.script(f"script{number}", texts[number])
        done = user.fab("-H", name, "submit", f"--script={script}", "--hold", *cases[number].ours)
        return Answer(done.returncode, done.stdout, done.stderr)

    with ThreadPoolExecutor(4) as pool:
        ours = list(pool.map(one, range(len(cases))))
    wrong = []
    for case, hand, our in zip(cases, by_hand, ours, strict=True):
        same = (hand.status == 0) == (our.status == 0) and our.status in (0, 5)
        if not same or "finding out what became" in our.err:
            wrong.append(f"{case.option!r} ({case.form}): {hand} by hand, {our}")
        elif hand.status:
            missing = [
                line for line in hand.lines if re.sub(r"Job \d+", "", line) not in re.sub(r"Job \d+", "", our.err)
            ]
            if missing or our.out:
                wrong.append(f"{case.option!r} ({case.form}): {missing} not in {our}")
    assert not wrong, "\n".join(wrong)
    assert {answer.status == 0 for answer in by_hand} == {True, False}


def test_b2_what_only_verifies_is_no_job_and_no_failure(name: str, user: Person) -> None:
    options = [option.removesuffix(" --bare") for option in VERIFYING[name]]
    by_hand = typed(name, [(SCRIPT.format(directive=""), option.split()) for option in options])
    script = user.script("verified", SCRIPT.format(directive=""))
    known = user.fab("jobs", "--all", "--json").stdout
    for option, hand in zip(VERIFYING[name], by_hand, strict=True):
        words = ["--bare"] if option.endswith(" --bare") else []
        ours = user.fab(
            "-H", name, "submit", f"--script={script}", f"--option={option.removesuffix(' --bare')}", *words
        )
        assert (hand.status, ours.returncode) == (0, 0), (option, hand, ours)
        assert "no job was made" in ours.stderr
        first = next(line for line in chain(hand.out.splitlines(), hand.lines) if line.strip())
        assert re.sub(r"Job \d+.*", "Job", first) in ours.stdout + ours.stderr
    assert user.fab("jobs", "--all", "--json").stdout == known


def test_b2_an_empty_script_is_no_job(name: str, user: Person) -> None:
    hand = typed(name, [(text, []) for text in ("", " \n\t\n", "# only a comment\n", "#!/bin/sh\n")])
    for text, by_hand in zip(("", " \n\t\n", "# only a comment\n", "#!/bin/sh\n"), hand, strict=True):
        for words in ([], ["--bare"]):
            script = user.script("empty", text)
            ours = user.fab("-H", name, "submit", f"--script={script}", "--hold", *words)
            assert (by_hand.status == 0) == (ours.returncode == 0), (text, by_hand, ours)
            assert "Traceback" not in ours.stderr


def test_b2_what_is_to_start_now_or_never_is_no_job_on_a_full_cell(cells: dict[str, Cell], person: Person) -> None:
    """qsub names the job first and takes it back afterwards."""
    script = person.script("now", SCRIPT.format(directive=""))
    full = ["-now y -l gpu=99", "-now y -terse -l gpu=99", "-now y -t 1-3 -l gpu=99", "-now y -sync y -l gpu=99"]
    by_hand = ssh(
        GE,
        "sh",
        script="printf '#!/bin/sh\\n' >now\n"
        + "".join(f"qsub {words} now >out 2>&1 </dev/null; echo $?\n" for words in full),
    ).split()
    assert by_hand == ["1"] * len(full)
    for words in full:
        done = person.fab("-H", GE, "submit", f"--script={script}", f"--option={words}")
        assert (done.returncode, done.stdout) == (5, ""), done
        assert "could not be scheduled" in done.stderr
    assert person.fab("-H", GE, "status").returncode == 2
    there_is_room = person.fab("-H", GE, "submit", f"--script={script}", "--option=-now y", "--wait")
    assert there_is_room.returncode == 0, there_is_room
    assert "has been successfully scheduled" in there_is_room.stderr
    assert "has been submitted" in there_is_room.stdout


def test_b1_a_submit_command_that_was_killed_is_in_doubt_and_one_that_ended_is_not(
    slurm: SlurmCluster, commuter: Person
) -> None:
    """A status of 128 + N may be a signal's, to it or below a wrapper; 255 is none's."""
    from tests.clusters.hostile import login_node
    from tests.conftest import program

    node = commuter.home / "node"
    node.mkdir()
    with login_node(slurm, node, "wrapped", {".bash_profile": f"PATH={node}/bin:$PATH\n"}) as (person, _):
        for status in (1, 127, 193, 255):
            program(node / "bin" / "sbatch", f"#!/bin/sh\necho 'no more today' >&2\nexit {status}\n")
            done = person.fab("-H", "hpc", "submit", "--script=x")
            assert done.returncode == 5
            assert "no job was made: no more today" in done.stderr
            assert "finding out" not in done.stderr
        program(node / "bin" / "sbatch", '#!/bin/sh\n/usr/bin/sbatch "$@" >/dev/null 2>&1\nkill -9 $$\n')
        done = person.fab("-H", "hpc", "submit", "--script=x", "--hold")
        assert done.returncode == 0, done.stderr  # it has made a job, which its mark tells
        assert done.stdout.startswith("Submitted batch job")
        assert person.fab("-H", "hpc", "cancel").returncode == 0
        program(node / "bin" / "sbatch", "#!/bin/sh\nkill -9 $$\n")
        doubtful = person.start("-H", "hpc", "submit", "--script=x")
        assert doubtful.stderr
        assert "finding out what became" in doubtful.stderr.readline()
        doubtful.kill()
        doubtful.communicate()
