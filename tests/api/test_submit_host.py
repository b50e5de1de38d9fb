"""The API in programs of its own, as a notebook runs it: values and errors, threads, and not a word on the terminal."""

from __future__ import annotations

import inspect
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tasks
from tasks.api.again import Again
from tasks.api.chosen import More
from tasks.api.jobs import JobVerbs
from tasks.api.submit_host import SubmitHost
from tasks.model.errors import InvalidInput, SchedulerError
from tasks.verbs.catalogue import by_name
from tests.conftest import ROOT, Person, program

EACH_ON_ITS_OWN = """
import json, os, sys, threading
from tasks import InvalidInput, JobFailed, SubmitHost, Unreachable

told = {}
words = os.dup(1)
with SubmitHost("sandbox") as sandbox, SubmitHost("sandbox2") as other:
    held = sandbox.submit("fails.sh", name="held", time=60, arg=["it's data"], put=["input.csv"], hold=True, key="once")
    told["again"] = sandbox.submit("fails.sh", name="held", time=60, arg=["it's data"], put=["input.csv"], hold=True,
                                   key="once").job_id == held.job_id
    told["state"] = held.status().state
    told["released"] = held.job_id in held.release()
    try:
        held.wait("2:00")
    except JobFailed as error:
        told["failed"] = [error.exit_status, str(error), error.known[0].outcome.exit_status]
    fetched = held.fetch("out")
    told["fetched"] = sorted(str(path) for path in fetched.files)
    told["log"] = held.logs()
    told["last"] = other.name, [job.key for job in sandbox.jobs(["failed"])]
    for what in (lambda: sandbox.job("nosuch"), lambda: sandbox.submit("fails.sh", time="x"),
                 lambda: SubmitHost("nosuch.invalid").queues()):
        try:
            what()
        except (InvalidInput, Unreachable) as error:
            told.setdefault("errors", []).append(error.exit_status)

    ends = {}
    def one(host, number):
        job = host.submit("works.sh", key=f"thread-{number}")
        ends[number] = host.name, job.wait().state
    hosts = enumerate([sandbox, sandbox, other])
    threads = [threading.Thread(target=one, args=(host, number)) for number, host in hosts]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    told["threads"] = [ends.get(number) for number in range(3)]
with open("told.json", "w") as file:
    json.dump(told, file)
"""


def run(person: Person, text: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the person's directory."""
    return subprocess.run(
        [sys.executable, "-c", text], cwd=person.work, env=person.environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def test_values_errors_and_threads_and_nothing_printed(person: Person) -> None:
    person.script("fails.sh", '#!/bin/sh\necho "$1" >said\necho out\nexit 7\n')
    person.script("works.sh", "#!/bin/sh\n:\n")
    (person.work / "input.csv").write_text("1,2\n")
    done = run(person, EACH_ON_ITS_OWN)
    assert (done.stdout, done.stderr) == ("", "")
    told: dict[str, Any] = json.loads((person.work / "told.json").read_text())
    assert told["again"]
    assert told["state"] == "held"
    assert told["released"]
    status, message, own = told["failed"]
    assert (status, own) == (3, 7)
    assert message.startswith("job ")
    assert "fetch --job" in message
    assert "out/said" in told["fetched"]
    assert "out/input.csv" not in told["fetched"]
    assert (person.work / "out" / "said").read_text() == "it's data\n"
    assert told["log"] == "out\n"
    assert told["last"] == ["sandbox2", ["once"]]
    assert told["errors"] == [2, 2, 4]
    assert told["threads"] == [["sandbox", "succeeded"], ["sandbox", "succeeded"], ["sandbox2", "succeeded"]]


def test_what_the_package_offers_is_loaded_when_it_is_asked_for() -> None:
    loaded = "import tasks, sys; sys.exit(any(name.startswith('tasks.api') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
    assert tasks.SubmitHost is SubmitHost
    assert tasks.InvalidInput is InvalidInput
    with pytest.raises(AttributeError):
        _ = tasks.nosuch


def test_every_error_has_its_exit_status_and_what_is_known_all_the_same() -> None:
    assert (InvalidInput("x").exit_status, SchedulerError("x").exit_status) == (2, 5)
    assert SchedulerError("x").known is None


VERBS = (
    "submit status wait explain usage report logs fetch cancel hold release resubmit reconcile adopt jobs clean "
    "put get check queues"
)


def test_the_api_has_every_verb_of_jobs_and_clusters_with_the_flags_of_that() -> None:
    # Those that make no sense in a program, or are methods of what is returned.
    elsewhere = {"json", "c", "watch", "wait", "fetch", "timeout", "dry_run", "all", "follow", "lines", "yes"}
    elsewhere |= {"notify", "notify_command", "verify", "html", "tasks"}
    for name in VERBS.split():
        flags = set(inspect.signature(by_name()[name].body).parameters) - elsewhere
        flags -= {"give_up"} if name == "submit" else set()
        method = getattr(SubmitHost, name)
        own = set(inspect.signature(method).parameters)
        more = Again if name == "resubmit" else More
        own |= set(more.__annotations__) if "more" in own else set()
        if name == "submit":  # over rows it makes several jobs, perhaps: a method of its own
            own |= set(inspect.signature(SubmitHost.sweep).parameters)
        assert {flag.rstrip("_") for flag in flags} <= own, name
    assert issubclass(SubmitHost, JobVerbs)


TOUCH = '''
"""A verb of somebody's own."""

from invoke.context import Context

from .verb import JOB_HELP, verb


@verb(iterable=("job",), help={"job": JOB_HELP, "name": "of the file"})
def touch(c: Context, job: list[str] | None = None, name: str = "") -> None:
    """Make an empty file in the job directory."""
    from ..login_node import Program, quote
    from .host import chosen

    host, selected = chosen(c, job)
    for found, _ in selected:
        host.session.ask(Program(("ask",), {"command": f"touch {quote(f'{found.directory}/{name}')}"}))
'''


def test_a_new_verb_is_one_file(person: Person, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(ROOT / "tasks", copy / "tasks", ignore=shutil.ignore_patterns("__pycache__"))
    program(copy / "tasks" / "verbs" / "touch.py", TOUCH)
    person.script("x", "#!/bin/sh\n:\n")
    done = person.fab("-H", "sandbox", "submit", "--script=x", "touch", "--name=a b", PYTHONPATH=str(copy))
    assert done.returncode == 0, done.stderr
    assert (Path(person.jobs()[0]["directory"]) / "a b").read_bytes() == b""
