"""A worker is a process that runs verbs for one cluster, over a session of its own.

It is forked, so that everything is imported only once. It reads verbs from a pipe, one JSON object a line; it writes to
another how each ended and which rows to show; two more are its stdout and stderr.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import queue
import selectors
import signal
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Literal, NoReturn, Protocol

from invoke.context import Context
from invoke.exceptions import Exit
from invoke.tasks import Task

from ..model.reading import pipes

Stream = Literal["out", "err", "told"]
Flags = Mapping[str, Any]
Verbs = Mapping[str, Task[Any]]


class Audience(Protocol):
    """Takes what workers say; `name` is the cluster's."""

    def line(self, name: str, stream: Stream, line: bytes) -> None:
        """A line of stdout or stderr, without its end."""

    def rows(self, name: str, columns: list[str], rows: list[list[str]], styles: list[Any], live: bool) -> None:
        """Rows of a table; `styles` are (row, column, style), `live` rows replace those before."""

    def ended(self, name: str, status: int, said: str) -> None:
        """The verb has ended; `said` is the line of its error."""


class Worker:
    """A worker, as its parent sees it; `status` is the exit status of its last verb."""

    def __init__(self, name: str, context: Context, verbs: Verbs, others: Sequence[Worker]) -> None:
        self.name = name
        self.status = 0
        self.busy = False
        tasks, self._tasks = os.pipe()
        self._ours: dict[Stream, int] = {}
        theirs: dict[Stream, int] = {}
        streams: tuple[Stream, ...] = ("out", "err", "told")
        for stream in streams:
            self._ours[stream], theirs[stream] = os.pipe()
        self._rest: dict[Stream, bytes] = dict.fromkeys(streams, b"")
        for text in (sys.stdout, sys.stderr):
            text.flush()  # else both processes would write what is buffered
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])  # until the child has its handler
        self.pid = os.fork()
        if not self.pid:
            for end in (end for worker in (self, *others) for end in worker._ends()):
                os.close(end)
            _serve(name, context, verbs, tasks, theirs)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        for end in (tasks, *theirs.values()):
            os.close(end)
        for end in self._ours.values():
            os.set_blocking(end, False)

    def _ends(self) -> Iterator[int]:
        yield from (self._tasks, *self._ours.values())

    def begin(self, verb: str, flags: Flags) -> None:
        """Have it run a verb; `listen` passes on what it says."""
        self.busy = True
        with contextlib.suppress(BrokenPipeError):  # it has ended, as `listen` will notice
            what = {
                "verb": verb,
                "flags": flags,
                "pipes": {path: data.decode("latin-1") for path, data in pipes.items()},
            }
            os.write(self._tasks, json.dumps(what).encode() + b"\n")

    def register(self, selector: selectors.BaseSelector) -> None:
        for stream, end in self._ours.items():
            selector.register(end, selectors.EVENT_READ, (self, stream))

    def hear(self, stream: Stream, listener: Audience) -> None:
        """Pass on what has come on a stream. When `told` ends, so has the worker."""
        there = True
        while there:
            try:
                piece = os.read(self._ours[stream], 1 << 16)
            except BlockingIOError:
                return
            *lines, self._rest[stream] = (self._rest[stream] + piece).split(b"\n")
            for line in lines:
                if stream == "told":
                    self._told(json.loads(line), listener)
                else:
                    listener.line(self.name, stream, line)
            there = bool(piece)
        if stream == "told" and self.busy:
            self._over(1, f"its process was ended ({self._how()})", listener)

    def _told(self, what: dict[str, Any], listener: Audience) -> None:
        if "ended" in what:
            self._over(what["ended"], what["said"], listener)
        else:
            listener.rows(self.name, **what)

    def _over(self, status: int, said: str, listener: Audience) -> None:
        """The verb has ended: pass on the rest of its output, including a last line without a newline."""
        self.busy, self.status = False, status
        rest: tuple[Stream, ...] = ("out", "err")
        for stream in rest:
            self.hear(stream, listener)
            if self._rest[stream]:
                listener.line(self.name, stream, self._rest[stream])
                self._rest[stream] = b""
        listener.ended(self.name, status, said)

    def kill(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def dismiss(self) -> None:
        """Send no more verbs: it logs out and ends."""
        os.close(self._tasks)

    def gone(self) -> bool:
        """Whether it has ended."""
        try:
            return os.waitpid(self.pid, os.WNOHANG)[0] != 0
        except ChildProcessError:  # it was waited for already
            return True

    def _how(self) -> str:
        _, status = os.waitpid(self.pid, 0)
        code = os.waitstatus_to_exitcode(status)
        return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def listen(workers: Sequence[Worker], listener: Audience) -> None:
    """Pass on what these workers say until each one's verb has ended."""
    with selectors.DefaultSelector() as selector:
        for worker in workers:
            worker.register(selector)
        while any(worker.busy for worker in workers):
            for key, _ in selector.select():
                worker, stream = key.data
                if worker.busy:
                    worker.hear(stream, listener)
                else:
                    selector.unregister(key.fd)  # one that has ended may be gone


# The worker's side


def _serve(name: str, context: Context, verbs: Verbs, tasks: int, ends: Mapping[Stream, int]) -> NoReturn:
    """Run the verbs that come, for the cluster of that name. Never returns into the code that forked."""
    status = 1
    try:
        signal.signal(signal.SIGINT, _interrupted)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGINT])
        os.dup2(ends["out"], 1)
        os.dup2(ends["err"], 2)
        for text in (sys.stdout, sys.stderr):
            if isinstance(text, io.TextIOWrapper):
                text.reconfigure(line_buffering=True)
        _work(name, context, verbs, tasks, ends["told"])
        status = 0
    except KeyboardInterrupt:
        pass  # while nothing was to do
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def _interrupted(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001  # a signal handler's
    """Only the first SIGINT counts: the terminal sends one, the parent another, and the last word must come whole."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    raise KeyboardInterrupt


def _work(name: str, context: Context, verbs: Verbs, tasks: int, told: int) -> None:
    from ..model import command_line
    from ..tracking.cluster_session import close_all

    def tell(**what: Any) -> None:
        data = json.dumps(what).encode() + b"\n"
        while data:
            data = data[os.write(told, data) :]

    def rows(columns: Sequence[str], rows: Sequence[Sequence[str]], styles: command_line.Styles, *, live: bool) -> None:
        tell(columns=columns, rows=rows, styles=[(*place, style) for place, style in styles.items()], live=live)

    command_line.current.rows = rows
    command_line.current.here = Path(name.replace("/", "_"))
    context.config.load_collection({"submithost": {"cluster": name}})
    todo: queue.SimpleQueue[Any] = queue.SimpleQueue()
    running = threading.Event()
    threading.Thread(target=_take, args=(tasks, todo, running), daemon=True).start()
    while task := todo.get():
        running.set()
        pipes.update({path: text.encode("latin-1") for path, text in task["pipes"].items()})
        ended, said = _run(verbs[task["verb"]], context, task["flags"])
        for text in (sys.stdout, sys.stderr):
            text.flush()
        running.clear()
        tell(ended=ended, said=said)
    close_all()


def _take(tasks: int, todo: queue.SimpleQueue[Any], running: threading.Event) -> None:
    """Queue the verbs that come. If the parent ends while one runs, end as well."""
    with open(tasks, "rb") as lines:
        for line in lines:
            todo.put(json.loads(line))
    if running.is_set():
        os.kill(os.getpid(), signal.SIGTERM)
    todo.put(None)


def _run(verb: Task[Any], context: Context, flags: Flags) -> tuple[int, str]:
    """Run a verb; return its exit status, and its error without the verb's name."""
    try:
        verb(context, **flags)
    except Exit as end:
        return end.code, (end.message or "").removeprefix(f"{verb.__name__}: ")
    except KeyboardInterrupt:
        return 1, ""
    except Exception:  # only when SUBMITHOST_DEBUG asks for it
        traceback.print_exc()
        return 1, ""
    return 0, ""
