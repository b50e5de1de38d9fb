"""Wording that the schedulers share."""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from pathlib import Path

from ..model.errors import InvalidInput, SchedulerError
from ..model.resources import parse_memory

_WORDS = 4096  # characters of an error that are looked at


def at_home(path: str) -> str:
    """A path on the login node as a word of a command line; a relative one starts in the home directory, as after ssh.

    `~name` is that user's, by the shell that reads the word.
    """
    tilde, slash, rest = path.partition("/")
    if not path or path.startswith("/"):
        return shlex.quote(path)
    if re.fullmatch(r"~[A-Za-z0-9_][A-Za-z0-9_.-]*", tilde, re.ASCII):
        return f"{tilde}{slash}{shlex.quote(rest) if rest else ''}"
    rest = rest if tilde == "~" else path
    return f'"$HOME"/{shlex.quote(rest)}' if rest else '"$HOME"'


def waited_for(job_ids: Sequence[str]) -> str:
    """`job 12`, `jobs 12 and 13`: for the reason why another one waits."""
    *first, last = dict.fromkeys(job_ids)
    return f"jobs {', '.join(first)} and {last}" if first else f"job {last}"


def failed(name: str, err: str, out: str = "") -> SchedulerError:
    """The error that a scheduler could not be asked, in its own words."""
    said = (err or out).strip()[:_WORDS]
    lines = [line for line in said.splitlines() if line.strip() and line != "Exiting."]
    return SchedulerError(f"{name}: " + (" / ".join(lines[:3]) if lines else "no answer"))


def bytes_in(text: str) -> int | None:
    """The bytes of an amount of memory as a scheduler writes it, `4.5G`; None for what is none."""
    try:
        return parse_memory(text)
    except InvalidInput:
        return None


def shell(beside: str, name: str) -> str:
    """The text of a file of shell beside a module: `shell(__file__, "in_job.sh")`."""
    return (Path(beside).parent / name).read_text("utf-8")
