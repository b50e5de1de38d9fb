"""`python -m tests.exactly_once`: the searches that take longer than a test may."""

from __future__ import annotations

import sys

from .model import Model
from .search import search

SEARCHES = {
    "two clients, one death, and a scheduler that may refuse": (Model(), 2, 0),
    "two clients, one death, and a job directory that is removed": (Model(removed=True, refusing=False), 2, 0),
    "a client, one death, and one who only looks": (Model(slow=True, refusing=False), 1, 1),
    "two clients, one death, and a scheduler that takes longer than a minute": (
        Model(refusing=False, prompt=False), 2, 0,
    ),
    "three clients": (Model(deaths=0, refusing=False), 3, 0),
}  # fmt: skip


def main() -> int:
    """Print what each search has found; the exit status."""
    bad = 0
    for name, (model, clients, curious) in SEARCHES.items():
        worlds, wrong = search(model, clients, curious)
        bad += bool(wrong)
        print(f"{name}: {worlds} states, {wrong or 'nothing wrong'}", flush=True)
    return min(1, bad)


if __name__ == "__main__":
    sys.exit(main())
