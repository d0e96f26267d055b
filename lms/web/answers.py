"""When something cannot be done: one table from error to answer, pages for people, RFC 9457 for programs.

Every answer to a person says what happened, what was kept, what to do, and a code for support. A feature
brings its own errors (``lms.web.errors``); ``install_errors`` is called once, by ``lms.web.frame``.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DataError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from lms.web.errors import (
    NotAllowedError,
    NotFoundError,
    NotSignedInError,
    StrangeHostError,
    StrangeOriginError,
    StrangeTokenError,
    Trouble,
)
from lms.web.locale import Language, language_of, language_without_person
from lms.web.pages import fragment, render
from lms.web.site import site_of
from lms.web.visit import API
from lms.web.wording import Worded, mark

log = logging.getLogger(__name__)

PROBLEM_TYPE = "https://outpost.invalid/problems/"

_GONE = Trouble(
    status=404,
    code="not-found",
    title=mark("This page is not here"),
    remedy=mark("Check the address, or go back and choose again."),
)
_MALFORMED = Trouble(
    status=422,
    code="not-understood",
    title=mark("What was sent could not be understood"),
    remedy=mark("Go back, check what you filled in, and send it again."),
)
_FAILED = Trouble(
    status=500,
    code="failed",
    title=mark("Something went wrong on this node"),
    kept=mark("What was saved before is still there. The last change may not have been saved."),
    remedy=mark(
        "Try again. If it happens twice, give the code below to the person who looks after this node."
    ),
)
_FORM_TOO_OLD = Trouble(
    status=403,
    code="form-too-old",
    title=mark("This form was opened before you signed in, or too long ago"),
    remedy=mark("Go back, load the page again, and send the form once more."),
)

_OWN: Mapping[type[Exception], Trouble] = {
    NotFoundError: _GONE,
    NotAllowedError: Trouble(
        status=403,
        code="not-allowed",
        title=mark("You may not do this"),
        remedy=mark("If you need it for your work, ask the person who looks after this node."),
    ),
    NotSignedInError: Trouble(
        status=401,
        code="not-signed-in",
        title=mark("Nobody is signed in"),
        remedy=mark("Sign in and try again."),
        headers={"WWW-Authenticate": "Bearer"},
    ),
    StrangeOriginError: replace(
        _FORM_TOO_OLD, code="other-origin", title=mark("This change was asked for by another site")
    ),
    StrangeTokenError: _FORM_TOO_OLD,
    StrangeHostError: Trouble(
        status=421,
        code="other-host",
        title=mark("This node is not known by that name"),
        remedy=mark("Use the address printed when the node started."),
    ),
    RequestValidationError: _MALFORMED,
    DataError: _MALFORMED,  # such as a NUL in a text, which PostgreSQL takes nowhere
}
_BY_STATUS = {
    404: _GONE,
    405: Trouble(
        status=405,
        code="method-not-allowed",
        title=mark("This address does not take that kind of request"),
        remedy=mark("Go back and use the buttons of the page."),
    ),
    413: Trouble(
        status=413,
        code="too-large",
        title=mark("What was sent is too large"),
        remedy=mark("Send a smaller file."),
    ),
}


def install_errors(app: FastAPI, tables: Iterable[Mapping[type[Exception], Trouble]]) -> None:
    """Teach *app* how to answer every error of the features' tables, and those no table names."""
    troubles: dict[type[Exception], Trouble] = dict(_OWN)
    for table in tables:
        troubles.update(table)
    app.state.troubles = troubles
    for kind in (*troubles, HTTPException):
        app.add_exception_handler(kind, answer)
    app.add_exception_handler(Exception, _answer_failure)


def answer(request: Request, error: Exception) -> Response:
    """Return what the person or program who asked is told about *error*."""
    if isinstance(error, NotSignedInError) and not _is_api(request):
        return RedirectResponse(f"/sign-in{_way_back(request)}", status_code=303)
    trouble = _trouble(request, error)
    if _is_api(request):
        return _problem(request, trouble, error)
    if trouble.page is not None:
        return RedirectResponse(trouble.page, status_code=303)
    values = _told(trouble, error, language_of(request))
    return render(request, "web/error.html", status_code=trouble.status, headers=trouble.headers, **values)


def problem(status: int, code: str, title: str, detail: str = "", **extra: Any) -> JSONResponse:
    """Return an RFC 9457 problem; *extra* members stand beside the standard ones."""
    body = {"type": PROBLEM_TYPE + code, "title": title, "status": status, "code": code}
    if detail:
        body["detail"] = detail
    return JSONResponse(body | extra, status_code=status, media_type="application/problem+json")


def _answer_failure(request: Request, error: Exception) -> Response:
    # The code ties the screen to the log; the log has the traceback, the screen has none.
    code = secrets.token_hex(4)
    log.error("request_failed", extra={"code": code, "path": request.url.path}, exc_info=error)
    trouble = replace(_FAILED, code=f"{_FAILED.code}-{code}")
    if _is_api(request):
        return problem(500, trouble.code, trouble.title)
    # The fault may lie in the database: this page asks for nothing but its own template.
    spoken = language_without_person(request)
    values = _told(trouble, error, spoken)
    page = fragment(
        spoken, "web/error.html", site=site_of(request), viewer=None, chip=lambda: None, here="/", **values
    )
    return HTMLResponse(page, status_code=trouble.status)


def _trouble(request: Request, error: Exception) -> Trouble:
    if isinstance(error, HTTPException):
        known = _BY_STATUS.get(error.status_code)
        return known or replace(_MALFORMED, status=error.status_code, code=f"http-{error.status_code}")
    troubles: Mapping[type[Exception], Trouble] = request.app.state.troubles
    return next(troubles[kind] for kind in type(error).__mro__ if kind in troubles)


def _told(trouble: Trouble, error: Exception, spoken: Language) -> dict[str, Any]:
    return {
        "title": error.said(spoken) if isinstance(error, Worded) else spoken.gettext(trouble.title),
        "kept": spoken.gettext(trouble.kept),
        "remedy": spoken.gettext(trouble.remedy),
        "code": trouble.code,
        "way": (trouble.way[0], spoken.gettext(trouble.way[1])) if trouble.way else None,
    }


def _problem(request: Request, trouble: Trouble, error: Exception) -> JSONResponse:
    extra: dict[str, Any] = {}
    if isinstance(error, RequestValidationError):
        extra["errors"] = [
            {"location": list(fault["loc"]), "detail": fault["msg"]} for fault in error.errors()
        ]
    detail = "" if isinstance(error, RequestValidationError | HTTPException) else str(error)
    if isinstance(error, Worded):  # a script of our pages shows it to the person before it
        detail = error.said(language_of(request))
    response = problem(trouble.status, trouble.code, trouble.title, detail, **extra)
    response.headers.update(trouble.headers or {})
    return response


def _way_back(request: Request) -> str:
    if request.method != "GET" or request.url.path == "/":
        return ""
    path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    return f"?next={quote(path, safe='/')}"


def _is_api(request: Request) -> bool:
    return request.url.path.startswith(API)
