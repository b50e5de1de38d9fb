"""The job directory's disk full at each write: room for so many files, or so many blocks, until the user frees some."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .fault import Fault, Lane, Tried
from .story import Place, Story


@dataclass(frozen=True)
class Room:
    """How many files or pages (4 KiB) there is room for; the next write fails."""

    files: int = 0
    pages: int = 0

    def options(self) -> str:
        """tmpfs(5); its own root is one of the files."""
        return f"size=1m,nr_inodes={self.files + 1}" if self.files else f"size={4 * self.pages}k,nr_inodes=1000"


def rooms(_: Place) -> Sequence[Room]:
    """From no room for the directory itself to room for all of it; none where we may not mount."""
    if os.geteuid() != 0:
        return []
    return [*(Room(files=number) for number in range(1, 33)), *(Room(pages=number) for number in range(1, 21))]


def full(place: Place, room: Room) -> Tried:
    """Full while the submit goes on, and until its user has read what it says."""
    folder = place.folder / place.new("disk")
    folder.mkdir()
    with _mounted(folder, room):
        more = f"    directory: '{folder}'\n"
        # Without a log in there: the scheduler itself fails a job that has no room for it.
        story = place.story("full", more=more, words=(f"--option={place.without_log}",))
        happened = _watched(folder, story)
        if story.accepted:  # and the job has no room to note its end
            answer = story.type(*story.wait_words())
            assert answer.status in (0, 3), answer
        subprocess.run(["mount", "-o", "remount,size=4m,nr_inodes=1000", str(folder)], check=True)
        return Tried([story.persist()], int(happened))


def _watched(folder: Path, story: Story) -> bool:
    """Submit; whether the disk was full at any moment of it."""
    process, was_full = story.begin(), False
    ended = threading.Event()

    def watch() -> None:
        nonlocal was_full
        while not ended.wait(0.0005):
            now = os.statvfs(folder)
            was_full = was_full or not now.f_ffree or not now.f_bavail

    watching = threading.Thread(target=watch)
    watching.start()
    process.wait()
    story.end()
    ended.set()
    watching.join()
    return was_full


@contextmanager
def _mounted(folder: Path, room: Room) -> Iterator[None]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", room.options(), "tmpfs", str(folder)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def unmount_below(folder: Path) -> None:
    """Of a campaign that is broken off."""
    for line in Path("/proc/mounts").read_text().splitlines():
        place = line.split(" ")[1]
        if place.startswith(f"{folder}/"):
            subprocess.run(["umount", "--lazy", place], check=False)


FAULTS = (Fault("job directory's disk full at a write", rooms, full, Lane.PATIENT, at_once=8, short=2),)
