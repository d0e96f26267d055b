"""Answer peers over HTTP: a FastAPI application that the LMS mounts at ``/sync``.

Bodies are kept as they arrive: when the link breaks in the middle of a push, what came before the break is
durable and is not sent again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from itertools import chain

from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from sync.client import CONTENT_TYPE
from sync.errors import CertificateError, IdentityError, PairingError, RefusedError, SyncError, WireError
from sync.messages import (
    MAX_MESSAGE_BYTES,
    Acknowledge,
    Certificate,
    Cut,
    Hello,
    Join,
    Message,
    Pull,
    Push,
    Refusal,
    from_line,
    to_line,
)
from sync.node import Node
from sync.responder import Responder

STATUS: dict[type[SyncError], tuple[int, str]] = {
    WireError: (400, "protocol"),
    IdentityError: (401, "identity"),
    CertificateError: (401, "identity"),
    PairingError: (403, "pairing"),
    RefusedError: (403, "refused"),
}

logger = logging.getLogger(__name__)

_MOST_AHEAD = 16  # chunks, of at most 64 kB each


def create_app(node: Node) -> FastAPI:
    """Return the application that answers ``node``'s peers."""
    app = FastAPI(title="Outpost sync", openapi_url=None, docs_url=None, redoc_url=None)
    responder = Responder(node)

    @app.post("/v1/{kind}")
    async def answer(kind: str, request: Request) -> Response:
        try:
            async with aclosing(_read_ahead(request.stream())) as chunks:
                return await _answer(responder, kind, request, chunks)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody is there to read it
        except SyncError as error:
            return _refusal(error, kind, request)

    return app


async def _read_ahead(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    """Take bytes from the server as they come, while those before them are being kept.

    What a server has not handed out when the link breaks is gone; on a link that breaks every few kilobytes, all of it.

    Raises:
        ClientDisconnect: the link broke; all that came before was yielded.
    """
    arrived = asyncio.Queue[bytes | ClientDisconnect | None](_MOST_AHEAD)

    async def read() -> None:
        end = None
        try:
            async for chunk in chunks:
                await arrived.put(chunk)
        except ClientDisconnect as gone:
            end = gone
        await arrived.put(end)

    reading = asyncio.create_task(read())
    try:
        while isinstance(came := await arrived.get(), bytes):
            yield came
        if came is not None:
            raise came
    finally:
        reading.cancel()


async def _answer(
    responder: Responder, kind: str, request: Request, chunks: AsyncIterator[bytes]
) -> Response:
    line, rest = await _first_line(chunks)
    message = from_line(line)
    if message.kind != kind:
        raise WireError(f"A message of kind {message.kind} was sent to {kind}.")
    if isinstance(message, Join):
        return _message(await run_in_threadpool(responder.join, message))
    header = request.headers.get("authorization", "")
    peer = await run_in_threadpool(responder.peer, header, kind, line + b"\n")
    if isinstance(message, Push):
        return _message(await _take_push(responder, message, peer, rest, chunks))
    if isinstance(message, Pull):
        delivery, body = await run_in_threadpool(responder.pull, message, peer)
        line = to_line(delivery) + b"\n"
        size = len(line) + sum(frame.length for frame in delivery.frames)
        told = {"content-length": str(size)}  # in chunks of unknown number it would cost both sides more
        return StreamingResponse(chain([line], body), headers=told, media_type=CONTENT_TYPE)
    if isinstance(message, Hello):
        return _message(await run_in_threadpool(responder.hello, message, peer))
    if isinstance(message, Cut):
        return _message(await run_in_threadpool(responder.cut, message, peer))
    if isinstance(message, Acknowledge):
        return _message(await run_in_threadpool(responder.acknowledge, message, peer))
    raise WireError(f"A message of kind {kind} is an answer, not a question.")


async def _take_push(
    responder: Responder, push: Push, peer: Certificate, first: bytes, chunks: AsyncIterator[bytes]
) -> Message:
    intake = await run_in_threadpool(responder.push, push, peer)
    try:
        await run_in_threadpool(intake.feed, first)
        async for chunk in chunks:
            await run_in_threadpool(intake.feed, chunk)
    finally:
        await run_in_threadpool(intake.stop)
    return await run_in_threadpool(responder.pushed, intake)


async def _first_line(chunks: AsyncIterator[bytes]) -> tuple[bytes, bytes]:
    line = b""
    async for chunk in chunks:
        head, feed, rest = chunk.partition(b"\n")
        line += head
        if feed:
            return line, rest
        if len(line) > MAX_MESSAGE_BYTES:
            break
    raise WireError("The request does not begin with a message.")


def _message(message: Message, status: int = 200) -> Response:
    return Response(to_line(message) + b"\n", status_code=status, media_type=CONTENT_TYPE)


def _refusal(error: SyncError, kind: str, request: Request) -> Response:
    status, code = next(
        (STATUS[family] for family in type(error).__mro__ if family in STATUS), (500, "error")
    )
    detail = str(error)
    if isinstance(error, RefusedError):
        code, detail = error.code, error.detail
    claimed = request.headers.get("authorization", "").partition(" ")[2].partition(":")[0]
    logger.warning("request_refused", extra={"code": code, "kind": kind[:20], "claims": claimed[:26]})
    return _message(Refusal(code=code, detail=detail[:500]), status)
