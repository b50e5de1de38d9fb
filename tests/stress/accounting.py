"""Accounting that takes a minute or more: a file of gigabytes, a database that is busy."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence

from tests.conftest import program

from .fault import Fault, Lane, Tried
from .story import Place, Story

_SLOW = """\
#!/bin/sh
echo "$$" >>'{seen}'
sleep {seconds}
exec /usr/bin/{command} "$@"
"""
_JOBS = 3


def slow(place: Place, seconds: float) -> Tried:
    """One `wait` for several bare jobs, of whose ends nothing but the accounting tells."""
    folder = place.folder / place.new("accounting")
    folder.mkdir()
    seen = folder / "seen"
    for command in ("qacct", "sacct"):
        program(folder / command, _SLOW.format(seen=seen, seconds=seconds, command=command))
    setup = f"    setup: ['PATH={folder}:$PATH; export PATH']\n"
    first = place.story("slow", kind="bare", more=setup)
    stories = [first, *(place.story("slow", person=first.person, kind="bare") for _ in range(_JOBS - 1))]
    for story in stories:
        story.submit()
    _wait_for_all(stories)
    return Tried(stories, int(seen.exists()))


def _wait_for_all(stories: Sequence[Story]) -> None:
    """One command line; each story keeps what was said of it, with the status that this alone would have had."""
    words = ("-H", "hpc", "wait", "--json", "--timeout=900", *(f"--job={story.name}" for story in stories))
    began, done = time.time(), stories[0].person.fab(*words, timeout=1200)
    lines = {json.loads(line)["key"]: line for line in done.stdout.splitlines()}
    for story in stories:
        out = lines.get(story.name, "")
        ended = out and json.loads(out)["state"] in ("succeeded", "failed", "cancelled", "vanished")
        status = (0 if json.loads(out)["state"] == "succeeded" else 3) if ended else done.returncode
        story.keep(words, status, out, done.stderr, began)


FAULTS = (Fault("accounting takes minutes", lambda _: [60.0, 60.0, 150.0], slow, Lane.PATIENT, at_once=3),)
