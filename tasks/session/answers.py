"""A program's answer, as it comes in: stdout and stderr cut into sections, given away when both are whole."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..login_node import Reply, Sections
from ..model.wording import number

Section = tuple[str, Reply]


@dataclass
class Answer:
    """A whole answer: its sections by name (the last one where a name comes twice)."""

    sections: Mapping[str, Reply]

    def __contains__(self, name: str) -> bool:
        return name in self.sections

    def __getitem__(self, name: str) -> Reply:
        return self.sections.get(name, Reply())

    def text(self, name: str) -> str:
        """A section's stdout without its last newline."""
        return self[name].text.rstrip("\n")


class Answers:
    """Feed it what the channel brings. The section `begin` is what the login environment's making said.

    `most` bounds each stream, and so what is kept here: all of it, or with `passing` what has not been given away yet.
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
        """What rc files printed on stdout before anything of ours: its beginning."""
        return self._streams[0].noise

    def feed(self, out: bytes, err: bytes) -> Iterator[Section]:
        """Yield the sections that are whole now. A mark `=N` gives the section before it its exit status."""
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
