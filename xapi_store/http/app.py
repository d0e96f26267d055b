"""The ASGI app: which resource answers, in which version, for whom; and every error in one form.

Where the database never keeps one waiting (`Lrs.glance`), what looks up a single row is answered in the event
loop, which costs less than handing it to a thread; so are refusals. Pages of statements are read in threads.
Whatever writes goes through `changes`.
"""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import lru_cache, partial

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from xapi_store.errors import (
    LrsError,
    MethodNotAllowedError,
    NotFoundError,
    UnauthenticatedError,
    UnsupportedVersionError,
)
from xapi_store.http.about import ACTIVITIES, AGENTS, get_about
from xapi_store.http.changes import Change, Changes, DocumentChange, NewStatements
from xapi_store.http.documents import ACTIVITY_PROFILE, AGENT_PROFILE, STATE
from xapi_store.http.lrs import Asked, Lrs, is_full
from xapi_store.http.request import Incoming, LrsRequest, read_headers, read_request
from xapi_store.http.resource import Resource
from xapi_store.http.responses import ALWAYS, PREFLIGHT, add_header, error_answer, failure_answer, full_answer
from xapi_store.http.statements import STATEMENTS
from xapi_store.model.timestamps import format_timestamp
from xapi_store.model.version import VERSION_HEADER, Version, negotiate

log = logging.getLogger(__name__)

#: The header became mandatory with 1.0: a request without it speaks 0.95 or older, and is told so.
_BEFORE_VERSIONS = "0.95"
_VERSION = VERSION_HEADER.lower()
_THROUGH = b"x-experience-api-consistent-through"

#: A body up to this size is read and checked in the event loop: about a millisecond.
MAX_BYTES_AT_ONCE = 32 * 1024

RESOURCES: dict[str, Resource] = {
    "statements": STATEMENTS,
    "activities": ACTIVITIES,
    "activities/state": STATE,
    "activities/profile": ACTIVITY_PROFILE,
    "agents": AGENTS,
    "agents/profile": AGENT_PROFILE,
}


def create_lrs_app(lrs: Lrs) -> ASGIApp:
    """Return the record store as an app to mount, at `/xapi` or anywhere."""
    store = _Store(lrs, Changes(lrs))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        response = await store.answer(scope, receive)
        response.raw_headers.extend(ALWAYS)
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    return app


@dataclass(frozen=True, slots=True)
class _Page:
    """A request for more than one row, to be answered in a thread."""

    resource: Resource
    request: LrsRequest


class _Store:
    """Carries requests out."""

    def __init__(self, lrs: Lrs, changes: Changes) -> None:
        self._lrs = lrs
        self._changes = changes

    async def answer(self, scope: Scope, receive: Receive) -> Response:
        """Answer a request, whatever becomes of it."""
        headers = read_headers(scope)
        version = headers.get(_VERSION)
        try:
            if scope["method"] == "OPTIONS":
                response = Response(status_code=204)
                response.raw_headers.extend(PREFLIGHT)
                return _versioned(response, version or Version.V2)
            incoming = await read_request(scope, headers, receive)
            version = incoming.headers.get(_VERSION)  # which a form may have brought
            incoming.check_syntax()
            path = _path(scope["path"].removeprefix(scope.get("root_path", "")))
            if path == "about":
                return _versioned(get_about(incoming), version or Version.V2)
            response = await self._carry_out(path, incoming)
        except LrsError as error:
            response = error_answer(error)
            add_header(response, _THROUGH, await self._through())
        except Exception as error:
            if is_full(error):
                # Nothing of this program to look into: one line, not a traceback for each request.
                log.error("disk_full", extra={"path": scope["path"]})  # noqa: TRY400
                response = full_answer()
            else:
                log.exception("lrs_request_failed", extra={"error": type(error).__name__})
                response = failure_answer()
        return _versioned(response, version)

    async def _carry_out(self, path: str, incoming: Incoming) -> Response:
        lrs = self._lrs
        begin = partial(self._begin, path, incoming)
        if lrs.glance is None or len(incoming.body) > MAX_BYTES_AT_ONCE:
            through, todo = await run_in_threadpool(self._in_thread, begin)
        else:
            through, todo = begin(lrs.glance())
        try:
            if isinstance(todo, _Page):
                response = await run_in_threadpool(self._page, todo)
            elif isinstance(todo, Response):
                response = todo
            else:
                response = await self._changes.make(todo)
        except LrsError as error:
            response = error_answer(error)
        add_header(response, _THROUGH, through)
        return response

    async def _through(self) -> str:
        """Return the header for a request that could not even be read."""
        lrs = self._lrs
        if lrs.glance is not None:
            return format_timestamp(lrs.consistent_through(lrs.glance()))

        def ask() -> str:
            with lrs.read() as session:
                return format_timestamp(lrs.consistent_through(session))

        return await run_in_threadpool(ask)

    def _in_thread(
        self, begin: "partial[tuple[str, Response | Change | _Page]]"
    ) -> tuple[str, Response | Change | _Page]:
        if self._lrs.glance is not None:  # a large body is looked through; no view need stay open for that
            return begin(self._lrs.glance())
        with self._lrs.read() as session:
            through, todo = begin(session)
            return through, self._answered(todo, session) if isinstance(todo, _Page) else todo

    def _page(self, page: _Page) -> Response:
        with self._lrs.read() as session:
            return self._answered(page, session)

    def _answered(self, page: _Page, session: Session) -> Response:
        try:
            return page.resource.read(self._lrs, session, page.request)
        except LrsError as error:
            return error_answer(error)

    def _begin(
        self, path: str, incoming: Incoming, session: Session
    ) -> tuple[str, Response | Change | _Page]:
        """Find out who asks and what for; answer at once what a glance answers, and every refusal."""
        lrs = self._lrs
        # Taken before anything is read: what was written until then, this answer has seen.
        through = format_timestamp(lrs.consistent_through(session))
        try:
            resource = RESOURCES.get(path)
            if resource is None:
                raise NotFoundError("There is no such resource in xAPI.")
            credentials = lrs.authenticate(session, incoming.headers.get("authorization"))
            if credentials is None:
                raise UnauthenticatedError(
                    "The Authorization header is missing, or its credentials are not known."
                )
            version = negotiate(incoming.headers.get(_VERSION))
            request = LrsRequest(incoming=incoming, version=version, credentials=credentials)
            note = lrs.look(session, credentials, _asked(path, request))
            if request.method == "GET":
                page = _Page(resource, request)
                if not resource.is_one_row(request):
                    return through, page
                if note is None:
                    return through, resource.read(lrs, session, request)
                return through, DocumentChange(work=note, answer=self._answered(page, session))
            change = resource.changes.get(request.method)
            if change is None:
                raise MethodNotAllowedError(request.method, ("GET", "HEAD", *resource.changes))
            return through, _noted(change(lrs, request), note)
        except LrsError as error:
            return through, error_answer(error)


def _asked(path: str, request: LrsRequest) -> Asked:
    return Asked(
        resource=path,
        method=request.method,
        parameters=request.incoming.parameters,
        content_type=request.header("content-type") or "",
        body=request.incoming.body,
    )


def _noted(change: Change, note: Callable[[Session], object] | None) -> Change:
    """Return a change that notes what the host wants noted, behind what it does itself."""
    if note is None or isinstance(change, NewStatements):
        return change

    def work(session: Session) -> None:
        change.work(session)
        note(session)

    return replace(change, work=work)


def _versioned(response: Response, header: str | None) -> Response:
    try:
        spoken: str = negotiate(header)
    except UnsupportedVersionError:
        spoken = _BEFORE_VERSIONS if header is None else Version.V2
    add_header(response, _VERSION.encode(), spoken)
    return response


@lru_cache(maxsize=256)
def _path(below: str) -> str:
    return re.sub("/+", "/", below).strip("/")
