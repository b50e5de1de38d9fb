"""submit --over and --grid: a task for each row, told by its values from the submission to the results."""

from __future__ import annotations

import csv
import json

import pytest

from tests.conftest import Person, json_lines

ODD = """it's "$HOME" `id`
 \\n *"""
PLAIN = """#!/bin/bash
printf %s "$text" | cat - in.txt >result.txt
printf '{"loss": 0.%s0, "seed": null}' "$seed" >out.json
echo "row $SUBMITHOST_ROW seed=$seed" && [ "$seed" != 3 ] || [ -e again ]
"""
CLUSTERS = pytest.mark.parametrize("cluster", ["sandbox", "sandbox-slurm"])


def rows_file(person: Person) -> str:
    lines = [{"text": ODD if seed == 2 else "x", "seed": seed} for seed in range(1, 6)]
    return person.script("rows.jsonl", "".join(f"{json.dumps(line)}\n" for line in lines))


@CLUSTERS
def test_a_task_for_each_row_with_its_values_in_a_directory_of_its_own(commuter: Person, cluster: str) -> None:
    commuter.script("sim.sh", PLAIN)
    commuter.script("in.txt", "<input>")
    words = ["-H", cluster, "submit", "--script=sim.sh", f"--over={rows_file(commuter)}", "--put=in.txt", "--key=odd"]
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
    again = ["resubmit", "--failed", "--put=again", "wait", "--timeout=100", "fetch", "--job=odd", "--to=here"]
    table = ["--table=t.tsv", "--collect=*.json"]
    brought = commuter.fab("-H", cluster, *again, *table, "logs", "--job=odd", "--row=seed=4")
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
