"""The player page of courses whose units speak to the record store themselves: the same bar, outline and result.

Opening the page launches: a reload therefore abandons the session before it (cmi5 9.3.6), and so does a second tab.
"""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Form
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from lms.cmi5.actions import leave, registration_for
from lms.cmi5.api import hosts_of
from lms.cmi5.moving import follow_moves
from lms.cmi5.player import (
    bar_of,
    begun_of,
    fits_frame,
    following,
    frame_of,
    open_unit,
    scores_of,
    sitting_of,
    verdict_on,
    way_to,
    why_of,
)
from lms.cmi5.registrations import Outline, find_own, newer_session, states_of
from lms.cmi5.tables import Registration
from lms.courses.queries import allowance_of
from lms.enrolment.queries import own_registration
from lms.launch.actions import Desk
from lms.launch.fence import page_around
from lms.launch.pages import MOST_MISSING, Learner, desk_of
from lms.launch.sittings import in_minutes
from lms.launch.why_wording import say_lines, say_missing, say_whole
from lms.people.queries import hold_person
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router("/learn")
session_router = page_router("/unit-sessions")


@router.get("/{course}/units")
def show_unit(request: Request, viewer: Learner, course: UUID, unit: str = "") -> Response:
    """Launch a unit: the one chosen, or the next that is not satisfied."""
    site, desk = site_of(request), desk_of(request)
    with site.database.write() as session:
        hold_person(session, viewer.public_id)
        row, outline = _taken(session, desk, viewer, course, request)
        made = open_unit(session, desk, hosts_of(site), row, outline=outline, wanted=unit, now=site.now())
        states, begun = states_of(session, row), begun_of(session, row)
        allowed = allowance_of(session, outline.edition)
    if made is not None and not fits_frame(made.unit, allowed):
        return render(request, "launch/own_window.html", title=made.unit.title, address=made.url)
    return render(
        request,
        "cmi5/player.html",
        headers=page_around(allowed),
        taking=outline,
        at=f"/learn/{course}/units",
        why_url=f"/learn/{course}/units/why",
        back="/",
        look_url=f"/unit-sessions/{made.session_id}" if made else "",
        frame=frame_of(made, hosts_of(site).content(outline.edition), allowed) if made else None,
        bar=bar_of(outline, states, begun=begun, current=made.unit.identifier if made else None),
    )


@router.post("/{course}/units/go")
def go(
    request: Request,
    viewer: Learner,
    course: UUID,
    wanted: Annotated[str, Form(alias="request")] = "",
    choice: Annotated[str | None, Form()] = None,
) -> Response:
    """Go to the unit chosen, to the next or the one before, or to the result; what was open is left."""
    site, desk = site_of(request), desk_of(request)
    with site.database.write() as session:
        row, outline = _known(session, desk, viewer, course)
        if choice is None:
            choice = following(session, row, outline, wanted)
        if row is not None:
            leave(session, row.registration, now=site.now())
    return RedirectResponse(way_to(f"/learn/{course}/units", choice), 303)


@router.get("/{course}/units/after")
def after(request: Request, viewer: Learner, course: UUID) -> Response:
    """Show how the learner stands; here units return."""
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        row, outline = _known(session, desk, viewer, course)
        states = states_of(session, row) if row else {}
        scores = scores_of(session, row) if row else []
        why, begun = why_of(session, row, outline), begun_of(session, row)
        sitting = sitting_of(session, row, why)
    minutes = in_minutes(row.seconds if row else 0)
    return render(
        request,
        "launch/result.html",
        taking=outline,
        at=f"/learn/{course}/units",
        bar=bar_of(outline, states, begun=begun, current=None),
        reached=verdict_on(outline, states, scores),
        minutes=minutes,
        minutes_with_pauses=minutes,
        sitting=sitting,
        missing=say_missing(why, language_of(request), most=MOST_MISSING),
    )


@router.get("/{course}/units/why")
def show_why(request: Request, viewer: Learner, course: UUID) -> Response:
    """Explain why the course is not complete: the rule, what the units reported, what is missing."""
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        row, outline = _known(session, desk, viewer, course)
        why = why_of(session, row, outline)
    return render(
        request,
        "launch/why.html",
        title=outline.title_in(language_of(request).code),
        back=f"/courses/{course}",
        go_on=f"/learn/{course}/units",
        whole=say_whole(why, language_of(request)),
        lines=say_lines(why, language_of(request)),
    )


@session_router.get("/{session_id}")
def tell_successor(request: Request, session_id: UUID) -> Response:
    """Tell which session came after this one, for the page that shows it.

    Who knows its id may ask: no sign-in is looked at, or asking would prolong it.
    """
    with site_of(request).database.read() as session:
        newer = newer_session(session, session_id)
    return JSONResponse({"by": str(newer) if newer else None})


def _taken(
    session: Session, desk: Desk, viewer: Viewer, course: UUID, request: Request
) -> tuple[Registration, Outline]:
    """Return the registration under which this node writes what she does; it begins if there is none."""
    person = viewer.public_id
    enrolment = own_registration(session, person=person, course=course)
    found, outline = find_own(session, desk.shelf, course, enrolment=enrolment, node=desk.node)
    if found is None:
        found = registration_for(
            session, desk, outline, enrolment=enrolment, person=person, now=site_of(request).now()
        )
        return found, outline
    return found, follow_moves(session, desk, found, outline, now=site_of(request).now())


def _known(session: Session, desk: Desk, viewer: Viewer, course: UUID) -> tuple[Registration | None, Outline]:
    enrolment = own_registration(session, person=viewer.public_id, course=course)
    return find_own(session, desk.shelf, course, enrolment=enrolment, node=desk.node)
