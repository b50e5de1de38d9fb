"""A program's answer, as it comes in: stdout and stderr cut into sections, each passed on once it is complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..login_node import Reply, Sections
from ..model.wording import number

Section = tuple[str, Reply]


@dataclass
class Answer:
    """A whole answer: its sections by name (of several with one name, the last)."""

    sections: Mapping[str, Reply]

    def __contains__(self, name: str) -> bool:
        return name in self.sections

    def __getitem__(self, name: str) -> Reply:
        return self.sections.get(name, Reply())

    def text(self, name: str) -> str:
        """A section's stdout without its last newline."""
        return self[name].text.rstrip("\n")


class Answers:
    """Cuts what the channel brings into sections. The section `begin` is what was said while the environment was made.

    `most` bounds the bytes of each stream: of all of it, or with `passing` of what has not been passed on yet.
    """

    def __init__(
        self, mark: str, most: int | None = None, within: Mapping[str, int] | None = None, *, passing: bool = False
    ) -> None:
        self._streams = (Sections(mark, most, within), Sections(mark, most, within))
        self._passing = passing
        self._begun: tuple[list[str], list[str]] = ([], [])
        self._pieces: dict[tuple[int, int], list[bytes]] = {}
        self._given = 0

    @property
    def noise(self) -> bytes:
        """The beginning of what rc files printed on stdout before our first mark."""
        return self._streams[0].noise

    def feed(self, out: bytes, err: bytes) -> Iterator[Section]:
        """Yield the sections that are complete now. A mark `=N` is the exit status of the section before it."""
        for stream, data in enumerate((out, err)):
            for name, piece in self._streams[stream].feed(data):
                if not piece:
                    self._begun[stream].append(name)
                self._pieces.setdefault((stream, len(self._begun[stream])), []).append(piece)
        # Marks go to both streams in the same order, so a section is whole when both have begun the next one;
        # nothing comes after the section `end`.
        both = min(len(self._begun[0]), len(self._begun[1]))
        names = self._begun[0]
        while self._given < both - 1 or (self._given < both and names[self._given] == "end"):
            if names[self._given].startswith("="):
                self._given += 1
                continue
            status = names[self._given + 1] if self._given + 1 < len(names) else ""
            if status.startswith("=") and self._given + 1 >= both:
                return
            self._given += 1
            reply = Reply(self._take(0), self._take(1), number(status[1:]))
            if self._passing:
                for sections, said in zip(self._streams, (reply.out, reply.err), strict=True):
                    sections.size = max(0, sections.size - len(said) - 1024)
            yield names[self._given - 1], reply

    def _take(self, stream: int) -> bytes:
        return b"".join(self._pieces.pop((stream, self._given), ()))
