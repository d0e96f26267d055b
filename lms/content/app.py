"""The second ASGI application: the shim page, run-time calls and package files, under a launch token.

It reads and sets no cookie and knows no session: the token in the path opens one launch and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, FastAPI, Request
from markupsafe import escape
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import Headers as RequestHeaders
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from lms.content.files import find_file
from lms.content.media_types import UNKNOWN, media_type
from lms.courses.queries import find_edition
from lms.database import Database
from lms.launch.actions import Commit, Desk, StaleCommitError, apply_commit, boot_values, taking_of
from lms.launch.hosts import label_in, label_of
from lms.launch.queries import LaunchOverError, launch_of, launch_to_write
from lms.web.frame import NO_TELEMETRY
from lms.web.headers import PERMISSIONS, Headers

MAX_COMMIT_BYTES = 4 * 1024 * 1024
_OVER = (
    "This lesson was opened somewhere else, or it has ended. What was saved is kept. "
    "Go back to your course and open it again."
)


@dataclass(frozen=True, kw_only=True)
class ContentSite:
    """What the content hosts need of their node."""

    database: Database
    desk: Desk
    now: Callable[[], datetime]
    secret: bytes
    public_url: str
    content_url: str
    shim: Path  # the built shim.js


class CommitBody(BaseModel):
    """A commit as the shim sends it."""

    model_config = ConfigDict(extra="forbid", strict=True)

    sequence: Annotated[int, Field(ge=1, le=2**53)]
    values: dict[str, str]
    reason: Literal["initialize", "shown", "commit", "autosave", "hidden", "leave", "terminate"]
    phase: Literal["launched", "running", "terminated"]
    session_time_s: Annotated[int, Field(ge=0, le=10**8)]


async def _bytes(request: Request) -> bytes:
    """Read a commit as it is, up to one byte more than is taken."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_COMMIT_BYTES:
            break
    return bytes(body)


CommitBytes = Annotated[bytes, Depends(_bytes)]


def build_content(site: ContentSite) -> FastAPI:  # noqa: C901 - five short routes share one site
    """Return the application of the content hosts."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, telemetry=NO_TELEMETRY)
    shim_name = site.shim.name

    @app.get("/rt/{token}/")
    def shim_page(request: Request, token: str) -> Response:
        with site.database.read() as session:
            launch = launch_of(session, token, now=site.now())
            _require_label(site, request, launch.edition)
            taking = taking_of(session, site.desk, launch)
            activity = taking.opened.activities[launch.identifier]
            values = boot_values(session, taking, launch)
        target = activity.launch
        assert target is not None  # noqa: S101 - only what can be launched is ever delivered
        content = f"../../c/{token}/{quote(target.path)}"
        content += f"?{target.query}" * bool(target.query) + f"#{target.fragment}" * bool(target.fragment)
        languages = taking.opened.package.languages
        boot = {
            "standard": "asset" if activity.kind == "asset" else taking.opened.package.data_model,
            "content": content,
            "values": values,
            "sequence": launch.sequence,
            "lms_origin": site.public_url,
            "title": activity.title,
            "lang": languages[0] if languages else "en",
        }
        return HTMLResponse(_page(boot, f"../../shim/{quote(shim_name)}"))

    @app.get("/shim/{name}")
    def shim(name: str) -> Response:
        if name != shim_name:
            return PlainTextResponse("Not here.", 404)
        return FileResponse(site.shim, media_type="text/javascript")

    @app.post("/rt/{token}/commit")
    def commit(request: Request, token: str, body: CommitBytes) -> Response:
        if len(body) > MAX_COMMIT_BYTES:
            return JSONResponse({"error": "too large"}, 413)
        try:
            sent = CommitBody.model_validate_json(body)
        except ValidationError:
            return JSONResponse({"error": "not understood"}, 422)
        wanted = Commit(
            sequence=sent.sequence,
            values=sent.values,
            reason=sent.reason,
            phase="terminated" if sent.reason == "terminate" else sent.phase,
            session_time_s=sent.session_time_s,
        )

        def take(session: Session) -> dict[str, Any]:
            launch = launch_to_write(session, token)
            _require_label(site, request, launch.edition)
            return apply_commit(session, site.desk, launch, wanted, body, now=site.now())

        return JSONResponse(site.database.change(take))

    @app.get("/c/{token}/{path:path}")
    def package_file(request: Request, token: str, path: str) -> Response:
        with site.database.read() as session:
            launch = launch_of(session, token, now=site.now())
            _require_label(site, request, launch.edition)
            edition = find_edition(session, launch.edition)
        found = find_file(site.desk.shelf, edition.manifest, path) if edition else None
        if found is None or not site.desk.shelf.has(found[1].digest):
            return PlainTextResponse("This file is not part of the course.", 404)
        name, file = found
        etag = f'"{file.digest}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        kind = media_type(name)
        return FileResponse(
            site.desk.shelf.path(file.digest),
            media_type=kind or UNKNOWN,
            headers=headers,
            filename=None if kind else name.rpartition("/")[2],
        )

    @app.exception_handler(LaunchOverError)
    def over(request: Request, _error: LaunchOverError) -> Response:
        if request.method == "POST":
            return JSONResponse({"error": "ended"}, 410)
        return HTMLResponse(f"<!doctype html><html lang=en><title>Ended</title><p>{escape(_OVER)}</p>", 410)

    @app.exception_handler(StaleCommitError)
    def stale(_request: Request, error: StaleCommitError) -> Response:
        return JSONResponse({"error": "stale", "sequence": error.sequence}, 409)

    app.add_middleware(OwnHosts, content_url=site.content_url)
    app.add_middleware(Headers, headers=content_headers(site.public_url))  # on refusals too
    return app


class OwnHosts:
    """Middleware: our hosts only, and no service workers."""

    def __init__(self, app: ASGIApp, *, content_url: str) -> None:
        self.app = app
        self.content_url = content_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        app = self.app
        if scope["type"] == "http":
            asked = RequestHeaders(scope=scope)
            if label_in(self.content_url, asked.get("host", "")) is None:
                app = PlainTextResponse("No course is played under this name.", 421)
            elif asked.get("service-worker") is not None:
                # It would outlive the launch and answer for whatever is played here next.
                app = PlainTextResponse("Service workers are not served.", 403)
        await app(scope, receive, send)


def content_headers(public_url: str) -> dict[str, str]:
    """Return what stands on every answer of a content host."""
    return {
        "Content-Security-Policy": content_security_policy(public_url),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS,
        "Cache-Control": "no-store",
    }


def content_security_policy(public_url: str) -> str:
    """Return what course content may do: its own host, inline code as old packages have it, nothing outside."""
    return "; ".join(
        (
            "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'",
            "connect-src 'self'",
            "form-action 'self'",
            "frame-src 'self'",
            "worker-src 'self' blob:",
            "base-uri 'self'",
            f"frame-ancestors 'self' {public_url}",
        )
    )


class StrangeLabelError(LaunchOverError):
    """The token belongs to another edition's host."""


def _require_label(site: ContentSite, request: Request, edition: UUID) -> None:
    if label_in(site.content_url, request.headers.get("host", "")) != label_of(site.secret, edition):
        raise StrangeLabelError


def _page(boot: dict[str, object], shim: str) -> str:
    data = json.dumps(boot).replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
    return (
        f'<!doctype html>\n<html lang="{escape(boot["lang"])}" dir="ltr">\n<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(boot['title'])}</title>\n"
        f'<script type="application/json" id="boot">{data}</script>\n'
        f'<script type="module" src="{escape(shim)}"></script>\n</html>\n'
    )
