"""The elements of qstat's XML, found in any noise around it, and read without building a tree."""

from __future__ import annotations

import re
from xml.etree import ElementTree

from ...model.errors import SchedulerError
from ..bounds import check_many
from .reading import failed

# The jobs, or the tasks of an array job, that one waits for.
BEFORE = ("predecessor_jobs", "ad_predecessor_jobs")
# An answer has one such end, and its noise perhaps more.
_MOST_ENDS = 8
# What XML cannot have, and how much of it is read at once.
_NO_XML = re.compile(r"[^\t\n\r -\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PIECE = 1 << 16
_READ = frozenset({"JB_job_number", "state", "tasks", *BEFORE, "name", "used", "available", "resv", "total"})
Facts = dict[str, list[str]]


class _Elements:
    """A target for an XML parser that keeps, of each element of one name, only the texts that are read."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self.found: list[Facts] = []
        self._inside: Facts | None = None
        self._text: list[str] = []

    def start(self, tag: str, _: object) -> None:
        if tag == self._tag:
            self._inside = {}
            self.found.append(self._inside)
            check_many(len(self.found))
        self._text = []

    def data(self, text: str) -> None:
        if self._inside is not None:
            self._text.append(text)

    def end(self, tag: str) -> None:
        if tag == self._tag:
            self._inside = None
        elif self._inside is not None and tag in _READ:
            self._inside.setdefault(tag, []).append("".join(self._text).strip())
        self._text = []

    def close(self) -> None:
        pass


def first(facts: Facts, name: str) -> str:
    return facts.get(name, [""])[0]


def elements(status: int, out: str, err: str, tag: str) -> list[Facts]:
    """The elements of that name in qstat's last complete XML, with any noise around. Raises SchedulerError."""
    begins = [found.start() for found in re.finditer(r"<\?xml", out)][-_MOST_ENDS:]
    ends = [found.end() for found in re.finditer("</job_info>", out)][-_MOST_ENDS:]
    if status != 0 or not begins or not ends:
        raise failed(err, out)
    why: object = "no end"
    for begin in reversed(begins):
        for end in reversed([end for end in ends if end > begin]):
            elements = _Elements(tag)
            parser = ElementTree.XMLParser(target=elements)  # noqa: S314  # expat bounds expansion itself
            try:
                for at in range(begin, end, _PIECE):
                    parser.feed(_NO_XML.sub("?", out[at : min(end, at + _PIECE)]))
                parser.close()
                return elements.found
            except ElementTree.ParseError as error:
                why = error
    raise SchedulerError(f"Grid Engine: the answer of qstat is not understood ({why})")
