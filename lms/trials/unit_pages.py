"""Trying units that speak to a record store themselves: their player with a log beside it, on the trial's database.

Opening the page launches, as it does for a learner: a reload abandons the session before it (cmi5 9.3.6).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import Form
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.cmi5.actions import registration_for
from lms.cmi5.api import hosts_of
from lms.cmi5.player import (
    bar_of,
    begun_of,
    fits_frame,
    following,
    frame_of,
    open_unit,
    scores_of,
    verdict_on,
    way_to,
    why_of,
)
from lms.cmi5.registrations import Outline, find_own, states_of
from lms.cmi5.tables import Registration
from lms.courses.queries import allowance_of
from lms.launch.actions import Desk
from lms.launch.fence import page_around
from lms.launch.pages import desk_of
from lms.launch.sittings import in_minutes
from lms.launch.why_wording import say_lines
from lms.trials.actions import trial_desk
from lms.trials.log import write_line, write_standing
from lms.trials.pages import Manager, entered
from lms.trials.queries import documents_of, standings_of, statements_of
from lms.trials.store import STORES
from lms.trials.trial import Trial
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of

router = page_router("/trials/{trial_id}/units")


@router.get("")
def show_unit(request: Request, viewer: Manager, trial_id: UUID, unit: str = "") -> Response:
    """Launch a unit: the one chosen, or the next that is not satisfied."""
    site, desk = site_of(request), trial_desk(desk_of(request), trial_id)
    hosts = replace(hosts_of(site), store=f"{STORES}{trial_id}/")
    now = site.now()
    with entered(request, viewer, trial_id) as (trial, database), database.write() as session:
        row, outline = _known(session, desk, trial)
        if row is None:
            row = registration_for(
                session, desk, outline, enrolment=trial.registration, person=trial.person, now=now
            )
        made = open_unit(session, desk, hosts, row, outline=outline, wanted=unit, now=now)
        states, begun = states_of(session, row), begun_of(session, row)
        allowed = allowance_of(session, outline.edition)
        if made is not None:
            write_line(session, "launch", at=now, unit=made.unit.title, facts={"mode": made.mode})
            write_standing(session, desk.shelf, at=now, unit=made.unit.title)
    framed = made is not None and fits_frame(made.unit, allowed)
    return render(
        request,
        "trials/units.html",
        headers=page_around(allowed),
        trial=trial,
        taking=outline,
        at=f"/trials/{trial_id}/units",
        back=f"/trials/{trial_id}/units/after",
        frame=frame_of(made, hosts.content(outline.edition), allowed) if made and framed else None,
        apart=made if made and not framed else None,
        bar=bar_of(outline, states, begun=begun, current=made.unit.identifier if made else None),
        told="",
    )


@router.post("/go")
def go(
    request: Request,
    viewer: Manager,
    trial_id: UUID,
    wanted: Annotated[str, Form(alias="request")] = "",
    choice: Annotated[str | None, Form()] = None,
) -> Response:
    """Go to the unit chosen, to the next that is not satisfied, or to the records."""
    if choice is None:
        with entered(request, viewer, trial_id) as (trial, database), database.read() as session:
            choice = following(session, *_known(session, desk_of(request), trial), wanted)
    return RedirectResponse(way_to(f"/trials/{trial_id}/units", choice), 303)


@router.get("/after")
def after(request: Request, viewer: Manager, trial_id: UUID) -> Response:
    """Show what would have been recorded; here units return."""
    spoken = language_of(request)
    with entered(request, viewer, trial_id) as (trial, database), database.read() as session:
        row, outline = _known(session, desk_of(request), trial)
        states = states_of(session, row) if row else {}
        scores = scores_of(session, row) if row else []
        statements = statements_of(session, trial, spoken)
        standings = standings_of(session, row, outline) if row else []
        documents = documents_of(session, row, outline, spoken) if row else []
        why = why_of(session, row, outline)
    minutes = in_minutes(row.seconds if row else 0)
    return render(
        request,
        "trials/records.html",
        trial=trial,
        way=None,  # they have no sequencing that could refuse anything
        statements=statements,
        standings=standings,
        units=documents,
        reached=verdict_on(outline, states, scores),
        minutes=minutes,
        minutes_with_pauses=minutes,
        lines=say_lines(why, spoken),
        is_final=why.reached.is_final,
        steps=0,  # nor any log of it; what they said is in the log beside
        told="",
    )


def _known(session: Session, desk: Desk, trial: Trial) -> tuple[Registration | None, Outline]:
    return find_own(session, desk.shelf, trial.course, enrolment=trial.registration, node=desk.node)
