"""The player page of courses whose units speak to the record store themselves: the same bar, outline and result.

Opening the page launches: a reload therefore abandons the session before it (cmi5 9.3.6), and so does a second tab.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Form
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from content_packages.cmi5.move_on import UNTOUCHED, UnitState, is_satisfied, satisfied
from content_packages.cmi5.vocabulary import LaunchMode
from content_packages.package import Activity
from content_packages.sequencing.controls import OutlineEntry
from lms.cmi5.actions import Launched, launch, registration_for
from lms.cmi5.api import hosts_of
from lms.cmi5.registrations import (
    Outline,
    find_registration,
    open_outline,
    open_sessions,
    own_registration,
    records_of,
    states_of,
)
from lms.cmi5.tables import Registration
from lms.cmi5.verdict import course_success
from lms.enrolment.queries import registration_of
from lms.launch.actions import Desk
from lms.launch.pages import Bar, Learner, desk_of
from lms.launch.verdict import Verdict
from lms.people.queries import hold_person
from lms.web.errors import NotFoundError
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router("/learn")


@router.get("/{course}/units")
def show_unit(request: Request, viewer: Learner, course: UUID, unit: str = "") -> Response:
    """Launch a unit: the one chosen, or the next that is not satisfied."""
    site, desk = site_of(request), desk_of(request)
    with site.database.write() as session:
        hold_person(session, viewer.public_id)
        row, outline = _taken(session, desk, viewer, course, request)
        states = states_of(session, row)
        chosen = outline.unit(unit) if unit else next_unit(outline, states, after=None)
        if unit and chosen is None:
            raise NotFoundError
        made = None
        if chosen is not None:
            mode = mode_for(states.get(chosen.identifier, UNTOUCHED))
            made = launch(session, desk, hosts_of(site), row.registration, chosen, mode=mode, now=site.now())
    if made is not None and not fits_frame(made.unit):
        return render(request, "cmi5/own_window.html", title=made.unit.title, address=made.url)
    return render(
        request,
        "cmi5/player.html",
        taking=outline,
        at=f"/learn/{course}/units",
        back="/",
        frame=_frame(made, hosts_of(site).content(outline.edition)) if made else None,
        bar=_bar(outline, states, current=made.unit.identifier if made else None),
    )


@router.post("/{course}/units/go")
def go(
    request: Request,
    viewer: Learner,
    course: UUID,
    wanted: Annotated[str, Form(alias="request")] = "",
    choice: Annotated[str | None, Form()] = None,
) -> Response:
    """Go to the unit chosen, to the next that is not satisfied, or to the result."""
    site, desk = site_of(request), desk_of(request)
    if choice is not None:
        return RedirectResponse(f"/learn/{course}/units?unit={quote(choice, safe='')}", 303)
    if wanted != "continue":
        return RedirectResponse(f"/learn/{course}/units/after", 303)
    with site.database.read() as session:
        row, outline = _known(session, desk, viewer, course)
        current = next((one.identifier for one in open_sessions(session, row)), None) if row else None
        following = next_unit(outline, states_of(session, row) if row else {}, after=current)
    if following is None:
        return RedirectResponse(f"/learn/{course}/units/after", 303)
    return RedirectResponse(f"/learn/{course}/units?unit={quote(following.identifier, safe='')}", 303)


@router.get("/{course}/units/after")
def after(request: Request, viewer: Learner, course: UUID) -> Response:
    """Show how the learner stands; here units return."""
    site, desk = site_of(request), desk_of(request)
    with site.database.read() as session:
        row, outline = _known(session, desk, viewer, course)
        states = states_of(session, row) if row else {}
        scores = [one.score for one in records_of(session, row) if one.score is not None] if row else []
    return render(
        request,
        "launch/result.html",
        taking=outline,
        at=f"/learn/{course}/units",
        bar=_bar(outline, states, current=None),
        reached=verdict_on(outline, states, scores),
        minutes=-(-(row.seconds if row else 0) // 60),
    )


def next_unit(outline: Outline, states: Mapping[str, UnitState], *, after: str | None) -> Activity | None:
    """Return the next unit that is not satisfied, from *after* on and then from the front.

    Without *after*, a course in which nothing is left to do begins again if it has one unit only.
    """
    units = outline.package.root.units()
    start = next((place for place, one in enumerate(units, 1) if one.identifier == after), 0)
    for one in (*units[start:], *units[:start]):
        if one.identifier != after and not is_satisfied(one, states.get(one.identifier, UNTOUCHED)):
            return one
    untouched = (one for one in units[start:] if one.identifier != after and one.identifier not in states)
    found = next(untouched, None)
    return units[0] if found is None and after is None and len(units) == 1 else found


def mode_for(state: UnitState) -> LaunchMode:
    """Return how a unit is opened: to look at again, once nothing more of it could be recorded (10.2.2)."""
    return "Review" if state.completed and state.passed else "Normal"


def fits_frame(unit: Activity) -> bool:
    """Say whether a unit may stand in the player: not where it asks for a window, nor if it lies elsewhere (8.1)."""
    asks = unit.au is not None and unit.au.launch_method == "OwnWindow"
    return not asks and unit.launch is not None and not unit.launch.address


def verdict_on(outline: Outline, states: Mapping[str, UnitState], scores: Collection[float]) -> Verdict:
    """Return what the course amounts to."""
    root = outline.package.root
    whole = root in tuple(satisfied(root, states))
    said = [state.passed for state in states.values() if state.passed or state.failed]
    return Verdict(
        completed=whole,
        satisfied=course_success(said, satisfied=whole),
        score=sum(scores) / len(scores) if scores else None,
    )


def _taken(
    session: Session, desk: Desk, viewer: Viewer, course: UUID, request: Request
) -> tuple[Registration, Outline]:
    """Return the registration under which this node writes what she does; it begins if there is none."""
    person = viewer.public_id
    enrolment = registration_of(session, person=person, course=course)
    if enrolment is None:
        raise NotFoundError
    found = find_registration(session, own_registration(enrolment, desk.node))
    outline = open_outline(session, desk.shelf, course, held=found.edition if found else None)
    if found is None:
        found = registration_for(
            session, desk, outline, enrolment=enrolment, person=person, now=site_of(request).now()
        )
    return found, outline


def _known(session: Session, desk: Desk, viewer: Viewer, course: UUID) -> tuple[Registration | None, Outline]:
    enrolment = registration_of(session, person=viewer.public_id, course=course)
    if enrolment is None:
        raise NotFoundError
    found = find_registration(session, own_registration(enrolment, desk.node))
    return found, open_outline(session, desk.shelf, course, held=found.edition if found else None)


def _frame(made: Launched, origin: str) -> dict[str, str]:
    # A frame of another name has another history: Back must not bring an old launch into this page.
    return {"origin": origin, "src": made.url, "name": str(made.session_id), "title": made.unit.title}


def _bar(outline: Outline, states: Mapping[str, UnitState], *, current: str | None) -> Bar:
    units = [one.identifier for one in outline.package.root.units()]
    entries = list(_entries(outline, states, current=current))
    return Bar(
        number=units.index(current) + 1 if current in units else 0,
        count=len(units),
        can_continue=current is not None and next_unit(outline, states, after=current) is not None,
        can_go_back=False,
        can_suspend=current is not None,
        can_exit=False,
        outline=entries,
        judged=frozenset(one for one, state in states.items() if state.passed or state.failed),
    )


def _entries(
    outline: Outline, states: Mapping[str, UnitState], *, current: str | None
) -> Iterator[OutlineEntry]:
    met = {one.identifier for one in satisfied(outline.package.root, states)}
    waiting = [(child, 1) for child in reversed(outline.package.root.children)]
    while waiting:
        one, depth = waiting.pop()
        waiting += [(child, depth + 1) for child in reversed(one.children)]
        state = states.get(one.identifier)
        is_unit = one.launch is not None
        yield OutlineEntry(
            identifier=one.identifier,
            title=one.title,
            depth=depth,
            listed=True,
            choosable=is_unit,
            current=one.identifier == current,
            active=one.identifier == current,
            suspended=False,
            attempts=int(state is not None or one.identifier == current),
            # What asks for nothing is satisfied before it was opened; to a reader that is no completion.
            completed=one.identifier in met and (state is not None or not is_unit),
            satisfied=state.passed if state is not None else None,
            measure=None,
            progress=None,
        )
