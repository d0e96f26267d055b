"""A change is only taken from our own pages: two locks, either of which would do.

``OwnOrigin`` refuses every unsafe request that a browser says came from elsewhere (Sec-Fetch-Site, or
Origin where a browser is too old to send it). ``require_token`` asks every form for the token of the visit.
Requests with an Authorization header carry no cookie's authority and pass the first lock.
"""

from __future__ import annotations

import hmac

from fastapi import Depends
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from lms.web.answers import answer
from lms.web.errors import StrangeOriginError, StrangeTokenError
from lms.web.visit import visit_of

FIELD = "csrf_token"
HEADER = "X-CSRF-Token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class OwnOrigin:
    """Middleware: an unsafe request from another origin goes no further.

    Args:
        apart: path prefixes of interfaces that know no cookies (the record store, the fetch URL of cmi5, sync).
    """

    def __init__(self, app: ASGIApp, *, apart: tuple[str, ...] = ("/xapi/", "/fetch/", "/sync/")) -> None:
        self.app = app
        self.apart = apart

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403."""
        if (
            scope["type"] != "http"
            or scope["method"] in SAFE_METHODS
            or scope["path"].startswith(self.apart)
            or is_own(Headers(scope=scope))
        ):
            await self.app(scope, receive, send)
            return
        response = await run_in_threadpool(answer, Request(scope, receive), StrangeOriginError())
        await response(scope, receive, send)


def is_own(headers: Headers) -> bool:
    """Return whether a request was made by our own page, or by something that is not a browser."""
    if "authorization" in headers:
        return True
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host")


async def require_token(request: Request) -> None:
    """Refuse an unsafe request whose form or header does not carry the visit's token.

    Raises:
        StrangeTokenError: the token is absent or of another session.
    """
    if request.method in SAFE_METHODS:
        return
    visit = await run_in_threadpool(visit_of, request)
    given = request.headers.get(HEADER) or (await request.form()).get(FIELD)
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), visit.csrf_token.encode()):
        raise StrangeTokenError


TokenRequired = Depends(require_token)
