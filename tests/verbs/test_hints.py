"""What somebody is told who mistypes: the word that was most likely meant, or where the list is."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import pytest

from tasks.model.errors import closest
from tasks.model.job import Job
from tasks.model.ledger import Ledger
from tasks.program import SubmithostProgram
from tests.conftest import move_in

CLUSTERS = "clusters:\n  sharc: {host: localhost}\n  iceberg: {host: localhost}\n"
# What is typed, and what a person wants to read: a hint where one word is near, and where the list is when none is.
NEAR = [
    ("submti", "no task 'submti'; did you mean 'submit'?"),
    ("Submit", "did you mean 'submit'?"),
    ("weit", "did you mean 'wait'?"),
    ("log", "did you mean 'logs'?"),
    ("stat", "did you mean 'status'?"),
    ("template", "did you mean 'templates'?"),
    ("resubmitt", "did you mean 'resubmit'?"),
    ("shrac.status", "did you mean 'sharc.status'?"),
    ("all.sumbit", "did you mean 'all.submit'?"),
    ("submit --scirpt=x", "no flag --scirpt of submit; did you mean '--script'?"),
    ("submit --mem=4G", "did you mean '--memory'?"),
    ("submit --core=4", "did you mean '--cores'?"),
    ("submit --gpu=1", "did you mean '--gpus'?"),
    ("submit --tiem=1", "did you mean '--time'?"),
    ("submit --job_file=x", "did you mean '--job-file'?"),
    ("submit --jobfile=x", "did you mean '--job-file'?"),
    ("submit --dryrun", "did you mean '--dry-run'?"),
    ("submit --hots=x", "did you mean '--hosts'?"),
    ("fetch --onyl=x", "did you mean '--only'?"),
    ("logs --folow", "did you mean '--follow'?"),
    ("logs --line=3", "did you mean '--lines'?"),
    ("clean --dry_run", "did you mean '--dry-run'?"),
    ("--verison", "no flag --verison; did you mean '--version'?"),
    ("--hlep", "did you mean '--help'?"),
    ("render --script=seriall", "no file and no template 'seriall'; did you mean 'serial'?"),
    ("render --script=jobs.h", "did you mean 'job.sh'?"),
    ("render --script=serial --set comand=ls",
     "template variable 'command' is not set, and 'comand' is, which this template does not use; "
     "did you mean --set command=...?"),
    ("render --script=hello --set woh=me", "variable 'woh' is not used by"),
    ("render --script=hello --set woh=me", "did you mean 'who'?"),
    ("jobs --state=runing", "no such state; did you mean 'running'?"),
    ("jobs --state=suceeded", "did you mean 'succeeded'?"),
    ("-H sharc logs --job=model", "; job 12 has that name: --job 12"),
    ("-H sharc logs --job=sweep-33", "did you mean 'sweep-3'?"),
    ("all.status --clusters=shrac", "no cluster 'shrac' is configured; did you mean 'sharc'?"),
]  # fmt: skip
FAR = [
    ("plot", "no task 'plot'; submithost --list shows"),
    ("run", "submithost --list shows"),
    ("submit --verbose", "no flag --verbose of submit; submithost --help submit shows"),
    ("submit --quiet", "submithost --help submit shows"),
    ("submit --cluster=x", "submithost --help submit shows"),
    ("submit --nodes=2", "submithost --help submit shows"),
    ("submit --output=x", "submithost --help submit shows"),
    ("submit --partition=x", "submithost --help submit shows"),
    ("wait --watch", "submithost --help wait shows"),
    ("status --only=x", "submithost --help status shows"),
    ("--verbose", "no flag --verbose; submithost --help shows"),
    ("--quiet", "submithost --help shows"),
    ("render --script=nowhere", "templates are array, checkpoint, conda"),
    ("render --script=serial --set zzz=ls", "template variable 'command' is not set; give it with --set command=..."),
    ("jobs --state=done", "no such state; states are pending, held, running"),
    ("-H sharc logs --job=nowhere", "--job takes last, a job ID, a job file, or a key"),
    ("all.status --clusters=x", "there are sharc, iceberg"),
]


@pytest.fixture
def somebody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A person with two clusters, a script and two jobs in the ledger; the program runs in here."""
    configured(tmp_path, monkeypatch, CLUSTERS)
    Path("job.sh").write_text("#!/bin/sh\n")
    ledger = Ledger()
    for key, job_id in (("model-0a1b2c3d4e", "12"), ("sweep-3", "13")):
        ledger.begin(Job(key, "sharc", name=key.partition("-")[0], job_id=job_id))


def configured(home: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Work in an empty directory of somebody who has configured this."""
    (home / ".fabric.yml").write_text(text)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    (home / "work").mkdir()
    monkeypatch.chdir(home / "work")


def said(line: str, captured: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command line says on stderr."""
    monkeypatch.setattr(sys, "argv", ["submithost"])
    with suppress(SystemExit):
        SubmithostProgram().run(["submithost", *line.split(" ")])
    return captured.readouterr().err


@pytest.mark.parametrize(("line", "expected"), NEAR)
@pytest.mark.usefixtures("somebody")
def test_c7_a_near_word_is_suggested(
    line: str, expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert expected in said(line, capsys, monkeypatch)


@pytest.mark.parametrize(("line", "expected"), FAR)
@pytest.mark.usefixtures("somebody")
def test_c7_of_far_words_it_is_told_where_the_list_is(
    line: str, expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    words = said(line, capsys, monkeypatch)
    assert expected in words
    assert "did you mean" not in words


def test_c7_a_mistyped_variable_reads_the_same_under_fab(tmp_path: Path) -> None:
    done = move_in(tmp_path / "home").fab("render", "--script=serial", "--set=comand=ls")
    assert "did you mean --set command=...?" in done.stderr


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("  sharc: {hots: x}", "unknown key 'hots'; did you mean 'host'?"),
        ("  sharc: {sceduler: x}", "did you mean 'scheduler'?"),
        ("  sharc: {Directory: x}", "did you mean 'directory'?"),
        ("  sharc: {resource: {time: 1}}", "did you mean 'resources'?"),
        ("  sharc: {resources: {mem: 1G}}", "unknown key 'mem'; did you mean 'memory'?"),
        ("  sharc: {hostname: x}", "did you mean 'host'?"),
        ("  sharc: {colour: x}", "unknown key 'colour'; known are directory, host, mail"),
        ("  sharc: {scheduler: gridengin}", "'gridengin' is none of gridengine, slurm"),
    ],
)
def test_c7_a_mistyped_key_of_the_configuration_is_named_with_the_right_one(
    tmp_path: Path, key: str, expected: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(tmp_path, monkeypatch, f"clusters:\n{key}\n")
    assert expected in said("clusters", capsys, monkeypatch)


def test_c7_no_word_means_what_is_longer_than_a_slip_away() -> None:
    for word in ("", "x", "xy", "--"):
        assert closest(word, ["script", "set", "r", "key"]) is None
    assert closest("R", ["r", "set"]) == "r"
