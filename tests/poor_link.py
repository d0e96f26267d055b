"""A poor link between two processes of this machine: slow, long, cut every so many bytes; it counts what passes.

    with poor_link(server_port, Link(bits_per_s=64_000, round_trip_s=0.6)) as link:
        connect(f"http://127.0.0.1:{link.port}")
        print(link.up, link.down)

It stands between two TCP connections, as a modem does between two cables. The rate is that of each direction, shared
by all connections; a segment of 1,460 bytes takes the line for 40 bytes more. A new connection waits a round trip
before its first byte. Not there: slow start, which at 64 kbit/s never holds anything up, and loss, which only delays.
"""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

SEGMENT: Final = 1_460
HEADER: Final = 40
MODEM: Final = 32_000  # bytes that wait in it before the sender has to
_RESET: Final = struct.pack("ii", 1, 0)  # closing says RST


@dataclass(frozen=True, kw_only=True, slots=True)
class Link:
    """What a link is like; nothing said, it carries all at once and counts.

    Args:
        bits_per_s: of each direction; 0: as fast as the machine is.
        round_trip_s: from a byte sent to its answer.
        cut_every: bytes, both ways together, after which every connection is reset; 0: never.
        cut_s: how long nobody gets a connection then.
    """

    bits_per_s: int = 0
    round_trip_s: float = 0.0
    cut_every: int = 0
    cut_s: float = 0.0


@dataclass
class PoorLink:
    """A link that stands; ``up`` and ``down`` are the bytes that have come out at its other end."""

    link: Link
    target: int
    port: int = 0
    up: int = 0
    down: int = 0
    cuts: int = 0
    _since_cut: int = 0
    _down_until: float = 0.0
    _free: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})
    _open: set[_Pair] = field(default_factory=set)

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        pair = _Pair(self, reader, writer)
        if now() < self._down_until:
            pair.reset()
            return
        self._open.add(pair)
        try:
            await pair.carry()
        finally:
            self._open.discard(pair)
            pair.reset()

    async def wait_for_room(self, *, is_up: bool) -> None:
        """Wait while the modem is full."""
        if self.link.bits_per_s:
            waiting_s = self._free[is_up] - now() - MODEM * 8 / self.link.bits_per_s
            if waiting_s > 0:
                await asyncio.sleep(waiting_s)

    def arrival(self, size: int, *, is_up: bool) -> float:
        """Take the line for so many bytes; return when they come out."""
        began = max(now(), self._free[is_up])
        took = (size + HEADER) * 8 / self.link.bits_per_s if self.link.bits_per_s else 0.0
        self._free[is_up] = began + took
        return began + took + self.link.round_trip_s / 2

    def came_out(self, size: int, *, is_up: bool) -> None:
        """Count bytes, and cut where it is time to."""
        if is_up:
            self.up += size
        else:
            self.down += size
        self._since_cut += size
        if self.link.cut_every and self._since_cut >= self.link.cut_every:
            self.cut()

    def cut(self) -> None:
        """Reset every connection; what waited in the modem is gone."""
        self.cuts += 1
        self._since_cut = 0
        self._down_until = now() + self.link.cut_s
        self._free = {True: 0.0, False: 0.0}
        for pair in list(self._open):
            pair.reset()


class _Pair:
    """A client's connection and ours to the server."""

    def __init__(self, link: PoorLink, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._link = link
        self._reader = reader
        self._writers = [writer]
        self._tasks: list[asyncio.Task[None]] = []

    async def carry(self) -> None:
        await asyncio.sleep(self._link.link.round_trip_s)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._link.target)
        except OSError:  # nobody is there
            return
        self._writers.append(writer)
        ways = ((True, self._reader, writer), (False, reader, self._writers[0]))
        self._tasks = [
            asyncio.create_task(self._carry_one_way(one, to, is_up=is_up)) for is_up, one, to in ways
        ]
        with suppress(asyncio.CancelledError, OSError):
            await asyncio.gather(*self._tasks)

    async def _carry_one_way(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_up: bool
    ) -> None:
        under_way = asyncio.Queue[tuple[float, bytes]]()
        delivery = asyncio.create_task(self._deliver(under_way, writer, is_up=is_up))
        self._tasks.append(delivery)
        while data := await reader.read(SEGMENT):
            await self._link.wait_for_room(is_up=is_up)
            under_way.put_nowait((self._link.arrival(len(data), is_up=is_up), data))
        under_way.put_nowait((self._link.arrival(0, is_up=is_up), b""))
        await delivery

    async def _deliver(
        self, under_way: asyncio.Queue[tuple[float, bytes]], writer: asyncio.StreamWriter, *, is_up: bool
    ) -> None:
        while True:
            at, data = await under_way.get()
            await asyncio.sleep(max(0.0, at - now()))
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()
            self._link.came_out(len(data), is_up=is_up)

    def reset(self) -> None:
        """End both connections without a good-bye."""
        for task in self._tasks:
            task.cancel()
        for writer in self._writers:
            with suppress(OSError):
                writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            writer.transport.abort()


def now() -> float:
    """Return the time by which the link lives, s."""
    return asyncio.get_running_loop().time()


@contextmanager
def poor_link(target: int, link: Link) -> Iterator[PoorLink]:
    """Carry connections to a port of this machine until the block ends."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="poor-link", daemon=True)
    thread.start()
    stands = PoorLink(link, target)

    async def begin() -> asyncio.Server:
        return await asyncio.start_server(stands.connected, "127.0.0.1", 0)

    async def end(server: asyncio.Server) -> None:
        server.close()
        stands.cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    server = asyncio.run_coroutine_threadsafe(begin(), loop).result()
    stands.port = server.sockets[0].getsockname()[1]
    try:
        yield stands
    finally:
        asyncio.run_coroutine_threadsafe(end(server), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
