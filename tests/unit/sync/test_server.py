from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.requests import ClientDisconnect

from sync.server import _read_ahead

CAME = [b"message\n", b"first bytes", b"and more"]


def test_what_came_before_the_link_broke_is_taken() -> None:
    assert asyncio.run(all_taken()) == CAME


async def all_taken() -> list[bytes]:
    """Take a body slowly from a server that forgets what it holds of it as the client goes, as uvicorn does."""
    broken = False

    async def body() -> AsyncIterator[bytes]:
        for chunk in CAME:
            if broken:
                raise ClientDisconnect
            yield chunk
        while not broken:
            await asyncio.sleep(0)
        raise ClientDisconnect

    taken = list[bytes]()
    try:
        async for chunk in _read_ahead(body()):
            taken.append(chunk)
            await asyncio.sleep(0.01)  # while it is kept
            broken = True
    except ClientDisconnect:
        return taken
    raise AssertionError("nobody was told that the link broke")


def test_who_stops_listening_in_the_middle_leaves_nothing_behind() -> None:
    """A push that is refused is not read to its end, however much of it has come."""
    assert asyncio.run(left_over()) == 0


async def left_over() -> int:
    async def body() -> AsyncIterator[bytes]:
        while True:
            yield b"more"

    chunks = _read_ahead(body())
    await anext(chunks)
    await asyncio.sleep(0.01)  # until no more is taken
    await chunks.aclose()
    await asyncio.sleep(0.01)
    return len(asyncio.all_tasks()) - 1
