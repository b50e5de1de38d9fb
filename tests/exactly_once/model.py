"""The states of one key as docs/exactly-once.md has them, and every step that anybody may take in them.

A `World` is what there is: the job directory, the scheduler, the shells and submit commands on the login node, and the
clients, of which each wants the key to become a job. `Model.steps` gives all worlds that may come next; a search over
them is every interleaving. A shell or command that is stopped is one whose turn does not come; one may be killed
between any two steps. `broken` names a rule that is left out, to show what it is there for.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Rule(Enum):
    """What makes the steps safe; each of these can be left out."""

    OWN_NAME = "giving up removes one's own attempt, by its name"
    FENCED_LAYING = "files are laid from a path that only the holder of the lock has"
    ONE_RENAME = "a lock is released by one rename of the name that was looked at"
    LATER_LAST = "who looks at an attempt looks for its earlier names first"
    MARK_FIRST = "the scheduler is asked for the mark before a key is said to have made no job"
    WAIT_FOR_THE_DEAD = "a dead submit command is left alone until the scheduler has had its request"
    OWN_DIRECTORY = "what a submit command says goes into its attempt's own directory, wherever that is"


NOBODY = -1


class Shell(NamedTuple):
    """The program `submit` over there under this token; or, as `command`, the submit command that it has started."""

    token: int
    at: str
    command: bool = False


class Seen(NamedTuple):
    """What a look at the job directory has found; `said` is what the submit command has said."""

    phase: str = ""
    token: int = NOBODY
    said: str = ""


class Client(NamedTuple):
    """What a client does next, under which token its shell goes, what it has seen, and in the end what it was told.

    One that is `curious` submits nothing; `token` is who had the lock when it began to look.
    """

    at: str = "look"
    token: int = NOBODY
    seen: Seen = Seen()
    told: str = ""
    curious: bool = False


class World(NamedTuple):
    """Tokens stand for attempts, and for the jobs that these became. `said` is what submit commands said, by token;
    `laid` how many of the two inputs are in the job directory."""

    clients: tuple[Client, ...]
    shells: frozenset[Shell] = frozenset()
    staged: frozenset[int] = frozenset()
    lock: tuple[str, int] = ("", NOBODY)  # holder or asked, and whose
    said: frozenset[tuple[int, str]] = frozenset()
    laid: int = 0
    receipt: int = NOBODY
    claim: int = NOBODY
    requests: frozenset[int] = frozenset()  # under way to the scheduler
    queue: frozenset[tuple[int, bool]] = frozenset()  # jobs that the scheduler shows, and whether they run
    jobs: frozenset[int] = frozenset()  # all that ever were
    bodies: int = 0
    deaths: int = 0
    wrong: str = ""

    def tokens(self) -> set[int]:
        """All that mean something."""
        found = {shell.token for shell in self.shells} | self.staged | self.requests | self.jobs
        found |= {self.lock[1], self.receipt, self.claim} | {of for of, _ in self.said}
        return found | {each for client in self.clients for each in (client.token, client.seen.token)}


LOOKS = ("staged", "holder", "asked", "receipt")


@dataclass(frozen=True)
class Model:
    """`deaths`: how many shells and commands may be killed, or lose their client. `removed`: the user may remove the
    job directory of a job that waits or runs, while nobody submits it. `slow`: a look takes a step for each place.
    `elsewhere`: nobody sees whether processes live, so whoever is stopped may be taken for dead.
    """

    deaths: int = 1
    removed: bool = False
    refusing: bool = True
    slow: bool = False
    elsewhere: bool = False
    broken: Rule | None = None

    def steps(self, world: World) -> Iterator[World]:
        """Every world that may come next."""
        for number, client in enumerate(world.clients):
            for after, changed in self._client(world, client):
                clients = (*after.clients[:number], changed, *after.clients[number + 1 :])
                yield after._replace(clients=clients if self.slow else tuple(sorted(clients)))
        for shell in world.shells:
            others = world.shells - {shell}
            act = self._command if shell.command else self._shell
            for after, at in act(world._replace(shells=others), shell):
                yield after._replace(shells=after.shells | {shell._replace(at=at)}) if at else after
            if world.deaths < self.deaths:
                yield world._replace(shells=others, deaths=world.deaths + 1)
        yield from self._scheduler(world)
        idle = not world.shells and all(client.at in ("look", "end") for client in world.clients)
        if self.removed and world.queue and idle:
            yield world._replace(
                staged=frozenset(), lock=("", NOBODY), said=frozenset(), laid=0, receipt=NOBODY, claim=NOBODY
            )

    def _keeps(self, rule: Rule) -> bool:
        return rule is not self.broken

    # --- a client, at its user's

    def _client(self, world: World, client: Client) -> Iterator[tuple[World, Client]]:
        if client.at == "send":
            used = world.tokens()
            token = next(number for number in range(99) if number not in used)
            yield world._replace(shells=world.shells | {Shell(token, "begin")}), Client("wait", token)
        elif client.at == "wait":
            if not any(shell.token == client.token and not shell.command for shell in world.shells):
                yield world, client._replace(at="look")
            elif world.deaths < self.deaths:  # its connection breaks, and the shell goes on
                yield world._replace(deaths=world.deaths + 1), client._replace(at="look")
        elif client.at.startswith("look"):
            places = client.at.split(" ")[1:] or (LOOKS if self._keeps(Rule.LATER_LAST) else LOOKS[::-1])
            seen = client.seen if client.at != "look" else Seen()
            if client.curious and client.at == "look":
                client = client._replace(token=world.lock[1])
            while places:
                seen, places = _look(world, seen, places[0]), places[1:]
                if self.slow:
                    break
            yield world, client._replace(seen=seen, at=" ".join(("look", *places)) if places else "judge")
        elif client.at == "judge":
            yield from self._judge(world, client)
        elif client.at == "confirm":
            job = client.seen.token
            after = world if world.receipt != NOBODY else world._replace(receipt=job)
            yield after, Client("end", told=f"job {job}")
        elif client.curious and client.at == "release":
            yield world, Client("end", told="none")
        elif client.at == "release":
            yield _released(world, client.seen), Client("send")
        elif client.at == "remove":  # what was looked at before may be somebody else's by now
            yield _released(world, Seen(*world.lock)), Client("send")

    def _judge(self, world: World, client: Client) -> Iterator[tuple[World, Client]]:
        phase, token, said = client.seen
        if phase == "receipt":
            yield world, Client("end", told=f"job {token}")
            return
        found = token if said == "accepted" else world.claim
        if found == NOBODY and (phase == "asked" or self._keeps(Rule.MARK_FIRST)):
            found = min((job for job, _ in world.queue), default=NOBODY)
        if found != NOBODY:
            yield world, client._replace(at="confirm", seen=Seen("", found))
        elif phase == "holder" or (phase == "asked" and said != "refused"):
            yield world, client._replace(at="look", seen=Seen())
            # One that was stopped looks as if it were dead; but a submit command can be seen to live.
            alive = phase == "asked" and not self.elsewhere and any(shell.token == token for shell in world.shells)
            answered = token not in world.requests or not self._keeps(Rule.WAIT_FOR_THE_DEAD)
            if not alive and answered:
                yield from self._release(world, client)
        elif phase == "asked":
            yield from self._release(world, client)
        elif client.curious:
            missed = "an attempt was missed" if client.token == world.lock[1] != NOBODY else ""
            yield world._replace(wrong=world.wrong or missed), Client("end", told="none")
        else:
            yield world, Client("send")

    def _release(self, world: World, client: Client) -> Iterator[tuple[World, Client]]:
        if client.seen.said == "refused" and client.token == client.seen.token:
            yield _released(world, client.seen), Client("end", told="refused")
        elif self._keeps(Rule.ONE_RENAME):
            yield world, client._replace(at="release")
        else:
            yield world, client._replace(at="remove" if world.lock == client.seen[:2] else "look", seen=Seen())

    # --- its shell over there

    def _shell(self, world: World, shell: Shell) -> Iterator[tuple[World, str]]:
        token, at = shell.token, shell.at
        mine = world.lock == ("holder", token)
        if at in ("lock", "lay") and world.deaths < self.deaths:  # its client has gone, or the disk is full
            yield self._given_up(world._replace(deaths=world.deaths + 1), token), ""
        if at == "begin":
            taken = world.lock[0] or world.receipt != NOBODY or world.claim != NOBODY
            yield (world, "") if taken else (world._replace(staged=world.staged | {token}), "lock")
        elif at == "lock":
            rest = world._replace(staged=world.staged - {token})
            got = token in world.staged and not world.lock[0]
            yield (rest._replace(lock=("holder", token)), "check") if got else (rest, "")
        elif at == "check":
            taken = world.receipt != NOBODY or world.claim != NOBODY
            yield (_released(world, Seen("holder", token)), "") if taken else (world, "lay")
        elif at in ("lay", "lay more"):
            if mine or not self._keeps(Rule.FENCED_LAYING):
                changed = "the inputs of a job were changed" if world.jobs and not self.elsewhere else ""
                wrong = world.wrong or changed
                laid = 1 if at == "lay" else 2
                yield world._replace(laid=max(world.laid, laid), wrong=wrong), "lay more" if at == "lay" else "ask"
            else:
                yield world, ""
        elif at == "ask":
            yield (world._replace(lock=("asked", token)), "start") if mine else (world, "")
        elif at == "start":  # and others need not go on
            shells = world.shells | {Shell(token, "open", command=True)}
            yield world._replace(shells=shells, staged=frozenset()), "wait"
        elif at == "wait" and not any(each.token == token and each.command for each in world.shells):
            yield world, ""

    def _given_up(self, world: World, token: int) -> World:
        if not self._keeps(Rule.OWN_NAME):
            return _released(world, Seen(*world.lock))._replace(staged=world.staged - {token})
        return _released(world, Seen("holder", token))._replace(staged=world.staged - {token})

    def _command(self, world: World, shell: Shell) -> Iterator[tuple[World, str]]:
        """The submit command, and the shell that keeps its answer."""
        token, at = shell.token, shell.at
        if at == "open":
            yield world, "send" if world.lock == ("asked", token) else ""  # its file is in the attempt's directory
        elif at == "send":
            yield world._replace(requests=world.requests | {token}), "listen"
            if self.refusing:
                yield self._said(world, token, "refused"), ""
        elif at == "listen" and token not in world.requests:
            yield self._said(world, token, "accepted"), "keep"
        elif at == "keep":
            yield world._replace(receipt=token) if world.lock == ("asked", token) else world, ""

    def _said(self, world: World, token: int, word: str) -> World:
        of = token if self._keeps(Rule.OWN_DIRECTORY) else world.lock[1]
        if of == NOBODY or world.lock[1] != of:  # it is in a directory that is removed
            return world
        return world._replace(said=frozenset({*(each for each in world.said if each[0] != of), (of, word)}))

    # --- the scheduler, and the job

    def _scheduler(self, world: World) -> Iterator[World]:
        for token in world.requests:
            # A submit command that nobody can see, and that was stopped for long, may come late (and its job leaves).
            twice = "two jobs of one key" if world.jobs and not self.elsewhere else ""
            half = "a job was made before its inputs were there" if world.laid < 2 else ""
            yield world._replace(
                requests=world.requests - {token}, queue=world.queue | {(token, False)}, jobs=world.jobs | {token},
                wrong=world.wrong or twice or half,
            )  # fmt: skip
        for job, runs in world.queue:
            others = world.queue - {(job, runs)}
            if not runs and world.claim in (NOBODY, job):
                wrong = world.wrong or ("the work was done twice" if world.bodies else "")
                yield world._replace(queue=others | {(job, True)}, claim=job, bodies=1, wrong=wrong)
            elif not runs or not self.removed:  # of one that has ended, and has no directory, nobody knows any more
                yield world._replace(queue=others)


def _look(world: World, seen: Seen, place: str) -> Seen:
    """Look for one name of an attempt; a later one counts for more."""
    if place == "staged" and world.staged and not seen.phase:
        return Seen(place)
    if place == world.lock[0]:
        said = dict(world.said).get(world.lock[1], "") if place == "asked" else ""
        return Seen(place, world.lock[1], said)
    if place == "receipt" and world.receipt != NOBODY:
        return Seen(place, world.receipt)
    return seen


def _released(world: World, seen: Seen) -> World:
    """Without this attempt, if it still has that name."""
    if world.lock != seen[:2]:
        return world
    return world._replace(lock=("", NOBODY), said=frozenset(each for each in world.said if each[0] != seen.token))


def wrong_in(world: World) -> str:
    """What is wrong with this world; empty: nothing."""
    for client in world.clients:
        if client.told.startswith("job ") and int(client.told[4:]) not in world.jobs:
            return "a client was told of a job that is none"
    return world.wrong


def search(model: Model, clients: int, curious: int = 0) -> tuple[int, str]:
    """All worlds that can be reached: how many, and what is wrong with the first that is wrong.

    From each of them every client has to be able to come to its end.
    """
    start = World(tuple(Client(curious=number >= clients) for number in range(clients + curious)))
    before: dict[World, list[World]] = {start: []}
    todo, ends = [start], []
    while todo:
        world = todo.pop()
        if all(client.at == "end" for client in world.clients):
            ends.append(world)
        for after in model.steps(world):
            if after not in before:
                if wrong := wrong_in(after):
                    return len(before), wrong
                before[after] = []
                todo.append(after)
            before[after].append(world)
    good = set(ends)
    while ends:
        for world in before[ends.pop()]:
            if world not in good:
                good.add(world)
                ends.append(world)
    return len(before), "" if len(good) == len(before) else "clients that can never come to an end"
