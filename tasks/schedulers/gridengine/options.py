"""What the lists of `-l` ask for, and which resources are about one thing: qsub itself replaces a default of the same
name only, and sites have many names for memory (G14).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import pairwise

MEMORY = {
    "h_rss", "h_vmem", "m_mem_free", "mem", "mem_free", "memory", "mf", "ram", "rmem", "s_rss", "s_vmem", "tmem", "vf",
    "virtual_free", "vmem",
}  # fmt: skip
GPUS = {"cuda", "gpu", "gpus", "ngpus"}


def asked_for(words: Sequence[str], names: Mapping[str, str]) -> set[str]:
    """The resources that the lists of `-l` among these words name, and the others about the same thing.

    `names` are what the site calls memory and GPUs.
    """
    found = {item.partition("=")[0] for word in lists(words) for item in word.split(",")}
    for family in (memory_of(names), GPUS | {names["gpus"]}):
        if found & family:
            found |= family
    return found


def memory_of(names: Mapping[str, str]) -> set[str]:
    """The resources that are about memory, at this site too."""
    return MEMORY | {names["memory"]}


def lists(words: Sequence[str]) -> Iterable[str]:
    """The lists of `-l` among these words."""
    return (word for option, word in pairwise(words) if option == "-l")


def without(line: str, asked: Collection[str]) -> str:
    """A line of options without the resources that were asked for already."""

    def kept(option: re.Match[str]) -> str:
        items = [item for item in option[2].split(",") if item.partition("=")[0] not in asked]
        return f"{option[1]}-l {','.join(items)}" if items else option[1]

    return re.sub(r"(^|\s)-l\s+(\S+)", kept, line).strip()
