"""The second ASGI application: the shim page, run-time calls and package files, under a launch token.

It reads and sets no cookie and knows no session: the token in the path opens one launch and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Depends, FastAPI, Request
from markupsafe import escape
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.datastructures import Headers as RequestHeaders
from starlette.responses import FileResponse, HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from content_packages.errors import FileMissingError
from lms.content.damaged import before_lesson, damaged
from lms.content.encodings import content_type
from lms.content.files import find_file
from lms.content.media_types import UNKNOWN, XHTML, media_type
from lms.content.storage import PAGES, with_script
from lms.content.viewer import file_security_policy, in_page, viewer_page, viewer_security_policy
from lms.courses.allowances import NOTHING, Allowance, hosts_of
from lms.courses.checked_files import CheckedFiles
from lms.courses.queries import edition_played
from lms.courses.tables import Edition
from lms.database import Database
from lms.launch.actions import Desk, StaleCommitError, apply_commit, boot_values, taking_of
from lms.launch.bodies import MAX_COMMIT_BYTES, CommitBody, body_up_to
from lms.launch.fence import sandbox
from lms.launch.hosts import label_in, label_of
from lms.launch.queries import LaunchOverError, launch_of, launch_to_write
from lms.web.assets import BuiltFiles
from lms.web.frame import NO_TELEMETRY
from lms.web.headers import PERMISSIONS, Headers
from lms.web.host_header import host_header
from lms.web.locale import Language, language, language_wished
from lms.web.reach import Reach, server_port
from lms.web.wording import mark

IDLE_AFTER_S = 300.0
_OVER = (
    "This lesson was opened somewhere else, or it has ended. What was saved is kept. "
    "Go back to your course and open it again."
)


def _no_trial(_token: str) -> AbstractContextManager[Database] | None:
    return None


@dataclass(frozen=True, kw_only=True)
class ContentSite:
    """What the content hosts need of their node.

    Args:
        checked: the files of the desk's shelf, for those who are given them.
        build: the folder of the built front end.
        assets: the file in it behind each plain name.
        trial_of: the database of the trial a token belongs to; ``None`` for a real launch.
        idle_after_s: how long a learner may do nothing before it is a pause.
    """

    database: Database
    desk: Desk
    checked: CheckedFiles
    now: Callable[[], datetime]
    secret: bytes
    public_url: str
    content_url: str
    build: Path
    assets: Mapping[str, str]
    trial_of: Callable[[str], AbstractContextManager[Database] | None] = _no_trial
    reach: Reach | None = None
    idle_after_s: float = IDLE_AFTER_S

    def seen_from(self, scope: Scope) -> ContentSite:
        """Return this site with the address of the pages as it is for whoever sent a request."""
        if self.reach is None or self.reach.own_host(scope) is None:
            return self
        return replace(self, public_url=self.reach.pages_at(scope))

    def policy_of(self, allowed: Allowance, scope: Scope, *, reads: Sequence[str] = ()) -> dict[str, str]:
        """Return the headers of an answer that may do more than every answer of a content host; else none.

        Args:
            allowed: what its course is allowed.
            scope: of the request.
            reads: sources it may connect to besides, as a policy names them.
        """
        if not (allowed or reads):
            return {}
        public_url = self.seen_from(scope).public_url
        ours = hosts_of(public_url, self.public_url, self.content_url)
        return {
            "Content-Security-Policy": content_security_policy(public_url, allowed, ours=ours, reads=reads),
            "Connection-Allowlist": connection_allowlist(public_url, allowed, ours=ours),
        }

    @property
    def storage_script(self) -> str:
        """The address of what stands in for storage, on every content host."""
        return f"/built/{quote(self.assets['storage.js'])}"

    def database_of(self, token: str) -> AbstractContextManager[Database]:
        """Open the database in which the launch of a token is kept, and no other."""
        return self.trial_of(token) or nullcontext(self.database)


CommitBytes = Annotated[bytes, Depends(body_up_to(MAX_COMMIT_BYTES))]


#: Content asks whether a file is there before it asks for the file.
READING = ["GET", "HEAD"]


def content_site(request: Request) -> ContentSite:
    """Return the site whose application a request arrived at."""
    site: ContentSite = request.app.state.content
    return site


router = APIRouter()


@router.get("/rt/{token}/")
def shim_page(request: Request, token: str, lang: str = "", anyway: bool = False) -> Response:
    """The page beside a lesson that plays its part of the standard, with the lesson in it."""
    return _shim_page(content_site(request), request, token, lang, anyway=anyway)


@router.get("/view/{token}/")
def view(request: Request, token: str, lang: str = "") -> Response:
    """The page that shows a single file: a PDF, a film, a recording, a book."""
    site = content_site(request)
    with site.database_of(token) as database, database.read() as session:
        launch = launch_of(session, token, now=site.now())
        require_label(site, request, launch.edition)
        opened = taking_of(session, site.desk, launch).opened
    activity = opened.activities[launch.identifier]
    if activity.viewer is None:
        return PlainTextResponse("This lesson shows itself.", 404)
    spoken = spoken_by(request, lang)
    page = viewer_page(opened.package, activity, token, spoken, site.assets)
    return HTMLResponse(
        page,
        headers={"Content-Security-Policy": viewer_security_policy(site.seen_from(request.scope).public_url)},
    )


@router.post("/rt/{token}/commit")
def commit(request: Request, token: str, body: CommitBytes) -> Response:
    """Keep what a lesson said of itself; answer only once it is durable."""
    site = content_site(request)
    if len(body) > MAX_COMMIT_BYTES:
        return JSONResponse({"error": "too large"}, 413)
    try:
        wanted = CommitBody.model_validate_json(body).commit()
    except ValidationError:
        return JSONResponse({"error": "not understood"}, 422)

    def take(session: Session) -> dict[str, Any]:
        launch = launch_to_write(session, token)
        require_label(site, request, launch.edition)
        return apply_commit(session, site.desk, launch, wanted, body, now=site.now())

    with site.database_of(token) as database:
        return JSONResponse(database.change(take))


@router.api_route("/c/{token}/{path:path}", methods=READING)
@router.api_route("/s/{token}/{path:path}", methods=READING)  # for a browser that refuses storage
def package_file(request: Request, token: str, path: str, lenient: bool = False) -> Response:
    """A file of the edition that is played."""
    site = content_site(request)
    with site.database_of(token) as database, database.read() as session:
        launch = launch_of(session, token, now=site.now())
        require_label(site, request, launch.edition)
        edition, allowed = edition_played(session, launch.edition)
    script = site.storage_script if request.url.path.startswith("/s/") else None
    policy = site.policy_of(allowed, request.scope)
    return edition_file(site, request, edition, path, policy, lenient=lenient, script=script)


def build_content(site: ContentSite, *, routers: Iterable[APIRouter] = ()) -> FastAPI:
    """Return the application of the content hosts, with the routes of other modules besides."""
    routes = [route for one in (router, *routers) for route in one.routes]
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None, telemetry=NO_TELEMETRY, routes=routes)
    app.state.content = site
    app.mount("/built", BuiltFiles(directory=site.build))

    @app.exception_handler(LaunchOverError)
    def over(request: Request, _error: LaunchOverError) -> Response:
        if request.method == "POST":
            return JSONResponse({"error": "ended"}, 410)
        return HTMLResponse(f"<!doctype html><html lang=en><title>Ended</title><p>{escape(_OVER)}</p>", 410)

    @app.exception_handler(StaleCommitError)
    def stale(_request: Request, error: StaleCommitError) -> Response:
        return JSONResponse({"error": "stale", "sequence": error.sequence}, 409)

    app.add_middleware(OwnHosts, site=site)
    app.add_middleware(
        Headers, headers=lambda scope: content_headers(site.seen_from(scope).public_url)
    )  # on refusals too
    return app


class OwnHosts:
    """Middleware: our hosts only, no service workers, and no cookie either way.

    Cookies ignore ports: where courses are at the address of the pages, a browser brings the session along. Nothing
    behind this ever sees it.
    """

    def __init__(self, app: ASGIApp, *, site: ContentSite) -> None:
        self.app = app
        self.site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        app = self.app
        if scope["type"] == "http":
            asked = RequestHeaders(scope=scope)
            if not self._is_ours(scope):
                app = PlainTextResponse("No course is played under this name.", 421)
            elif asked.get("service-worker") is not None:
                # It would outlive the launch and answer for whatever is played here next.
                app = PlainTextResponse("Service workers are not served.", 403)
            scope = {**scope, "headers": [one for one in scope["headers"] if one[0] != b"cookie"]}
        await app(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        reach = self.site.reach
        if reach is not None and server_port(scope) in reach.content_ports:
            return reach.is_port_of_a_course(scope)
        return label_in(self.site.content_url, host_header(scope)) is not None


@lru_cache(maxsize=64)
def content_headers(public_url: str) -> Mapping[str, str]:
    """Return what stands on every answer of a content host."""
    return {
        "Content-Security-Policy": content_security_policy(public_url),
        "Connection-Allowlist": connection_allowlist(public_url),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": f"{PERMISSIONS}, {_DENIED}",
        "Cache-Control": "no-store",
    }


# Beyond what no page of ours may do either; one that a browser does not know is passed over.
_DENIED = ", ".join(
    f"{name}=()"
    for name in (
        "accelerometer", "bluetooth", "browsing-topics", "clipboard-read", "display-capture", "gyroscope", "hid",
        "idle-detection", "keyboard-map", "local-fonts", "magnetometer", "midi", "publickey-credentials-get",
        "screen-wake-lock", "serial", "storage-access", "window-management",
    )
)  # fmt: skip


def content_security_policy(
    public_url: str, allowed: Allowance = NOTHING, *, ours: Collection[str] = (), reads: Sequence[str] = ()
) -> str:
    """Return what course content may do: its own host, inline code as old packages have it, and what it is allowed.

    A host outside may give pictures, sound, films, data and frames, never scripts or styles: those would be the course.
    None of *ours* is opened, whoever allowed it; *reads* are sources it may connect to besides.
    """
    outside = "".join(f" {one}" for one in allowed.hosts_but(ours))
    fence = sandbox(allowed)
    media = (f"img-src 'self' data: blob:{outside}", f"media-src 'self' data: blob:{outside}")
    return "; ".join(
        (
            "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'",
            *(media if outside else ()),
            " ".join(("connect-src 'self'", *reads)) + outside,
            "form-action 'self'",
            f"frame-src 'self'{outside}",
            "worker-src 'self' blob:",
            "base-uri 'self'",
            f"frame-ancestors 'self' {public_url}",
            *((f"sandbox {fence}",) if fence is not None else ()),
        )
    )


def connection_allowlist(public_url: str, allowed: Allowance = NOTHING, *, ours: Collection[str] = ()) -> str:
    """Return where content may connect at all, by whatever means (a proposal; Chromium 156 heeds it).

    It stands behind the Content-Security-Policy, which knows nothing of WebRTC nor of where a window is led. Pages of
    the LMS are in it because lessons in a window of their own go back there, and units speak to the record store.
    """
    places = "".join(f' "{one}/*"' for one in (public_url, *allowed.hosts_but(ours)))
    return f"(response-origin{places})"


def edition_file(
    site: ContentSite,
    request: Request,
    edition: Edition | None,
    path: str,
    policy: Mapping[str, str],
    *,
    lenient: bool = False,
    script: str | None = None,
) -> Response:
    """Return a file of an edition, whole or the range asked for; with a *script* first, if it is a page.

    It goes with *policy*, headers that ``ContentSite.policy_of`` makes.

    The pages of a book are XHTML whatever they are called (EPUB 3.3 §6.1): in HTML, ``<script/>`` would swallow the
    rest. Our page asks again, *lenient*, for one that is not.
    """
    found = find_file(site.desk.shelf, edition.manifest, path) if edition else None
    if edition is None or found is None:
        return PlainTextResponse("This file is not part of the course.", 404)
    name, file = found
    try:
        where = site.checked.path(file)
    except FileMissingError:
        return damaged([name], spoken_by(request))
    etag = f'"{file.digest}{"-lenient" * lenient}"'
    headers = {"ETag": etag, "Cache-Control": "private, no-cache", **policy}
    if edition.standard == "file":
        headers["Content-Security-Policy"] = file_security_policy(site.seen_from(request.scope).public_url)
    kind = media_type(name)
    if kind == "text/html" and edition.standard == "file" and not lenient:
        kind = XHTML
    if script is not None and kind in PAGES:
        return with_script(request, where, kind=kind, script=script, headers=headers)
    if request.headers.get("if-none-match") == etag:
        return Response(status_code=304, headers=headers)
    return FileResponse(
        where,
        headers={**headers, "Content-Type": content_type(kind or UNKNOWN, where)},
        filename=None if kind else name.rpartition("/")[2],
    )


class StrangeLabelError(LaunchOverError):
    """The token belongs to another edition's host."""


def require_label(site: ContentSite, request: Request, edition: UUID) -> None:
    """Refuse a token on the host, or the port, of another edition."""
    reach, port = site.reach, server_port(request.scope)
    if reach is not None and reach.port_of is not None and port in reach.content_ports:
        if port != reach.port_of(edition):
            raise StrangeLabelError
    elif label_in(site.content_url, request.headers.get("host", "")) != label_of(site.secret, edition):
        raise StrangeLabelError


# What a lesson in a window of its own says of the work in it (the player has a copy besides, and says so).
_SAVE_STATES = {
    "saved": mark("Saved"),
    "saving": mark("Saving"),
    "unreachable": mark("Server out of reach. Keep this page open: your work is only here."),
    "finished": mark("Ended and saved"),
    "ended": mark("This lesson is open somewhere else, or has ended. Go back and open it again."),
    "rejected": mark("The last change could not be saved."),
    "refused": mark("Part of the last change was refused."),
    "leave-anyway": mark("Not everything is saved yet. Press again to leave anyway."),
}
_SIGNS = ("blob:",)  # by which the shim's worker tells what became of a commit


def _shim_page(site: ContentSite, request: Request, token: str, lang: str, *, anyway: bool) -> Response:
    with site.database_of(token) as database, database.read() as session:
        launch = launch_of(session, token, now=site.now())
        require_label(site, request, launch.edition)
        edition, allowed = edition_played(session, launch.edition)
        taking = taking_of(session, site.desk, launch)
        activity = taking.opened.activities[launch.identifier]
        values = boot_values(session, taking, launch)
    target = activity.launch
    assert target is not None  # noqa: S101 - only what can be launched is ever delivered
    if edition is not None and not anyway:
        package, spoken = taking.opened.package, spoken_by(request, lang)
        go_on = f"?lang={quote(lang)}&anyway=1"
        told = before_lesson(site.checked, edition, package, target.path, spoken, go_on=go_on)
        if told is not None:
            return told
    path = f"{token}/{quote(target.path)}"
    path += f"?{target.query}" * bool(target.query) + f"#{target.fragment}" * bool(target.fragment)
    content, without_storage = f"../../c/{path}", f"../../s/{path}"
    if activity.viewer is not None:  # a page of ours, which keeps nothing in the browser
        content = without_storage = f"../../view/{token}/?lang={quote(lang)}"
    languages = taking.opened.package.languages
    boot: dict[str, object] = {
        "standard": taking.opened.package.data_model,
        "asset": activity.kind == "asset",
        "content": content,
        "without_storage": without_storage,
        "values": values,
        "sequence": launch.sequence,
        "lms_origin": site.seen_from(request.scope).public_url,
        "title": activity.title,
        "lang": languages[0] if languages else "en",
        "idle_after_s": site.idle_after_s,
    }
    is_trial = site.trial_of(token) is not None  # which is watched from the page around it, and so is framed
    if allowed.own_window and not is_trial:
        words = spoken_by(request, lang)
        boot["alone"] = {
            "back": f"{boot['lms_origin']}/learn/{taking.course}/after?here={launch.public_id}",
            "dir": words.direction,
            "label": words.gettext(mark("Back")),
            "states": {state: words.gettext(said) for state, said in _SAVE_STATES.items()},
        }
    shim = "trial-shim.js" if is_trial else "shim.js"
    page = _page(boot, f"../../built/{quote(site.assets[shim])}")
    return HTMLResponse(page, headers=site.policy_of(allowed, request.scope, reads=_SIGNS))


def spoken_by(request: Request, wished: str = "") -> Language:
    """Return the language named in the address, or else the browser's: there are no cookies here."""
    return language(wished) or language_wished(request.headers.get("accept-language", ""))


def _page(boot: dict[str, object], shim: str) -> str:
    return (
        f'<!doctype html>\n<html lang="{escape(boot["lang"])}" dir="ltr">\n<meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(boot['title'])}</title>\n"
        f'<script type="application/json" id="boot">{in_page(boot)}</script>\n'
        f'<script type="module" src="{escape(shim)}"></script>\n</html>\n'
    )
