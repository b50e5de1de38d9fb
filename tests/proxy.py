"""A proxy on loopback between a client and an sshd: it delays, counts, cuts and freezes connections.

The kernel here has no netem. A "packet" is what one read brings: ssh writes each of its packets by itself, so nearly
always one of those.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal

from tasks.testbed.sshd import Door

Direction = Literal["up", "down"]
_CHUNK = 1 << 18
_MOST_WAITING = 64 << 20  # bytes under way in one direction


@dataclass
class Proxy:
    """To be used by `with`; `delay` is that of one direction in seconds, so half a round trip.

    `cut` (DIRECTION, N): the Nth packet of that direction, over all connections, does not arrive: its connection is
    reset instead, once. `counted` are the packets and `amount` the bytes so far. While `frozen`, nothing moves either
    way and nothing is closed, as with a dead peer. `refusing` resets every new connection. `connections` is how many
    there were.
    """

    port_there: int
    delay: float = 0.0
    cut: tuple[Direction, int] | None = None
    frozen: bool = False
    refusing: bool = False
    counted: dict[Direction, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    amount: dict[Direction, int] = field(default_factory=lambda: {"up": 0, "down": 0})
    connections: int = 0
    cuts: int = 0
    port: int = 0

    def __enter__(self) -> Proxy:
        ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._run, args=(ready,), daemon=True)
        self._thread.start()
        ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def drop_all(self) -> None:
        """Reset every connection that there is, now."""
        self._loop.call_soon_threadsafe(self._drop_all)

    def _drop_all(self) -> None:
        for task in self._tasks:
            task.cancel()

    def _run(self, ready: threading.Event) -> None:
        async def begin() -> asyncio.Server:
            server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            return server

        server = self._loop.run_until_complete(begin())
        ready.set()
        self._loop.run_forever()
        server.close()
        self._drop_all()
        if self._tasks:
            self._loop.run_until_complete(asyncio.wait(self._tasks))
        self._loop.close()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        writers = [writer]
        try:
            if self.refusing:
                return
            there, back = await asyncio.open_connection("127.0.0.1", self.port_there)
            writers.append(back)
            for each in writers:
                each.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ways = [
                asyncio.ensure_future(self._carry(reader, back, "up")),
                asyncio.ensure_future(self._carry(there, writer, "down")),
            ]
            try:
                await asyncio.gather(*ways)
            finally:
                for way in ways:
                    way.cancel()
        except (OSError, asyncio.CancelledError):
            for each in writers:  # a reset and no orderly end: whoever waits learns it at once
                each.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        finally:
            self._tasks.discard(task)
            for each in writers:
                each.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, way: Direction) -> None:
        """One direction, until its end arrives: bytes leave here `delay` after they came, in their order."""
        waiting: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(maxsize=_MOST_WAITING // _CHUNK)
        clock = asyncio.get_running_loop().time

        async def deliver() -> None:
            while True:
                due, data = await waiting.get()
                if (pause := due - clock()) > 0:
                    await asyncio.sleep(pause)
                while self.frozen:
                    await asyncio.sleep(0.05)
                if not data:
                    writer.write_eof()
                    return
                writer.write(data)
                await writer.drain()

        delivering = asyncio.ensure_future(deliver())
        try:
            while True:
                data = await reader.read(_CHUNK)
                self.counted[way] += bool(data)
                self.amount[way] += len(data)
                if self.cut == (way, self.counted[way]) and data:
                    self.cut = None
                    self.cuts += 1
                    raise ConnectionResetError
                await waiting.put((clock() + self.delay, data))
                if not data:
                    break
            await delivering
        finally:
            delivering.cancel()


def ssh_config_through(proxy: Proxy, door: Door, path: Path, *, name: str | None = None) -> Path:
    """Write an ssh_config that reaches `door` through the proxy, under its own name or `name`; return its path."""
    path.write_text(
        f"Host {name or door.name}\n    Port {proxy.port}\n    HostKeyAlias [127.0.0.1]:{door.port}\n"
        + door.host_block().replace(f"Host {door.name}\n", f"Host {name or door.name}\n")
    )
    return path
