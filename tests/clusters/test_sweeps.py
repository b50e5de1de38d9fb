"""submit --over and --grid: a task for each row, told by its values from the submission to the results."""

from __future__ import annotations

import csv
import json
import re

import pytest

from tests.conftest import Person, json_lines

ODD = """it's "$HOME" `id`
 \\n *"""
PLAIN = """#!/bin/bash
printf %s "$text" | cat - in.txt >result.txt
printf '{"loss": 0.%s0, "seed": null}' "$seed" >out.json
echo "row $SUBMITHOST_ROW seed=$seed" && [ "$seed" != 3 ] || [ -e again ]
"""
HOW = ("--array=1-1", "--grid=zz=a  b")
CLUSTERS = pytest.mark.parametrize("cluster", ["sandbox", "sandbox-slurm"])


def rows_file(person: Person) -> str:
    lines = [{"text": ODD if seed == 2 else "x", "seed": seed} for seed in range(1, 6)]
    return person.script("rows.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines))


@CLUSTERS
def test_a_task_for_each_row_with_its_values_in_a_directory_of_its_own(commuter: Person, cluster: str) -> None:
    commuter.script("sim.sh", PLAIN)
    commuter.script("in.txt", "<input>")
    words = [
        "-H",
        cluster,
        "submit",
        "--script=sim.sh",
        f"--over={rows_file(commuter)}",
        "--put=in.txt",
        "--key=odd-rows",
    ]
    done = commuter.fab(*words, "wait", "--timeout=100")
    assert done.returncode == 3, done.stderr
    assert f"{cluster}: 5 rows of rows.jsonl, the tasks of one array job" in done.stderr
    assert "row 3 (text=x seed=3) of job " in done.stderr
    said = commuter.fab("-H", cluster, "status", "--json")
    assert said.stderr.count("\n") == 1
    assert "row 3 (text=x seed=3) of job" in said.stderr
    (job,) = json_lines(said.stdout)
    assert {task: each["row"]["seed"] for task, each in job["tasks"].items()} == {str(n): str(n) for n in range(1, 6)}
    assert job["tasks"]["2"]["row"]["text"] == ODD

    commuter.script("again", "")
    again = ["resubmit", "--failed", "--put=again", "wait", "--timeout=100", "fetch", "--job=odd-rows", "--to=here"]
    table = ["--table=t.tsv", "--collect=*.json"]
    brought = commuter.fab("-H", cluster, *again, *table, "logs", "--job=odd-rows", "--row=seed=4")
    assert brought.returncode == 0, brought.stderr
    results = {path.parent.name: path.read_text() for path in (commuter.work / "here").glob("rows/*/*.txt")}
    assert results == {str(n): f"{ODD if n == 2 else 'x'}<input>" for n in range(1, 6)}
    assert brought.stdout.endswith("\nrow 4 seed=4\n")
    with (commuter.work / "t.tsv").open(newline="") as file:
        lines = list(csv.DictReader(file, dialect="excel-tab"))
    assert [line["text"] for line in lines] == ["x", ODD, "x", "x", "x"]
    assert [(line["row"], line["loss"], line["state"]) for line in lines] == [
        (str(n), f"0.{n}0", "succeeded") for n in range(1, 6)
    ]
    (same,) = json_lines(commuter.fab(*words, "--json").stdout)  # the same again makes no second job
    assert same["job_id"] == job["job_id"]


def test_a_ragged_file_is_one_line_and_a_dry_run_shows_the_first_rows(person: Person) -> None:
    person.script("sim.sh", "#!/bin/sh\n")
    person.script("ragged.csv", "a,b\n1,2\n2\n")
    refused = person.fab("-H", "sandbox", "submit", "--script=sim.sh", "--over=ragged.csv")
    said = (2, "", "submit: ragged.csv:3: 1 value for 2 columns\n")
    assert (refused.returncode, refused.stdout, refused.stderr) == said
    done = person.fab("-H", "sandbox", "submit", "--script=sim.sh", "--grid=a=1-40", "--grid=b=x,y", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("sandbox: 80 rows, the tasks of one array job\n")
    assert "# row 1 (a=1 b=x)\n# row 2 (a=1 b=y)\n# row 3 (a=2 b=x)\nput " in done.stdout
    assert "-t 1-80:1 " in done.stdout


@CLUSTERS
def test_the_environment_is_that_of_an_array_job_and_the_row(commuter: Person, cluster: str) -> None:
    commuter.script("env.sh", "#!/bin/bash\necho BEGIN\nenv -0\n")
    keys = ("env-of-an-array", "env-of-a-sweep")
    submits = [("submit", "--script=env.sh", how, f"--key={key}") for how, key in zip(HOW, keys, strict=True)]
    logs = [("logs", f"--job={key}", "--task=1") for key in keys]
    words = [word for part in (*submits, ("wait", "--timeout=100"), *logs) for word in part]
    done = commuter.fab("-H", cluster, *words)
    assert done.returncode == 0, done.stderr
    blocks = done.stdout.split("BEGIN\n")[1:]
    found = [dict(line.split("=", 1) for line in block.split("\0") if "=" in line) for block in blocks]
    plain, swept = found
    assert {name: swept[name] for name in set(swept) - set(plain)} == {"SUBMITHOST_ROW": "1", "zz": "a  b"}
    assert set(plain) <= set(swept)
    assert swept["PWD"].endswith("/rows/1")
    same = {name for name in plain if re.sub(r"\d+", "N", plain[name]) == re.sub(r"\d+", "N", swept[name])}
    of_a_job = re.compile(r"PWD|OLDPWD|JOB_SCRIPT|TMP|TMPDIR|SGE_.*|SLURM_.*|SSH_.*")
    assert not [name for name in set(plain) - same if not of_a_job.fullmatch(name)]


def test_a_sweep_is_cut_where_tasks_have_no_higher_numbers_and_found_again_on_another_machine(commuter: Person) -> None:
    commuter.script("x", "#!/bin/sh\n")
    words = ["--script=x", "--grid=i=1-1002", "--at-once=3", "--hold", "--key=cut-up"]
    done = commuter.fab("-H", "sandbox-slurm", "submit", *words)
    assert done.returncode == 0, done.stderr
    assert "1002 rows, the tasks of 2 array jobs: 1000 is the most for one there" in done.stderr
    assert done.stdout.count("Submitted batch job ") == 2
    (commuter.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    same = commuter.fab("-H", "sandbox-slurm", "submit", *words, "status", "--json", "--group=cut-up")
    assert same.stdout.startswith(done.stdout), same.stderr
    large, small = json_lines(same.stdout.removeprefix(done.stdout))
    assert (large["tasks"]["1000"]["row"], small["tasks"]["2"]["row"]) == ({"i": "1000"}, {"i": "1002"})
    (commuter.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    adopted = commuter.fab("-H", "sandbox-slurm", "adopt", "logs", "--group=cut-up", "--row=i=1002")
    assert f"logs: job {small['job_id']} " in adopted.stderr  # which has not started
    ended = commuter.fab("-H", "sandbox-slurm", "cancel", "--group=cut-up", "--yes")
    assert ended.returncode == 0, ended.stderr


def test_separate_rows_ask_for_their_own_and_are_submitted_once(person: Person) -> None:
    person.script("x", '#!/bin/sh\necho "$x" >out.txt\nexit "$x"\n')
    person.script("s.csv", "name,memory,x\none,1G,0\ntwo,2G,7\n")
    words = ["-H", "sandbox", "submit", "--script=x", "--over=s.csv", "--separate", "--key=separate-rows"]
    done = person.fab(*words, "wait", "--timeout=100")
    assert done.returncode == 3, done.stderr
    assert "row 2 (name=two memory=2G x=7) of job " in done.stderr
    (person.home / ".local" / "state" / "submithost" / "ledger.sqlite").unlink()
    table = ["fetch", "--group=separate-rows", "--to=here", "--table=-", "--collect=out.txt"]
    same = person.fab(*words, *table)
    assert same.returncode == 0, same.stderr
    answers = "".join(f"{line}\n" for line in done.stdout.splitlines() if line.startswith("Your job "))
    head = "row,name,memory,x,out,state,exit_status\n"
    assert same.stdout == f"{answers}{head}1,one,1G,0,0,succeeded,0\n2,two,2G,7,7,failed,7\n"
