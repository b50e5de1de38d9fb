"""The states of one key as docs/exactly-once.md has them, and every step that anybody may take in them.

A `World` is what there is: the job directory, the scheduler, the shells and submit commands on the login node, and the
clients, of which each wants the key to become a job. `Model.steps` gives all worlds that may come next; a search over
them is every interleaving. A shell or command that is stopped is one whose turn does not come; one may be killed
between any two steps. `broken` names a rule that is left out, to show what it is there for.

There is no clock. Who is alive may be taken for silent at any time. What takes the scheduler less than a minute has
happened when somebody takes a submit command for dead, unless it is not `prompt`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple


class Rule(Enum):
    """What makes the steps safe; each of these can be left out."""

    OWN_NAME = "giving up removes one's own attempt, by its name"
    FENCED_CLEANING = "what an earlier attempt has laid goes where only the holder of the lock has a path"
    FENCED_LAYING = "files are laid from a path that only the holder of the lock has"
    ONE_RENAME = "a lock is released by one rename of the name that was looked at"
    LATER_LAST = "who looks at an attempt looks for its earlier names first"
    MARK_FIRST = "the scheduler is asked for the mark before a key is said to have made no job"
    WAIT_FOR_THE_DEAD = "a dead submit command is left alone until the scheduler has had its request"
    OWN_DIRECTORY = "what a submit command says goes into its attempt's own directory, wherever that is"
    RELEASED = "the lock of a holder that is gone is released"
    LOOK_AGAIN = "who was told nothing looks before it submits again"


NOBODY = -1
FORMER = -2  # whose text it was does not matter any more


class Kind(Enum):
    """How a step comes."""

    SURE = "its turn comes, unless another step of the same one comes first"
    POLL = "the same, but it changes nothing: a client looks"
    MAYBE = "it need not ever come: a death, or that somebody was silent for too long"


class Shell(NamedTuple):
    """The program `submit` there under this token; or, as `command`, the submit command that it has started."""

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
    `laid` whose text each of the two inputs in the job directory is. `late` are attempts that were released while their
    requests could still come: their jobs, and no others, are promised nothing but that the work is done once.
    """

    clients: tuple[Client, ...]
    shells: frozenset[Shell] = frozenset()
    staged: frozenset[int] = frozenset()
    lock: tuple[str, int] = ("", NOBODY)  # holder or asked, and whose
    said: frozenset[tuple[int, str]] = frozenset()
    laid: tuple[int, int] = (NOBODY, NOBODY)
    receipt: int = NOBODY
    claim: int = NOBODY
    requests: frozenset[int] = frozenset()  # under way to the scheduler
    queue: frozenset[tuple[int, bool]] = frozenset()  # jobs that the scheduler shows, and whether they run
    jobs: frozenset[int] = frozenset()  # all that ever were
    late: frozenset[int] = frozenset()
    bodies: int = 0
    deaths: int = 0
    wrong: str = ""

    def tokens(self) -> set[int]:
        """All that mean something."""
        found = {shell.token for shell in self.shells} | self.staged | self.requests | self.jobs
        found |= {self.lock[1], self.receipt, self.claim} | self.late | {of for of, _ in self.said}
        return found | {each for client in self.clients for each in (client.token, client.seen.token)}


LOOKS = ("staged", "holder", "asked", "receipt")


@dataclass(frozen=True)
class Model:
    """`deaths`: how many shells and commands may be killed, or lose their client. `removed`: the user may remove the
    job directory of a job that waits or runs, while nobody submits it. `slow`: a look takes a step for each place.
    `elsewhere`: nobody sees whether processes live, so a submit command that is stopped may be taken for dead.
    `prompt`: the scheduler shows what it was asked for before anybody takes the submit command for dead.
    """

    deaths: int = 1
    removed: bool = False
    refusing: bool = True
    slow: bool = False
    elsewhere: bool = False
    prompt: bool = True
    broken: Rule | None = None

    def steps(self, world: World) -> Iterator[tuple[World, Kind]]:
        """Every world that may come next, and how."""
        for number, client in enumerate(world.clients):
            for after, changed, kind in self._client(world, client):
                clients = (*after.clients[:number], changed, *after.clients[number + 1 :])
                yield after._replace(clients=clients if self.slow else tuple(sorted(clients))), kind
        for shell in world.shells:
            others = world.shells - {shell}
            act = self._command if shell.command else self._shell
            for after, at, kind in act(world._replace(shells=others), shell):
                yield after._replace(shells=after.shells | {shell._replace(at=at)}) if at else after, kind
            if world.deaths < self.deaths:
                yield world._replace(shells=others, deaths=world.deaths + 1), Kind.MAYBE
        for after in self._scheduler(world):
            yield after, Kind.SURE
        idle = not world.shells and all(client.at in ("look", "end") for client in world.clients)
        if self.removed and world.queue and idle:
            nothing = World(())  # of what is in the job directory
            yield (
                world._replace(
                    staged=frozenset(),
                    lock=nothing.lock,
                    said=frozenset(),
                    laid=nothing.laid,
                    receipt=NOBODY,
                    claim=NOBODY,
                ),
                Kind.MAYBE,
            )

    def _keeps(self, rule: Rule) -> bool:
        return rule is not self.broken

    # --- a client, at its user's

    def _client(self, world: World, client: Client) -> Iterator[tuple[World, Client, Kind]]:
        if client.at == "send":
            used = world.tokens()
            token = next(number for number in range(99) if number not in used)
            laid = tuple(of if of in used else FORMER for of in world.laid)
            after = world._replace(shells=world.shells | {Shell(token, "begin")}, laid=laid)
            yield after, Client("wait", token), Kind.SURE
        elif client.at == "wait":
            if not any(shell.token == client.token and not shell.command for shell in world.shells):
                yield world, client._replace(at="look" if self._keeps(Rule.LOOK_AGAIN) else "send"), Kind.SURE
            elif world.deaths < self.deaths:  # its connection breaks, and the shell goes on
                yield world._replace(deaths=world.deaths + 1), client._replace(at="look"), Kind.MAYBE
        elif client.at.startswith("look"):
            places = client.at.split(" ")[1:] or (LOOKS if self._keeps(Rule.LATER_LAST) else LOOKS[::-1])
            seen = client.seen if client.at != "look" else Seen()
            if client.curious and client.at == "look":
                client = client._replace(token=world.lock[1])
            while places:
                seen, places = _look(world, seen, places[0]), places[1:]
                if self.slow:
                    break
            at = " ".join(("look", *places)) if places else "judge"
            yield world, client._replace(seen=seen, at=at), Kind.POLL
        elif client.at == "judge":
            yield from self._judge(world, client)
        elif client.at == "confirm" and world.receipt == NOBODY:
            yield world, client._replace(at="write"), Kind.SURE
        elif client.at in ("confirm", "write"):
            job = client.seen.token
            if client.at == "write":  # others may have written theirs meanwhile
                replaced = world.receipt not in (NOBODY, job) and not {world.receipt, job} & world.late
                wrong = world.wrong or ("the receipt of another job was replaced" if replaced else "")
                world = world._replace(receipt=job, wrong=wrong)
            yield world, Client("end", told=f"job {job}"), Kind.SURE
        elif client.curious and client.at == "release":
            yield world, Client("end", told="none"), Kind.SURE
        elif client.at == "release":
            yield _released(self._belated(world, client.seen), client.seen), Client("send"), Kind.SURE
        elif client.at == "remove":  # what was looked at before may be somebody else's by now
            yield _released(self._belated(world, client.seen), Seen(*world.lock)), Client("send"), Kind.SURE

    def _judge(self, world: World, client: Client) -> Iterator[tuple[World, Client, Kind]]:
        phase, token, said = client.seen
        if phase == "receipt":
            yield world, Client("end", told=f"job {token}"), Kind.SURE
            return
        found = token if said == "accepted" else world.claim
        if found == NOBODY and (phase == "asked" or self._keeps(Rule.MARK_FIRST)):
            found = min((job for job, _ in world.queue), default=NOBODY)
        if found != NOBODY:
            yield world, client._replace(at="confirm", seen=Seen("", found)), Kind.SURE
        elif phase == "holder" or (phase == "asked" and said != "refused"):
            yield world, client._replace(at="look", seen=Seen()), Kind.POLL
            lives = any(shell.token == token for shell in world.shells)
            # One that was stopped looks as if it were dead; but a submit command can be seen to live.
            seen_alive = lives and phase == "asked" and not self.elsewhere
            asking = token in world.requests
            waits = asking and self.prompt and self._keeps(Rule.WAIT_FOR_THE_DEAD)
            if not seen_alive and not waits and self._keeps(Rule.RELEASED):
                yield from self._release(world, client, Kind.MAYBE if lives or asking else Kind.SURE)
        elif phase == "asked":
            yield from self._release(world, client, Kind.SURE)
        elif client.curious:
            missed = "an attempt was missed" if client.token == world.lock[1] != NOBODY else ""
            yield world._replace(wrong=world.wrong or missed), Client("end", told="none"), Kind.SURE
        else:
            yield world, Client("send"), Kind.SURE

    def _release(self, world: World, client: Client, kind: Kind) -> Iterator[tuple[World, Client, Kind]]:
        if client.seen.said == "refused" and client.token == client.seen.token:
            yield _released(world, client.seen), Client("end", told="refused"), kind
        elif self._keeps(Rule.ONE_RENAME):
            yield world, client._replace(at="release"), kind
        elif world.lock == client.seen[:2]:
            yield world, client._replace(at="remove"), kind
        else:
            yield world, client._replace(at="look", seen=Seen()), kind

    def _belated(self, world: World, seen: Seen) -> World:
        """With that attempt among those that are late, if it is: the one thing that docs/exactly-once.md allows."""
        asks = seen.token in world.requests | world.jobs and (self.elsewhere or not self.prompt)
        asks |= Shell(seen.token, "send", command=True) in world.shells and self.elsewhere
        if world.lock != seen[:2] or seen.phase != "asked" or not asks:
            return world
        return world._replace(late=world.late | {seen.token})

    # --- its shell on the login node

    def _shell(self, world: World, shell: Shell) -> Iterator[tuple[World, str, Kind]]:
        token, at = shell.token, shell.at
        mine = world.lock == ("holder", token)
        if at in ("lock", "lay") and world.deaths < self.deaths:  # its client has gone, or the disk is full
            yield self._given_up(world._replace(deaths=world.deaths + 1), token), "", Kind.MAYBE
        if at == "begin":
            taken = world.lock[0] or world.receipt != NOBODY or world.claim != NOBODY
            yield world, "" if taken else "make", Kind.SURE
        elif at == "make":  # and remove what others sent who are dead, or were silent for long
            alive = world.staged & {other.token for other in world.shells}
            yield world._replace(staged=alive | {token}), "lock", Kind.SURE
            if alive:
                yield world._replace(staged=frozenset({token})), "lock", Kind.MAYBE
        elif at == "lock":
            rest = world._replace(staged=world.staged - {token})
            got = token in world.staged and not world.lock[0]
            yield (*((rest._replace(lock=("holder", token)), "check") if got else (rest, "")), Kind.SURE)
        elif at == "check":
            taken = world.receipt != NOBODY or world.claim != NOBODY
            yield (*((_released(world, Seen("holder", token)), "") if taken else (world, "clean")), Kind.SURE)
        elif at == "clean":
            may = mine or not self._keeps(Rule.FENCED_CLEANING)
            left = tuple(of if of == token else NOBODY for of in world.laid)
            yield _with_inputs(world, left) if may else world, "lay", Kind.SURE
        elif at in ("lay", "lay more"):
            may = mine or not self._keeps(Rule.FENCED_LAYING)
            laid = (token, world.laid[1]) if at == "lay" else (world.laid[0], token)
            then = "lay more" if at == "lay" else "ask"
            yield (*((_with_inputs(world, laid), then) if may else (world, "")), Kind.SURE)
        elif at == "ask":
            yield (*((world._replace(lock=("asked", token)), "start") if mine else (world, "")), Kind.SURE)
        elif at == "start":  # and others need not go on
            shells = world.shells | {Shell(token, "open", command=True)}
            yield world._replace(shells=shells, staged=frozenset()), "wait", Kind.SURE
        elif at == "wait" and not any(each.token == token and each.command for each in world.shells):
            yield world, "", Kind.SURE

    def _given_up(self, world: World, token: int) -> World:
        if not self._keeps(Rule.OWN_NAME):
            return _released(world, Seen(*world.lock))._replace(staged=world.staged - {token})
        return _released(world, Seen("holder", token))._replace(staged=world.staged - {token})

    def _command(self, world: World, shell: Shell) -> Iterator[tuple[World, str, Kind]]:
        """The submit command, and the shell that keeps its answer."""
        token, at = shell.token, shell.at
        if at == "open":  # its file is in the attempt's directory
            yield world, "send" if world.lock == ("asked", token) else "", Kind.SURE
        elif at == "send":
            yield world._replace(requests=world.requests | {token}), "listen", Kind.SURE
            if self.refusing:  # but not for ever: clients have a deadline
                yield self._said(world._replace(late=world.late - {token}), token, "refused"), "", Kind.MAYBE
        elif at == "listen" and token not in world.requests:
            yield self._said(world, token, "accepted"), "keep", Kind.SURE
        elif at == "keep":
            kept = world.lock == ("asked", token)
            yield world._replace(receipt=token) if kept else world, "", Kind.SURE

    def _said(self, world: World, token: int, word: str) -> World:
        of = token if self._keeps(Rule.OWN_DIRECTORY) else world.lock[1]
        if of == NOBODY or world.lock[1] != of:  # it is in a directory that is removed
            return world
        return world._replace(said=frozenset({*(each for each in world.said if each[0] != of), (of, word)}))

    # --- the scheduler, and the job

    def _scheduler(self, world: World) -> Iterator[World]:
        for token in world.requests:
            wrong = world.wrong
            if token not in world.late:
                twice = "two jobs of one key" if world.jobs - world.late else ""
                half = "a job was made of other inputs" if world.laid != (token, token) else ""
                wrong = wrong or twice or half
            yield world._replace(
                requests=world.requests - {token}, queue=world.queue | {(token, False)}, jobs=world.jobs | {token},
                wrong=wrong,
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


def _with_inputs(world: World, laid: tuple[int, ...]) -> World:
    """With these in the job directory, if there is no job yet that reads them."""
    changed = "the inputs of a job were changed" if laid != world.laid and world.jobs - world.late else ""
    return world._replace(laid=(laid[0], laid[1]), wrong=world.wrong or changed)


def wrong_in(world: World) -> str:
    """What is wrong with this world; empty: nothing."""
    told = {int(client.told[4:]) for client in world.clients if client.told.startswith("job ")}
    if not told <= world.jobs:
        return "a client was told of a job that is none"
    if len(told - world.late) > 1:
        return "clients were told of different jobs"
    return world.wrong
