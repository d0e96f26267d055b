"""One request of one person: who she is, and the mark her forms carry. Worked out once per request."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from starlette.requests import Request

from lms.web.cookies import SESSION, VISITOR, read_cookie
from lms.web.site import site_of
from lms.web.viewer import Viewer

API = "/api/"


@dataclass(frozen=True, kw_only=True, slots=True)
class Visit:
    """Who asks, and what ties her forms to her browser."""

    viewer: Viewer | None
    csrf_token: str
    new_visitor: str | None  # to be set as a cookie when a page with forms is sent
    by_bearer: bool


def visit_of(request: Request) -> Visit:
    """Return the visit this request belongs to; the first call looks it up (one query)."""
    known: Visit | None = getattr(request.state, "visit", None)
    if known is None:
        known = request.state.visit = _look_up(request)
    return known


def _look_up(request: Request) -> Visit:
    site = site_of(request)
    bearer = _bearer_token(request)
    if bearer is not None:
        viewer = site.recognise_bearer(site.database, bearer, site.now())
        return Visit(viewer=viewer, csrf_token="", new_visitor=None, by_bearer=True)
    session = read_cookie(request, SESSION)
    viewer = site.recognise(site.database, session, site.now()) if session else None
    # A form of someone not signed in (sign-in itself, the language menu) needs a tie to her browser too.
    visitor = read_cookie(request, VISITOR)
    new_visitor = secrets.token_urlsafe(24) if viewer is None and visitor is None else None
    tie = session if viewer is not None else (visitor or new_visitor)
    return Visit(
        viewer=viewer, csrf_token=site.sign("csrf", str(tie)), new_visitor=new_visitor, by_bearer=False
    )


def _bearer_token(request: Request) -> str | None:
    """Return the token of the API's own header; pages take no bearer."""
    if not request.url.path.startswith(API):
        return None
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None
