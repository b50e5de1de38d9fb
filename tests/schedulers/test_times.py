"""What we make of a time as it is typed, beside what qsub and sbatch make of the same text, as it was captured."""

from __future__ import annotations

import re

import pytest

from tasks.model.resources import parse_resources
from tasks.schedulers import scheduler
from tests.captured import captured

SCRIPT = b"#!/bin/sh\n"
FILES = {"gridengine": "gridengine-8.1.9-times.txt", "slurm": "slurm-22.05-times.txt"}
TEXTS = {name: {block.command.split("=")[-1].split()[-1]: block for block in captured(FILES[name])} for name in FILES}


def theirs(name: str, text: str) -> int | None:
    """Seconds that the scheduler made of it; None: it refused that."""
    said = TEXTS[name][text].out
    if found := re.search(r"h_rt=(\d+)", said):
        return int(found[1])
    if not (found := re.fullmatch(r"(?:(\d+)-)?(?:(\d+):)?(\d+):(\d+)\n", said)):
        return None
    return ((int(found[1] or 0) * 24 + int(found[2] or 0)) * 60 + int(found[3])) * 60 + int(found[4])


@pytest.mark.parametrize("text", sorted(TEXTS["slurm"]))
@pytest.mark.parametrize("name", FILES)
def test_a_time_is_echoed_exactly_where_the_scheduler_itself_would_read_another_one(name: str, text: str) -> None:
    asked = parse_resources(time=text)
    ours, read = asked.time or 0, theirs(name, text)
    if name == "slurm":
        ours = -(-ours // 60) * 60  # it counts in minutes, and so does what we ask it for
    said = scheduler(name).check(SCRIPT, asked)
    assert bool(said) is (read is not None and read != ours)
    assert all(line.startswith(f"time {text} is ") for line in said)


def test_what_the_schedulers_read_otherwise_is_what_it_was() -> None:
    differ = {
        name: {text for text in TEXTS[name] if scheduler(name).check(SCRIPT, parse_resources(time=text))}
        for name in FILES
    }
    assert differ == {"gridengine": {"90m"}, "slurm": {"60", "90", "3600", "1:00", "1:30", "90:00", "24:00", "0:30"}}
