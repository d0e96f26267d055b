"""A node answers to its own names only (421 otherwise), which stops DNS rebinding."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lms.web.assets import MOUNT
from lms.web.errors import StrangeHostError, answer


class KnownHosts:
    """Middleware: lets requests pass whose Host is among *names*, at any port.

    Args:
        names: host names without a port.
        open_paths: path prefixes anyone may ask for: style sheets, so that the error page is readable, and
            the signs of life that monitors ask for by address.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        names: Iterable[str],
        open_paths: tuple[str, ...] = (f"{MOUNT}/", "/healthz", "/readyz"),
    ) -> None:
        self.app = app
        self.names = frozenset(name.lower() for name in names)
        self.open_paths = open_paths

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 421."""
        if scope["type"] not in {"http", "websocket"} or scope["path"].startswith(self.open_paths):
            await self.app(scope, receive, send)
            return
        if is_known(scope, self.names):
            await self.app(scope, receive, send)
            return
        strange = StrangeHostError(_asked_for(scope))
        response = await run_in_threadpool(answer, Request(scope, receive), strange)
        await response(scope, receive, send)


def is_known(scope: Scope, names: Collection[str]) -> bool:
    """Say whether a request asks for one of some host names, at any port."""
    return _asked_for(scope) in names


def _asked_for(scope: Scope) -> str:
    said = next((value for name, value in scope["headers"] if name == b"host"), b"")
    return host_name(said.decode("latin-1"))


@lru_cache(maxsize=256)
def host_name(host: str) -> str:
    """Return the name in a Host header, without its port.

    >>> host_name("LocalHost:8000"), host_name("[::1]:8000"), host_name("a@b:c")
    ('localhost', '::1', '')
    """
    try:
        address = urlsplit(f"//{host}")
    except ValueError:
        return ""
    return address.hostname or "" if address.username is None else ""
