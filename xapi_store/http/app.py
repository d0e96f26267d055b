"""The ASGI app: which resource answers, in which version, for whom; and every error in one form.

Bodies are read in the event loop; everything else runs in a worker thread, where the database may wait.
"""

import re
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xapi_store.errors import (
    LrsError,
    MethodNotAllowedError,
    NotFoundError,
    UnauthenticatedError,
    UnsupportedVersionError,
)
from xapi_store.http.about import get_about, get_activity, get_person
from xapi_store.http.documents import ACTIVITY_PROFILE, AGENT_PROFILE, STATE, DocumentResource
from xapi_store.http.lrs import Lrs
from xapi_store.http.request import Incoming, LrsRequest, read_request
from xapi_store.http.responses import CORS, error_answer
from xapi_store.http.statements import get_statements, post_statements, put_statement
from xapi_store.model.timestamps import format_timestamp
from xapi_store.model.version import VERSION_HEADER, Version, negotiate

Handler = Callable[[Lrs, LrsRequest], Response]

#: The header became mandatory with 1.0: a request without it speaks 0.95 or older, and is told so.
_BEFORE_VERSIONS = "0.95"


def _methods(resource: DocumentResource) -> dict[str, Handler]:
    return {"GET": resource.get, "PUT": resource.put, "POST": resource.post, "DELETE": resource.delete}


RESOURCES: dict[str, dict[str, Handler]] = {
    "statements": {"GET": get_statements, "PUT": put_statement, "POST": post_statements},
    "activities": {"GET": get_activity},
    "activities/state": _methods(STATE),
    "activities/profile": _methods(ACTIVITY_PROFILE),
    "agents": {"GET": get_person},
    "agents/profile": _methods(AGENT_PROFILE),
}


def create_lrs_app(lrs: Lrs) -> ASGIApp:
    """Return the record store as an app to mount, at `/xapi` or anywhere."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        response = await _answer(lrs, request)
        response.headers.update(CORS)
        if request.method == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    return app


async def _answer(lrs: Lrs, request: Request) -> Response:
    if request.method == "OPTIONS":
        return _versioned(Response(status_code=204), request.headers.get(VERSION_HEADER) or Version.V2)
    try:
        incoming = await read_request(request)
    except LrsError as error:
        return _versioned(error_answer(error), request.headers.get(VERSION_HEADER))
    return await run_in_threadpool(_carry_out, lrs, _path(request), incoming)


def _carry_out(lrs: Lrs, path: str, incoming: Incoming) -> Response:
    header = incoming.headers.get(VERSION_HEADER.lower())
    consistent_through = format_timestamp(lrs.now())  # taken before anything is read
    try:
        if path == "about":
            if incoming.method not in ("GET", "HEAD"):
                raise MethodNotAllowedError(incoming.method, ("GET",))
            return _versioned(get_about(), header or Version.V2)
        handlers = RESOURCES.get(path)
        if handlers is None:
            raise NotFoundError("There is no such resource in xAPI.")
        credentials = lrs.authenticate(incoming.headers.get("authorization"))
        if credentials is None:
            raise UnauthenticatedError(
                "The Authorization header is missing, or its credentials are not known."
            )
        request = LrsRequest(incoming=incoming, version=negotiate(header), credentials=credentials)
        handler = handlers.get(request.method)
        if handler is None:
            raise MethodNotAllowedError(request.method, tuple(handlers))
        response = handler(lrs, request)
    except LrsError as error:
        response = error_answer(error)
    response.headers["X-Experience-API-Consistent-Through"] = consistent_through
    return _versioned(response, header)


def _versioned(response: Response, header: str | None) -> Response:
    try:
        response.headers[VERSION_HEADER] = negotiate(header)
    except UnsupportedVersionError:
        response.headers[VERSION_HEADER] = _BEFORE_VERSIONS if header is None else Version.V2
    return response


def _path(request: Request) -> str:
    inner = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return re.sub("/+", "/", inner).strip("/")
