"""The officer's home and course outline, and the instructor's page of who takes a course."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from lms.cmi5.registrations import STANDARDS
from lms.courses.actions import CourseNotFoundError
from lms.courses.iris import course_iri, unit_iri
from lms.courses.naming import in_language
from lms.courses.queries import current_edition, find_course, is_withdrawn, outline
from lms.enrolment.pages import LeftEmpty
from lms.enrolment.queries import own_enrolment
from lms.launch.attempts import opening_of
from lms.launch.queries import last_launches
from lms.people.policy import Right
from lms.people.presence import is_awaited
from lms.people.queries import group_names
from lms.people.sessions import owner_mark
from lms.people.viewer import requires
from lms.progress.actions import catch_up
from lms.reports.queries import (
    courses_taken,
    edition_of,
    is_under_review,
    place_in,
    roster_page,
    unit_standings,
)
from lms.reports.standing import Standing
from lms.web.errors import NotFoundError
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

router = page_router()
Learner = Annotated[Viewer, Depends(requires(Right.TAKE_COURSES))]
PageNumber = Annotated[int, Query(ge=1, le=1_000_000)]
Observer = Annotated[Viewer, Depends(requires(Right.SEE_PROGRESS))]


@router.get("/")
def show_home(request: Request, viewer: Learner) -> Response:
    """Show what the person takes."""
    catch_up(site_of(request).database)
    with site_of(request).database.read() as session:
        taken = courses_taken(session, viewer.public_id)
        open_ones = [
            one for one in taken if one.course.number and one.standing.status in {"in progress", "failed"}
        ]
        latest = max(open_ones, key=lambda one: str(one.standing.last), default=None)
        place = place_in(session, viewer.public_id, latest) if latest else None
        awaited = is_awaited(session, viewer.public_id)
    waiting = (one for one in taken if one.course.number and one.standing.status == "not started")
    first = latest or next(waiting, None)
    rest = [one for one in taken if one is not first]
    due = [one for one in rest if one.due and one.standing.kind != "done"]
    return render(
        request,
        "reports/home.html",
        owner=owner_mark(site_of(request), viewer),
        damaged=viewer.may(Right.MANAGE_COURSES) and bool(site_of(request).shelf.lost()),
        awaited=awaited,
        taken=taken,
        latest=latest,
        place=place,
        first=first,
        due=due,
        others=[one for one in rest if one.due is None or one.standing.kind == "done"],
    )


@router.get("/courses/{course_id:uuid}")
def show_course(request: Request, viewer: Learner, course_id: UUID) -> Response:
    """Show the outline of a course to who takes it; for anybody else it is not there."""
    catch_up(site_of(request).database)
    with site_of(request).database.read() as session:
        course = find_course(session, course_id)
        if course is None:
            raise NotFoundError
        enrolment = own_enrolment(session, person=viewer.public_id, course=course_id)
        edition = edition_of(session, course, person=viewer.public_id, registration=enrolment.registration)
        lines = outline(session, edition) if edition else ()
        known = unit_standings(session, enrolment.registration)
        withdrawn = edition is None and is_withdrawn(session, course_id)
        review = is_under_review(
            session, course_id, person=viewer.public_id, registration=enrolment.registration
        )
        awaited = is_awaited(session, viewer.public_id)
        begun = bool(known) or enrolment.registration in last_launches(session, viewer.public_id)
        opening = opening_of(
            session,
            site_of(request).shelf,
            person=viewer.public_id,
            registration=enrolment.registration,
            course=course_id,
        )
    units = [(line, known.get(unit_iri(course_id, line.unit), Standing())) for line in lines if line.visible]
    return render(
        request,
        "reports/course.html",
        owner=owner_mark(site_of(request), viewer),
        course=course,
        title=in_language(course.titles, language_of(request).code) or (edition or course).title,
        edition=edition,
        withdrawn=withdrawn,
        under_review=bool(known) and review,
        units=units,
        due=enrolment.due,
        begun=begun,
        awaited=awaited and not begun,
        opening=opening,
        is_open=(begun or opening == "opens nothing")
        and known.get(course_iri(course_id), Standing()).kind != "done",
    )


@router.get("/courses/{course_id:uuid}/people")
def show_people(
    request: Request,
    _: Observer,
    course_id: UUID,
    *,
    group: Annotated[UUID | None, LeftEmpty] = None,
    search: str = "",
    page: PageNumber = 1,
) -> Response:
    """Show who takes a course."""
    with site_of(request).database.read() as session:
        course = find_course(session, course_id)
        if course is None:
            raise CourseNotFoundError(course_id)
        found = roster_page(session, course_id, group=group, search=search, number=page)
        groups = group_names(session)
        edition = current_edition(session, course)
    chosen = {name: value for name, value in (("group", str(group or "")), ("search", search)) if value}
    return render(
        request,
        "reports/people.html",
        course=course,
        page=found,
        groups=groups,
        chosen=chosen,
        has_units=edition is not None and edition.standard in STANDARDS,
    )
