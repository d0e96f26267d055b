"""A node answers to its own names only (421 otherwise), which stops DNS rebinding."""

from __future__ import annotations

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lms.web.answers import answer
from lms.web.assets import MOUNT
from lms.web.errors import StrangeHostError
from lms.web.host_header import asked_for


class KnownHosts:
    """Middleware: lets requests pass that ask for this node.

    Args:
        known: says whether a request does, by its Host (``Reach.is_pages``).
        open_paths: path prefixes anyone may ask for: style sheets, so that the error page is readable, and
            the signs of life that monitors ask for by address.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        known: Callable[[Scope], bool],
        open_paths: tuple[str, ...] = (f"{MOUNT}/", "/healthz", "/readyz"),
    ) -> None:
        self.app = app
        self.known = known
        self.open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 421."""
        if scope["type"] not in {"http", "websocket"} or scope["path"].startswith(self.open_paths):
            await self.app(scope, receive, send)
            return
        if self.known(scope):
            await self.app(scope, receive, send)
            return
        strange = StrangeHostError(asked_for(scope))
        response = await run_in_threadpool(answer, Request(scope, receive), strange)
        await response(scope, receive, send)
