"""What makes a function a task: flags as text, and errors as one line and an exit status, never a traceback."""

from __future__ import annotations

import copy
import functools
import gc
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from invoke.exceptions import Exit
from invoke.parser.argument import Argument
from invoke.tasks import Task, task

from ..model.errors import InvalidInput
from ..screen.streams import make_safe
from .ending import ending
from .selecting import REPEATED, SELECT_HELP, asking_for, wanted_of

JOB_HELP = SELECT_HELP["job"]
NOTIFY = {
    "notify": "ring the bell and show a notice on the desktop when the wait ends",
    "notify-command": "run this by sh then, with SUBMITHOST_JOB, SUBMITHOST_STATE and SUBMITHOST_CLUSTER",
}
JSON = "one JSON object per job and line on stdout"
# How many objects are made before Python looks for cycles. A command line keeps what it makes, and by default Python
# looks through all of it again and again: with 100,000 jobs in the ledger, that takes a third of the time.
_BETWEEN_COLLECTIONS = 100_000


class Flag(Argument):
    """A flag that is copied quickly: before it parses, Invoke copies those of every verb of every cluster."""

    def __deepcopy__(self, _: dict[int, Any]) -> Flag:
        twin = object.__new__(Flag)
        twin.__dict__.update(self.__dict__)
        twin.raw_value = twin._value = [*self._value] if isinstance(self._value, list) else self._value
        return twin

    def __repr__(self) -> str:
        """Invoke words all flags of all verbs for a log that nobody reads: in its own form, but at once."""
        return f"<Argument: {self.name}>"


class Verb(Task[Any]):
    """A task whose copies share their parsed arguments.

    Each cluster has a copy, Invoke copies all of them again when it loads a fabfile, and copies all flags to parse.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._arguments: list[Argument] = []
        self.at_once = False

    def get_arguments(self, ignore_unknown_help: bool | None = None) -> list[Argument]:
        """The parser copies them once more before it writes values into them."""
        if not self._arguments:
            self._arguments += super().get_arguments(ignore_unknown_help)
            for argument in self._arguments:
                argument.__class__ = Flag
                if argument.optional and _stands_alone(f"--{argument.name}"):
                    argument.kind, argument.optional = bool, False
        return self._arguments

    def __deepcopy__(self, _: dict[int, Any]) -> Verb:
        """F12: copies must not share their help."""
        twin = copy.copy(self)
        twin.help = dict(self.help)
        return twin


def _stands_alone(flag: str) -> bool:
    """Whether this command line has it without a value, for which Invoke would take the next word, or refuse that."""
    return flag in sys.argv and not any(word.startswith(f"{flag}=") for word in sys.argv)


def verb(
    *,
    help: Mapping[str, str],
    iterable: Iterable[str] = (),
    optional: Iterable[str] = (),
    name: str | None = None,
    at_once: bool = False,
    selects: bool = False,
) -> Callable[[Callable[..., None]], Task[Any]]:
    """Decorate a task. `help` has a line for each flag; the flags in `iterable` may be repeated, and those in
    `optional` have no value, or one behind `=`. `at_once`: it runs on many clusters at once, too. `selects`: it has the
    flags that select jobs, as its parameter `which`.

    Flags come in as text (F19: Invoke's own conversion ends in a traceback), `""` or None where not given; booleans
    are flags without a value. Errors of ours end the command line with their exit status.
    """

    def decorate(function: Callable[..., None]) -> Task[Any]:
        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> None:
            make_safe()
            gc.set_threshold(_BETWEEN_COLLECTIONS)
            try:
                if file := getattr(args[0].config, "_runtime_path", None):
                    _refuse_late_clusters(file)
                function(*args, **(wanted_of(kwargs) if selects else kwargs))
                sys.stdout.flush()
            except Exit:
                raise
            except Exception as error:
                line, status = ending(error)
                raise Exit(f"{function.__name__}: {line}" if line else None, status) from None

        known, repeated = dict(help), list(iterable)
        if selects:
            run.__signature__ = asking_for(function)  # type: ignore[attr-defined]  # any function may have one
            known, repeated = {**SELECT_HELP, **known}, [*repeated, *REPEATED]
        # F13: short flags would shadow those of the program itself.
        options: dict[str, Any] = {"name": name, "help": known, "iterable": repeated, "optional": list(optional)}
        made: Verb = task(klass=Verb, auto_shortflags=False, **options)(run)
        made.at_once = at_once
        return made

    return decorate


def _refuse_late_clusters(file: str) -> None:
    """Raises InvalidInput for clusters in the file of `fab -f FILE`: Fabric tells it after the tasks are made (F10)."""
    from ..model.configuration import names_clusters

    if names_clusters(Path(file)):
        raise InvalidInput(f"{file}: its clusters come too late by -f: put them into fabric.yml beside the fabfile")
