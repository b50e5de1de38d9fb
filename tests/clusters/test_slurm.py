"""Slurm: its quirks, each by its number, and that a key is one job there too."""

from __future__ import annotations

import getpass
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tasks.testbed import bed, register, slurm_daemons
from tasks.testbed.slurm import SlurmCluster
from tasks.testbed.sshd import extra_sshd, main_door
from tests.clusters.bench import asked, lose_the_answer, until
from tests.clusters.hostile import login_node
from tests.conftest import Person, json_lines, move_in, program, until_there

HPC = "sandbox-slurm"
SEVEN = "#!/bin/sh\necho out\nexit 7\n"


@pytest.fixture
def user(commuter: Person) -> Person:
    """Somebody with a script or two."""
    commuter.script("x", SEVEN)
    commuter.script("long", "#!/bin/sh\nsleep 100\n")
    return commuter


def shown(cluster: SlurmCluster, job_id: str) -> str:
    return cluster.must("scontrol", "show", "job", job_id)


# --- submitting


def test_s1_an_id_alone_is_an_answer_too(user: Person) -> None:
    done = user.fab("-H", HPC, "submit", "--script=x", "--option=--parsable", "--hold")
    assert done.returncode == 0, done.stderr
    (job,) = user.jobs(cluster=HPC)
    assert (done.stdout, job["state"]) == (f"{job['job_id']}\n", "held")
    assert user.fab("-H", HPC, "cancel").returncode == 0


def test_s2_an_array_job_is_one_job_whatever_numbers_its_tasks_have(user: Person) -> None:
    user.script("tasks", '#!/bin/sh\necho $SLURM_ARRAY_TASK_ID\n[ "$SLURM_ARRAY_TASK_ID" != 6 ] || exit 9\nsleep 2\n')
    job_id = user.submit("tasks", "--array=1-5:2,6", "--at-once=2", cluster=HPC)
    (job,) = user.jobs(cluster=HPC)
    assert set(job["tasks"]) <= {"1", "3", "5", "6"}
    ended = user.wait(cluster=HPC)
    assert {task: facts["exit_status"] for task, facts in ended["tasks"].items()} == {"1": 0, "3": 0, "5": 0, "6": 9}
    assert user.fab("-H", HPC, "fetch", "--to=out").returncode == 0
    assert (user.work / "out" / f"tasks.o{job_id}.6").read_text() == "6\n"
    assert user.fab("-H", HPC, "logs", "--task=3").stdout == "3\n"

    again = user.fab("-H", HPC, "resubmit", "--failed", "--json")
    (second,) = json_lines(again.stdout)
    assert list(user.wait(cluster=HPC)["tasks"]) == ["6"], again.stderr
    assert second["job_id"] != job_id
    assert user.fab("-H", HPC, "resubmit", f"--job={job_id}").returncode == 0
    assert list(user.jobs("--job=last", cluster=HPC)[0]["tasks"]) == ["1", "3", "5", "6"]
    user.fab("-H", HPC, "cancel", "--all")

    user.submit("long", "--array=1-3", "--hold", cluster=HPC)
    assert user.fab("-H", HPC, "cancel", f"--job={user.jobs(cluster=HPC)[0]['job_id']}.2").returncode == 0
    (job,) = user.jobs(cluster=HPC)
    assert {task: facts["state"] for task, facts in job["tasks"].items()} == {
        "1": "held",
        "2": "cancelled",
        "3": "held",
    }
    user.fab("-H", HPC, "cancel")


def test_s2_tasks_that_started_before_they_were_asked_for_are_tasks_of_the_job(
    user: Person, slurm: SlurmCluster, tmp_path: Path
) -> None:
    """scontrol has a line of its own for each of them, and the first line is for what is left to start."""
    node, go = tmp_path / "node", tmp_path / "end"
    slow = f"#!/bin/sh\n: >'{node}/asked'\n{until_there(node / 'go')}\nexec /usr/bin/scontrol \"$@\"\n"
    program(node / "bin" / "scontrol", slow)
    user.script("tasks", f"#!/bin/sh\n{until_there(go)}\n")
    with login_node(slurm, node, "slow", {".bash_profile": f"PATH={node}/bin:$PATH\n"}) as (person, _):
        shutil.copy(user.work / "tasks", person.work)
        submitting = person.start("-H", "hpc", "submit", "--script=tasks", "--array=1-5:2,7", "--at-once=2")
        until((node / "asked").exists)
        until(lambda: slurm.must("squeue", "-h", "-t", "R", "-n", "tasks").count("\n") == 2)
        (node / "go").touch()
        _, err = submitting.communicate(timeout=60)
        assert submitting.returncode == 0, err
        (job,) = person.jobs(cluster="hpc")
        assert {task: each["state"] for task, each in job["tasks"].items()} == {
            "1": "running", "3": "running", "5": "pending", "7": "pending"
        }  # fmt: skip
        go.touch()
        assert person.wait(cluster="hpc")["state"] == "succeeded"


def test_s2_many_tasks_that_make_no_range_are_told_whole(user: Person, slurm: SlurmCluster) -> None:
    """squeue, scontrol and sacct cut such a list after 64 characters if they are let."""
    numbers = [number for number in range(99) if number * number % 7 < 3]
    job_id = user.submit("x", f"--array={','.join(map(str, numbers))}", "--hold", cluster=HPC)
    (job,) = user.jobs(cluster=HPC)
    assert {int(task): each["state"] for task, each in job["tasks"].items()} == dict.fromkeys(numbers, "held")
    slurm.must("scancel", job_id)
    (job,) = user.jobs(cluster=HPC)
    assert {int(task): each["state"] for task, each in job["tasks"].items()} == dict.fromkeys(numbers, "cancelled")


def test_s2_what_was_left_of_an_array_job_is_cancelled_with_all_jobs_of_its_user(
    user: Person, slurm: SlurmCluster
) -> None:
    """`scancel -u` leaves no word of which tasks those were."""
    user.submit("long", "--array=0-9", "--at-once=2", cluster=HPC)
    until(lambda: slurm.must("squeue", "-h", "-t", "R", "-n", "long").count("\n") == 2)
    slurm.must("scancel", "-u", getpass.getuser())
    waited = user.fab("-H", HPC, "wait", "--json", "--timeout=50")
    (job,) = json_lines(waited.stdout)
    assert (job["state"], {each["state"] for each in job["tasks"].values()}) == ("cancelled", {"cancelled"})


def test_s6_memory_is_per_core_and_a_bare_number_of_time_is_seconds(user: Person, slurm: SlurmCluster) -> None:
    job_id = user.submit("x", "--hold", "--memory=2G", "--time=120", "--cores=2", cluster=HPC)
    said = shown(slurm, job_id)
    assert "MinMemoryCPU=2G" in said
    assert "TimeLimit=00:02:00" in said
    assert "CPUs/Task=2" in said
    user.fab("-H", HPC, "cancel")


def test_s7_s9_what_sbatch_refuses_is_one_line_and_no_job(user: Person) -> None:
    refused = user.fab("-H", HPC, "submit", "--script=x", "--array=1-2000")
    assert (refused.returncode, refused.stdout, refused.stderr.count("\n")) == (5, "", 1)
    assert "Invalid job array specification" in refused.stderr
    user.script("bare", "echo hello\n")
    unread = user.fab("-H", HPC, "submit", "--script=bare")
    assert (unread.returncode, unread.stderr.count("\n")) == (2, 1)
    assert "#!" in unread.stderr


def test_s8_s9_the_login_environment_reaches_the_job_and_only_its_first_directives_count(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    home = tmp_path / "login home"
    home.mkdir()
    (home / ".profile").write_text(f"export SLURM_CONF={slurm.settings()['SLURM_CONF']} OF_THE_LOGIN='a b'\n")
    with extra_sshd(slurm, "login", login_shell="/bin/sh", home=home, set_env=False) as door:
        config = f"clusters:\n  hpc: {{host: login, ssh_config: '{door.ssh_config}', options: [--comment=default]}}\n"
        person = move_in(tmp_path / "person", config)
        person.script(
            "x",
            "#!/bin/bash\n#SBATCH --comment=mine --time=3\n\n# a comment\n#SBATCH --nice=7\n"
            'echo "$OF_THE_LOGIN" "$1" "$0"\n#SBATCH --job-name=late\nexit 3\n',
        )
        done = person.fab("-H", "hpc", "submit", "--script=x", "--arg=it's $HOME", "--time=240", "--fetch=out")
        assert done.returncode == 3, done.stderr
        assert "hpc: found slurm; remembered" in done.stderr
        (log,) = (person.work / "out").glob("x.o*")
        (job,) = person.jobs(cluster="hpc")
        assert log.read_text() == f"a b it's $HOME {job['directory']}/.submithost/script\n"
        said = shown(slurm, job["job_id"])
    assert "Comment=mine" in said  # the script beats the default
    assert "TimeLimit=00:04:00" in said  # and the flag the script
    assert "Nice=7" in said
    assert "JobName=x\n" in said


@pytest.mark.parametrize("way", ["flag", "script", "cluster"])
def test_an_output_that_is_named_takes_the_errors_along_as_with_plain_sbatch(
    slurm: SlurmCluster, tmp_path: Path, way: str
) -> None:
    options = "[--output=both]" if way == "cluster" else "[]"
    config = f"clusters:\n  hpc: {{host: {HPC}, ssh_config: '{main_door(slurm).ssh_config}', options: {options}}}\n"
    user = move_in(tmp_path / "person", config)
    directive = "#SBATCH --output=both\n" if way == "script" else ""
    user.script("x", f"#!/bin/sh\n{directive}echo out; echo err >&2\n")
    flags = ["--option=--output=both"] if way == "flag" else []
    done = user.fab("-H", "hpc", "submit", "--script=x", *flags, "--wait")
    assert done.returncode == 0, done.stderr
    (job,) = user.jobs(cluster="hpc")
    assert (Path(job["directory"]) / "both").read_text() == "out\nerr\n"
    assert not list(Path(job["directory"]).glob("x.*"))


def test_what_has_started_is_not_told_to_be_held(user: Person) -> None:
    job_id = user.submit("long", cluster=HPC)
    until(lambda: user.jobs(cluster=HPC)[0]["state"] == "running")
    held = user.fab("-H", HPC, "hold")
    assert (held.returncode, held.stdout) == (5, "")
    assert held.stderr.endswith(f"job {job_id} has started\n")
    user.fab("-H", HPC, "cancel")


@pytest.mark.parametrize("script", ["x", "hello"])
def test_a_name_is_a_name_whatever_is_in_it(user: Person, slurm: SlurmCluster, script: str) -> None:
    name = 'it\'s a/b --hold "q" \\n'
    job_id = user.submit(script, f"--name={name}", cluster=HPC)
    assert f"JobName={name}\n" in shown(slurm, job_id)
    assert user.wait(cluster=HPC)["name"] == name


@pytest.mark.parametrize("bare", [False, True])
def test_a_job_whose_log_has_no_place_has_failed_and_says_why(user: Person, bare: bool, tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    words = [f"--option=--output={nowhere}/x", *(["--bare"] if bare else [])]
    done = user.fab("-H", HPC, "submit", "--script=x", "--wait", *words)
    assert done.returncode == 3
    assert f"the job's log goes into {nowhere}, which is no directory on the login node" in done.stderr
    assert "s (Slurm could not start it: is there a place for its --output and --error?)" in done.stderr
    assert user.jobs(cluster=HPC)[0]["exit_status"] is None


# --- watching


def test_s5_a_wrapper_that_prints_help_is_could_not_ask(user: Person, slurm: SlurmCluster, tmp_path: Path) -> None:
    bin_ = program(tmp_path / "bin" / "squeue", "#!/bin/sh\necho 'usage: squeue [-j one job]'\n").parent
    home = tmp_path / "home over there"
    home.mkdir()
    (home / ".profile").write_text(f"export SLURM_CONF={slurm.settings()['SLURM_CONF']} PATH={bin_}:$PATH\n")
    with extra_sshd(slurm, "wrapped", login_shell="/bin/sh", home=home, set_env=False) as door:
        person = move_in(
            tmp_path / "person",
            f"clusters:\n  hpc: {{host: wrapped, ssh_config: '{door.ssh_config}', scheduler: slurm}}\n",
        )
        person.script("x", SEVEN)
        person.submit("x", "--hold", cluster="hpc")
        asked = person.fab("-H", "hpc", "status", "--json")
        assert asked.returncode == 5
        assert json_lines(asked.stdout)[0]["state"] == "unknown"
        assert "squeue is not understood" in asked.stderr
        assert person.fab("-H", "hpc", "cancel").returncode == 0


def test_a_job_that_is_cancelled_or_over_its_time_or_requeued_is_told_apart(user: Person, slurm: SlurmCluster) -> None:
    running = user.submit("long", cluster=HPC)
    until(lambda: user.jobs(f"--job={running}", cluster=HPC)[0]["state"] == "running")
    slurm.must("scontrol", "requeue", running)
    until(lambda: "JobState=PENDING" in shown(slurm, running))
    (job,) = user.jobs(f"--job={running}", cluster=HPC)
    assert job["state"] == "pending"  # though its first run has noted an end
    assert user.fab("-H", HPC, "cancel").returncode == 0
    assert user.wait(cluster=HPC)["state"] == "cancelled"

    by_hand = user.submit("long", cluster=HPC)
    until(lambda: "JobState=RUNNING" in shown(slurm, by_hand))
    slurm.must("scancel", by_hand)
    ended = user.wait(cluster=HPC)
    assert ended["state"] == "cancelled"
    assert ended["exit_status"] != 0

    over_its_time = user.submit("long", "--time=300", cluster=HPC)
    until(lambda: "JobState=RUNNING" in shown(slurm, over_its_time))
    slurm.must("scontrol", "update", f"JobId={over_its_time}", "EndTime=now+1")
    ended = user.wait(cluster=HPC)
    assert ended["state"] == "failed"
    assert "(timeout)" in user.fab("-H", HPC, "status").stderr


def test_while_the_controller_is_down_nothing_changes_and_nothing_is_lost(user: Person, slurm: SlurmCluster) -> None:
    job_id = user.submit("x", "--hold", cluster=HPC)
    slurm_daemons.stop_slurmctld(slurm)
    try:
        asked = user.fab("-H", HPC, "status", "--json")
        assert asked.returncode == 5
        assert json_lines(asked.stdout)[0]["state"] == "unknown"
        began = user.fab("-H", HPC, "submit", "--script=x", "--key=controller-down", timeout=200)
        assert (began.returncode, began.stdout) == (5, "")
    finally:
        slurm_daemons.start_slurmctld(slurm)
    assert user.jobs(f"--job={job_id}", cluster=HPC)[0]["state"] == "held"
    again = user.fab("-H", HPC, "submit", "--script=x", "--key=controller-down", "--wait", timeout=200)
    assert again.returncode == 3, again.stderr
    user.fab("-H", HPC, "cancel", f"--job={job_id}")


# --- exactly once


def test_a_lost_answer_is_found_by_the_mark_and_later_by_the_claim(user: Person, slurm: SlurmCluster) -> None:
    words = ["-H", HPC, "submit", "--script=x", "--key=lost", "--array=1-3:2", "--hold"]
    mine = slurm.home / ".submithost" / "jobs" / "lost" / ".submithost"
    ledger = user.home / ".local" / "state" / "submithost" / "ledger.sqlite"
    # Below another `directory` the same key is another submission.
    other = program(slurm.home / "elsewhere" / "lost" / ".submithost" / "job" / "x", "#!/bin/sh\n")
    slurm.must("scancel", slurm.must("sbatch", "--parsable", "--hold", str(other)).strip())
    first = user.fab(*words)
    assert first.returncode == 0, first.stderr

    def forget() -> None:
        ledger.unlink()
        lose_the_answer(mine)

    forget()
    (asked(mine) / "out").write_text(first.stdout)  # and nobody lived to ask for its tasks
    assert user.fab(*words).stdout == first.stdout
    (job,) = user.jobs(cluster=HPC)
    assert (sorted(job["tasks"]), job["directory"]) == (["1", "3"], str(mine.parent))
    assert user.fab("-H", HPC, "release").returncode == 0
    assert user.wait(cluster=HPC)["state"] == "failed"
    forget()
    assert user.fab(*words).stdout == first.stdout
    (job,) = user.jobs(cluster=HPC)
    assert (job["state"], sorted(job["tasks"])) == ("failed", ["1", "3"])


@contextmanager
def forgotten(slurm: SlurmCluster, copy: Path) -> Iterator[None]:
    """What the controller is told meanwhile it forgets: it saves its state every five seconds, and is killed."""
    state = slurm.root / "state"
    slurm_daemons.stop_slurmctld(slurm)
    shutil.copytree(state, copy)
    slurm_daemons.start_slurmctld(slurm)
    yield
    slurm_daemons.kill_slurmctld(slurm)
    shutil.rmtree(state)
    shutil.copytree(copy, state)
    slurm_daemons.start_slurmctld(slurm)


def test_a_forgotten_job_is_not_told_to_be_the_one_that_got_its_number(user: Person, slurm: SlurmCluster) -> None:
    with forgotten(slurm, user.home / "state"):
        lost = user.submit("x", "--hold", "--key=forgotten", cluster=HPC)
    assert user.submit("long", "--key=its-number", cluster=HPC) == lost
    until(lambda: user.jobs("--job=its-number", cluster=HPC)[0]["state"] == "running")
    assert user.jobs("--job=forgotten", cluster=HPC)[0]["state"] == "unknown"
    for how in ("cancel", "hold"):
        done = user.fab("-H", HPC, how, "--job=forgotten")
        assert (done.returncode, done.stdout) == (0, "")
        assert "given the number to the job of key its-number, which is left alone" in done.stderr
    assert user.jobs("--job=its-number", cluster=HPC)[0]["state"] == "running"
    slurm_daemons.stop_slurmctld(slurm)
    asked = user.fab("-H", HPC, "status", "--json", "--job=forgotten")
    slurm_daemons.start_slurmctld(slurm)
    assert (asked.returncode, json_lines(asked.stdout)[0]["state"]) == (5, "unknown"), asked.stderr
    user.fab("-H", HPC, "cancel", "--job=its-number")
    assert user.wait("--job=its-number", cluster=HPC)["state"] == "cancelled"
    assert user.wait("--job=forgotten", cluster=HPC)["state"] == "vanished"


@pytest.mark.parametrize("requeued", [False, True])
def test_a_job_whose_run_was_forgotten_does_not_run_again(user: Person, slurm: SlurmCluster, requeued: bool) -> None:
    user.script("once", "#!/bin/sh\necho did >>did\nexit 7\n")
    job_id = user.submit("once", "--hold", f"--key=ran-{requeued}", cluster=HPC)
    directory = slurm.home / ".submithost" / "jobs" / f"ran-{requeued}"
    if requeued:  # which is a run of its own, and not to be held against it
        slurm.must("scontrol", "release", job_id)
        until(lambda: "JobState=FAILED" in shown(slurm, job_id))
        slurm.must("scontrol", "requeuehold", job_id)
        until(lambda: "JobState=PENDING" in shown(slurm, job_id))
    with forgotten(slurm, user.home / "state"):
        slurm.must("scontrol", "release", job_id)
        until(lambda: "JobState=FAILED" in shown(slurm, job_id))
    assert "JobState=PENDING" in shown(slurm, job_id)
    assert user.jobs(f"--job=ran-{requeued}", cluster=HPC)[0]["state"] in ("pending", "held")
    slurm.must("scontrol", "release", job_id)
    assert (user.wait(f"--job=ran-{requeued}", cluster=HPC)["state"]) == "failed"
    until(lambda: "JobState=FAILED" in shown(slurm, job_id))
    assert (directory / "did").read_text() == "did\n" * (1 + requeued)
    assert "has run already" in (directory / f"once.e{job_id}").read_text()
    assert "ExitCode=7:0" in shown(slurm, job_id)


def test_a_job_of_somebody_elses_ledger_is_adopted_by_its_number(user: Person) -> None:
    job_id = user.submit("x", "--hold", "--key=elsewhere", cluster=HPC)
    (user.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    assert user.fab("-H", HPC, "adopt", f"--job={job_id}").returncode == 0
    assert user.jobs(f"--job={job_id}", cluster=HPC)[0]["state"] == "held"
    user.fab("-H", HPC, "cancel", f"--job={job_id}")


def test_an_array_job_counts_from_0_and_task_0_is_a_task(user: Person) -> None:
    user.script("tasks", "#!/bin/sh\necho task $SLURM_ARRAY_TASK_ID\nexit $((7 - SLURM_ARRAY_TASK_ID))\n")
    job_id = user.submit("tasks", "--array=0-2", "--hold", cluster=HPC)
    nameless = user.fab("-H", HPC, "logs", f"--job={job_id}")
    assert (nameless.returncode, "name a task with --task, 0 to 2" in nameless.stderr) == (2, True)
    assert user.fab("-H", HPC, "cancel", f"--job={job_id}.1").returncode == 0
    user.fab("-H", HPC, "release", f"--job={job_id}")
    waited = user.fab("-H", HPC, "wait", "--json", f"--job={job_id}")
    assert f"task 0 of job {job_id}" in waited.stderr
    (job,) = json_lines(waited.stdout)
    assert {task: told["state"] for task, told in job["tasks"].items()} == {
        "0": "failed", "1": "cancelled", "2": "failed",
    }  # fmt: skip
    assert user.fab("-H", HPC, "logs", f"--job={job_id}", "--task=0").stdout == "task 0\n"
    assert user.fab("-H", HPC, "logs", f"--job={job_id}.2").stdout == "task 2\n"
    job_id = user.submit("long", "--array=0-1", "--hold", cluster=HPC)
    assert user.fab("-H", HPC, "cancel", f"--job={job_id}.0").returncode == 0
    job = user.jobs(f"--job={job_id}", cluster=HPC)[0]
    assert {task: told["state"] for task, told in job["tasks"].items()} == {"0": "cancelled", "1": "held"}
    assert user.fab("-H", HPC, "cancel", f"--job={job_id}").returncode == 0


def test_an_argument_of_several_lines_blinds_nobody(user: Person) -> None:
    """squeue shows a job's command with its arguments, as they are."""
    user.script("said", '#!/bin/sh\nprintf "<%s>" "$@"\n')
    user.submit("said", "--hold", "--arg=one\n2|3|RUNNING|None|/x|.", "--key=lines", cluster=HPC)
    user.submit("x", "--key=another", "--hold", cluster=HPC)
    assert [job["state"] for job in user.jobs("--job=lines", "--job=another", cluster=HPC)] == ["held", "held"]
    assert user.fab("-H", HPC, "release", "--job=lines").returncode == 0
    assert user.wait("--job=lines", cluster=HPC)["state"] == "succeeded"
    assert user.fab("-H", HPC, "logs", "--job=lines").stdout == "<one\n2|3|RUNNING|None|/x|.>"
    user.fab("-H", HPC, "cancel", "--job=another")


def test_two_jobs_of_one_key_do_its_work_once(user: Person, slurm: SlurmCluster) -> None:
    user.script("once", '#!/bin/sh\necho "$SLURM_JOB_ID" >>did\n')
    job_id = user.submit("once", "--hold", "--key=twice", cluster=HPC)
    directory = slurm.home / ".submithost" / "jobs" / "twice"
    script = asked(directory / ".submithost") / "job" / "once"
    other = slurm.must("sbatch", "--parsable", "--hold", f"--chdir={directory}", str(script)).strip()
    slurm.must("scontrol", "release", other)
    slurm.must("scontrol", "release", job_id)
    until(lambda: all("JobState=COMPLETED" in shown(slurm, one) for one in (job_id, other)))
    assert len((directory / "did").read_text().splitlines()) == 1


# --- how it ended, when the controller has forgotten


@pytest.fixture(scope="module", params=[False, True], ids=["notes-alone", "accounting"])
def forgetful(request: pytest.FixtureRequest, slurm: SlurmCluster) -> Iterator[SlurmCluster]:
    """A cluster whose controller forgets a job two seconds after its end, without and with accounting."""
    del slurm
    name = "forgetful"
    (cluster,) = bed.up_slurm([name], slots=8, accounting=request.param, min_job_age=2)
    assert isinstance(cluster, SlurmCluster)
    yield cluster
    bed.down([name])


def test_s2_tasks_that_were_forgotten_before_the_job_was_found_have_noted_that_they_are_its_own(
    forgetful: SlurmCluster, tmp_path: Path
) -> None:
    person = move_in(tmp_path / "home", register.registration().read_text())
    person.script("x", '#!/bin/sh\n[ "$SLURM_ARRAY_TASK_ID" = 1 ] && exit 7\n[ -e go ] || sleep 100\n')
    words = ("-H", "forgetful", "submit", "--script=x", "--key=late", "--array=1-3,7", "--at-once=1")
    assert person.fab(*words).returncode == 0
    directory = forgetful.home / ".submithost" / "jobs" / "late"
    until(lambda: (directory / ".submithost/notes/0/2.start").exists())
    job_id = person.jobs(cluster="forgetful")[0]["job_id"]
    until(lambda: "ArrayTaskId=1 " not in shown(forgetful, job_id), 180)
    (person.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    lose_the_answer(directory / ".submithost")
    assert person.fab(*words).returncode == 0
    (job,) = person.jobs(cluster="forgetful")
    assert {task: each["state"] for task, each in job["tasks"].items()} == {
        "1": "failed", "2": "running", "3": "pending", "7": "pending"
    }  # fmt: skip
    forgetful.must("scancel", job_id)


def test_s3_s4_after_it_is_forgotten_notes_or_accounting_tell_how_a_job_ended(
    forgetful: SlurmCluster, tmp_path: Path
) -> None:
    person = move_in(tmp_path / "home", register.registration().read_text())
    go = tmp_path / "go"  # else they may have ended before `submit` here has asked for their numbers
    person.script("x", f"#!/bin/sh\n{until_there(go)}\nexit 7\n")
    person.script("long", "#!/bin/sh\nsleep 100\n")
    noted = person.submit("x", cluster="forgetful")
    bare = person.submit("x", "--bare", cluster="forgetful")
    gone = person.submit("long", "--bare", cluster="forgetful")
    until(lambda: "JobState=RUNNING" in shown(forgetful, gone))
    go.touch()
    forgetful.must("scancel", gone)
    until(lambda: all(forgetful.run("scontrol", "show", "job", one).returncode for one in (noted, bare, gone)), 180)
    time.sleep(1)
    jobs = {job["job_id"]: job for job in person.jobs("--all", cluster="forgetful")}
    assert (jobs[noted]["state"], jobs[noted]["exit_status"]) == ("failed", 7)
    if forgetful.accounting:
        assert (jobs[bare]["state"], jobs[bare]["exit_status"]) == ("failed", 7)
        assert jobs[gone]["state"] == "cancelled"
    else:  # could not be known is never gone
        assert [jobs[one]["state"] for one in (bare, gone)] == ["unknown", "unknown"]
