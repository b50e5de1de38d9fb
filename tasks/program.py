"""The program `submithost`: `fab` with these tasks built in, from any directory.

Of Fabric's own settings it reads none: no `fabric.yml`, no `~/.fabric.yml`, no `/etc/fabric.yml`, no `FABRIC_...`
variable and no ssh_config. They are about `c.run` and Fabric's connections, and no task of ours uses either; keys,
users and ports are what `ssh -G` says. The section `clusters:` of `~/.fabric.yml` and of the nearest `fabric.yml` from
here upwards counts as it does under `fab`: `namespace()` reads it, by our own loader. So nothing before a task ends in
one of Fabric's tracebacks (F19), and flags that would do nothing (`--echo`, `--dry`, `-f`, ...) are not there.
"""

from __future__ import annotations

import inspect
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paramiko
from fabric.config import Config
from fabric.executor import Executor
from fabric.main import Fab
from invoke.collection import Collection
from invoke.context import Context
from invoke.exceptions import Exit, ParseError
from invoke.parser.argument import Argument
from invoke.parser.context import ParserContext, to_flag
from invoke.tasks import Task
from invoke.terminals import pty_size

from . import namespace
from .model.configuration import parse_host
from .model.errors import nearest
from .model.wording import one_line
from .screen.help_text import beside, wrapped
from .screen.streams import make_safe
from .verbs.catalogue import by_name, call_it_submithost, verbs_at_once
from .verbs.ending import ending

_FLAGS = {
    "complete", "debug", "help", "hosts", "identity", "list", "list-agent-keys", "list-depth", "list-format",
    "print-completion-script", "ssh-config", "version", "write-pyc",
}  # fmt: skip
"""Those of Fabric's and Invoke's flags that mean something to our tasks, or to the parser itself."""


class _NoSshConfig(paramiko.SSHConfig):
    def lookup(self, hostname: str) -> paramiko.SSHConfigDict:
        """Nothing but the name itself; paramiko would ask who we are, which nobody may know."""
        return paramiko.SSHConfigDict(hostname=hostname)


_CHAIN = """Several tasks on one line share one login; wait and fetch are for all jobs of the
line:

  {0} -H sharc submit --script=a.sh submit --script=b.sh wait fetch
"""
_EVERYWHERE = ("hosts", "identity", "ssh-config", "help")
"""Those of them that somebody may have meant behind a task."""


class Settings(Config):
    """Fabric's defaults and the command line, and nothing from any file or from the environment."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **{**more, "ssh_config": _NoSshConfig()})  # type: ignore[no-untyped-call]  # the same

    @staticmethod
    def global_defaults() -> dict[str, Any]:
        """No user and no port: what `-H me@sharc:22` says then differs from the default, whoever `me` is."""
        defaults = Config.global_defaults()  # type: ignore[no-untyped-call]  # fabric has no annotations
        return {**defaults, "user": None, "port": 0}

    def load_base_conf_files(self) -> None:
        """Nothing."""

    def load_shell_env(self) -> None:
        """Nothing."""

    def load_ssh_config(self) -> None:
        """Nothing: the session asks `ssh -G`."""


class Hosts(Executor):
    """`-H` is read as the configuration reads hosts, all of it before the first task; several are worked with at once.

    Where a task of the line is none that goes with many clusters at once, the whole line is one after the other.
    """

    def execute(self, *tasks: ParserContext) -> dict[Task[Any], Any]:
        """Run the command line. Raises Exit, InvalidInput."""
        several = {str(task.name) for task in verbs_at_once()}
        hosts = self.core[0].args.hosts
        names = list(dict.fromkeys(hosts.value.split(","))) if hosts.value else []
        self.normalize_hosts(names)
        if len(names) < 2 or not tasks or not all(task.name in several for task in tasks):
            hosts.set_value(",".join(names), cast=False)
            if any(str(task.name).startswith("all.") for task in tasks):
                from .fleet.fleet import for_all
                from .model.command_line import current

                current.planned = for_all(tasks)
            results: dict[Task[Any], Any] = super().execute(*tasks)
            return results
        from .fleet.fleet import together
        from .session import cluster_of

        clusters = list(dict.fromkeys(cluster_of(name).name for name in names))
        verbs = by_name()
        for at, task in enumerate(tasks, 1):
            together(Context(self.config), str(task.name), clusters, task.as_kwargs, verbs, last=at == len(tasks))
        return {}

    def normalize_hosts(self, hosts: Iterable[str] | None) -> list[dict[str, Any]]:
        """Fabric's own way with `-H sharc:x` is a traceback. Raises InvalidInput."""
        parts = [parse_host(text) for text in hosts or ()]
        return [{"user": user, "host": host, "port": port} for user, host, port in parts]


class SubmithostProgram(Fab):
    """`fab`, whose tasks are `namespace()`, whose every failure is one line, and which reads no settings but ours."""

    def __init__(self) -> None:
        super().__init__(
            namespace=Collection(),  # known to be there; which tasks it has is found out when they are needed
            name="submithost",
            binary="submithost",
            binary_names=["submithost"],
            executor_class=Hosts,
            config_class=Settings,
        )

    def run(self, argv: list[str] | None = None, exit: bool = True) -> None:
        """Run a command line. Without `exit`, Invoke's own ends return instead of raising SystemExit."""
        with _one_line():
            try:
                super().run(argv, exit)
            finally:
                print(end="", flush=True)  # a reader that has gone is noticed now, not on the way out

    def core_args(self) -> list[Argument]:
        every: list[Argument] = super().core_args()  # type: ignore[no-untyped-call]  # the same
        return [argument for argument in every if _FLAGS.intersection(argument.names)]

    def print_version(self) -> None:
        from importlib import metadata

        for package in ("submithost", "fabric", "paramiko", "invoke"):
            print(package, metadata.version(package))

    def print_help(self) -> None:
        super().print_help()
        print(_CHAIN.format(self.binary))

    def print_task_help(self, name: str) -> None:
        """As Invoke does it, with words kept whole in whatever width there is, and `=STRING` for every flag that takes
        a value.
        """
        context = self.parser.contexts[name]
        several = {to_flag(argument.name) for argument in context.args.values() if argument.kind is list}
        flags = [(f"{name}=STRING" if name in several else name, about) for name, about in context.help_tuples()]
        usage = f"Usage: {self.binary} [-H CLUSTER] {name} {'[--flags] ' if flags else ''}[more tasks ...]"
        print(f"{wrapped(usage, pty_size()[0])}\n")
        for paragraph in (inspect.getdoc(self.collection[name]) or "").split("\n\n"):
            print(f"{wrapped(' '.join(paragraph.split()), pty_size()[0], self.leading_indent)}\n")
        if flags:
            print("Flags:")
            self.print_columns(flags)

    def print_columns(self, tuples: Sequence[tuple[str, str | None]]) -> None:
        """Names and what is said of each."""
        print("\n".join(beside(tuples, pty_size()[0], self.leading_indent, self.col_padding)), end="\n\n")

    def parse_core_args(self) -> None:
        with self._plainer():
            super().parse_core_args()

    def parse_tasks(self) -> None:
        with self._plainer():
            super().parse_tasks()

    def parse_cleanup(self) -> None:
        with self._plainer():
            formats = ("flat", "nested", "json")
            if (wanted := self.args["list-format"].value) not in formats:
                raise ParseError(f"--list-format is one of {', '.join(formats)}, not {one_line(wanted)}")
            super().parse_cleanup()

    @contextmanager
    def _plainer(self) -> Iterator[None]:
        """Invoke's words on a wrong command line, and the nearest right one."""
        try:
            yield
        except ParseError as error:
            raise ParseError(self._explained(str(error), error.context), error.context) from None
        except ValueError:  # from the one flag that Invoke makes a number
            raise ParseError("--list-depth takes a number") from None

    def _explained(self, said: str, context: ParserContext | None) -> str:
        if match := re.match(r"Flag <Argument: (?:\S \(([a-z-]+)\)|([a-z-]+)).* needed value", said):
            return f"--{match[1] or match[2]} needs a value"
        if not (match := re.fullmatch(r"No idea what '(.*)' is!", said, re.S)):
            return said
        word, ask = match[1].partition("=")[0], f"{self.binary} --list"
        if word.startswith("-"):
            task = context.name if context else None
            known = list(context.flags if context else self.initial_context.flags)
            known += [to_flag(name) for name in _EVERYWHERE]
            of = f" of {task}" if task else ""
            what, ask = f"flag {one_line(word)}{of}", f"{self.binary} --help {task or ''}".rstrip()
        else:
            what, known = f"task '{one_line(word)}'", [str(name) for name in self.parser.contexts]
            if os.path.isfile(word):
                return f"there is no {what}; for a job script it is {self.binary} submit --script={one_line(word)}"
        return f"there is no {what}{nearest(word, known) or f'; {ask} shows those that there are'}"

    def parse_collection(self) -> None:
        """Only now, so that a wrong configuration is no matter to `--version`."""
        self.namespace = namespace()
        call_it_submithost(self.namespace)
        super().parse_collection()

    def update_config(self, merge: bool = True) -> None:
        """What `-i` and `-S` say, where sessions look for it."""
        if self.core.remainder:  # Fabric would run it over a connection that checks no host key (F1)
            raise Exit("submithost runs its tasks and no commands: leave out what follows `--`", 1)
        given: dict[str, Any] = {"authentication": {"identities": [Path(path) for path in self.args.identity.value]}}
        if self.args["ssh-config"].value:
            given["ssh_config_path"] = self.args["ssh-config"].value
        self.config.load_overrides(given, merge=merge)


@contextmanager
def _one_line() -> Iterator[None]:
    """Whatever is raised is one line and an exit status; where nobody reads our output any more, not even a line."""
    try:
        yield
    except Exception as error:
        line, status = ending(error)
        if line:
            print(line, file=sys.stderr)
        raise SystemExit(status) from None


def main() -> None:
    """The console script."""
    make_safe()
    SubmithostProgram().run()
