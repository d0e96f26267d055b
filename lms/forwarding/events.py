"""Tell listeners of statements as they are stored: server-sent events (HTML Living Standard §9.2).

One thread per process looks whether the feed has grown: at once after a commit of this process, each second
because another one may have written. It wakes the listeners; each then reads the feed on from its own position,
a page at a time, and holds neither a thread nor a transaction while it waits. A page that several listeners ask
for is read once. A listener that does not read is waited for with one page in hand, and left after a while.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from lms.database import Database
from lms.forwarding.errors import TooManyListenersError
from xapi_store.feed import FeedFilter, StatementEntry, newest_position, statements_after, wanted_among
from xapi_store.render import exact

log = logging.getLogger(__name__)

MOST_LISTENERS = 100
HEARTBEAT_S = 15.0
LOOK_EVERY_S = 1.0
GATHERING_S = 0.05  # what is written in one go is told in one go
LONGEST_STALL_S = 60.0
ASK_AGAIN_S = 60.0
FAREWELL_S = 0.5
STATEMENTS_PER_PAGE = 100
MOST_BYTES_PER_PAGE = 256 * 1024
PAGES_KEPT = 16
RECONNECT_MS = 2000


@dataclass(frozen=True, slots=True)
class Page:
    """What a listener is told next, ready to be sent, and the position up to which the feed was looked at."""

    text: bytes
    through: int
    has_more: bool


class Broadcast:
    """The listeners of one process.

    Args:
        database: whose statements are told.
        most: how many may listen at once.
        heartbeat_s: after how long a silence listeners are told that the line still holds.
        stall_s: how long a listener is waited for that takes nothing.
    """

    def __init__(
        self,
        database: Database,
        *,
        most: int = MOST_LISTENERS,
        heartbeat_s: float = HEARTBEAT_S,
        stall_s: float = LONGEST_STALL_S,
    ) -> None:
        self.heartbeat_s = heartbeat_s
        self.stall_s = stall_s
        self._database = database
        self._most = most
        self._lock = threading.Lock()
        self._listeners: set[Listener] = set()
        self._watching = False
        self._closed = False
        self._growth = 0
        self._pages: OrderedDict[tuple[Any, ...], asyncio.Future[Page]] = OrderedDict()

    def admit(self) -> Listener:
        """Return a place for somebody who wants to listen; give it back with :meth:`leave`.

        Raises:
            TooManyListenersError: all places are taken, or the server is ending.
        """
        listener = Listener(asyncio.get_running_loop())
        with self._lock:
            if self._closed or len(self._listeners) >= self._most:
                raise TooManyListenersError
            self._listeners.add(listener)
            if not self._watching:
                self._watching = True
                threading.Thread(target=self._watch, name="statement events", daemon=True).start()
        return listener

    def leave(self, listener: Listener) -> None:
        """Give a place back."""
        with self._lock:
            self._listeners.discard(listener)

    @property
    def listening(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def close(self) -> None:
        """End all streams, because the server is ending."""
        with self._lock:
            self._closed = True
            listeners = tuple(self._listeners)
        for listener in listeners:
            listener.end()
        self._database.written.send()  # the thread that looks need not wait any longer

    async def page(self, wanted: FeedFilter, after: int) -> Page:
        """Return the next page behind a position; those who ask for the same at once share one reading."""
        loop = asyncio.get_running_loop()
        # What was read before the feed was seen to grow is not for those who were woken by that.
        asked = (id(loop), self._growth, wanted, after)
        kept = self._pages.get(asked)
        if kept is None:
            kept = loop.create_task(run_in_threadpool(self._read, wanted, after))
            self._pages[asked] = kept
            while len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        try:
            return await asyncio.shield(kept)
        except Exception:
            self._pages.pop(asked, None)  # the next one tries again
            raise

    def _read(self, wanted: FeedFilter, after: int) -> Page:
        with self._database.read() as session:
            entries = statements_after(session, after, limit=STATEMENTS_PER_PAGE)
            stored = wanted_among(session, [entry.position for entry in entries], wanted)
        return _page(entries, stored, after)

    def _watch(self) -> None:
        newest = -1
        while True:
            seen = self._database.written.count
            with self._lock:
                if self._closed or not self._listeners:
                    self._watching = False
                    return
            try:
                with self._database.read() as session:
                    found = newest_position(session)
            except Exception:  # a database that is away for a moment ends nobody's stream
                log.exception("statement_events_blind")
                found = newest
            if found != newest:
                newest = found
                self._growth += 1
                with self._lock:
                    listeners = tuple(self._listeners)
                for listener in listeners:
                    listener.wake()
            if self._database.written.wait(seen, LOOK_EVERY_S):
                threading.Event().wait(GATHERING_S)


class Listener:
    """One who listens: woken by the thread that looks, from whatever loop it waits in."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._news = asyncio.Event()
        self.ended = asyncio.Event()

    def wake(self) -> None:
        """Tell that there is something new; may be called from any thread."""
        self._call(self._news.set)

    def end(self) -> None:
        """Tell that the stream ends; may be called from any thread."""
        self._call(self.ended.set)

    async def news(self, timeout_s: float) -> bool:
        """Wait until there may be something new; say whether there is."""
        # Not `wait_for`: where news and a cancellation come together, before Python 3.12 it loses the latter.
        try:
            async with asyncio.timeout(timeout_s):
                await self._news.wait()
        except TimeoutError:
            return False
        self._news.clear()
        return True

    def _call(self, tell: Callable[[], None]) -> None:
        with suppress(RuntimeError):  # the loop is closed, and with it whoever listened
            self._loop.call_soon_threadsafe(tell)


class EventStream(Response):
    """The answer to one listener; it ends with the listener, the server, or the right to listen.

    Args:
        broadcast: where a place was taken.
        listener: the place.
        wanted: which statements are told.
        after: the position behind which to begin.
        may_still: asked every minute, in a thread of its own, whether the listener may go on.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        broadcast: Broadcast,
        listener: Listener,
        *,
        wanted: FeedFilter,
        after: int,
        may_still: Callable[[], bool],
    ) -> None:
        super().__init__(headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._broadcast = broadcast
        self._listener = listener
        self._wanted = wanted
        self._after = after
        self._may_still = may_still
        self._started = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - as ASGI has it
        """Tell what there is, then wait for more, until somebody ends it."""
        start: Message = {"type": "http.response.start", "status": 200, "headers": self.raw_headers}
        gone = asyncio.ensure_future(_disconnected(receive))
        tell = asyncio.ensure_future(self._tell(send))
        ends = [asyncio.ensure_future(self._listener.ended.wait()), asyncio.ensure_future(self._forbidden())]
        try:
            await send(start)
            self._started.set()
            await asyncio.wait([tell, gone, *ends], return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._broadcast.leave(self._listener)
            left = gone.done()
            for task in (tell, gone, *ends):
                task.cancel()
            (how, *_) = await asyncio.gather(tell, gone, *ends, return_exceptions=True)
        if isinstance(how, Exception) and not isinstance(how, TimeoutError):
            log.error("statement_stream_failed", exc_info=how)  # the listener comes back, from where it was
        if not left:
            with suppress(TimeoutError):
                async with asyncio.timeout(FAREWELL_S):
                    await send({"type": "http.response.body", "body": b""})

    async def _tell(self, send: Send) -> None:
        await self._started.wait()
        # Whoever is cut off before the first statement comes back with this position, too.
        await self._say(send, b"retry: %d\nid: %d\n\n" % (RECONNECT_MS, self._after))
        while True:
            page = await self._broadcast.page(self._wanted, self._after)
            self._after = page.through
            if page.text:
                await self._say(send, page.text)
            if not page.has_more and not await self._listener.news(self._broadcast.heartbeat_s):
                await self._say(send, b": still here\nid: %d\n\n" % self._after)

    async def _say(self, send: Send, text: bytes) -> None:
        async with asyncio.timeout(self._broadcast.stall_s):
            await send({"type": "http.response.body", "body": text, "more_body": True})

    async def _forbidden(self) -> None:
        while await asyncio.sleep(ASK_AGAIN_S, result=True):
            if not await run_in_threadpool(self._may_still):
                return


def _page(entries: Sequence[StatementEntry], stored: dict[int, datetime], after: int) -> Page:
    told: list[bytes] = []
    size, through = 0, after
    for entry in entries:
        if entry.position in stored:
            text = exact(entry.raw, stored[entry.position])
            size += len(text)
            if told and size > MOST_BYTES_PER_PAGE:
                return Page(b"".join(told), through, has_more=True)
            told.append(_event(entry.position, text))
        through = entry.position
    return Page(b"".join(told), through, has_more=len(entries) == STATEMENTS_PER_PAGE)


def _event(position: int, statement: bytes) -> bytes:
    # A copy may have been written over several lines; between its tokens one white space is as good as another.
    lines = statement.replace(b"\r", b"\n").split(b"\n")
    return b"id: %d\n%s\n\n" % (position, b"\n".join(b"data: " + line for line in lines))


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
