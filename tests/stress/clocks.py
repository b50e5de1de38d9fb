"""Clocks an hour off: the login node's, and the local one."""

from __future__ import annotations

import shutil
from collections.abc import Sequence

from tasks.testbed.sshd import extra_sshd
from tests.conftest import program

from .fault import Fault, Tried
from .story import KINDS, Kind, Place

_HOUR = 3600
# Stands in place of date(1) on the login node.
_DATE = """\
#!/bin/sh
: >'{seen}'
[ "$*" = +%s ] || exec '{right}' "$@"
echo $(($('{right}' +%s) + {off}))
"""


def both_ways(_: Place) -> Sequence[tuple[int, Kind]]:
    return [(off, kind) for off in (_HOUR, -_HOUR) for kind in (*KINDS, "bare")]


def there(place: Place, case: tuple[int, Kind]) -> Tried:
    """Of the login node alone: file systems and compute nodes are right."""
    off, kind = case
    home = place.folder / place.new("clock")
    home.mkdir()
    seen, date = home / "seen", shutil.which("date") or ""
    right = shutil.copy2(date, home / "right")
    wrong = program(home / "wrong", _DATE.format(seen=seen, right=right, off=off))
    with extra_sshd(place.cell, home.name, home=home, programs={date: str(wrong)}) as door:
        return Tried([place.story("there", door=door, kind=kind, seconds=2).persist()], int(seen.exists()))


def here(place: Place, case: tuple[int, Kind]) -> Tried:
    """Of this machine's Python alone: Python reads such a module before anything else."""
    off, kind = case
    story = place.story("here", kind=kind, seconds=2)
    folder = place.folder / story.name / "clock"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(f"import time\n\nright = time.time\ntime.time = lambda: right() + {off}\n")
    path = f"{folder}:{story.person.environment['PYTHONPATH']}"
    story.person.environment["PYTHONPATH"] = path
    return Tried([story.persist()])


FAULTS = (
    Fault("login node's clock an hour off", both_ways, there, short=1),
    Fault("local clock an hour off", both_ways, here),
)
