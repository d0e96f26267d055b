"""For instructors: why an officer's course is not complete, and the log of her attempt, step by step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query
from sqlalchemy.orm import Session
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from lms.cmi5.player import why_of as why_of_units
from lms.cmi5.registrations import find_own
from lms.courses.actions import CourseNotFoundError
from lms.courses.queries import find_course
from lms.courses.tables import Course
from lms.enrolment.queries import registration_of
from lms.launch.attempts import why_of
from lms.launch.course import CourseNotPlayedError, CourseNotReadyError, open_course
from lms.launch.pages import desk_of
from lms.launch.queries import late_work
from lms.launch.steps import count_steps
from lms.launch.using_late import find_late, put_aside, use_late
from lms.launch.why import Why
from lms.launch.why_wording import say_lines, say_whole
from lms.people.policy import Right
from lms.people.queries import find_person, hold_person
from lms.people.tables import Person
from lms.people.viewer import requires
from lms.progress.queries import progress_of
from lms.reports.pages import Observer
from lms.reports.standing import Standing, standing_of
from lms.reports.step_log import listed, read_page, read_step, shown
from lms.web.errors import NotFoundError
from lms.web.locale import language_of
from lms.web.pages import render
from lms.web.router import page_router
from lms.web.site import site_of
from lms.web.viewer import Viewer

Manager = Annotated[Viewer, Depends(requires(Right.MANAGE_ENROLMENT))]
router = page_router("/courses/{course_id:uuid}/people/{person_id:uuid}")


@dataclass(frozen=True, kw_only=True, slots=True)
class Attempt:
    """Whose attempt at which course a page is about."""

    course: Course
    person: Person
    registration: UUID

    @property
    def at(self) -> str:
        """The address of its page."""
        return f"/courses/{self.course.public_id}/people/{self.person.public_id}"

    @property
    def log_at(self) -> str:
        """The address of its log."""
        return f"{self.at}/log"

    @property
    def name(self) -> str:
        """What its page is called."""
        return self.person.display_name

    def title_in(self, language: str) -> str:
        """What is taken, in a language."""
        return self.course.title_in(language)


@router.get("")
def show_attempt(request: Request, _: Observer, course_id: UUID, person_id: UUID) -> Response:
    """Explain to an instructor how an officer stands, and why her course is not complete."""
    spoken = language_of(request)
    with site_of(request).database.read() as session:
        attempt = _attempt(session, course_id, person_id)
        known = progress_of(session, [attempt.registration]).get(attempt.registration, {})
        standing: Standing = standing_of(known, course_id)
        why = _why(request, session, attempt)
        steps = count_steps(session, attempt.registration)
        late = late_work(session, person=person_id, course=course_id)
    return render(
        request,
        "reports/attempt.html",
        attempt=attempt,
        standing=standing,
        whole=say_whole(why, spoken) if why else "",
        lines=say_lines(why, spoken) if why else [],
        steps=steps[1],
        late=len(late),
    )


@router.get("/log")
def show_log(
    request: Request,
    _: Observer,
    course_id: UUID,
    person_id: UUID,
    page: Annotated[int, Query(ge=1, le=1_000)] = 1,
) -> Response:
    """List what sequencing decided in an attempt, the newest first; what is shown was decided again just now."""
    with site_of(request).database.read() as session:
        attempt = _attempt(session, course_id, person_id)
        log = read_page(session, desk_of(request).shelf, attempt.registration, page=page)
    return render(
        request, "reports/attempt_log.html", of=attempt, **listed(log, language_of(request), page=page)
    )


@router.get("/log/{number}")
def show_step(request: Request, _: Observer, course_id: UUID, person_id: UUID, number: int) -> Response:
    """Show one step of an attempt: state before and after, the decision, and the rule that decided."""
    with site_of(request).database.read() as session:
        attempt = _attempt(session, course_id, person_id)
        log = read_step(session, desk_of(request).shelf, attempt.registration, number=number)
    return render(request, "reports/attempt_step.html", of=attempt, **shown(log, language_of(request)))


@router.get("/late")
def show_late(request: Request, viewer: Observer, course_id: UUID, person_id: UUID) -> Response:
    """List what of an officer's work came too late to count."""
    with site_of(request).database.read() as session:
        attempt = _attempt(session, course_id, person_id)
        rows = put_aside(session, desk_of(request), person=person_id, course=course_id)
    if not viewer.may(Right.MANAGE_ENROLMENT):
        rows = [replace(one, can_be_used=False) for one in rows]
    return render(
        request,
        "launch/late.html",
        rows=rows,
        at=f"{attempt.at}/late",
        back=attempt.at,
        back_title=attempt.name,
        is_own=False,
    )


@router.post("/late/{number}")
def post_use(request: Request, _: Manager, course_id: UUID, person_id: UUID, number: int) -> Response:
    """Let work of an officer's that was put aside count; what it replaces is put aside in its turn."""
    site = site_of(request)
    with site.database.write() as session:
        hold_person(session, person_id)
        attempt = _attempt(session, course_id, person_id)
        late = find_late(session, number, person=person_id, course=course_id)
        use_late(session, desk_of(request), late, now=site.now())
    return RedirectResponse(f"{attempt.at}/late", 303)


def _attempt(session: Session, course_id: UUID, person_id: UUID) -> Attempt:
    course, person = find_course(session, course_id), find_person(session, person_id)
    if course is None:
        raise CourseNotFoundError(course_id)
    registration = registration_of(session, person=person_id, course=course_id)
    if person is None or registration is None:
        raise NotFoundError
    return Attempt(course=course, person=person, registration=registration)


def _why(request: Request, session: Session, attempt: Attempt) -> Why | None:
    """Explain the attempt as far as this node knows it; ``None`` where the course cannot be opened here."""
    desk, course = desk_of(request), attempt.course.public_id
    try:
        taking = open_course(
            session,
            desk.shelf,
            person=attempt.person.public_id,
            registration=attempt.registration,
            course=course,
        )
    except CourseNotReadyError:
        return None
    except CourseNotPlayedError:
        row, outline = find_own(session, desk.shelf, course, enrolment=attempt.registration, node=desk.node)
        return why_of_units(session, row, outline) if row else None
    return why_of(session, taking) if taking.kept is not None else None
