"""The user's and the site's defaults for client commands, switched on while a job waits."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tasks.testbed.cell import Cell
from tasks.testbed.cluster import PrivateCluster
from tasks.testbed.sshd import extra_sshd

from .fault import Fault, Lane, Tried
from .judging import told
from .story import Kind, Place, Story

_VARIABLES = ("SQUEUE_STATES=RUNNING", "SLURM_TIME_FORMAT=%s", "SQUEUE_FORMAT=%i", "SQUEUE_PARTITION=none")


@dataclass(frozen=True)
class Default:
    """A file of defaults, or what a profile exports; and how long (seconds) the job goes on waiting."""

    text: str
    file: str = ".profile"
    kind: Kind = "plain"
    waits: float = 75.0  # longer than it takes until a job that nobody knows counts as vanished


def defaults(place: Place) -> Sequence[Default]:
    """Those of a home. Grid Engine looks for its file where passwd says, which is no place for a test."""
    kinds: tuple[Kind, ...] = ("plain", "array", "bare")
    if isinstance(place.cell, Cell):
        return []
    return [Default(f"export {text}", kind=kind) for text in _VARIABLES for kind in kinds]


def of_a_home(place: Place, default: Default) -> Tried:
    """Each command line after that logs in anew, with these defaults."""
    home = place.folder / place.new("ambient")
    home.mkdir()
    with extra_sshd(place.cell, home.name, login_shell="/bin/bash", home=home) as door:
        story = place.story("ambient", door=door, kind=default.kind, words=("--hold",))
        story.submit()
        (home / default.file).write_text(f"{default.text}\n")
        return _released_late(place, [story], default.waits)


def sites(place: Place) -> Sequence[Default]:
    """Those of a cell, for everybody. Slurm has no such file."""
    return (
        [Default(text, "sge_qstat") for text in ("-s r", "-s z", "-u nobody")] if isinstance(place.cell, Cell) else []
    )


def of_a_site(place: Place, default: Default) -> Tried:
    """The cell is one of its own: whoever asks for the truth meanwhile would be lied to as well."""
    kinds: tuple[Kind, ...] = ("plain", "array", "bare")
    stories = [place.story("site", kind=kind, words=("--hold",)) for kind in kinds]
    for story in stories:
        story.submit()
    assert isinstance(place.cell, Cell)
    with _laid(place.cell.common / default.file, default.text):
        return _released_late(place, stories, default.waits)


def _released_late(place: Place, stories: Sequence[Story], waits: float) -> Tried:
    """All look at jobs that wait, for long enough to lose them from sight; then these are released by hand."""
    began = time.time()
    waiting = [story.person.start(*story.wait_words()) for story in stories]
    for pause in (0, waits):
        time.sleep(pause)
        for story in stories:
            story.type("-H", "hpc", "status", "--json", f"--job={story.name}")
    for story in stories:
        for job_id in told(story.asked):
            release(place.cell, job_id)
    for story, process in zip(stories, waiting, strict=True):
        out, err = process.communicate(timeout=600)
        story.keep(story.wait_words(), process.returncode, out, err, began)
    return Tried(stories, len(stories))


def release(cluster: PrivateCluster, job_id: str) -> None:
    """By hand, what was submitted with --hold."""
    cluster.must(*(("qrls",) if isinstance(cluster, Cell) else ("scontrol", "release")), job_id)


@contextmanager
def _laid(path: Path, text: str) -> Iterator[None]:
    path.write_text(f"{text}\n")
    try:
        yield
    finally:
        path.unlink()


FAULTS = (
    Fault("a home's defaults switched on", defaults, of_a_home, Lane.PATIENT, at_once=12),
    Fault("a site's defaults switched on", sites, of_a_site, Lane.SHAKING, at_once=1),
)
