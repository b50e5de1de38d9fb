"""Every world of a model, and whether clients come to an end in all of them."""

from __future__ import annotations

from collections.abc import Sequence

from .model import Client, Kind, Model, World, wrong_in

# The steps from a world: the number of the next one, and how the step comes.
Steps = list[tuple[int, Kind]]


def search(model: Model, clients: int, curious: int = 0) -> tuple[int, str]:
    """All worlds that can be reached: how many, and what is wrong with the first that is wrong, or with their ends."""
    start = World(tuple(Client(curious=number >= clients) for number in range(clients + curious)))
    numbers, worlds, steps = {start: 0}, [start], list[Steps]()
    for world in worlds:  # which become more meanwhile
        coming: Steps = []
        for after, kind in model.steps(world):
            if after not in numbers:
                if wrong := wrong_in(after):
                    return len(worlds), wrong
                numbers[after] = len(worlds)
                worlds.append(after)
            coming.append((numbers[after], kind))
        steps.append(coming)
    ends = [number for number, world in enumerate(worlds) if all(client.at == "end" for client in world.clients)]
    return len(worlds), endless(steps, ends)


def endless(steps: Sequence[Steps], ends: Sequence[int]) -> str:
    """What keeps clients from their end, if from here on nobody dies or is stopped; empty: nothing does.

    From each world there is a way to an end, and nobody goes round in circles, but for looking. So each way ends, on
    which everybody's turn comes, and so does the minute that somebody waits for.
    """
    sure = [[after for after, kind in each if kind is not Kind.MAYBE] for each in steps]
    before: list[list[int]] = [[] for _ in sure]
    for world, coming in enumerate(sure):
        for after in coming:
            before[after].append(world)
    good, todo = set(ends), list(ends)
    while todo:
        new = set(before[todo.pop()]) - good
        good |= new
        todo.extend(new)
    if len(good) < len(sure):
        return "clients that can never come to an end"
    circle = _circles(sure, before)
    for world, coming in enumerate(steps):
        if any(kind is Kind.SURE and circle[after] == circle[world] for after, kind in coming):
            return "clients that go round in circles"
    return ""


def _circles(after: Sequence[Sequence[int]], before: Sequence[Sequence[int]]) -> list[int]:
    """For each world a number, which it shares with those that it can come back from (its strong component)."""
    order: list[int] = []
    seen = [False] * len(after)
    for root in range(len(after)):
        todo = [(root, False)]
        while todo:
            world, done = todo.pop()
            if done:
                order.append(world)
            elif not seen[world]:
                seen[world] = True
                todo.append((world, True))
                todo.extend((each, False) for each in after[world] if not seen[each])
    circle = [-1] * len(after)
    for root in reversed(order):
        members = [root] if circle[root] < 0 else []
        while members:
            world = members.pop()
            if circle[world] < 0:
                circle[world] = root
                members.extend(each for each in before[world] if circle[each] < 0)
    return circle
