"""The verb explain: why jobs wait or failed, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from invoke.context import Context

from .verb import JSON, verb

if TYPE_CHECKING:
    from ..jobs.explain import Explanation
    from ..model.wanted import Wanted

_MOST_REASONS = 10  # of one job


@verb(at_once=True, selects=True, help={"json": JSON})
def explain(c: Context, which: Wanted, json: bool = False) -> None:
    """Say why jobs wait or failed.

    And what to do about it, with the command that does it. Of an array job there is a line for each kind of reason.

    Example: fab -H sharc explain --job 12
    """
    from itertools import groupby

    from .host import chosen, known_too

    def show(explanations: Sequence[Explanation]) -> None:
        for _, of_one in groupby(explanations, key=lambda found: found.job.key):
            reasons = list(of_one)
            if json:
                _print_json(reasons)
                continue
            for found in reasons[:_MOST_REASONS]:
                _print_lines(found)
            if more := len(reasons[_MOST_REASONS:]):
                print(f"{reasons[0].job.title()}: {more} more kinds of reasons; --json tells all")

    host, selected = chosen(c, which)
    known_too(lambda: host.explain(selected), show)


def _print_lines(found: Explanation) -> None:
    """What is so, and below it what to do and the end of stderr."""
    from ..model.wording import one_line

    lines = [f"{_whose(found)} {_how(found)}"]
    lines += [f"    {found.reason.advice}"] if found.reason.advice else []
    lines += [f"    the end of its stderr ({found.file}):"] if found.stderr else []
    lines += [f"    | {line.expandtabs()}" for line in found.stderr]
    for line in lines:
        print(one_line(line, 1000))


def _whose(found: Explanation) -> str:
    from ..model.resources import ranges_of

    if not found.tasks:
        return found.job.title()
    if len(found.tasks) == 1 and (row := found.job.rows.called(found.tasks[0])):
        return f"{row} of {found.job.title()}"
    numbers = [str(part).removesuffix(":1") for part in ranges_of(map(found.job.rows.number, found.tasks))]
    numbers = [number.partition("-")[0] if len(set(number.split("-"))) == 1 else number for number in numbers]
    what = "row" if found.job.rows else "task"
    return f"{what}{'' if len(found.tasks) == 1 else 's'} {','.join(numbers)} of {found.job.title()}"


def _how(found: Explanation) -> str:
    state, text = found.state, found.reason.text
    if state.ended:
        was = ("were " if len(found.tasks) > 1 else "was ") if state is state.CANCELLED else ""
        return f"{was}{text}" if was and text else f"{was}{state}: {text}" if text else f"{was}{state}"
    said = f"{'are' if len(found.tasks) > 1 else 'is'} {state}"
    return f"{said}: {text}" if text else said


def _print_json(of_one: Sequence[Explanation]) -> None:
    """The job's object, with the first reason that is known; and of its tasks each its own."""
    import json

    shown = of_one[0].job.as_json()
    first = next((found for found in of_one if found.reason.kind), of_one[0])
    print(json.dumps(shown | _told(first) | ({"tasks": _tasks(shown["tasks"], of_one)} if "tasks" in shown else {})))


def _told(found: Explanation) -> dict[str, object]:
    reason = found.reason
    told: dict[str, object] = {
        "reason": reason.sentence or None,
        "kind": reason.kind or None,
        "advice": reason.advice or None,
    }
    return told | ({"stderr": list(found.stderr), "stderr_file": found.file} if found.file else {})


def _tasks(shown: object, of_one: Sequence[Explanation]) -> dict[str, object]:
    told = {str(task): _told(found) for found in of_one for task in found.tasks if found.reason.kind}
    assert isinstance(shown, dict)
    return {number: task | told.get(number, {}) for number, task in shown.items()}
