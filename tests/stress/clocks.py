"""Clocks an hour off: the login node's, and the local one (where faketime(1) is installed)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tasks.testbed.sshd import extra_sshd
from tests.conftest import Person

from .fault import Fault, Tried
from .story import KINDS, Kind, Place

_HOUR = 3600
# Stands before date(1) over there.
_DATE = """\
#!/bin/sh
: >'{seen}'
[ "$*" = +%s ] || exec /bin/date "$@"
echo $(($(/bin/date +%s) + {off}))
"""


def both_ways(_: Place) -> Sequence[tuple[int, Kind]]:
    return [(off, kind) for off in (_HOUR, -_HOUR) for kind in (*KINDS, "bare")]


def there(place: Place, case: tuple[int, Kind]) -> Tried:
    """Of the login node alone: file systems and compute nodes are right."""
    off, kind = case
    home = place.folder / place.new("clock")
    home.mkdir()
    seen = home / "seen"
    (home / "date").write_text(_DATE.format(seen=seen, off=off))
    (home / "date").chmod(0o755)
    (home / ".bashrc").write_text(f"PATH='{home}':$PATH\n")
    with extra_sshd(place.cell, home.name, login_shell="/bin/bash", home=home) as door:
        return Tried([place.story("there", door=door, kind=kind, seconds=2).persist()], int(seen.exists()))


def here(place: Place, case: tuple[int, Kind]) -> Tried:
    """Of this machine alone, monotonic clocks excepted."""
    off, kind = case
    story = place.story("here", kind=kind, seconds=2)
    environment = {
        "LD_PRELOAD": str(_library()),
        "FAKETIME": f"{off:+d}",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_DONT_RESET": "1",
    }
    story = type(story)(
        Person(story.person.home, story.person.work, story.person.environment | environment),
        story.name,
        kind,
        story.status,
    )
    return Tried([story.persist()])


def here_if_possible(place: Place) -> Sequence[tuple[int, Kind]]:
    """None without faketime."""
    return both_ways(place) if _library() else []


def _library() -> Path | None:
    return next(Path("/usr/lib").glob("*-linux-gnu*/faketime/libfaketimeMT.so.1"), None)


FAULTS = (
    Fault("login node's clock an hour off", both_ways, there, short=1),
    Fault("local clock an hour off", here_if_possible, here),
)
