"""Files of units that have a record store of their own, and the page to which they return (cmi5 8.1, 10.2.6).

A unit speaks to the record store on the LMS's host, where its credential is all that counts: no cookie is read
there, and nothing else of that host is within its reach (``connect-src`` names the two paths, and pages of the
LMS answer no other host). The page to return to stands here, because pages of the LMS refuse to be framed.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from markupsafe import escape
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from lms.cmi5.actions import IDLE_AFTER
from lms.cmi5.tables import Registration, UnitSession
from lms.content.app import READING, content_site, edition_file, require_label, spoken_by
from lms.content.damaged import before_lesson
from lms.content.viewer import in_page
from lms.courses.queries import edition_played
from lms.launch.course import open_package
from lms.launch.queries import LaunchOverError, digest
from lms.trials.databases import trial_in_token

router = APIRouter()


@router.get("/au/{token}/-/return")
def come_back(request: Request, token: str) -> Response:
    """The page that a unit returns to."""
    site = content_site(request)
    with site.database_of(token) as database, database.read() as session:
        found = _session_of(session, token)
    require_label(site, request, found.edition)
    trial = trial_in_token(token)
    player = f"learn/{found.course}" if trial is None else f"trials/{trial}"
    pages = site.seen_from(request.scope).public_url
    return HTMLResponse(_return_page(f"{pages}/{player}/units/after", pages))


@router.api_route("/au/{token}/{path:path}", methods=READING)
def unit_file(request: Request, token: str, path: str) -> Response:
    """A file of the edition that a unit belongs to, as long as its session lasts."""
    site = content_site(request)
    with site.database_of(token) as database, database.read() as session:
        found = _session_of(session, token)
        if found.last_seen + IDLE_AFTER < site.now():
            raise LaunchOverError
        require_label(site, request, found.edition)
        edition, allowed = edition_played(session, found.edition)
    if edition is not None and _ENDPOINT in request.query_params and _ANYWAY not in request.query_params:
        package, query = open_package(site.desk.shelf, edition.manifest).package, request.url.query
        go_on = f"?{query}&{_ANYWAY}=1"
        told = before_lesson(site.checked, edition, package, path, spoken_by(request), go_on=go_on)
        if told is not None:
            return told
    store = store_at(site.seen_from(request.scope).public_url)
    policy = site.policy_of(allowed, request.scope, reads=store)
    return edition_file(site, request, edition, path, policy)


_ENDPOINT = "endpoint"  # stands in the address a unit is launched with, and in no other (cmi5 8.1.1)
_ANYWAY = "outpost-anyway"


def store_at(public_url: str) -> tuple[str, str]:
    """Return where a unit finds its record store, as a policy names it."""
    return f"{public_url}/xapi/", f"{public_url}/fetch/"


def _session_of(session: Session, token: str) -> Any:
    found = session.connection().execute(_SESSION, {"digest": digest(token)}).one_or_none()
    if found is None:
        raise LaunchOverError
    return found


_SESSION = (
    select(UnitSession.last_seen, Registration.edition, Registration.course)
    .join(Registration, Registration.id == UnitSession.registration_id)
    .where(UnitSession.content_digest == bindparam("digest"))
)


def _return_page(back: str, lms_origin: str) -> str:
    """Return a page that hands back to the player: in its frame by a word, in a window of its own by going there."""
    told = in_page({"back": back, "origin": lms_origin})
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8"><title>Outpost</title>\n'
        f'<script type="application/json" id="told">{told}</script>\n'
        "<script>\n"
        'const { back, origin } = JSON.parse(document.getElementById("told").textContent);\n'
        "if (parent === window) location.replace(back);\n"
        'else parent.postMessage({ outpost: 1, type: "navigate" }, origin);\n'
        "</script>\n"
        f'<noscript><p><a href="{escape(back)}">&larr;</a></p></noscript>\n</html>\n'
    )
