"""Why a job waits or failed, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Reason:
    """A reason in words. `kind` is one plain word.

    Waiting: busy, held, after, limit, begin, down, never, error. Failed: time, memory, signal, exit, shell, script,
    place, quota, after, node, cancelled, start, unknown.

    `text` says what is so; `advice` says what to do, with the command that does it.
    """

    kind: str
    text: str
    advice: str = ""

    @property
    def sentence(self) -> str:
        """What is so, and what to do."""
        return f"{self.text}; {self.advice}" if self.advice else self.text
