"""A worker is a process that runs verbs: what it says arrives in whole lines, and how it ends is known."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fabric import Config
from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task, task

from tasks.fleet.worker import Stream, Worker, listen
from tasks.model import command_line

# Python 3.12 warns of it where there are threads, and a test runner has some.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork.*:DeprecationWarning")


@task
def speak(_: Context, text: str = "") -> None:
    """In pieces that are no lines."""
    for piece in (b"fir", b"st\n", text.encode(), b"\nno end"):
        os.write(1, piece)
    os.write(2, b"warning\n")


@task
def show(_: Context) -> None:
    assert command_line.current.rows
    command_line.current.rows(["job"], [["7"]], {(0, 0): "red"}, live=False)


@task
def refuse(_: Context) -> None:
    raise Exit("refuse: not here", 5)


@task
def die(_: Context) -> None:
    os.write(1, b"last words")
    os.kill(os.getpid(), signal.SIGKILL)


VERBS: dict[str, Task[Any]] = {"speak": speak, "show": show, "refuse": refuse, "die": die}


class Heard:
    def __init__(self) -> None:
        self.told: list[tuple[Any, ...]] = []

    def line(self, name: str, stream: Stream, line: bytes) -> None:
        self.told.append((name, stream, line))

    def rows(self, name: str, columns: list[str], rows: list[list[str]], styles: list[Any], live: bool) -> None:
        self.told.append((name, columns, rows, styles, live))

    def ended(self, name: str, status: int, said: str) -> None:
        self.told.append((name, status, said))


@pytest.fixture
def workers() -> Iterator[list[Worker]]:
    context, hired = Context(Config()), list[Worker]()
    for name in ("west", "east"):
        hired.append(Worker(name, context, VERBS, hired))
    yield hired
    for worker in hired:
        worker.dismiss()
        while not worker.gone():
            time.sleep(0.01)


def run(workers: list[Worker], verb: str, **flags: str) -> list[tuple[Any, ...]]:
    heard = Heard()
    for worker in workers:
        worker.begin(verb, flags)
    listen(workers, heard)
    return heard.told


def test_lines_are_whole_and_the_last_needs_no_end(workers: list[Worker]) -> None:
    told = run(workers[:1], "speak", text="a 'word'")
    assert [each[2] for each in told if each[1] == "out"] == [b"first", b"a 'word'", b"no end"]
    assert ("west", "err", b"warning") in told
    assert told[-1] == ("west", 0, "")


def test_each_works_for_itself_and_takes_one_verb_after_the_other(workers: list[Worker]) -> None:
    assert sorted(run(workers, "refuse")) == [("east", 5, "not here"), ("west", 5, "not here")]
    assert [worker.status for worker in workers] == [5, 5]
    assert run(workers[1:], "show") == [("east", ["job"], [["7"]], [[0, 0, "red"]], False), ("east", 0, "")]


def test_one_that_is_killed_is_told_with_what_it_had_said(workers: list[Worker]) -> None:
    told = run(workers[1:], "die")
    assert told == [("east", "out", b"last words"), ("east", 1, "its process was ended (SIGKILL)")]
