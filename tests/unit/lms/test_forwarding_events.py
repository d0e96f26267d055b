"""What listeners of one process share, and what they must not."""

from __future__ import annotations

import asyncio
import threading
from uuid import uuid4

import orjson
import pytest

from lms.database import Database
from lms.forwarding.errors import TooManyListenersError
from lms.forwarding.events import Broadcast, Page
from tests.forwarding_builders import Sender
from tests.xapi_builders import AUTHORITY, a_statement
from xapi_store.feed import FeedFilter
from xapi_store.ingest import store_copies

EVERYTHING = FeedFilter(voided=False)


class Slow(Broadcast):
    """Holds the first page that was read back, until told."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.has_read, self.may_answer = threading.Event(), threading.Event()

    def _read(self, wanted: FeedFilter, after: int) -> Page:
        page = super()._read(wanted, after)
        if not self.has_read.is_set():
            self.has_read.set()
            assert self.may_answer.wait(10)
        return page


def test_who_was_woken_by_a_statement_does_not_share_a_page_read_before_it(database: Database) -> None:
    broadcast = Slow(database)
    told: list[Page] = []

    async def listen() -> None:
        listener = broadcast.admit()
        await listener.news(10)  # the first look
        early = asyncio.create_task(broadcast.page(EVERYTHING, 0))
        while not broadcast.has_read.is_set():
            await asyncio.sleep(0.01)
        await asyncio.to_thread(Sender(database).record)
        assert await listener.news(10)
        told.append(await broadcast.page(EVERYTHING, 0))
        broadcast.may_answer.set()
        told.append(await early)
        broadcast.leave(listener)

    asyncio.run(listen())

    assert told[0].text
    assert not told[1].text


def test_a_statement_over_several_lines_is_one_event(database: Database) -> None:
    copy = a_statement(
        id=str(uuid4()), timestamp="2026-11-24T12:00:00Z", version="1.0.0", authority=AUTHORITY
    )
    lines = orjson.dumps(copy, option=orjson.OPT_INDENT_2).replace(b"\n", b"\r\n")
    with database.write() as session:
        store_copies(session, [lines], now=Sender(database).clock)

    page = asyncio.run(Broadcast(database).page(EVERYTHING, 0))

    first, *data, empty, end = page.text.split(b"\n")
    assert first.startswith(b"id: ")
    assert (empty, end) == (b"", b"")
    assert all(line.startswith(b"data: ") for line in data)
    told = orjson.loads(b"\n".join(line.removeprefix(b"data: ") for line in data))
    assert {name: value for name, value in told.items() if name != "stored"} == copy


def test_a_page_is_bounded_in_bytes_and_the_next_goes_on(database: Database) -> None:
    recorded = Sender(database).record(30, result={"response": "." * 50_000})

    async def all_pages() -> list[Page]:
        broadcast = Broadcast(database)
        pages = [await broadcast.page(EVERYTHING, 0)]
        while pages[-1].has_more:
            pages.append(await broadcast.page(EVERYTHING, pages[-1].through))
        return pages

    pages = asyncio.run(all_pages())

    assert max(len(page.text) for page in pages) < 400_000
    text = b"".join(page.text for page in pages)
    assert [text.count(str(one).encode()) for one in recorded] == [1] * 30


def test_nobody_is_admitted_once_the_server_ends(database: Database) -> None:
    async def come_late() -> None:
        broadcast = Broadcast(database)
        listener = broadcast.admit()
        broadcast.close()
        await asyncio.wait_for(listener.ended.wait(), 5)
        broadcast.admit()

    with pytest.raises(TooManyListenersError):
        asyncio.run(come_late())
