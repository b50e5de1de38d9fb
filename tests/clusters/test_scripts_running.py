"""Scripts while they run and when they end: signals, names that hurt, one job of two, and whose word counts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tasks.testbed import register
from tasks.testbed.cell import Cell
from tests.clusters.bench import ssh, until
from tests.clusters.pairs import facts_of, set_start_mode
from tests.conftest import Person, json_lines, move_in

HURTS = "$(touch pwned) \"x\" 'y' `z` \\ ${A} #{b} \n!"


def submitted(person: Person, *words: str) -> tuple[str, Path]:
    """Submit; the job ID and the job directory."""
    done = person.fab("-H", "sandbox", "submit", "--json", *words)
    assert done.returncode == 0, done.stderr
    job = json_lines(done.stdout[done.stdout.index("{") :])[0]
    return job["job_id"], Path(job["directory"])


def output(directory: Path, job_id: str, stream: str = "o") -> str:
    (log,) = directory.glob(f"*.{stream}{job_id}")
    return log.read_text()


def test_g4_names_arguments_and_variables_that_hurt_arrive_as_they_are(person: Person, cells: dict[str, Cell]) -> None:
    folder = person.work / 'o\'clock\nnext "line"'
    folder.mkdir()
    script = folder / "my job (1).sh"
    script.write_text("#!/bin/bash\nprintf '<%s>' \"$@\"\n")
    words = ["$(touch pwned) \"x\" 'y'", "", "two\nlines", HURTS]
    done = person.fab("-H", "sandbox", "submit", f"--script={script}", *(f"--arg={word}" for word in words), "--wait")
    assert done.returncode == 0, done.stderr
    assert "Your job" in done.stdout and '("my_job__1_.sh")' in done.stdout  # noqa: PT018  # one line
    assert "'my_job__1_.sh' unless the script names itself" in done.stderr
    (job,) = person.jobs()
    assert output(Path(job["directory"]), job["job_id"]) == "".join(f"<{word}>" for word in words)

    template = folder / "my template.sh.j2"
    template.write_text("#!/bin/bash\ncat <<'END'\n{{ value }}\nEND\n")
    _, directory = submitted(person, f"--script={template}", "--set", f"value={HURTS}", "--wait", "--name=t")
    (log,) = directory.glob("t.o*")
    assert log.read_text() == f"{HURTS}\n"
    for place in (person.home, cells["sandbox"].home):
        assert not list(place.rglob("pwned"))


SIGNALS = """#!/bin/bash
#$ -notify
for signal in USR1 USR2 TERM INT HUP XCPU; do trap "echo caught $signal" $signal; done
trap 'echo caught USR2; exit 12' USR2
touch ready
for turn in {1..100}; do sleep 0.2; done
"""


def test_a_body_catches_the_warning_of_qdel_and_its_status_is_noted(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", SIGNALS)
    job_id, directory = submitted(person, "--script=x")
    until((directory / "ready").exists)
    cells["sandbox"].must("qdel", job_id)
    job = person.wait()
    assert output(directory, job_id) == "caught USR2\n"
    assert job["exit_status"] == 12


def test_signals_to_the_whole_job_reach_the_body_and_leave_the_notes_alone(person: Person) -> None:
    sent = "USR1 XCPU HUP INT TERM USR2"
    person.script("x", SIGNALS.replace("touch ready", f"for signal in {sent}; do kill -s $signal 0; done"))
    job_id, directory = submitted(person, "--script=x")
    assert person.wait()["exit_status"] == 12
    assert output(directory, job_id) == "".join(f"caught {signal}\n" for signal in sent.split())
    assert output(directory, job_id, "e") == ""


@pytest.mark.parametrize("end", ["exit 137", "kill -9 $$"])
def test_a_killed_body_and_one_that_says_so_are_both_noted(person: Person, end: str) -> None:
    person.script("x", f"#!/bin/bash\n{end}\n")
    job_id, directory = submitted(person, "--script=x")
    job = person.wait()
    assert (job["state"], job["exit_status"]) == ("failed", 137)
    assert output(directory, job_id, "e") == ""


def test_g26_a_bare_script_ends_by_queue_and_accounting_alone(person: Person) -> None:
    text = "#!/bin/bash\n#$ -S /bin/bash\ncat $0\nexit 3\n"
    person.script("x", text)
    job_id, directory = submitted(person, "--script=x", "--bare")
    job = person.wait()
    assert (job["state"], job["exit_status"]) == ("failed", 3)
    assert output(directory, job_id) == text


def test_a_queue_that_feeds_scripts_on_stdin_does_not_feed_them_to_the_body(
    person: Person, cells: dict[str, Cell]
) -> None:
    person.script("x", '#!/bin/bash\n#$ -S /bin/bash\ncat\necho "$1" $SHELL\nexit 4\n')
    set_start_mode(cells["sandbox2"], "script_from_stdin")
    try:
        done = person.fab("-H", "sandbox2", "submit", "--script=x", "--arg=one two", "--fetch=out")
    finally:
        set_start_mode(cells["sandbox2"], "posix_compliant")
    assert done.returncode == 3, done.stderr
    (log,) = (person.work / "out").glob("x.o*")
    assert log.read_text() == "one two /bin/bash\n"


def test_two_array_jobs_of_one_key_do_its_work_once(person: Person, cells: dict[str, Cell]) -> None:
    person.script("x", '#!/bin/bash\necho "$JOB_ID.$SGE_TASK_ID" > "$(mktemp did.XXXXXX)"\n')
    job_id, directory = submitted(person, "--script=x", "--array=1-20", "--hold")
    again = f"cd {directory} && qsub -terse -h -t 1-20 -S /bin/sh .submithost/attempt/asked.*/job/x"
    second = ssh("sandbox", again).partition(".")[0]
    # the second first: whoever starts first has the claim
    cells["sandbox"].must("qrls", second, job_id)
    until(lambda: not re.search(rf"^ *({job_id}|{second}) ", cells["sandbox"].must("qstat"), re.M), 60)
    did = [path.read_text().strip() for path in directory.glob("did.*")]
    winner = (directory / ".submithost" / "claim").readlink().name.partition(".")[0]
    assert winner in (job_id, second)
    assert sorted(did) == sorted(f"{winner}.{task}" for task in range(1, 21))
    (loser,) = {job_id, second} - {winner}
    told = [path.read_text() for path in directory.glob(f"*.e{loser}.*")]
    assert told == [f"submithost: job {winner} already does this work; job {loser} leaves\n"] * 20


def test_workdir_is_where_the_job_runs(person: Person, cells: dict[str, Cell]) -> None:
    there = cells["sandbox"].home / "work there (1)"
    there.mkdir()
    person.script("x", "#!/bin/bash\npwd\n")
    job_id, _ = submitted(person, "--script=x", f"--workdir={there}", "--wait")
    assert output(there, job_id) == f"{there}\n"


# --- flags, then the script, then the cluster's defaults

DEFAULTS = """
    resources: {time: "1:00:00", memory: 4G, cores: 2, queue: all.q, name: ours}
    options: ["-m e -M us@example.org", -P gpu, "-o /tmp/ours", -p -5]
"""
OWN = """#!/bin/bash
#$ -l h_rt=60,rmem=1G
#$ -N mine -pe openmp 3
#$ -wd /tmp -o /tmp/mine -p -7
#$ -m a -M me@b
"""


def configured(home: Path, lines: str) -> Person:
    """Somebody who has more to say about the cluster `sandbox`."""
    registered = register.registration().read_text()
    return move_in(home, registered.replace("  sandbox:", f"  sandbox:{lines.rstrip()}", 1))


def test_flags_beat_the_script_and_the_script_beats_the_defaults(cells: dict[str, Cell], tmp_path: Path) -> None:
    person, cell = configured(tmp_path / "home", DEFAULTS), cells["sandbox"]
    person.script("none.sh", "#!/bin/bash\n")
    person.script("own.sh", OWN)
    flags = ("--time=30", "--name=flag", "--cores=4", "--workdir=/", "--option=-o /tmp/flag -p -9")
    submits = (["--script=none.sh"], ["--script=own.sh"], ["--script=own.sh", *flags])
    ids = [submitted(person, "--hold", *words)[0] for words in submits]
    asked = [facts_of(cell, [job_id])[job_id] for job_id in ids]
    cell.must("qdel", *ids)
    assert [asked_for(one) for one in asked] == [
        ["h_rt=3600,rmem=4G", "ours", "/tmp/ours", "-5", "smp range: 2", "e", "us@example.org"],
        ["h_rt=60,rmem=1G", "mine", "/tmp/mine", "-7", "openmp range: 3", "a", "me@b"],
        ["h_rt=30,rmem=1G", "flag", "/tmp/flag", "-9", "smp range: 4", "a", "me@b"],
    ]
    assert [one["cwd"] for one in asked][1:] == ["/tmp", "/"]
    assert [one["project"] for one in asked] == ["gpu"] * 3


def asked_for(facts: dict[str, str]) -> list[str]:
    """What the defaults, the script and the flags each have an opinion of."""
    words = ("hard resource_list", "job_name", "stdout_path_list", "priority", "parallel environment")
    told = [facts[word].rpartition("NONE:")[2] for word in (*words, "mail_options", "mail_list")]
    return [",".join(sorted(told[0].split(","))), *told[1:]]


def test_g13_the_users_own_sge_request_counts_as_under_qsub(cells: dict[str, Cell], tmp_path: Path) -> None:
    # qsub looks for the home directory in the password database, so it has to be shown the one on the login node.
    cell = cells["sandbox"]
    files = f"NSS_WRAPPER_PASSWD={cell.sge_root}/passwd NSS_WRAPPER_GROUP={cell.sge_root}/group"
    shown = f"LD_PRELOAD=libnss_wrapper.so {files}"
    person = configured(tmp_path / "home", f"\n    setup: [export {shown}]")
    own = cell.home / ".sge_request"
    own.write_text("-v 'A=x y'\n-p -5 -S /bin/tcsh\n-l h_rt=70\n")
    script = "echo $argv:q; setenv B $A:q; printenv B; exit 6\n"
    (cell.home / "typed.sh").write_text(script)
    person.script("typed.sh", script)
    try:
        typed = ssh("sandbox", f"export {shown}; qsub -terse -cwd typed.sh 'one two'").strip()
        job_id, directory = submitted(person, "--script=typed.sh", "--arg=one two", "--hold")
        ours = facts_of(cell, [job_id])[job_id]
    finally:
        own.unlink()
    cell.must("qrls", job_id)
    assert (ours["env_list"], ours["priority"], ours["shell_list"]) == ("TERM=NONE,A=x y", "-5", "NONE:/bin/tcsh")
    assert ours["hard resource_list"] == "h_rt=70"
    assert person.wait()["exit_status"] == 6
    assert output(directory, job_id) == output(cell.home, typed)
    assert output(directory, job_id).endswith("one two\nx y\n")
