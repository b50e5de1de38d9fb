"""How far a submission has come, as `inspect.sh` finds it in a job directory."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass, replace

from ..model.errors import InvalidInput, NotSubmitted
from ..model.resources import MOST_FOLLOWED, TaskRange
from ..model.wording import number
from ..session import Answer

# Seconds (by the cluster's clock) since an attempt's last sign of life after which it is over. If its process is known
# to be gone: longer than a shared file system lags, and than a scheduler takes to show what it has accepted.
GRACE = 60
# If it is on another login node, where we cannot look; as long as it lives it shows signs of life.
_SILENT = 600
# After so long, a process with its number is another one.
_ANOTHER_PROCESS = 3600
# In a shell, a command that signal N ended has status 128 + N; some commands end with 255 by themselves.
_SIGNALLED = 128
_LAST_SIGNAL = 64


@dataclass(frozen=True)
class Inspection:
    """How far a submission has come, by its job directory."""

    directory: str
    receipt: bool = False
    submitted_at: int | None = None
    extent: TaskRange | None = None
    name: str = ""
    out: str = ""
    err: str = ""
    digest: str = ""
    claim: str = ""
    phase: str = ""
    age: int = 0
    alive: str = ""
    held: str = ""  # the name of the attempt that has the lock
    ended: bool = False
    status: int = 0  # of the submit command

    @property
    def killed(self) -> str:
        """The signal that ended the submit command (or the one that a site's wrapper calls), as a shell names it."""
        ended_by = self.status - _SIGNALLED
        if not 0 < ended_by <= _LAST_SIGNAL:
            return ""
        known = ended_by in signal.valid_signals()  # this system may have fewer than the login node
        return (signal.strsignal(ended_by) if known else None) or f"signal {ended_by}"

    @classmethod
    def of(cls, answer: Answer) -> Inspection:
        """Read the sections of `inspect`."""
        if "refused" in answer:
            raise NotSubmitted(f"nothing submitted: {reason(answer)}")
        found = cls(answer["directory"].exact.rstrip("\n"), digest=answer.text("digest"), claim=answer.text("claim"))
        if "receipt" in answer:
            return replace(found, err=answer["receipt"].errors).with_receipt(answer["receipt"].text)
        attempts = [words for line in answer.text("attempt").splitlines() if len(words := line.split(" ")) > 2]
        if not attempts:
            return found
        # Of several that are receiving files, the liveliest one tells how far it is.
        words = min(attempts, key=lambda words: (words[2] == "no", number(words[1]) or 0))
        held = words[3] if len(words) > 3 and words[0] != "putting" else ""
        found = replace(found, phase=words[0], age=number(words[1]) or 0, alive=words[2], held=held)
        if "answer" not in answer:
            return found
        said = answer["answer"]
        if said.status is None:  # only whole lines count
            return replace(found, out=said.text[: said.text.rfind("\n") + 1], err=said.errors)
        return replace(found, ended=True, out=said.text, err=said.errors, status=said.status)

    @property
    def over(self) -> bool:
        """Whether this attempt has ended without an answer: its process has, or shows no sign of life any more."""
        if self.phase in ("putting", "taking"):
            return self.alive == "no" or self.age > (_ANOTHER_PROCESS if self.alive == "yes" else _SILENT)
        if self.phase == "laying":  # the scheduler was not asked yet, and will not be once this is released
            return self.alive == "no" or self.age > GRACE
        gone = self.ended or self.alive == "no"
        return self.age > (GRACE if gone else _ANOTHER_PROCESS if self.alive == "yes" else _SILENT)

    def with_receipt(self, receipt: str) -> Inspection:
        """The job as its receipt has it: `WHEN [TASKS NAME]` on the first line, then what the scheduler said."""
        head, _, out = receipt.partition("\n")
        when, tasks, called = (*head.split(" ", 2), "", "")[:3]
        return replace(self, receipt=True, submitted_at=number(when), extent=extent(tasks), name=called, out=out)


def extent(text: str) -> TaskRange | None:
    """The range of an array job's tasks, told in any order; None if there are none."""
    try:
        told = TaskRange.parse(text.strip()) if text.strip() else None
    except InvalidInput:
        return None
    return TaskRange.of(told.numbers()) if told and told.also and told.size <= MOST_FOLLOWED else told


def reason(answer: Answer) -> str:
    """Why a program refused: each line once, without the shell's own `/bin/sh: 12: `."""
    told = answer.text("refused") or answer.text("unsafe")
    lines = [re.sub(r"^\S*sh: (line )?\d+: ", "", line) for line in told.splitlines()]
    return " / ".join(dict.fromkeys(line for line in lines if line.strip()))
